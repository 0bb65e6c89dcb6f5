"""Runs the figure functions of a chapter and keeps what they return."""

from __future__ import annotations

import inspect
import math
import runpy
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from dataclasses import asdict
from functools import cache, partial
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest.mock import patch

from cnnviz.data import datasets
from cnnviz.errors import CnnvizError
from cnnviz.files import digest, holds, remove, write_atomically
from gen.atlas.units import render_units
from gen.context import Context
from gen.draw.manifest import EXAMPLES, UNITS, Chapter
from gen.figure.figure import Figure, Legend, Panel, Picture, Sprite, Text, Variant
from gen.settings import ROOT, Settings


def figure_functions(module: ModuleType) -> dict[str, Callable[[Context], Figure]]:
    """Public functions of a chapter's module that return a Figure, in order of the file."""
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation in ("Figure", Figure)
    }


def render_chapter(name: str, key: str, context: Context) -> Chapter:
    """Draw all figures and compute all numbers of one chapter."""
    if name == EXAMPLES:
        return Chapter(key, numbers=run_examples(context.settings))
    if name.startswith(UNITS):
        return render_units(name.removeprefix(UNITS), key, context)
    module = import_module(f"gen.figures.{name}")
    chapter = Chapter(key)
    drawn = [(t, f(context), f) for t, f in figure_functions(module).items()]
    if hasattr(module, "generated"):  # figures made in a loop, such as one a layer
        drawn += [(t, f, module.generated) for t, f in module.generated(context).items()]
    for title, figure, function in drawn:
        chapter.figures[title] = _describe(figure, f"{name}/{title}", function, context, chapter)
    if hasattr(module, "numbers"):
        chapter.numbers = _checked(module.numbers(context), name)
    return chapter


def run_examples(settings: Settings) -> dict[str, str]:
    """Run each program of docs/examples and keep what it prints.

    They run in a folder of their own, whose `build` is that of this build.

    Raises:
        CnnvizError: a program fails; names it and the error.
    """
    printed = {}
    # A program that loads the made digits makes them, which takes seconds; the build has them.
    kept = cache(partial(datasets.load, build_dir=settings.build_dir.resolve()))
    with (
        TemporaryDirectory() as folder,
        chdir(folder),
        patch.object(datasets, "load", kept),
    ):
        Path("build").symlink_to(settings.build_dir.resolve(), target_is_directory=True)
        for path in sorted((ROOT / "docs" / "examples").glob("*.py")):
            output = StringIO()
            try:
                with redirect_stdout(output):
                    runpy.run_path(str(path), run_name="__main__")
            except Exception as error:
                raise CnnvizError(f"docs/examples/{path.name} fails: {error!r}") from error
            printed[path.stem] = output.getvalue().rstrip()
    return printed


def _describe(
    figure: Figure,
    address: str,
    function: Callable[..., Any],
    context: Context,
    chapter: Chapter,
) -> dict[str, Any]:
    """A figure as JSON; its pictures are written to files whose names hold their digest."""
    variants = figure.variants or [Variant(Text("", ""), figure.panels, figure.legends)]
    source = Path(inspect.getsourcefile(function) or "").relative_to(ROOT)
    line = inspect.getsourcelines(function)[1]
    return {
        "alt": _text(figure.alt, address),
        "layout": figure.layout,
        "chosen": figure.chosen,
        "scrub": figure.scrub,
        "columns": figure.columns,
        "notes": [_text(note, address) for note in figure.notes],
        "variants": [
            {
                "name": variant.name,
                "panels": [_panel(p, f"{address}-{i}", address, context, chapter)
                           for i, p in enumerate(variant.panels)],
                "legends": [_legend(legend) for legend in variant.legends],
            }
            for variant in variants
        ],
        "source": f"{source.as_posix()}#L{line}",
        "weights": {name: context.passport(name) for name in figure.uses},
    }  # fmt: skip


def _panel(
    panel: Panel, stem: str, address: str, context: Context, chapter: Chapter
) -> dict[str, Any]:
    described: dict[str, Any] = {"label": panel.label, "alt": panel.alt}
    if panel.links:
        described["links"] = asdict(panel.links)
    if isinstance(panel.content, Sprite):
        described["bands"] = {"count": panel.content.count, "height": panel.content.band}
    if not isinstance(panel.content, Text):
        picture = panel.content if isinstance(panel.content, Picture) else panel.content.picture
        content_digest = digest([picture.png])
        file = f"{stem}-{content_digest[:8]}.png"
        path = context.settings.figures_dir / file
        if not holds(path, content_digest):
            write_atomically(path, picture.png)
        chapter.files[file] = content_digest
        described |= {
            "file": file,
            "width": picture.width,
            "height": picture.height,
            "scale": picture.scale,
            "photo": picture.photo,
        }
    else:
        described["markup"] = _text(panel.content, address)
    return described


def _legend(legend: Legend) -> dict[str, Any]:
    return {
        "text": legend.text,
        "gradient": legend.gradient,
        "low": legend.low,
        "high": legend.high,
        "ends": legend.ends,
    }


def _text(text: Text, address: str) -> Text:
    if not (text.zh.strip() and text.en.strip()):
        raise CnnvizError(f"Figure '{address}' lacks words in one of the languages: {text}.")
    return text


def _checked(numbers: Any, chapter: str) -> dict[str, Any]:
    """Numbers for the prose; a number that is not finite must not reach a reader."""

    def check(value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return {str(k): check(v, f"{where}.{k}") for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [check(v, f"{where}[{i}]") for i, v in enumerate(value)]
        if isinstance(value, float) and not math.isfinite(value):
            raise CnnvizError(f"The number '{where}' is {value}; the prose expects a finite one.")
        return value

    return dict(check(dict(numbers), chapter))


def remove_leftovers(settings: Settings, chapters: dict[str, Chapter]) -> None:
    """Delete pictures that no chapter uses any more."""
    used = {file for chapter in chapters.values() for file in chapter.files}
    for path in settings.figures_dir.rglob("*.png"):
        if path.relative_to(settings.figures_dir).as_posix() not in used:
            remove(path)
