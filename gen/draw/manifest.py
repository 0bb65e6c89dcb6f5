"""What has been rendered: one JSON file a chapter beside its PNG files. Imports no torch.

A chapter is stale when its key differs: the digest of the code that draws, the weights and data
that it draws from, and the versions of what it draws with.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cnnviz.errors import CnnvizError
from cnnviz.files import DamagedError, digest, holds, inside, seal, write_atomically
from cnnviz.training.recipe import RECIPES, checkpoint_path, data_key, named
from gen.settings import ROOT, Settings

EXAMPLES = "examples"
UNITS = "units-"
"""Begins the names of chapters that hold the units of a net of the atlas (gen.atlas.units)."""

_SIBLING = re.compile(r"^from gen\.figures\.(\w+) import ", re.M)
_NOT_DRAWING = {
    "pages.py",
    "atlas_pages.py",
    "net_strip.py",
    "layer_words.py",
    "unit_pages.py",
    "unit_summary.py",
    "unit_files.py",
    "units.py",
    "unit_drawings.py",
    "unit_words.py",
    "hooks.py",
    "prose.py",
    "html.py",
    "parity.py",
    "maths.py",
    "course.py",
    "glossary.py",
    "lab_files.py",
    "lab_samples.py",
    "notebooks.py",
    "words.py",
    "site.py",
}


@dataclass
class Chapter:
    """The rendered figures and numbers of one chapter.

    Attributes:
        key: what it was made from.
        figures: name → description (see `gen.draw.render`).
        numbers: name → value, for the prose.
        files: PNG file name → digest of its content.
    """

    key: str
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def chapter_names() -> list[str]:
    """Chapters that have generators: the modules of gen/figures, and the examples."""
    modules = (ROOT / "gen" / "figures").glob("*.py")
    return [*sorted(p.stem for p in modules if not p.stem.startswith("_")), EXAMPLES]


def all_names(settings: Settings) -> list[str]:
    """Chapters of this build: those with generators, and the units of each net of the atlas."""
    return [*chapter_names(), *(f"{UNITS}{net}" for net in settings.atlas_nets)]


def weights_files(settings: Settings) -> list[Path]:
    """Checkpoints of all recipes of this build, whether they exist or not."""
    return [
        checkpoint_path(named(name, settings.dataset), settings.build_dir, settings.data_dir)
        for name in RECIPES
    ]


def seal_of(path: Path) -> str | None:
    """The digest of a checkpoint's file; None if it is missing or damaged. Needs no torch."""
    try:
        stat = path.stat()
        return _seal(path, stat.st_mtime_ns, stat.st_size)
    except (DamagedError, OSError):
        return None


@lru_cache
def _seal(path: Path, mtime_ns: int, size: int) -> str:
    """Remembered: a build asks several times, and all weights are some 200 MB."""
    return seal(path)


def untrained(settings: Settings) -> bool:
    """Is the checkpoint of any recipe missing or damaged?"""
    return None in map(seal_of, weights_files(settings))


def keys(settings: Settings) -> dict[str, str]:
    """The key that each chapter should have now."""
    shared = sorted((ROOT / "cnnviz").rglob("*.py")) + sorted((ROOT / "cnnviz").rglob("*.mplstyle"))
    shared += [p for p in sorted((ROOT / "gen").glob("*.py")) if p.name not in _NOT_DRAWING]
    weights = [(seal_of(p) or "").encode() for p in weights_files(settings)]
    versions = [version(name) for name in ("torch", "numpy", "matplotlib", "pillow")]
    data = [data_key(settings.dataset, settings.data_dir)]
    if settings.data_dir and settings.dataset == "digits":
        data.append(data_key("mnist", settings.data_dir))
    # A network from outside may read its weights from any file beside it.
    outside = sorted(
        path
        for file in settings.atlas_files.values()
        for path in file.parent.glob("*")
        if path.is_file()
    )
    versions += [f"{name}={path.name}" for name, path in settings.atlas_files.items()]
    common = digest(
        [
            *(p.read_bytes() for p in [*shared, *outside]),
            *weights,
            *(t.encode() for t in versions + data),
        ]
    )
    own = {name: _own_files(name) for name in all_names(settings)}
    return {
        name: digest([common.encode(), *(p.read_bytes() for p in paths)])
        for name, paths in own.items()
    }


def _own_files(name: str) -> list[Path]:
    """The files that only this chapter is made from."""
    if name == EXAMPLES:
        return sorted((ROOT / "docs" / "examples").glob("*.py"))
    if name.startswith(UNITS):
        return [ROOT / "gen" / "units.py"]
    return _with_siblings(name)


def _with_siblings(name: str) -> list[Path]:
    """The module of a chapter and those of gen/figures that it takes something from."""
    found: dict[str, Path] = {}
    names = [name]
    while names:
        module = names.pop()
        if module not in found:
            found[module] = ROOT / "gen" / "figures" / f"{module}.py"
            names += _SIBLING.findall(found[module].read_text("utf-8"))
    return [found[module] for module in sorted(found)]


def read(name: str, settings: Settings) -> Chapter | None:
    """The chapter as rendered, or None if it is missing, unreadable or a file of it is damaged."""
    path = settings.figures_dir / f"{name}.json"
    if not path.exists():
        return None
    try:
        text = path.read_bytes()
        written = json.loads(text.decode())
        if written["digest"] != digest([text.partition(b"\n")[2]], 64):
            raise DamagedError(f"{path.name} differs from what was written")
        chapter = Chapter(**written["chapter"])
        for file, expected in chapter.files.items():
            if not holds(inside(settings.figures_dir, file), expected):
                raise DamagedError(f"{file} differs from what was rendered")
    except OSError as error:
        why = f"{path.name}: {error.strerror or error}"
    except (CnnvizError, DamagedError) as error:
        why = str(error)
    except (ValueError, LookupError, TypeError, RecursionError):
        why = f"{path.name} is no description of a chapter"
    else:
        return chapter
    print(f"figures of '{name}' are damaged ({why}); drawing again.", file=sys.stderr)
    return None


def write(name: str, chapter: Chapter, settings: Settings) -> None:
    """Write a chapter's description; its files must be there already."""
    write_atomically(settings.figures_dir / f"{name}.json", sealed(vars(chapter)))


def sealed(chapter: Mapping[str, Any]) -> bytes:
    """A chapter as one JSON object of two lines: the digest of the second line, and the chapter."""
    text = json.dumps(chapter, ensure_ascii=False, separators=(",", ":"))
    second = f'"chapter":{text}}}\n'.encode()
    return f'{{"digest":"{digest([second], 64)}",\n'.encode() + second


def stale(settings: Settings) -> dict[str, str]:
    """Chapters to render, with the key that they will have."""
    wanted = keys(settings)
    present = {name: read(name, settings) for name in wanted}
    return {
        name: key
        for name, key in wanted.items()
        if (chapter := present[name]) is None or chapter.key != key
    }
