"""The weights that a build has: where they lie, and which they are. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from cnnviz.files import DamagedError, digest, seal
from cnnviz.nets import shipped
from cnnviz.training.recipe import checkpoint_path
from cnnviz.training.runs import RECIPES, named
from gen.settings import Settings


def file(name: str, settings: Settings) -> Path:
    """The checkpoint of a recipe in this build, whether it exists or not."""
    return checkpoint_path(named(name, settings.dataset), settings.build_dir, settings.data_dir)


def files(settings: Settings) -> dict[str, Path]:
    """Recipe → its checkpoint."""
    return {name: file(name, settings) for name in RECIPES}


def digests(names: Iterable[str], settings: Settings) -> dict[str, str]:
    """Network → digest of the file that its weights lie in now; "" if there is none."""
    return {name: _digest(name, settings) for name in sorted(names)}


def _digest(name: str, settings: Settings) -> str:
    if name in shipped.FILES:
        return _of_package(name)
    if name in settings.atlas_files:
        # A network from outside may read its weights from any file beside it.
        beside = sorted(p for p in settings.atlas_files[name].parent.glob("*") if p.is_file())
        return digest(path.read_bytes() for path in beside)
    # There may be no such recipe any more.
    return seal_of(file(name, settings)) or "" if name in RECIPES else ""


@lru_cache
def _of_package(name: str) -> str:
    return digest([shipped.weights_file(name).read_bytes()]) if shipped.available(name) else ""


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
    return None in map(seal_of, files(settings).values())
