"""The chapters that have figures, by name, and where they are drawn. Imports nothing of ours."""

from __future__ import annotations

from pathlib import Path

FIGURES = Path(__file__).parent / "figures"


def figure_files() -> dict[str, Path]:
    """Chapter → the file that draws it.

    gen/figures/relu/relu.py is the chapter "relu", and gen/figures/relu/dead.py "relu_dead".
    """
    return {_name(path): path for path in sorted(FIGURES.glob("*/[!_]*.py"))}


def _name(path: Path) -> str:
    folder, part = path.parent.name, path.stem
    return folder if part == folder else f"{folder}_{part}"
