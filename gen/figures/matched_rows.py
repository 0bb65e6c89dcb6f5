"""Rows of small pictures, one below the other, that belong together column by column."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnviz.drawing import svg
from cnnviz.drawing.mosaic import Scale, mosaic
from cnnviz.numbers import fixed_or_zero
from cnnviz.words import Message, Say

_WIDTH, _LEFT, _BELOW = 656, 56, 16  # pixels: of all, of the names of the rows, of the notes
_PIXELS = 24
"""To which a tile is enlarged, at least, so that the gap between tiles (two pixels) is narrow."""


@dataclass(frozen=True)
class Row:
    """Attributes:
    tiles: (C, h, w).
    notes: what stands below each of them.
    """

    name: Message | str
    tiles: npt.NDArray[np.floating[Any]]
    notes: Sequence[str]


def matched_rows(
    rows: Sequence[Row], scale: Scale, palette: str, title: Message
) -> Callable[[Say], str]:
    """Draws the rows as one SVG; all tiles have one size and one scale."""
    count, size = len(rows[0].tiles), rows[0].tiles.shape[-1]
    times = -(-_PIXELS // size)
    side = times * size + 2
    wide = (_WIDTH - _LEFT) / count  # of a column
    high = wide + _BELOW

    def draw(say: Say) -> str:
        parts = []
        for index, row in enumerate(rows):
            large = row.tiles.repeat(times, axis=1).repeat(times, axis=2)
            drawn = mosaic(large, columns=count, scale=scale, palette=palette, gap=2)
            y = index * high
            parts.append(
                svg.element(
                    "image",
                    x=_LEFT,
                    y=y,
                    width=wide * drawn.width / side,
                    height=wide * drawn.height / side,
                    preserveAspectRatio="none",
                    href=f"data:image/png;base64,{b64encode(drawn.png(9)).decode()}",
                    style="image-rendering:pixelated",
                )
            )
            name = row.name if isinstance(row.name, str) else say(row.name)
            parts.append(svg.text(0, y + wide / 2, name, anchor="start", size=svg.NOTE_SIZE))
            for column, note in enumerate(row.notes):
                x = _LEFT + wide * (column + 0.5) - wide / side
                parts.append(svg.text(x, y + wide + _BELOW / 2 - 2, note, size=11))
        return svg.document(_WIDTH, high * len(rows), say(title), "".join(parts))

    return draw


def decimals(value: float) -> str:
    """A correlation in little room.

    >>> decimals(0.873), decimals(-0.4), decimals(1.0), decimals(-0.004)
    ('.87', '−.40', '1.00', '.00')
    """
    text = fixed_or_zero(value)
    return text.replace("0.", ".", 1) if text.lstrip("−").startswith("0.") else text
