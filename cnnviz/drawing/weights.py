"""A layer's weights or activations as one picture: how the parts are laid out and scaled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnviz.drawing.mosaic import ColourMosaic, Mosaic, Scale, colour_mosaic, mosaic
from cnnviz.drawing.palettes import CENTRE, GAP, HIGHEST, LOWEST

Floats = npt.NDArray[np.floating[Any]]
Shape = tuple[int, ...]

WIDTH = 640
"""Of a wide figure on the page, in pixels."""

Draw = Callable[[Floats, Shape | None, Scale], Mosaic | ColourMosaic]

LARGE, FEW = 200_000, 7
"""Pictures of so many pixels have only 7 levels on either side of zero."""


def signed_weights(weight: Floats, form: str, maps: Shape | None, scale: Scale) -> Mosaic:
    """Weights in the diverging palette, kernels over three colours too."""
    drawn = DRAW["slices" if form == "colours" else form](weight, maps, scale)
    assert isinstance(drawn, Mosaic)
    return drawn


def slices(weight: Floats, maps: Shape | None, scale: Scale) -> Mosaic:
    """One row for each input channel, one column for each output channel."""
    return mosaic(np.ascontiguousarray(weight.swapaxes(0, 1)), scale=scale, signed=True)


def colours(weight: Floats, maps: Shape | None, scale: Scale) -> ColourMosaic:
    """Kernels over three channels as red, green and blue."""
    return colour_mosaic(weight, scale=scale, signed=True)


def depthwise(weight: Floats, maps: Shape | None, scale: Scale) -> Mosaic:
    """Kernels over one channel each as tiles, in reading order."""
    return mosaic(np.ascontiguousarray(weight[:, 0]), scale=scale, signed=True)


def images(weight: Floats, maps: Shape | None, scale: Scale) -> Mosaic:
    """The weights of each unit in the shape of the image that it looks at."""
    assert maps
    tiles = weight.reshape(-1, *maps[1:])
    columns = unit_columns("images", len(tiles))
    return _coarse(mosaic(tiles, columns=columns, scale=scale, signed=True))


def unit_columns(form: str, units: int) -> int:
    """Units in a row of the picture of that form."""
    if form == "blocks":
        return units // divisor(units)
    if form == "images":
        return next((n for n in range(16, 7, -1) if units % n == 0), min(16, units))
    return {"slices": units, "matrix": 1}.get(form, 0)


def blocks(weight: Floats, maps: Shape | None, scale: Scale) -> Mosaic:
    """Each unit as a block of small maps: its weights for each channel that it looks at."""
    assert maps
    channels, height, width = maps
    units, rows = len(weight), divisor(channels)
    columns = unit_columns("blocks", units)
    if scale == "map":  # a unit keeps its own scale, not each of its small maps
        weight = weight / np.abs(weight).max(axis=1, keepdims=True).clip(min=1e-12)
        scale = "layer"
    grid = weight.reshape(units // columns, columns, rows, channels // rows, height, width)
    tiles = grid.swapaxes(1, 2).reshape(-1, columns * channels // rows, height, width)
    drawn = mosaic(np.ascontiguousarray(tiles), scale=scale, signed=True)
    pixels = drawn.indices
    for axis, block in ((0, rows * (height + 1)), (1, channels // rows * (width + 1))):
        edges = np.arange(block, pixels.shape[axis], block)  # where the next unit begins
        pixels = np.insert(pixels, np.repeat(edges, 2), GAP, axis=axis)
    return replace(drawn, pixels=pixels)


def matrix(weight: Floats, maps: Shape | None, scale: Scale) -> Mosaic:
    """One row for each unit, one column for each of its inputs; few rows are drawn thick."""
    units, inputs = weight.shape
    thick = max(1, round(min(22, 400 / units) * inputs / WIDTH))
    rows = np.repeat(weight[:, None], thick, axis=1)  # (out, thick, in)
    gap = 0 if thick == 1 else max(1, round(thick / 8))
    return _coarse(mosaic(rows, columns=1, scale=scale, signed=True, gap=gap))


def _coarse(drawn: Mosaic) -> Mosaic:
    """A large mosaic in few colours: 4 bits a pixel."""
    return coarse(drawn, FEW) if drawn.pixels.size >= LARGE else drawn


def coarse(drawn: Mosaic, steps: int) -> Mosaic:
    """The same in fewer levels: `steps` on either side of zero, the ends among them."""
    zero = CENTRE if drawn.signed else LOWEST
    span = HIGHEST - zero
    step = np.rint((np.arange(256) - zero) * steps / span)
    levels = np.clip(np.rint(zero + step * span / steps), LOWEST, HIGHEST).astype(np.uint8)
    levels[GAP] = GAP
    return replace(drawn, pixels=levels[drawn.pixels])


def small_png(drawn: Mosaic | ColourMosaic) -> bytes:
    """A PNG of a mosaic whose palette has only the colours that it uses; 4 bits for up to 16."""
    if isinstance(drawn, ColourMosaic):
        return drawn.png(9)
    used = np.unique(np.append(drawn.pixels, GAP))  # the gap is first: it is 0
    number = np.zeros(256, np.uint8)
    number[used] = np.arange(len(used))
    image = Image.fromarray(number[drawn.pixels])
    image.putpalette(drawn.palette[used].tobytes())
    file = BytesIO()
    bits = 4 if len(used) <= 16 else 8
    image.save(file, "PNG", compress_level=9, transparency=GAP, bits=bits)
    return file.getvalue()


def divisor(n: int) -> int:
    """The largest divisor of n up to its square root.

    >>> [divisor(n) for n in (7, 16, 84, 120, 512)]
    [1, 4, 7, 10, 16]
    """
    return max(d for d in range(1, isqrt(n) + 1) if n % d == 0)


DRAW: dict[str, Draw] = {
    "slices": slices,
    "colours": colours,
    "depthwise": depthwise,
    "images": images,
    "blocks": blocks,
    "matrix": matrix,
}
"""Form of a layer's weights (`Layer.form`) → function of weights, `Layer.maps` and scale."""
