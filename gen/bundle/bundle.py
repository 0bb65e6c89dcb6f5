"""Figures and numbers of a published build, for a preview of the text that trains nothing.

    python -m gen bundle pack             build/cnnviz-prebuilt.zip, of this build
    python -m gen bundle use PATH-or-URL  unpacked into build/prebuilt
    python -m gen bundle site             site/ from it, if no drawing code has changed

A build folder that holds bundle.json came from such a bundle: gen/site/build.py shows what is in
it and trains and draws nothing. Needs neither torch nor matplotlib.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from cnnviz.errors import CnnvizError
from cnnviz.files import digest, inside
from cnnviz.words import message
from gen.bundle import shape as bundle_shape
from gen.bundle.check import check
from gen.bundle.fetch import fetch
from gen.draw import keys, manifest
from gen.lab import files as lab_files
from gen.settings import ROOT, Settings, commit, from_environment
from gen.texts.words import check_words

NAME = "cnnviz-prebuilt.zip"
MANIFEST = "bundle.json"
FOLDER = "prebuilt"
_FORMAT = 3
_LARGEST = {"unpacked": 400_000_000, "one file": 30_000_000, "files": 20_000}
"""Bytes, bytes and files. What is really unpacked counts, not what the archive says of itself."""

_ALLOWED = re.compile(
    r"figures/[a-z-]+/(?:\w[\w.-]*/)*\w[\w.-]*\.png"
    r"|(?:figures|lab)/[a-z-]+/[\w-]+\.json|lab/[a-z-]+/[\w-]+\.js",
    re.A,
)
_CENTRAL = b"PK\x01\x02"
"""Begins what a zip says of one file."""


# --- Packing ------------------------------------------------------------------------------------


def pack(settings: Settings, target: Path) -> None:
    """Write the bundle of this build.

    Raises:
        CnnvizError: figures are missing or damaged, or are what nobody could use from a bundle.
    """
    files = {}
    for name in keys.all_names(settings):
        chapter = manifest.read(name, settings)
        if chapter is None:
            raise CnnvizError(f"The figures of '{name}' are not there; run make site first.")
        for file in [f"{name}.json", *chapter.files]:
            files[f"figures/{settings.dataset}/{file}"] = inside(settings.figures_dir, file)
    check(settings)
    for path in sorted(lab_files.folder(settings).iterdir()):
        files[f"lab/{settings.dataset}/{path.name}"] = path
    contents = {name: path.read_bytes() for name, path in sorted(files.items())}
    about = {
        "format": _FORMAT,
        "dataset": settings.dataset,
        "commit": commit(),
        "sources": keys.code(settings),
        "files": {name: digest([content], 64) for name, content in contents.items()},
    }
    bundle_shape.shaped(about, bundle_shape.Manifest)
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


def unpack(data: bytes, target: Path) -> dict[str, Any]:
    """Check a bundle, then put it in the place of an earlier one.

    Returns:
        What its manifest says.

    Raises:
        CnnvizError: something in it is not as it should be; nothing was changed.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    old = partial.with_name(f"{partial.name}.old")
    try:
        _remove(partial)
        about = _unpacked(data, partial)
        check(Settings(dataset=about["dataset"], build_dir=partial))
        if target.exists() or target.is_symlink():
            target.rename(old)
        partial.rename(target)
        _remove(old)
    except CnnvizError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CnnvizError(f"it cannot be unpacked into '{_shown(target)}' ({reason}).") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return about


def _remove(folder: Path) -> None:
    """What lies there; of a link the link, and not what it leads to."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _unpacked(data: bytes, folder: Path) -> dict[str, Any]:
    """The manifest of a bundle, whose files lie in `folder` as they should be."""
    if data.count(_CENTRAL) > _LARGEST["files"]:
        raise CnnvizError(f"refused: it holds more than {_LARGEST['files']} files.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            _check_entries(packed)
            about = _manifest(packed)
            left = _LARGEST["unpacked"]
            for name, expected in about["files"].items():
                content = _content(packed, name, min(left, _LARGEST["one file"]))
                if digest([content], 64) != expected:
                    raise CnnvizError(f"it is damaged: '{name}' in it differs from its digest.")
                left -= len(content)
                path = inside(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    except (CnnvizError, OSError):
        raise
    except Exception as error:  # zipfile and zlib raise many types for what is no archive
        raise CnnvizError(f"it is no bundle of figures, or a damaged one ({error}).") from error
    (folder / MANIFEST).write_text(json.dumps(about), "utf-8")
    return about


def _check_entries(packed: zipfile.ZipFile) -> None:
    """Names and kinds of all entries are harmless."""
    for entry in packed.infolist():
        name = entry.filename
        ours = name == MANIFEST or (_ALLOWED.fullmatch(name) and len(name) <= 300)
        file = not entry.is_dir() and (entry.external_attr >> 28) in {0, 0o10}
        if not ours or not file:
            raise CnnvizError(f"refused: it holds '{name[:300]}', which is no figure of ours.")
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise CnnvizError(f"refused: '{name}' in it is compressed as no file of ours is.")


def _content(packed: zipfile.ZipFile, name: str, largest: int) -> bytes:
    """A file of the archive, read no further than `largest` bytes."""
    with packed.open(name) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise CnnvizError(f"refused: unpacked, '{name}' in it is larger than {largest} bytes.")
    return content


def _manifest(packed: zipfile.ZipFile) -> dict[str, Any]:
    """What the manifest says, once it is the one of this archive."""
    largest = _LARGEST["one file"]
    about = _read_manifest(_content(packed, MANIFEST, largest))
    if sorted(packed.namelist()) != sorted([MANIFEST, *about["files"]]):
        raise CnnvizError("refused: it does not hold what its manifest says.")
    folders = {f"{kind}/{about['dataset']}/" for kind in ("figures", "lab")}
    for name in about["files"]:
        if not name.startswith(tuple(folders)):
            raise CnnvizError(f"refused: '{name}' in it is of another data set.")
    return about


def _read_manifest(content: bytes) -> dict[str, Any]:
    try:
        about = bundle_shape.parsed(content, _LARGEST["one file"])
        written = bundle_shape.shaped(about, bundle_shape.Format).format
        if written == _FORMAT:
            checked = bundle_shape.shaped(about, bundle_shape.Manifest)
            return dict(msgspec.to_builtins(checked))
    except CnnvizError as error:
        raise CnnvizError(
            f"it is no bundle of figures, or a damaged one ({MANIFEST}: {error})."
        ) from error
    raise CnnvizError(
        f"it has format {written}, and this code reads {_FORMAT}: take a bundle and a "
        "copy of the repository of about the same day."
    )


# --- Using --------------------------------------------------------------------------------------


def in_use(settings: Settings) -> dict[str, Any] | None:
    """The manifest of the bundle that this build folder came from; None for one of our own.

    Raises:
        CnnvizError: it is damaged, or of another data set.
    """
    path = settings.build_dir / MANIFEST
    if not path.exists():
        return None
    again = "Take the bundle again: python -m gen bundle use PATH-or-URL."
    try:
        about = _read_manifest(path.read_bytes())
    except (CnnvizError, OSError) as error:
        raise CnnvizError(f"'{_shown(path)}' cannot be used: {error} {again}") from error
    if about["dataset"] != settings.dataset:
        raise CnnvizError(
            f"The bundle in use is of the data set '{about['dataset']}', and DATASET is "
            f"'{settings.dataset}'. Say DATASET={about['dataset']}, or take another bundle."
        )
    return about


def changed_chapters(about: dict[str, Any], settings: Settings) -> list[str]:
    """Chapters whose drawing code, or whose words in drawings, differ from those of the bundle."""
    then, now = about["sources"], keys.code(settings)
    return sorted(
        name
        for name in now
        if then.get(name) != now[name] or manifest.words_changed(name, settings)
    )


def site(settings: Settings) -> None:
    """Put the whole site together from the bundle in use; no figure is older than what draws it.

    Raises:
        CnnvizError: no bundle is in use, or the drawing code of some chapters has changed since.
    """
    from gen.publish.assemble import assemble

    about = in_use(settings)
    if about is None:
        raise CnnvizError("No bundle is in use; first: python -m gen bundle use PATH.")
    if changed := changed_chapters(about, settings):
        raise CnnvizError(
            f"The bundle is older than what draws {', '.join(changed)}. Run make site "
            "without PREBUILT, or take a bundle made from this code."
        )
    assemble(settings)


def notice(about: dict[str, Any], settings: Settings, language: str) -> str:
    """One line for the terminal and the page."""
    say, changed = check_words(language), changed_chapters(about, settings)
    text = say(message("bundle.preview", commit=about["commit"] or "?"))
    if not changed:
        return text
    every = len(changed) == len(keys.code(settings))
    older = message("bundle.all older") if every else message("bundle.older", chapters=changed)
    return text + say(older)


def main(arguments: Sequence[str]) -> int:
    """`pack`, `use PATH-or-URL` or `site`."""
    match list(arguments):
        case ["pack"]:
            settings = from_environment()
            target = settings.build_dir / NAME
            pack(settings, target)
            print(f"{_shown(target)} is ready ({target.stat().st_size / 1e6:.0f} MB)")
        case ["use", place]:
            about = _taken(place)
            os.environ["DATASET"] = about["dataset"]
            for language in ("zh", "en"):
                print(f"cnnviz: {notice(about, from_environment(), language)}", file=sys.stderr)
        case ["site"]:
            site(from_environment())
        case _:
            print(
                "cnnviz: expected python -m gen bundle pack, use PATH-or-URL, or site.",
                file=sys.stderr,
            )
            return 2
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
