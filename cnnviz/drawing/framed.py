"""Maps in colour with frames around some of their units: arrays in, pixels out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz.drawing import palettes
from cnnviz.drawing.cells import levels

Bytes = NDArray[np.uint8]

_SIDE = 240  # pixels of an enlarged map, about


def framed_map(
    values: NDArray[Any], peak: float, units: list[tuple[tuple[int, int], Any]]
) -> Bytes:
    """A map (H, W) in the diverging palette from −`peak` to `peak`, enlarged: (H', W', 3).

    Args:
        units: row and column of each unit to frame, and the colour (3,) of its frame.
    """
    zoom = max(4, _SIDE // max(values.shape))
    colours = palettes.DIVERGING[levels(values, (-peak, peak))]
    large = colours.repeat(zoom, 0).repeat(zoom, 1)
    for (row, column), colour in units:
        frame(large, row * zoom, column * zoom, (row + 1) * zoom, (column + 1) * zoom, colour)
    return large


def frame(image: Bytes, top: int, left: int, bottom: int, right: int, colour: Any) -> None:
    """A line of three pixels inside the box, drawn into `image` (H, W, 3)."""
    inside = image[top:bottom, left:right]
    for edge in (np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:]):
        inside[edge] = colour
