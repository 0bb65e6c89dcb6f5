"""Pieces of a unit's page: pictures, sheets, bars. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cnnviz.atlas.addresses import UP
from cnnviz.atlas.facts import Drawn
from cnnviz.numbers import fixed
from cnnviz.words import Message, message

INPUT_COLUMNS = 7
"""Of the picture of the inputs: see cnnviz.atlas.units."""


class PictureShown(NamedTuple):
    """As it is shown, `scale` times as large; `offset`: where that begins in a sheet, else ""."""

    file: str
    width: int
    height: int
    scale: int
    alt: str
    offset: str = ""


class Sheet(NamedTuple):
    """A part of a unit's sheet: patches with their classes, or optimised inputs."""

    name: str
    picture: PictureShown
    classes: str
    values: str


class Thumb(NamedTuple):
    """One of the shown inputs: its class, where it lies in their picture, how it is read."""

    name: str
    place: str
    read: str


class Bar(NamedTuple):
    """A number with a bar behind it, which is `share` of the longest."""

    sign: str
    share: str
    text: str


def picture(drawn: Drawn, wide: int, alt: str, most: int = 1000) -> PictureShown:
    """A picture about `wide` pixels wide on the page, at most `most` times as large as it is."""
    scale = max(1, min(most, round(wide / drawn.width)))
    return PictureShown(f"{UP}figures/{drawn.file}", drawn.width, drawn.height, scale, alt)


def part(sheet: Drawn, rows: int, first: int, whole: int, alt: str) -> PictureShown:
    """So many rows of a sheet of `whole` rows, from row `first`; a line is between two rows."""
    height = rows * (sheet.height + 1) // whole - 1
    offset = f"{100 * first // max(1, whole - rows)}%"
    return picture(sheet, 190, alt)._replace(height=height, offset=offset)


def shape_of(shapes: Sequence[Message | None]) -> Message:
    """What a kernel looks like, of which these are the slices."""
    if len(shapes) == 1:
        return shapes[0] or message("weights.no shape")
    named = [[i, shape] for i, shape in enumerate(shapes) if shape]
    return message("weights.slices", slices=named) if named else message("weights.no shapes")


def bars(values: Sequence[float], texts: Sequence[str], least: float = 0) -> list[Bar]:
    """The longest bar is that of the largest value, or of `least` if all are smaller."""
    longest = max(least, *map(abs, values)) or 1
    return [
        Bar("minus" if value < 0 else "plus", f"{abs(value) / longest:.3f}", text)
        for value, text in zip(values, texts, strict=True)
    ]


def listed(values: Sequence[float]) -> str:
    return ", ".join(map(fixed, values))


def rows_of(inputs: int) -> int:
    """Of the picture of so many inputs."""
    return -(-inputs // INPUT_COLUMNS)
