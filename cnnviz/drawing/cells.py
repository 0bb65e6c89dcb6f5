"""Cells of colour with a number in each: what tables and kernels are drawn of."""

from __future__ import annotations

from collections.abc import Callable
from math import floor, log10

import numpy as np
import numpy.typing as npt

from cnnviz.drawing import svg
from cnnviz.drawing.palettes import CENTRE, HIGHEST, LOWEST, Palette, hex_colour, ink_on

Write = Callable[[float], str]
"""How a number is written."""

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


def writer(values: npt.NDArray[np.float64]) -> Write:
    """All of `values` with the same number of decimals: two, fewer if that says the same.

    More only where all values are so small that two would leave nothing of them.

    >>> [writer(np.array(values))(values[0]) for values in ([1, -2], [0.5, 0.123], [0.0071, 0])]
    ['1', '0.50', '0.0071']
    """
    largest = float(np.abs(values).max())
    most = max(2, 1 - floor(log10(largest))) if largest else 0
    exact = (n for n in range(most) if np.allclose(values, values.round(n), 0, 0.5 * 10**-most))
    digits = next(exact, most)

    def write(value: float) -> str:
        text = f"{value:.{digits}f}".replace("-", "−")
        return text if text.strip("−0.") else "0"

    return write


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
