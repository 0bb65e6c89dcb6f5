"""Figures and numbers of a published build, for a preview of the text that trains nothing.

    python -m gen.publish.prebuilt pack             build/cnnviz-prebuilt.zip, of this build
    python -m gen.publish.prebuilt use PATH-or-URL  unpacked into build/prebuilt
    python -m gen.publish.prebuilt site             site/ from it, if no drawing code has changed

A build folder that holds bundle.json came from such a bundle: gen/hooks.py shows what is in it and
trains and draws nothing. Needs neither torch nor matplotlib.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from cnnviz.errors import CnnvizError
from cnnviz.files import digest
from gen import lab_files, manifest
from gen.publish.commit import commit
from gen.settings import ROOT, Settings, from_environment

NAME = "cnnviz-prebuilt.zip"
MANIFEST = "bundle.json"
FOLDER = "prebuilt"
_FORMAT = 1
_LARGEST = {"download": 150_000_000, "unpacked": 400_000_000, "files": 20_000}
_ALLOWED = re.compile(r"(?:figures|lab)/[a-z-]+/(?:[\w-]+/)*[\w-]+\.(?:json|png|js)", re.A)


def sources(settings: Settings) -> dict[str, str]:
    """Digest of the code that each chapter's figures are drawn by, whatever drew them."""
    shared = [
        *sorted((ROOT / "cnnviz").rglob("*.py")),
        *(p for p in sorted((ROOT / "gen").glob("*.py")) if p.name not in manifest._NOT_DRAWING),
    ]
    common = digest(path.read_bytes() for path in shared).encode()
    return {
        name: digest([common, *(path.read_bytes() for path in manifest._own_files(name))])
        for name in manifest.all_names(settings)
    }


# --- Packing ------------------------------------------------------------------------------------


def pack(settings: Settings, target: Path) -> None:
    """Write the bundle of this build.

    Raises:
        CnnvizError: figures are missing or damaged.
    """
    files = {}
    for name in manifest.all_names(settings):
        chapter = manifest.read(name, settings)
        if chapter is None:
            raise CnnvizError(f"The figures of '{name}' are not there; run make site first.")
        for file in [f"{name}.json", *chapter.files]:
            files[f"figures/{settings.dataset}/{file}"] = settings.figures_dir / file
    for path in sorted(lab_files.folder(settings).iterdir()):
        files[f"lab/{settings.dataset}/{path.name}"] = path
    contents = {name: path.read_bytes() for name, path in sorted(files.items())}
    about = {
        "format": _FORMAT,
        "dataset": settings.dataset,
        "commit": commit(),
        "sources": sources(settings),
        "files": {name: digest([content], 64) for name, content in contents.items()},
    }
    contents = {MANIFEST: json.dumps(about, indent=1).encode(), **contents}
    partial = target.with_name(f".{target.name}")
    with zipfile.ZipFile(partial, "w") as packed:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))  # the same bytes each time
            entry.external_attr = 0o644 << 16
            png = name.endswith(".png")
            entry.compress_type = zipfile.ZIP_STORED if png else zipfile.ZIP_DEFLATED
            packed.writestr(entry, content)
    partial.replace(target)


# --- Unpacking ----------------------------------------------------------------------------------


def fetch(place: str) -> bytes:
    """The bytes of a bundle on disk or on a site.

    Raises:
        CnnvizError: it cannot be read, or is larger than any bundle of ours.
    """
    if not place:
        raise CnnvizError("nothing is named.")
    largest = _LARGEST["download"]
    try:
        if place.startswith(("https://", "http://")):
            with urllib.request.urlopen(place, timeout=60) as answer:
                data = bytes(answer.read(largest + 1))
        else:
            path = Path(place).expanduser()
            if path.stat().st_size > largest:
                raise CnnvizError(f"it is larger than {largest / 1e6:.0f} MB: no bundle of ours.")
            data = path.read_bytes()
    except OSError as error:
        raise CnnvizError(f"it cannot be read ({_reason(error)}).") from error
    if len(data) > largest:
        raise CnnvizError(f"it is larger than {largest / 1e6:.0f} MB: no bundle of ours.")
    return data


def _reason(error: OSError) -> str:
    """What went wrong, in words: no numbers of errors, no name of a class."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the site answers {error.code}, {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"the site cannot be reached: {getattr(error.reason, 'strerror', error.reason)}"
    return (error.strerror or str(error)).lower()


def unpack(data: bytes, target: Path) -> dict[str, Any]:
    """Check a bundle, then put it in the place of an earlier one.

    Returns:
        What its manifest says.

    Raises:
        CnnvizError: something in it is not as it should be; nothing was changed.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            about = _checked(packed)
            for name, expected in about["files"].items():
                content = packed.read(name)
                if digest([content], 64) != expected:
                    raise CnnvizError(f"it is damaged: '{name}' in it differs from its digest.")
                path = partial / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        (partial / MANIFEST).write_text(json.dumps(about), "utf-8")
        shutil.rmtree(target, ignore_errors=True)
        partial.replace(target)
    except CnnvizError:
        raise
    except Exception as error:  # zipfile, zlib and json raise many types for what is no bundle
        raise CnnvizError(f"it is no bundle of figures, or a damaged one ({error}).") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return about


def _checked(packed: zipfile.ZipFile) -> dict[str, Any]:
    """The manifest, once names, kinds and sizes of all entries are known to be harmless."""
    entries = packed.infolist()
    names = [entry.filename for entry in entries]
    size = sum(entry.file_size for entry in entries)
    if len(entries) > _LARGEST["files"] or size > _LARGEST["unpacked"]:
        raise CnnvizError(f"refused: it holds {len(entries)} files, {size / 1e6:.0f} MB.")
    for entry in entries:
        name = entry.filename
        inside = name == MANIFEST or (
            _ALLOWED.fullmatch(name) and ".." not in PurePosixPath(name).parts
        )
        if not inside or entry.is_dir() or (entry.external_attr >> 28) not in {0, 0o10}:
            raise CnnvizError(f"refused: it holds '{name}', which is no figure of ours.")
    about: dict[str, Any] = json.loads(packed.read(MANIFEST))
    if about["format"] != _FORMAT:
        raise CnnvizError(
            f"it has format {about['format']}, and this code reads {_FORMAT}: take a bundle and a "
            "copy of the repository of about the same day."
        )
    if sorted(names) != sorted([MANIFEST, *about["files"]]):
        raise CnnvizError("refused: it does not hold what its manifest says.")
    return about


# --- Using --------------------------------------------------------------------------------------


def in_use(settings: Settings) -> dict[str, Any] | None:
    """The manifest of the bundle that this build folder came from; None for one of our own."""
    path = settings.build_dir / MANIFEST
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def changed_chapters(about: dict[str, Any], settings: Settings) -> list[str]:
    """Chapters whose drawing code differs from that of the bundle."""
    then, now = about["sources"], sources(settings)
    return sorted(name for name in now if then.get(name) != now[name])


def site(settings: Settings) -> None:
    """Put the whole site together from the bundle in use. No figure in it is older than the code.

    Raises:
        CnnvizError: no bundle is in use, or the drawing code of some chapters has changed since.
    """
    from gen.site import assemble

    about = in_use(settings)
    if about is None:
        raise CnnvizError("No bundle is in use; first: python -m gen.publish.prebuilt use PATH.")
    if changed := changed_chapters(about, settings):
        raise CnnvizError(
            f"The bundle is older than the code that draws {', '.join(changed)}. Run make site "
            "without PREBUILT, or take a bundle made from this code."
        )
    assemble(settings)


def notice(about: dict[str, Any], settings: Settings, language: str) -> str:
    """One line for the terminal and the page."""
    changed = changed_chapters(about, settings)
    made_from = about["commit"] or "?"
    every = len(changed) == len(sources(settings))
    if language == "zh":
        text = f"预览：图和数字取自已发布的构建（{made_from}），本机没有训练，也没有作图。"
        chapters = "所有章节" if every else "、".join(changed)
        return text + (f"它们比代码旧：{chapters}。要看新的，运行 make site。" if changed else "")
    text = (
        f"Preview: figures and numbers come from a published build ({made_from}); "
        "nothing was trained or drawn here."
    )
    chapters = "all chapters" if every else ", ".join(changed)
    older = f" They are older than the code for {chapters}; make site draws them anew."
    return text + (older if changed else "")


def main(arguments: Sequence[str] = sys.argv[1:]) -> int:
    """`pack`, `use PATH-or-URL` or `site`."""
    try:
        if list(arguments) == ["pack"]:
            settings = from_environment()
            target = settings.build_dir / NAME
            pack(settings, target)
            print(f"{_shown(target)} is ready ({target.stat().st_size / 1e6:.0f} MB)")
        elif len(arguments) == 2 and arguments[0] == "use":
            about = _taken(arguments[1])
            os.environ["DATASET"] = about["dataset"]
            for language in ("zh", "en"):
                print(f"cnnviz: {notice(about, from_environment(), language)}", file=sys.stderr)
        elif list(arguments) == ["site"]:
            site(from_environment())
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except CnnvizError as error:
        print(f"cnnviz: {error}", file=sys.stderr)
        return 1
    return 0


def _taken(place: str) -> dict[str, Any]:
    """The manifest of the bundle at `place`, which lies unpacked in build/prebuilt."""
    try:
        return unpack(fetch(place), ROOT / "build" / FOLDER)
    except CnnvizError as error:
        raise CnnvizError(
            f"PREBUILT='{place}': {error} Expected the path or the address of a whole {NAME}, "
            f"which a published site has at its root (…/{NAME}); or leave PREBUILT out, "
            "and everything is trained and drawn here."
        ) from error


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


if __name__ == "__main__":
    sys.exit(main())
