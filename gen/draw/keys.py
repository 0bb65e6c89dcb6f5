"""What each chapter is made of: code, data, versions. Imports no torch.

A chapter is stale when its key differs, or when weights that it used are no longer the same. The
key follows from what the chapter's module imports; which weights it used was noted when it was
drawn (`gen.context.shared`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cnnviz.data.catalogue import data_key
from cnnviz.files import digest
from cnnviz.nets import shipped
from cnnviz.sources import package_version, source_digest, sources
from gen.chapters import figure_files
from gen.settings import ROOT, Settings

EXAMPLES = "examples"
"""The chapter that holds what the programs of docs/examples print."""

UNITS = "units-"
"""Begins the names of chapters that hold the units of a net of the atlas (cnnviz.atlas.units)."""

_PACKAGES = ("cnnviz", "gen")
_PHOTOGRAPHS = ROOT / "gen" / "figures" / "photographs.py"
"""By it chapters reach the network that comes with a package."""
_STORE = "cnnviz.figure.store"
_DRAWN_WITH = ("torch", "numpy", "matplotlib", "pillow")


def modules() -> dict[str, str]:
    """Chapter → module that draws it."""
    return {
        name: f"gen.figures.{path.parent.name}.{path.stem}" for name, path in figure_files().items()
    }


def chapter_names() -> list[str]:
    """Chapters that have generators: the modules of gen/figures, and the examples."""
    return [*sorted(modules()), EXAMPLES]


def all_names(settings: Settings) -> list[str]:
    """Chapters of this build: those with generators, and the units of each net of the atlas."""
    out = left_out()
    drawn = [name for name in chapter_names() if name not in out]
    return [*drawn, *(f"{UNITS}{net}" for net in settings.atlas_nets)]


def left_out() -> set[str]:
    """Chapters that cannot be drawn here: of a network whose weights no installed package ships."""
    if all(map(shipped.available, shipped.FILES)):
        return set()
    return {
        name
        for name, module in modules().items()
        if _PHOTOGRAPHS in sources(module, root=ROOT, packages=_PACKAGES)
    }


def code(settings: Settings) -> dict[str, str]:
    """Chapter → digest of the code that makes it, whatever it is made from."""
    drawn_by = modules()
    return {name: _code(name, drawn_by) for name in all_names(settings)}


def _code(name: str, drawn_by: Mapping[str, str]) -> str:
    start: Iterable[str | Path]
    if name == EXAMPLES:
        start = (ROOT / "docs" / "examples").glob("*.py")
    elif name.startswith(UNITS):
        start = ("cnnviz.atlas.units", "gen.nets", _STORE)
    else:
        start = (drawn_by[name], _STORE)
    return source_digest(*start, root=ROOT, packages=_PACKAGES)


def keys(settings: Settings) -> dict[str, str]:
    """The key that each chapter should have now."""
    parts = [f"{name} {package_version(name)}" for name in _DRAWN_WITH]
    parts.append(data_key(settings.dataset, settings.data_dir))
    if settings.data_dir and settings.dataset == "digits":
        parts.append(data_key("mnist", settings.data_dir))
    parts += [f"{name}={path.name}" for name, path in settings.atlas_files.items()]
    common = digest(part.encode() for part in parts)
    return {
        name: digest([common.encode(), made_by.encode()])
        for name, made_by in code(settings).items()
    }
