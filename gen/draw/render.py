"""Runs the figure functions of a chapter and keeps what they return."""

from __future__ import annotations

import inspect
import math
import runpy
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stdout
from functools import cache, partial
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest.mock import patch

from cnnviz.atlas.units import render_units
from cnnviz.data import datasets
from cnnviz.errors import CnnvizError
from cnnviz.figure.figure import Figure
from cnnviz.figure.kept import Chapter
from cnnviz.figure.store import describe
from cnnviz.files import remove
from cnnviz.nets import efficientnet_lite, shipped
from cnnviz.training import checkpoints
from cnnviz.training.fit import Trained
from cnnviz.training.recipe import Recipe
from cnnviz.training.runs import RECIPES
from gen.context import Context
from gen.draw.keys import EXAMPLES, UNITS, modules
from gen.nets import atlas_net
from gen.settings import ROOT, Settings
from gen.texts.words import SITE
from gen.weights import digests


def site_context(settings: Settings) -> Context:
    """What the figures of a build draw from; a network that is not trained yet is trained."""
    load = partial(
        checkpoints.trained,
        build_dir=settings.build_dir,
        data_dir=settings.data_dir,
        device=settings.device,
    )
    return Context(settings, RECIPES, load, {efficientnet_lite.NAME: efficientnet_lite.pretrained})


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
    """Draw all figures and compute all numbers of one chapter; note which weights it used."""
    with context.noting() as used:
        chapter = _render(name, key, context)
    chapter.numbers = _checked(chapter.numbers, name)
    chapter.weights = digests(used, context.settings)
    return chapter


def _render(name: str, key: str, context: Context) -> Chapter:
    if name == EXAMPLES:
        return Chapter(key, numbers=run_examples(context))
    if name.startswith(UNITS):
        net = atlas_net(context, name.removeprefix(UNITS))
        folder, passport = context.settings.figures_dir, context.passport(net.name)
        return render_units(net, key, passport, folder)
    module = import_module(modules()[name])
    chapter = Chapter(key)
    drawn = [(t, f(context), f) for t, f in figure_functions(module).items()]
    if hasattr(module, "generated"):  # figures made in a loop, such as one a layer
        drawn += [(t, f, module.generated) for t, f in module.generated(context).items()]
    for title, figure, function in drawn:
        chapter.figures[title] = describe(
            figure,
            f"{name}/{title}",
            function,
            chapter,
            context.settings.figures_dir,
            context.passport,
            SITE,
        )
    if hasattr(module, "numbers"):
        chapter.numbers = dict(module.numbers(context))
    return chapter


def run_examples(context: Context) -> dict[str, str]:
    """Run each program of docs/examples and keep what it prints.

    They run in a folder of their own, whose `build` is that of this build.

    Raises:
        CnnvizError: a program fails; names it and the error.
    """
    printed, build_dir = {}, context.settings.build_dir.resolve()
    # A program that loads the made digits makes them, which takes seconds; the build has them.
    kept = cache(partial(datasets.load, build_dir=build_dir))
    names = {recipe: name for name, recipe in context.recipes.items()}
    trained = checkpoints.trained

    def noted(recipe: Recipe, **options: Any) -> Trained:
        context.note({names[recipe]} if recipe in names else ())
        return trained(recipe, **options)

    with (
        TemporaryDirectory() as folder,
        chdir(folder),
        patch.object(datasets, "load", kept),
        patch.object(checkpoints, "trained", noted),
    ):
        Path("build").symlink_to(build_dir, target_is_directory=True)
        for path in sorted((ROOT / "docs" / "examples").glob("*.py")):
            if _lacks_weights(path):
                continue
            output = StringIO()
            try:
                with redirect_stdout(output):
                    runpy.run_path(str(path), run_name="__main__")
            except Exception as error:
                raise CnnvizError(f"docs/examples/{path.name} fails: {error!r}") from error
            printed[path.stem] = output.getvalue().rstrip()
    return printed


def _lacks_weights(program: Path) -> bool:
    """Does it name a network whose weights no installed package ships? Its page is left out."""
    code = program.read_text("utf-8")
    return any(name in code and not shipped.available(name) for name in shipped.FILES)


def _checked(numbers: Mapping[str, Any], chapter: str) -> dict[str, Any]:
    """Numbers for the prose; a number that is not finite must not reach a reader."""

    def check(value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return {str(k): check(v, f"{where}.{k}") for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [check(v, f"{where}[{i}]") for i, v in enumerate(value)]
        if not isinstance(value, float):
            return value
        if not math.isfinite(value):
            raise CnnvizError(f"The number '{where}' is {value}; the prose expects a finite one.")
        return float(value)  # numpy's are a kind of float that msgspec does not write

    return dict(check(numbers, chapter))


def remove_leftovers(settings: Settings, chapters: dict[str, Chapter]) -> None:
    """Delete pictures that no chapter uses any more."""
    used = {file for chapter in chapters.values() for file in chapter.files}
    for path in settings.figures_dir.rglob("*.png"):
        if path.relative_to(settings.figures_dir).as_posix() not in used:
            remove(path)
