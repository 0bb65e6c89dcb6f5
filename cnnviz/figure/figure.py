"""What a figure is, before it becomes HTML: panels, legends, words that are still to be said.

Here pictures are bytes. Once they are files, a figure is kept as cnnviz.figure.kept says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic
from cnnviz.figure.kept import Layout, Legend, Links, Said
from cnnviz.numbers import significant
from cnnviz.words import Message, Say, message

__all__ = [
    "GREY_LEGEND", "Drawing", "Figure", "Legend", "Links", "Message", "Panel", "Picture", "Say",
    "Sprite", "Variant", "message", "picture", "raster", "scale_legend",
]  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A PNG at native size, shown `scale` times as large without blur.

    `photo` marks a picture that may be smoothed.
    """

    png: bytes
    width: int
    height: int
    scale: float = 1
    photo: bool = False


@dataclass(frozen=True)
class Sprite:
    """A picture in `count` bands `band` pixels high, one for each input; one is seen at a time.

    The bands are equally far apart, the first at the top, the last at the bottom.
    """

    picture: Picture
    count: int
    band: int


Drawing = Callable[[Say], str] | str
"""SVG or HTML: drawn once for each language with the words that it is given; or without words."""


@dataclass(frozen=True)
class Panel:
    """One picture (PNG) or drawing (SVG or HTML), with its label.

    `alt` says what the picture shows, for those who cannot see it; the label if not given.
    """

    content: Picture | Sprite | Drawing
    label: Said | None = None
    alt: Said | None = None
    links: Links | None = None


@dataclass(frozen=True)
class Variant:
    """One of several ways of drawing the same thing, such as a scale, that the reader chooses."""

    name: Said
    panels: Sequence[Panel]
    legends: Sequence[Legend] = ()


@dataclass(frozen=True)
class Figure:
    """What a generator function returns.

    Attributes:
        alt: what the whole figure shows, computed from its numbers.
        panels, legends: the content, when there is one way to draw it.
        variants: the content, when the reader chooses among several.
        chosen: the variant that is shown first.
        scrub: what a slider over the variants moves, such as the step of training; without
            JavaScript the reader chooses among them as ever.
        layout: "row", "flow" (a row with arrows), "grid", "column" or "inputs" (the panels are what
            the reader chooses among for the sprites of the page); ignored with `columns`.
        columns: panels a row of a table, on every screen; 0 for none.
        notes: a line for each input, of which that of the chosen one is shown; its sentence may
            hold HTML.
        uses: names of the recipes whose weights it shows; they go into its passport.
        drawn_by: the function that drew it, if it does not have the name of the figure. Its words
            are then looked for under "figures" and that name.
    """

    alt: Said
    panels: Sequence[Panel] = ()
    legends: Sequence[Legend] = ()
    variants: Sequence[Variant] = ()
    chosen: int = 0
    scrub: Said | None = None
    layout: Layout = "row"
    columns: int = 0
    notes: Sequence[Message] = ()
    uses: Sequence[str] = ()
    drawn_by: Callable[..., Any] | None = None


def picture(mosaic: Mosaic, scale: float = 1, step: int = 1) -> Picture:
    """A mosaic as a picture; `step` as in `Mosaic.png`, for large ones."""
    return Picture(mosaic.png(level=9, step=step), mosaic.width, mosaic.height, scale)


def raster(pixels: np.ndarray, scale: float = 1, photo: bool = False) -> Picture:
    """uint8 (H, W) or (H, W, 3) as a picture."""
    file = BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG", compress_level=9)
    return Picture(file.getvalue(), pixels.shape[1], pixels.shape[0], scale, photo)


GREY_LEGEND = Legend(
    message("pixel values"),
    "linear-gradient(to right, #000, #fff)",
    "0",
    "255",
)
"""For images of uint8 pixels."""


def scale_legend(mosaic: Mosaic, scope: str, meaning: Said) -> Legend:
    """The legend of a mosaic.

    `scope` says what shares the scale: "map", "layer", "figure" or "shared"; `meaning` what is
    drawn.
    """
    if scope == "map":
        ends = ("−max", "+max") if mosaic.signed else ("0", "max")
    else:
        ends = (significant(float(mosaic.limits[0, 0])), significant(float(mosaic.limits[0, 1])))
    said = message("meaning and scale", meaning=meaning, scale=message(f"scale of {scope}"))
    return Legend(said, palettes.css_gradient(mosaic.palette), *ends)
