"""`python -m gen offline`: the built site as one zip that opens from disk, by double-click.

A browser treats a page on disk as a stranger to every other file: no fetch, no workers, no modules,
and a folder is not its index.html. So links are written out, the search index becomes a script, and
offline.js stands in for the worker. Everything else, the lab too, was made for this from the
start (gen/lab/files.py).
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
import zipfile
from collections.abc import Sequence
from filecmp import cmp
from pathlib import Path
from urllib.parse import urlsplit

from cnnviz.errors import CnnvizError
from cnnviz.files import inside
from gen.publish.assemble import SITE
from gen.settings import ROOT, from_environment
from gen.texts import languages
from gen.texts.words import words

FOLDER = "cnnviz-offline"
_SHIM = "assets/offline.js"
_HREF = re.compile(r'(?<=\shref=")([^"]*)(?=")')
_BUNDLE = re.compile(r'<script src="([^"]*)assets/javascripts/bundle\.')
_MODULE = re.compile(r'<script type="module" src="([^"]+)"')
_SHARED = ("figures", "lab-files")
"""Folders that are the same in both languages; one copy will do."""
_TO_SHARED = re.compile(rf'(?<=["\'(])((?:\.\./)*)(?=(?:{"|".join(_SHARED)})/)')
_ONLINE_ONLY = {"404.html", "sitemap.xml", "sitemap.xml.gz", "robots.txt"}
_ALREADY_SMALL = {".png", ".jpg", ".gz", ".zip", ".woff2"}


def link(href: str) -> str:
    """The address as it works on disk: `../lenet/#x` → `../lenet/index.html#x`."""
    address = urlsplit(href)
    if address.scheme or address.netloc or not address.path:
        return href
    if address.path.rpartition("/")[2] not in {"", ".", ".."}:
        return href
    path = f"{address.path.rstrip('/')}/index.html"
    return address._replace(path=path).geturl()


def page(html: str) -> str:
    """A built page as it works on disk."""
    html = _HREF.sub(lambda found: link(found[1]), html)
    html = _MODULE.sub(r'<script defer src="\1"', html)
    return _BUNDLE.sub(rf'<script src="\g<1>{_SHIM}"></script>\n{{}}'.format(r"\g<0>"), html, 1)


def classic(module: str) -> str:
    """A module that imports nothing, as a script.

    Raises:
        CnnvizError: it does import.
    """
    if re.search(r"^import\b|^export\s*[{*]", module, re.M):
        raise CnnvizError(
            "A module that a page loads imports another one, which does not work from disk. "
            "Join them as gen/lab/files.py does."
        )
    body = re.sub(r"^export (?:default )?", "", module, flags=re.M)
    return f"(() => {{\n{body}\n}})();\n"


def search_index(text: str) -> str:
    """The index as a script, with addresses that work on disk."""
    index = json.loads(text)
    for entry in index["docs"]:
        location = entry["location"]
        entry["location"] = link(location) if location[:1] not in {"", "#"} else location
        if entry["location"] == location and not location.split("#")[0]:
            entry["location"] = f"index.html{location}"
    return f"var __index = {json.dumps(index, ensure_ascii=False, separators=(',', ':'))};\n"


def convert(site: Path, target: Path) -> None:
    """Copy the site, page by page, as it works on disk."""
    if not (site / "en" / "index.html").exists():
        raise CnnvizError(f"'{site}' holds no site in both languages; run make site first.")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        site, target, ignore=lambda _, names: _ONLINE_ONLY & set(names), copy_function=_copy
    )
    shared = all(_same(site / name, site / "en" / name) for name in _SHARED)
    if shared:
        for name in _SHARED:
            shutil.rmtree(target / "en" / name, ignore_errors=True)
    modules = set()
    for file in target.rglob("*.html"):
        relative = file.relative_to(target)
        html = (site / relative).read_text("utf-8")
        if shared and relative.parts[0] == "en":
            html = _TO_SHARED.sub(r"\1../", html)
        modules |= {_module(target, relative, src) for src in _MODULE.findall(html)}
        file.write_text(page(html), "utf-8")
    for file in modules:
        file.write_text(classic(file.read_text("utf-8")), "utf-8")
    for home in (target, target / "en"):
        index = home / "search" / "search_index.json"
        index.with_suffix(".js").write_text(search_index(index.read_text("utf-8")), "utf-8")
        index.unlink()
        shutil.copyfile(Path(__file__).with_suffix(".js"), home / _SHIM)
    (target / "README.txt").write_text(_read_me(target), "utf-8")


def _read_me(target: Path) -> str:
    """Where to begin, a line for each language that is there."""
    homes = {language.code: f"{language.folder}index.html" for language in languages.read(ROOT)}
    return "".join(
        f"{words(code)('offline', page=home)}\n"
        for code, home in homes.items()
        if (target / home).exists()
    )


def _module(target: Path, page: Path, src: str) -> Path:
    """The file that a page loads as a module, which will be written anew: one of the site's.

    Raises:
        CnnvizError: the address leads out of the site.
    """
    return inside(target, posixpath.normpath((page.parent / src).as_posix()))


def _same(one: Path, other: Path) -> bool:
    """Do two folders hold the same files?"""
    files = {p.relative_to(one) for p in one.rglob("*") if p.is_file()}
    if files != {p.relative_to(other) for p in other.rglob("*") if p.is_file()}:
        return False
    return all(cmp(one / file, other / file, shallow=False) for file in files)


def _copy(source: str, target: str) -> None:
    """Pages are written anew; scripts may be; the rest is copied as it is."""
    if not source.endswith(".html"):
        shutil.copyfile(source, target)
    else:
        Path(target).touch()


def pack(folder: Path, archive: Path) -> None:
    """One zip with the folder inside; the same bytes each time."""
    partial = archive.with_name(f".{archive.name}")
    with zipfile.ZipFile(partial, "w") as packed:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = f"{folder.name}/{file.relative_to(folder).as_posix()}"
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            small = file.suffix in _ALREADY_SMALL
            entry.compress_type = zipfile.ZIP_STORED if small else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, file.read_bytes())
    partial.replace(archive)


def main(_: Sequence[str] = ()) -> int:
    """Make build/offline/ and build/cnnviz-offline.zip from site/."""
    build = from_environment().build_dir
    folder, archive = build / "offline" / FOLDER, build / f"{FOLDER}.zip"
    try:
        convert(SITE, folder)
        pack(folder, archive)
    except OSError as error:
        raise CnnvizError(str(error)) from error
    megabytes = archive.stat().st_size / 1e6
    shown = archive.relative_to(ROOT) if archive.is_relative_to(ROOT) else archive
    print(f"{shown} is ready ({megabytes:.0f} MB): unpack it and double-click index.html")
    return 0
