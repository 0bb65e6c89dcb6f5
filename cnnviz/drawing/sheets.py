"""Sheets of patches for networks with thousands of units: many small pictures in one file.

Two kinds: `tiles`, a grid of units of four patches each with room for their numbers, and `rows`, a
row of patches for each unit. What lies between patches is transparent. Files are WebP: photographs
take a seventh of what they take as PNG.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import ceil

import numpy as np
from PIL import Image

from cnnviz.drawing.mosaic import Bytes
from cnnviz.errors import CnnvizError

CELL = 48
"""Pixels of the longer side of a patch in a sheet, at most."""

QUALITIES = (75, 60, 45, 30, 15)
"""Of WebP, tried in turn until a sheet is small enough."""

BEYOND = 64
"""Opacity of the grey for what lies beyond an image, of 255."""

_SHARP = 12
"""Patches of so many pixels at most are kept pixel for pixel."""

HEAVIEST = 200_000
"""Bytes of a sheet, at most: a page with two of them still opens on a phone."""

_ON_TILE = 2
"""Patches side by side on the tile of a unit, and one below the other."""

_APART, _ROOM = 8, 24
"""Pixels on the page between tiles, and below each, where its number stands."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A drawn sheet.

    Attributes:
        webp: the file; `width`, `height` in pixels.
        scale: how many times as large it is shown, by whole numbers so that pixels stay sharp.
    """

    webp: bytes
    width: int
    height: int
    scale: int


def cell_size(height: int, width: int) -> tuple[int, int]:
    """Height and width in a sheet of patches of that size: none is enlarged.

    >>> cell_size(7, 7), cell_size(224, 112)
    ((7, 7), (48, 24))
    """
    shrink = min(1.0, CELL / max(height, width))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def enlarged(height: int, width: int) -> int:
    """How many times as large patches of that size are shown.

    >>> enlarged(7, 7), enlarged(48, 24)
    (6, 1)
    """
    return max(1, CELL // max(height, width))


def tiles(patches: Bytes, columns: int) -> Sheet:
    """The four strongest patches (N, 4, h, w, planes) of N units, `columns` tiles in a row.

    All cells are alike, so a page can lay a grid of links over the picture.

    Args:
        patches: uint8, grey or colour, the last plane is opacity.

    Raises:
        CnnvizError: another shape or type.
    """
    _check(patches)
    patches = _shown(patches)
    count, each, height, width, planes = patches.shape
    scale = enlarged(height, width)
    apart, room = ceil(_APART / scale), ceil(_ROOM / scale)
    tile_height, tile_width = _ON_TILE * (height + 1) - 1, _ON_TILE * (width + 1) - 1
    pitch_y, pitch_x = tile_height + room, tile_width + apart
    rows = ceil(count / columns)
    canvas = _canvas(rows * pitch_y, columns * pitch_x, planes)
    for unit in range(count):
        row, column = divmod(unit, columns)
        for k in range(each):
            down, across = divmod(k, _ON_TILE)
            top = row * pitch_y + down * (height + 1)
            left = column * pitch_x + apart // 2 + across * (width + 1)
            _place(canvas, patches[unit, k], top, left)
    return _sheet(canvas, max(height, width), scale)


def rows(patches: Bytes) -> Sheet:
    """Patches (N, K, h, w, planes) of N units: a row for each, a pixel apart.

    Raises:
        CnnvizError: another shape or type.
    """
    _check(patches)
    patches = _shown(patches)
    count, across, height, width, planes = patches.shape
    canvas = _canvas(count * (height + 1), across * (width + 1), planes)
    for unit in range(count):
        for k in range(across):
            _place(canvas, patches[unit, k], unit * (height + 1), k * (width + 1))
    return _sheet(canvas, max(height, width), enlarged(height, width))


def _shown(patches: Bytes) -> Bytes:
    """Patches (N, K, h, w, planes) with a breath of grey where a unit sees beyond the image.

    On white as on black, and their outline is seen.
    """
    opacity = patches[..., -1:]
    if (opacity == 255).all():
        return patches
    part = opacity / 255  # of the image
    colour = patches[..., :-1] * part + 128 * (1 - part)
    shown = np.concatenate([colour, BEYOND + (255 - BEYOND) * part], axis=-1)
    return shown.round().astype(np.uint8)


def _check(patches: Bytes) -> None:
    fits = patches.ndim == 5 and patches.shape[4] in (2, 4)
    if not fits or patches.dtype != np.uint8 or patches.size == 0:
        raise CnnvizError(
            f"Patches of shape {patches.shape} and type {patches.dtype} were given; expected "
            "uint8 of shape (units, patches, height, width, 2 or 4): grey or colour, and opacity."
        )


def _canvas(height: int, width: int, planes: int) -> Bytes:
    """Transparent."""
    return np.zeros((height, width, planes), np.uint8)


def _place(canvas: Bytes, patch: Bytes, top: int, left: int) -> None:
    height, width, _ = patch.shape
    canvas[top : top + height, left : left + width] = patch


def _sheet(canvas: Bytes, side: int, scale: int) -> Sheet:
    """Of patches whose longer side has so many pixels."""
    if canvas.shape[2] == 2:
        canvas = canvas[..., [0, 0, 0, 1]]
    image = Image.fromarray(canvas)
    height, width = canvas.shape[:2]
    if side <= _SHARP:
        return Sheet(_webp(image, lossless=True), width, height, scale)
    content = b""
    for quality in QUALITIES:
        content = _webp(image, quality=quality)
        if len(content) <= HEAVIEST:
            break
    return Sheet(content, width, height, scale)


def webp(pixels: Bytes, *, photo: bool) -> bytes:
    """One picture, (H, W) or (H, W, 3): a photograph with losses, all else pixel for pixel.

    In the colours of a palette maps are larger with losses, and their colours are wrong.
    """
    image = Image.fromarray(pixels)
    return _webp(image, quality=QUALITIES[0]) if photo else _webp(image, lossless=True)


def _webp(image: Image.Image, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, format="WEBP", method=2, **options)
    return file.getvalue()
