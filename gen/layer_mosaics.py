"""A layer's weights or activations as one picture: how the parts are laid out and scaled."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnviz.drawing.mosaic import ColourMosaic, Mosaic, Scale, colour_mosaic, mosaic
from cnnviz.drawing.palettes import CENTRE, GAP, HIGHEST, LOWEST

Floats = npt.NDArray[np.floating[Any]]
Shape = tuple[int, ...]

WIDTH = 640
"""Of a wide figure on the page, in pixels."""


def slices(weight: Floats, maps: Shape | None, scale: Scale) -> Mosaic:
    """One row for each input channel, one column for each output channel."""
    return mosaic(np.ascontiguousarray(weight.swapaxes(0, 1)), scale=scale, signed=True)


def colours(weight: Floats, maps: Shape | None, scale: Scale) -> ColourMosaic:
    """Kernels over three channels as red, green and blue."""
    return colour_mosaic(weight, scale=scale, signed=True)


def images(weight: Floats, maps: Shape | None, scale: Scale) -> Mosaic:
    """The weights of each unit in the shape of the image that it looks at."""
    assert maps
    tiles = weight.reshape(-1, *maps[1:])
    return _coarse(mosaic(tiles, columns=16, scale=scale, signed=True))


def blocks(weight: Floats, maps: Shape | None, scale: Scale) -> Mosaic:
    """Each unit as a block of small maps: its weights for each channel that it looks at."""
    assert maps
    channels, height, width = maps
    units, rows = len(weight), divisor(channels)
    columns = units // divisor(units)
    if scale == "map":  # a unit keeps its own scale, not each of its small maps
        weight = weight / np.abs(weight).max(axis=1, keepdims=True).clip(min=1e-12)
    grid = weight.reshape(units // columns, columns, rows, channels // rows, height, width)
    tiles = grid.swapaxes(1, 2).reshape(-1, columns * channels // rows, height, width)
    drawn = mosaic(np.ascontiguousarray(tiles), scale="layer", signed=True)
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


def beside_inputs(
    images: npt.NDArray[np.uint8], shown: Floats, scale: Scale
) -> tuple[Mosaic, npt.NDArray[np.uint8]]:
    """A row for each image: itself in grey, then its maps, whole times enlarged to its size.

    Args:
        images: (N, 1, H, W).
        shown: maps (N, C, h, w), or vectors (N, units), which become stripes.

    Returns:
        The mosaic of the maps, and the picture: (height, width, 4), red, green, blue, opacity.
    """
    side = images.shape[-1]
    if shown.ndim == 2:
        wide = max(1, 560 // shown.shape[1])
        shown = shown[:, None, None].repeat(side, axis=2).repeat(wide, axis=3)  # (N, 1, H, …)
    else:
        times = -(-side // shown.shape[-1])
        shown = shown.repeat(times, axis=2).repeat(times, axis=3)
    border = shown.shape[2] - side
    padding = (border // 2, border - border // 2)
    inputs = np.pad(images[:, 0], ((0, 0), padding, padding))  # (N, H', W')
    # Two pixels between tiles: one is still there when a phone shrinks the picture.
    left = mosaic(inputs, columns=1, scale=(0, 255), palette="grey", gap=2)
    right = mosaic(shown, scale=scale, gap=2)
    gap = np.zeros((left.height, 4, 4), np.uint8)
    return right, np.concatenate([_rgba(left), gap, _rgba(right)], axis=1)


def _rgba(drawn: Mosaic) -> npt.NDArray[np.uint8]:
    opacity = np.where(drawn.indices == GAP, 0, 255)[..., None]
    colours = np.where(opacity, drawn.palette[drawn.indices], 0)
    return np.concatenate([colours, opacity], axis=2).astype(np.uint8)


def _coarse(drawn: Mosaic) -> Mosaic:
    """A large mosaic in every fourth level, the middle one among them: a third fewer bytes."""
    if drawn.pixels.size < 200_000:
        return drawn
    levels = drawn.pixels.astype(int)
    coarse = np.clip(CENTRE + 4 * np.rint((levels - CENTRE) / 4), LOWEST, HIGHEST)
    return replace(drawn, pixels=np.where(levels == GAP, GAP, coarse).astype(np.uint8))


def divisor(n: int) -> int:
    """The largest divisor of n up to its square root.

    >>> [divisor(n) for n in (7, 16, 84, 120, 512)]
    [1, 4, 7, 10, 16]
    """
    return max(d for d in range(1, isqrt(n) + 1) if n % d == 0)
