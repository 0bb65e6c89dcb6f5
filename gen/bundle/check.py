"""Is an unpacked bundle what pages can be made of? Asked before it takes the place of another.

First its JSON is read against the types of cnnviz.figure.kept and gen.bundle.shape, then the
pictures that it names are looked at, and then the parts of pages that come from it are made once,
in memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

from PIL import Image

from cnnviz.atlas.facts import AtlasFacts, Drawn, LayerFacts, NetUnits
from cnnviz.atlas.pages import pages
from cnnviz.atlas.unit_page import UnitPages
from cnnviz.errors import CnnvizError, printable
from cnnviz.figure.html import figure_html
from cnnviz.figure.kept import Chapter, KeptFigure, opened
from cnnviz.files import DamagedError, inside
from gen.bundle import shape
from gen.bundle.scripts import check_script
from gen.draw import keys, manifest
from gen.lab import files as lab_files
from gen.settings import Settings
from gen.texts.words import SITE

LARGEST_JSON = 20_000_000
LARGEST_PICTURE = 20_000_000
"""Pixels."""


def check(settings: Settings) -> None:
    """Look at all chapters and at the lab's settings.

    Raises:
        CnnvizError: says which file is not as it should be, and where in it.
    """
    layers: Mapping[str, Sequence[LayerFacts]] = {}
    files = sorted(settings.figures_dir.glob("*.json"))
    files.sort(key=lambda path: path.stem != "atlas")  # first: the units have pages in its folders
    if not files or files[0].stem != "atlas":
        raise CnnvizError("the chapter 'atlas' is not there.")
    for path in files:
        try:
            chapter = _chapter(path, settings)
            if path.stem == "atlas":
                layers = shape.shaped(chapter.numbers, AtlasFacts).nets
            elif path.stem.startswith(keys.UNITS):
                units = shape.shaped(chapter.numbers, NetUnits)
                _try_units(path.stem.removeprefix(keys.UNITS), units, layers)
        except CnnvizError as error:
            raise CnnvizError(f"'{path.name}' cannot be used ({error}).") from error
    for name in (f"{keys.UNITS}{net}" for net in layers):
        if not (settings.figures_dir / f"{name}.json").is_file():
            raise CnnvizError(f"the chapter '{name}' is not there.")
    try:
        shared = lab_files.folder(settings) / lab_files.SETTINGS
        shape.shaped(shape.parsed(shared.read_bytes(), LARGEST_JSON), dict[str, Any])
    except OSError as error:
        raise CnnvizError("the lab's settings are not there.") from error
    except CnnvizError as error:
        raise CnnvizError(f"the lab's settings cannot be used ({error}).") from error
    for path in sorted(lab_files.folder(settings).glob("*.js")):
        check_script(path.stem, path.read_bytes())


def _chapter(path: Path, settings: Settings) -> Chapter:
    """One chapter, once everything in it has been looked at."""
    if path.stat().st_size > LARGEST_JSON:
        raise CnnvizError(f"it is larger than {LARGEST_JSON / 1e6:.0f} MB")
    content = path.read_bytes()
    shape.parsed(content, LARGEST_JSON)  # refuses what JSON allows and no file of ours holds
    try:
        chapter = opened(content)
    except (CnnvizError, DamagedError) as error:
        raise CnnvizError(f"it {error}") from error
    if path.stem == keys.EXAMPLES:
        shape.check_printed(chapter.numbers)
    else:
        shape.check_numbers(chapter.numbers)
    sizes = {file: _size(inside(settings.figures_dir, file)) for file in chapter.files}
    for title, figure in chapter.figures.items():
        _try_figure(f"{path.stem}/{title}", figure)
        _check_pictures(figure, sizes, settings.figures_dir)
    if path.stem == "atlas":
        facts = shape.shaped(chapter.numbers, AtlasFacts)
        for language in ("zh", "en"):
            say = SITE.catalogue(language, "layer")
            _tried("the pages of the layers", pages, facts, say)
    if path.stem.startswith(keys.UNITS):
        for picture in _unit_pictures(shape.shaped(chapter.numbers, NetUnits)):
            if sizes.get(picture.file) != (picture.width, picture.height):
                raise CnnvizError(f"its picture '{picture.file}' is not there, or not of that size")
    with redirect_stderr(StringIO()) as said:  # where the build itself would draw it again
        if manifest.read(path.stem, settings) is None:
            raise CnnvizError(said.getvalue().strip())
    return chapter


# --- Pictures -----------------------------------------------------------------------------------


def _size(path: Path) -> tuple[int, int]:
    """Width and height in pixels that the head of a PNG file names."""
    if not path.is_file():
        raise CnnvizError(f"its picture '{path.name}' is not there")
    with path.open("rb") as file:
        head = file.read(24)
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR" or not width * height:
        raise CnnvizError(f"its picture '{path.name}' is no PNG")
    if width * height > LARGEST_PICTURE:
        raise CnnvizError(f"its picture '{path.name}' has {width}×{height} pixels")
    return width, height


def _check_pictures(figure: KeptFigure, sizes: Mapping[str, tuple[int, int]], folder: Path) -> None:
    """Each is one of the chapter's files, as large as it says; those for cards can be read."""
    for variant in figure.variants:
        for panel in variant.pictures:
            if sizes.get(panel.file) != (panel.width, panel.height):
                raise CnnvizError(f"its picture '{panel.file}' is not there, or not of that size")
            if variant is figure.shown:
                _tried(f"the picture '{panel.file}'", _decode, folder / panel.file)


def _decode(path: Path) -> None:
    with warnings.catch_warnings(), Image.open(path, formats=("PNG",)) as picture:
        warnings.simplefilter("error")
        picture.load()


def _unit_pictures(units: NetUnits) -> list[Drawn]:
    found: list[Drawn] = [units.inputs]
    for layer in units.layers.values():
        for unit in layer.units:
            found += [unit.weights, unit.patches]
            if isinstance(unit.maps, Drawn):
                found.append(unit.maps)
    return found


# --- Pages --------------------------------------------------------------------------------------


def _try_figure(address: str, figure: KeptFigure) -> None:
    for language in ("zh", "en"):
        _tried(
            f"the figure '{address}'",
            figure_html,
            address,
            figure,
            language,
            "",
            str,
            "/",
            "",
            SITE,
        )


def _try_units(net: str, units: NetUnits, nets: Mapping[str, Sequence[LayerFacts]]) -> None:
    """The pages of a net's units lie in folders of its layers with weights, one for each."""
    layers = nets.get(net, [])
    if {layer.name for layer in layers if layer.form} != {*units.layers}:
        raise CnnvizError("its layers are not those that the chapter 'atlas' has for this net")
    for layer in layers:
        owned = units.layers.get(layer.owner)
        if layer.owner and (not owned or len(owned.units) != layer.units):
            raise CnnvizError(f"the units of the layer '{layer.name}' are not all there")
    _tried("the pages of its units", _unit_pages, net, units, layers)


def _unit_pages(net: str, units: NetUnits, layers: Sequence[LayerFacts]) -> None:
    for name, facts in units.layers.items():
        pages = UnitPages(net, units, layers, name, SITE, "en")
        for index in range(len(facts.units)):
            pages.page(index)


def _tried(what: str, make: Any, *arguments: Any) -> None:
    """Make something of what a bundle says; that it says the right things shows in that it works.

    Raises:
        CnnvizError: it does not work.
    """
    try:
        make(*arguments)
    except Exception as error:  # a missing field, a text for a number, a division by zero, …
        reason = printable(f"{type(error).__name__}: {error}")[:200]
        raise CnnvizError(f"{what} cannot be made of it: {reason}") from error
