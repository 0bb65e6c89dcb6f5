"""One picture for all inputs: a band of maps for each, one below the other.

The page shows one band at a time (`cnnviz.figure.figure.Sprite`); assets/atlas.js moves to the
chosen input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from math import ceil, prod

import numpy as np
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from cnnviz.drawing.mosaic import Mosaic, Scale, mosaic
from cnnviz.drawing.palettes import GAP
from cnnviz.drawing.weights import FEW, coarse, small_png
from cnnviz.figure.figure import Picture, Sprite
from cnnviz.inside.layers import Floats

PANEL = 334
"""Width in pixels of one of two panels side by side."""

APART = 2
"""Pixels between bands: one is still there when a phone shrinks the picture."""

STEPS = {True: 32, False: 16}
"""Levels on either side of zero: of maps, and of squares, each of which is one number."""

LARGE = 120_000
"""Sprites of maps with so many pixels have FEW levels."""

MAP, MOST = 56, 4_000_000
"""Larger maps, or more numbers in one picture, are drawn smaller."""

WEBP = 16_383
"""Pixels that a WebP is high or wide at most."""

PHOTOGRAPHIC = 1_000_000
"""Sprites of so many pixels are WebP: a map in them is no longer a few squares to be counted."""


def shrinking(shape: Sequence[int]) -> int:
    """How many times smaller maps (N, C, H, W) are drawn: such that a map is at most MAP wide.

    >>> shrinking((8, 64, 112, 112)), shrinking((14, 16, 10, 10))
    (2, 1)
    """
    if len(shape) != 4:
        return 1
    numbers, side = prod(shape), max(shape[2:])
    return max(-(-side // MAP), ceil((numbers / MOST) ** 0.5))


def tiles(values: Tensor) -> Floats:
    """Maps (N, C, H, W) as they are; vectors (N, units) with a square for each unit: (N, C, s, s).

    The places of (N, C, T) lie in a row, slices of volumes one below the other.

    Of large maps each pixel is the mean of a square of numbers, `shrinking` wide.

    >>> tiles(torch.zeros(2, 120)).shape
    (2, 120, 26, 26)
    """
    if (factor := shrinking(values.shape)) > 1:
        values = F.avg_pool2d(values, factor, ceil_mode=True, count_include_pad=False)
    array = values.detach().cpu().float().numpy()
    if array.ndim == 3:
        return array[:, :, None]
    if array.ndim > 3:
        return array.reshape(*array.shape[:2], -1, array.shape[-1])
    columns = mosaic(np.zeros((array.shape[1], 1, 1))).columns
    side = min(48, max(2, PANEL // columns - 1))
    return array[:, :, None, None].repeat(side, axis=2).repeat(side, axis=3)


def bands(values: Floats, scale: Scale, signed: bool, columns: int | None = None) -> Mosaic:
    """Tiles (N, C, H, W) as N bands of C tiles; "layer" is one scale for each band.

    The `rows` and `columns` of the result are those of one band; `limits` those of all bands.
    """
    return stacked([mosaic(v, scale=scale, signed=signed, columns=columns) for v in values])


def stacked(drawn: Sequence[Mosaic]) -> Mosaic:
    """Mosaics of one layout, one below the other."""
    apart = np.full((APART, drawn[0].width), GAP, np.uint8)
    parts = [part for one in drawn for part in (one.pixels, apart)][:-1]
    limits = np.concatenate([one.limits for one in drawn])
    return replace(drawn[0], pixels=np.concatenate(parts), limits=limits)


def sprite(drawn: Mosaic, count: int, width: int = PANEL, maps: bool = True) -> Sprite:
    """`drawn` has `count` bands; at most `width` pixels wide on the page."""
    scale = min(12.0 if maps else 1.0, width / drawn.width)
    if scale > 1.5:
        scale = int(scale * 2) / 2
    if maps and drawn.pixels.size >= PHOTOGRAPHIC and max(drawn.pixels.shape) <= WEBP:
        png = _webp(drawn)
    else:
        steps = FEW if maps and drawn.pixels.size >= LARGE else STEPS[maps]
        png = small_png(coarse(drawn, steps))
    picture = Picture(png, drawn.width, drawn.height, scale)
    return Sprite(picture, count, (drawn.height + APART) // count - APART)


def _webp(drawn: Mosaic) -> bytes:
    """A mosaic in all its colours; what was transparent stays so."""
    colours = np.concatenate([drawn.palette, np.full((256, 1), 255, np.uint8)], axis=1)
    colours[GAP] = 0
    file = BytesIO()
    Image.fromarray(colours[drawn.pixels]).save(file, "WEBP", quality=80, method=2)
    return file.getvalue()
