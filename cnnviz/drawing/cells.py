"""Cells of colour with a number in each: what tables and kernels are drawn of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cnnviz.drawing import svg
from cnnviz.drawing.palettes import CENTRE, HIGHEST, LOWEST, Palette, hex_colour, ink_on
from cnnviz.numbers import Write

_TINT = 0.45  # the strongest tint on which the page's text can be read, light or dark


def tinted_cell(x: float, y: float, width: float, height: float, share: float, content: str) -> str:
    """A cell in the theme's blue, from bare at share 0 to its strongest at 1."""
    tint = _box(x, y, width, height, svg.var("1"), round(_TINT * share, 2))
    return tint + svg.text(x + width / 2, y + height / 2, content, size=svg.NOTE_SIZE)


def palette_cell(
    x: float, y: float, width: float, height: float, colour: npt.ArrayLike, content: str
) -> str:
    """A cell of one sRGB colour (3,), with black or white text, whichever is easier to read."""
    box = _box(x, y, width, height, hex_colour(colour))
    size = min(svg.NOTE_SIZE, svg.NOTE_SIZE * (width - 4) / max(svg.text_width(content, 12), 1))
    return box + svg.text(x + width / 2, y + height / 2, content, size=size, fill=ink_on(colour))


def number_grid(
    values: npt.NDArray[np.float64],
    x: float,
    y: float,
    cell: float,
    palette: Palette,
    limits: tuple[float, float],
    write: Write,
) -> str:
    """Values (R, C) as square cells with their upper left corner at (x, y)."""
    colours = palette[levels(values, limits)]  # (R, C, 3)
    return "".join(
        palette_cell(
            x + column * cell, y + row * cell, cell, cell, colours[row, column], write(value)
        )
        for (row, column), value in np.ndenumerate(values)
    )


def levels(values: npt.NDArray[np.float64], limits: tuple[float, float]) -> npt.NDArray[np.intp]:
    """Palette rows, LOWEST at the low limit and HIGHEST at the high one; CENTRE if they are equal.

    >>> levels(np.array([-2.0, 0.0, 9.0]), (-2, 2)).tolist()
    [1, 128, 255]
    """
    low, high = limits
    if low == high:
        return np.full(values.shape, CENTRE, dtype=np.intp)
    share = (np.clip(values, low, high) - low) / (high - low)
    return np.rint(LOWEST + (HIGHEST - LOWEST) * share).astype(np.intp)


def _box(
    x: float, y: float, width: float, height: float, fill: str, opacity: float | None = None
) -> str:
    """A rectangle with a hair of page around it."""
    return svg.element(
        "rect",
        x=x + 0.5,
        y=y + 0.5,
        width=width - 1,
        height=height - 1,
        rx=2,
        fill=fill,
        fill_opacity=opacity,
    )
