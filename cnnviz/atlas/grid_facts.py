"""Facts of the units of a layer in columns: what the grid of a large network is made of.

A unit has no page of its own there. The page of its layer shows a tile of it and opens a panel,
which finds all that it tells in one script beside the page. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from cnnviz.atlas.facts import Known, NameOrNone, Title, Word
from cnnviz.figure.kept import Count, Name, Pixels

ON_TILE = 4
"""Patches on the tile of a unit."""

ACROSS, BLOCK = 6, 120
"""Tiles in a row, and in a sheet of tiles."""

PER_SHEET = 12
"""Units in a sheet of rows, which is fetched when one of them is opened."""

SheetFile = Annotated[str, Meta(pattern=r"(?a)\A(?:\w[\w.-]*/)*\w[\w.-]*\.webp\Z", max_length=300)]
ClassText = Annotated[str, Meta(min_length=1, max_length=200)]
"""The name of a class, with any characters: it is only ever put in as text."""


class SheetFacts(Known, frozen=True, kw_only=True):
    """A file with many pictures, shown `scale` times as large."""

    file: SheetFile
    width: Pixels
    height: Pixels
    scale: Annotated[int, Meta(ge=1, le=100)]


class Places(Known, frozen=True, kw_only=True):
    """The answers that stand out for each unit, the extreme first, each column (units, count).

    Attributes:
        image: number of the image; `row`, `column` in the map; `value` there.
    """

    image: list[list[int]]
    row: list[list[int]]
    column: list[list[int]]
    value: list[list[float]]


class OptimisedFacts(Known, frozen=True, kw_only=True):
    """Inputs that were optimised for some of the units.

    Attributes:
        sheet: a row for each of `units`; `size` height and width of an input in it.
        value: what each reached, (units, starts).
    """

    sheet: SheetFacts
    size: tuple[int, int]
    units: list[int]
    value: list[list[float]]


class JoinedFacts(Known, frozen=True, kw_only=True):
    """The units of another layer that each unit is joined to most.

    Attributes:
        layer: the other; `count` how many units it has, of which the first `shown` have tiles.
        unit: (units, links) numbers; `weight` and mean `contribution` of each link.
    """

    layer: Name
    count: Count
    shown: int
    unit: list[list[int]]
    weight: list[list[float]]
    contribution: list[list[float]]


class OffFacts(Known, frozen=True, kw_only=True):
    """What changes when a unit is switched off: mean loss and accuracy over all classes.

    Attributes:
        units: those that were switched off.
        images: on how many.
    """

    units: list[int]
    loss: list[float]
    accuracy: list[float]
    images: int


class GridFacts(Known, frozen=True, kw_only=True):
    """All units of a layer.

    Attributes:
        net, title: of the network; `layer` and its `kind`.
        units: how many are shown, the first of `of`; `spatial`: each puts out a map.
        field: height and width in pixels of what a unit sees, (0, 0) where nobody knows.
        whole: patches are whole images.
        relu: the activation behind the layer to which `active` and the means belong, or "".
        images: how many were searched for patches; `counted` over how many was counted.
        patch: height and width of a patch in the sheets.
        tiles: a sheet for each BLOCK units; `sheets` one for each PER_SHEET.
        most, least: where the patches were found.
        labels: image → its class, of the images with patches; empty without labels.
        classes: number of a class → its name, of those that are named here.
        active: share of the images on which the unit is above zero somewhere.
        low, high, mean: of the numbers that it puts out.
        best, best_mean: classes with the largest means and these, (units, 5 at most).
        norm, bias: of its weights; empty where there are none.
        own: class of each unit, where the units are the classes.
    """

    net: Name
    title: Title
    layer: Name
    kind: Word
    units: Annotated[int, Meta(ge=1, le=1_000_000)]
    of: Annotated[int, Meta(ge=1, le=1_000_000)]
    spatial: bool
    field: tuple[int, int]
    whole: bool
    relu: NameOrNone = ""
    images: int
    counted: int
    patch: tuple[int, int]
    tiles: Annotated[list[SheetFacts], Meta(min_length=1)]
    sheets: Annotated[list[SheetFacts], Meta(min_length=1)]
    most: Places
    least: Places
    labels: Mapping[int, int]
    classes: Mapping[int, ClassText]
    active: Sequence[float] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    mean: Sequence[float] = ()
    best: Sequence[Sequence[int]] = ()
    best_mean: Sequence[Sequence[float]] = ()
    norm: Sequence[float] = ()
    bias: Sequence[float] = ()
    own: bool = False
    off: OffFacts | None = None
    optimised: OptimisedFacts | None = None
    incoming: JoinedFacts | None = None
    outgoing: JoinedFacts | None = None


def units_script(facts: GridFacts) -> bytes:
    """The script beside the page of the layer: one call of a function of assets/grid.js.

    A page that was opened from disk may load a script, and no other kind of file.
    """
    return b"cnnvizUnits(" + in_script(facts) + b");\n"


def in_script(value: object) -> bytes:
    """As JSON that may stand in a script; two characters end a line there and not in JSON."""
    content = msgspec.json.encode(value)
    for mark, written in (("\u2028", rb"\u2028"), ("\u2029", rb"\u2029"), ("<", rb"\u003c")):
        content = content.replace(mark.encode(), written)
    return content
