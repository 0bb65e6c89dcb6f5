"""Many small maps in one PNG: the filters or the channels of a whole layer at native size.

Values become one of 255 colours of a palette (`cnnviz.drawing.palettes`); the gap between tiles is
transparent, so that the page shows through. The page enlarges the picture by CSS
(`image-rendering: pixelated`), and draws the scale beside it from `Mosaic.limits`.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from math import ceil, isfinite, sqrt
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnviz.drawing import palettes
from cnnviz.drawing.palettes import CENTRE, GAP, HIGHEST, LOWEST, Palette
from cnnviz.errors import CnnvizError

Scale = Literal["map", "layer"] | tuple[float, float]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class _Picture:
    """Tiles row by row, `gap` pixels apart, none around the edge, and the scale of their values.

    Attributes:
        pixels: (height, width) palette indices, or (height, width, 4) red, green, blue, opacity.
        count: number of tiles; the last row may be shorter than the others.
        limits: lowest and highest value of the scale: (count, 2), or (1, 2) if the tiles share it.
        signed: whether 0 is in the middle of the scale.
    """

    pixels: Bytes
    count: int
    rows: int
    columns: int
    tile_height: int
    tile_width: int
    gap: int
    limits: npt.NDArray[np.float64]
    signed: bool

    @property
    def height(self) -> int:
        """Height of the picture in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Width of the picture in pixels."""
        return int(self.pixels.shape[1])

    def box(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, width and height in pixels of tile `index`, counted row by row from 0."""
        if not 0 <= index < self.count:
            raise CnnvizError(f"No tile {index}; this mosaic has tiles 0 to {self.count - 1}.")
        row, column = divmod(index, self.columns)
        left, top = column * (self.tile_width + self.gap), row * (self.tile_height + self.gap)
        return left, top, self.tile_width, self.tile_height


@dataclass(frozen=True, eq=False)
class Mosaic(_Picture):
    """Maps side by side, each value a palette index; made by `mosaic`."""

    palette: Palette

    @property
    def indices(self) -> Bytes:
        """(height, width) uint8: 0 is the gap, 1 to 255 are the levels of the palette."""
        return self.pixels

    def png(self, level: int = 1, step: int = 1) -> bytes:
        """A palette PNG with a transparent gap.

        Args:
            level: 1 (quick) to 9 (small): see `image_png`.
            step: use every `step`-th colour only, counted from that of 0 (of the low end, if the
                scale has no 0). With 4, which hardly shows, noise takes a quarter fewer bytes,
                maps of a photograph 40 % fewer.

        Raises:
            CnnvizError: a level or step out of range.
        """
        image = Image.fromarray(self.pixels if step == 1 else self._coarser(step))
        image.putpalette(self.palette.tobytes())
        return _png(image, level, transparency=GAP)

    def _coarser(self, step: int) -> Bytes:
        """`pixels` with every `step`-th colour only."""
        if not 1 <= step <= 127:
            raise CnnvizError(f"step={step}; expected 1 (all colours) to 127.")
        zero = CENTRE if self.signed else LOWEST
        steps = np.rint((np.arange(256) - zero) / step)
        nearest = np.clip(zero + step * steps, LOWEST, HIGHEST).astype(np.uint8)  # (256,)
        nearest[GAP] = GAP
        return nearest[self.pixels]


@dataclass(frozen=True, eq=False)
class ColourMosaic(_Picture):
    """Three-channel maps side by side as colours; made by `colour_mosaic`."""

    def png(self, level: int = 1) -> bytes:
        """An RGBA PNG; `level` 1 (quick) to 9 (small): see `image_png`."""
        return _png(Image.fromarray(self.pixels), level)


def mosaic(
    maps: npt.ArrayLike,
    *,
    columns: int | None = None,
    scale: Scale = "map",
    signed: bool | None = None,
    gap: int = 1,
    palette: str | Palette | None = None,
) -> Mosaic:
    """Draw maps (N, H, W) side by side, or (R, C, H, W) as R rows of C.

    Args:
        maps: real numbers of any type.
        columns: tiles in a row, for (N, H, W); by default about as wide as high.
        scale: "map" gives each tile its own limits, "layer" all tiles the same; (low, high) is a
            scale from outside: what lies beyond it is drawn as its nearest end.
        signed: limits ±largest absolute value, with 0 on the middle colour; else from 0 (or the
            given low) to the largest value. By default as the values are: any below 0; under a
            scale from outside, as its low is, so that mosaics which share it look alike.
        gap: transparent pixels between tiles.
        palette: name or array; by default "diverging" if signed, else "sequential".

    Raises:
        CnnvizError: wrong shape, nothing to draw, values that are not finite, negative values in
            an unsigned drawing without a given scale, a bad scale, columns, gap or palette.
    """
    values = _numbers(maps, {3: "(N, H, W)", 4: "(R, C, H, W)"})
    if values.ndim == 4:
        if columns not in (None, values.shape[1]):
            raise CnnvizError(
                f"columns={columns} with maps {values.shape}: four axes say the columns already. "
                "Leave columns out, or give maps (N, H, W)."
            )
        columns = values.shape[1]
    tiles = values.reshape(-1, 1, *values.shape[-2:])  # (N, 1, H, W)
    scaling = _scaling(tiles, scale, signed, lowest=LOWEST)
    canvas, layout = _canvas(tiles, columns, gap, 1)
    _draw(tiles, scaling, canvas)
    name = "diverging" if scaling.signed else "sequential"
    return Mosaic(
        pixels=_crop(canvas, gap)[..., 0],
        palette=palettes.palette(name if palette is None else palette),
        limits=scaling.limits,
        signed=scaling.signed,
        **layout,
    )


def colour_mosaic(
    maps: npt.ArrayLike,
    *,
    columns: int | None = None,
    scale: Scale = "map",
    signed: bool | None = None,
    gap: int = 1,
) -> ColourMosaic:
    """Draw colour filters or images (N, 3, H, W) side by side, channels as red, green and blue.

    Signed: 0 is mid-grey (128), ±the largest absolute value of the tile 1 and 255. Unsigned: 0
    is black; with scale=(0, 255) bytes keep their values. Arguments and errors as in `mosaic`.
    """
    tiles = _numbers(maps, {4: "(N, 3, H, W)"})
    if tiles.shape[1] != 3:
        raise CnnvizError(f"Colour maps of shape {tiles.shape} were given; expected (N, 3, H, W).")
    scaling = _scaling(tiles, scale, signed, lowest=0)
    canvas, layout = _canvas(tiles, columns, gap, 4)
    _draw(tiles, scaling, canvas)
    return ColourMosaic(
        pixels=_crop(canvas, gap), limits=scaling.limits, signed=scaling.signed, **layout
    )


def image_png(image: npt.ArrayLike, level: int = 1) -> bytes:
    """A PNG of a grey (H, W) or colour (H, W, 3) uint8 image, pixel for pixel.

    Args:
        level: 1 to 9 of deflate. Level 1 looks for runs only: twice as quick as level 3 and 3 %
            larger on dense maps, 10 % on sparse ones; level 9 takes 7 times as long for 1 % less.

    Raises:
        CnnvizError: another shape, type or level.
    """
    pixels = np.asarray(image)
    shape_fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not shape_fits or pixels.size == 0:
        raise CnnvizError(
            f"An image of shape {pixels.shape} and type {pixels.dtype} was given; "
            "expected uint8 of shape (H, W) or (H, W, 3)."
        )
    return _png(Image.fromarray(pixels), level)


def _png(image: Image.Image, level: int, **options: int) -> bytes:
    if level not in range(1, 10):
        raise CnnvizError(f"PNG level {level}; expected 1 (quick) to 9 (small).")
    strategy = zlib.Z_RLE if level == 1 else zlib.Z_DEFAULT_STRATEGY
    file = io.BytesIO()
    image.save(file, format="PNG", compress_level=level, compress_type=strategy, **options)
    return file.getvalue()


def _numbers(maps: Any, shapes: dict[int, str]) -> Floats:
    """`maps` as float32, or float64 where that loses digits, after checks of axes and type."""
    array = _array(maps)
    if array.ndim not in shapes:
        raise CnnvizError(
            f"Maps of shape {array.shape} were given; expected {' or '.join(shapes.values())}."
        )
    if array.size == 0:
        raise CnnvizError(f"Nothing to draw: the maps have shape {array.shape}.")
    if array.dtype.kind not in "biuf":
        raise CnnvizError(f"Maps of type {array.dtype} were given; expected real numbers.")
    exact = array.dtype.itemsize <= (4 if array.dtype.kind == "f" else 2)
    # Numbers that even float64 does not hold become infinite, and are refused as such.
    with np.errstate(over="ignore"):
        return array.astype(np.float32 if exact else np.float64, copy=False)


def _array(maps: Any) -> npt.NDArray[Any]:
    """Also of a tensor that wants gradients, lies on another device or has a type of torch's."""
    try:
        if isinstance(maps, list | tuple):
            maps = [_array(one) if hasattr(one, "detach") else one for one in maps]
        elif hasattr(maps, "detach"):  # a torch.Tensor; this room does not import torch
            maps = maps.detach().cpu()
            maps = maps.dequantize() if maps.is_quantized else maps.to_dense().resolve_neg()
            if maps.is_floating_point() and maps.itemsize <= 4:  # bfloat16 and float8 included
                maps = maps.float()
        return np.asarray(maps)
    except (TypeError, ValueError, RuntimeError) as error:  # one on the meta device has no numbers
        raise CnnvizError(
            f"Maps that are no array were given ({error}); expected numbers (N, H, W)."
        ) from error


@dataclass(frozen=True)
class _Scaling:
    """level = floor(value / 2^exponent × factor + offset).

    Unsigned values under `clip` less its low end. The exponents are 0 but for numbers so large or
    small that their differences or factors are beyond what can be written.
    """

    limits: npt.NDArray[np.float64]  # (N or 1, 2)
    signed: bool
    exponent: npt.NDArray[np.int64]  # (N or 1,)
    factor: npt.NDArray[np.float64]  # (N or 1,)
    offset: float
    clip: tuple[float, float] | None


def _scaling(tiles: Floats, scale: Scale, signed: bool | None, lowest: int) -> _Scaling:
    """How values become levels `lowest` to 255; signed ones 1 to 255, so that 0 has one: 128."""
    low, high = tiles.min(axis=(1, 2, 3)), tiles.max(axis=(1, 2, 3))  # (N,), NaN if any is
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        bad = tiles.size - np.count_nonzero(np.isfinite(tiles))
        raise CnnvizError(
            f"{bad} of {tiles.size} values are NaN or infinite; expected finite numbers. "
            "Look for a division by zero, or for training that diverged."
        )
    outside = _checked(scale)
    if signed is None:
        signed = bool((outside[0] if outside else low.min()) < 0)
    if outside is None and not signed and low.min() < 0:
        raise CnnvizError(
            f"signed=False, but {np.count_nonzero(tiles < 0)} of {tiles.size} values are negative. "
            "Leave signed out, or give a scale (low, high)."
        )
    if outside is not None:
        low, high = np.array([outside[0]]), np.array([outside[1]])
    elif scale == "layer":
        low, high = low.min(keepdims=True), high.max(keepdims=True)
    low, high = low.astype(np.float64), high.astype(np.float64)
    if signed:
        high = np.maximum(np.abs(low), np.abs(high))
        low, lowest = 0 - high, 1
    elif outside is None:
        low = np.zeros_like(high)
    largest = np.maximum(np.abs(low), np.abs(high))
    ordinary = (largest == 0) | ((largest > 1e-30) & (largest < 1e30))
    exponent = np.where(ordinary, 0, np.frexp(largest)[1])
    span = np.ldexp(high, -exponent) - np.ldexp(low, -exponent)
    levels = 255 - lowest
    # A tile of zeros has no span: factor 0 draws it as zero.
    factor = np.divide(levels, span, out=np.zeros_like(span), where=span > 0)
    return _Scaling(
        limits=np.stack([low, high], axis=1),
        signed=signed,
        exponent=exponent,
        factor=factor,
        offset=128.5 if signed else lowest + 0.5,
        clip=(float(low[0]), float(high[0])) if outside else None,
    )


def _checked(scale: Scale) -> tuple[float, float] | None:
    """The (low, high) of a scale from outside, None for "map" and "layer"."""
    if isinstance(scale, str):
        if scale in ("map", "layer"):
            return None
    elif len(scale) == 2 and all(isfinite(end) for end in scale) and scale[0] <= scale[1]:
        return float(scale[0]), float(scale[1])
    raise CnnvizError(
        f'Unknown scale {scale!r}; expected "map", "layer", or two finite numbers (low, high).'
    )


def _canvas(
    tiles: Floats, columns: int | None, gap: int, depth: int
) -> tuple[Bytes, dict[str, int]]:
    """An empty canvas (rows, H + gap, columns, W + gap, depth) and the layout it stands for."""
    count, _, height, width = tiles.shape
    if columns is None:
        columns = _default_columns(count, height, width)
    if columns < 1 or gap < 0:
        raise CnnvizError(f"columns={columns}, gap={gap}; expected at least 1 and 0.")
    columns = min(columns, count)
    rows = ceil(count / columns)
    # Zeros: the index of the gap, and no opacity.
    canvas = np.zeros((rows, height + gap, columns, width + gap, depth), dtype=np.uint8)
    layout = {
        "count": count,
        "rows": rows,
        "columns": columns,
        "tile_height": height,
        "tile_width": width,
        "gap": gap,
    }
    return canvas, layout


def _default_columns(count: int, height: int, width: int) -> int:
    """Columns that fill every row and make the picture 1 to 2 times as wide as high, else square.

    >>> [_default_columns(n, 28, 28) for n in (1, 6, 7, 16, 84, 120, 512)]
    [1, 3, 3, 4, 12, 12, 32]
    """
    square = max(1, ceil(sqrt(count * height / width) - 1e-9))
    return next((n for n in range(square, 2 * square + 1) if count % n == 0), square)


def _draw(tiles: Floats, scaling: _Scaling, canvas: Bytes) -> None:
    """Write the levels of tiles (N, K, H, W) into planes 0 to K - 1, opacity into a plane beyond.

    One row of tiles at a time, so that the numbers in between stay in the cache.
    """
    columns = canvas.shape[2]
    depth, height, width = tiles.shape[1:]
    strongest = np.finfo(tiles.dtype).max  # spans below 1e-36 would be beyond float32
    factor = np.minimum(scaling.factor, strongest).astype(tiles.dtype)
    factor = np.broadcast_to(factor, len(tiles))[:, None, None, None]  # (N, 1, 1, 1)
    exponent = np.broadcast_to(scaling.exponent, len(tiles))[:, None, None, None]
    for row, start in enumerate(range(0, len(tiles), columns)):
        block = tiles[start : start + columns]  # (k, K, H, W)
        if scaling.clip:
            block = np.clip(block, *scaling.clip)
        if (less := exponent[start : start + columns]).any():
            block = np.ldexp(block, -less)
        if scaling.clip and not scaling.signed:
            block -= np.ldexp(scaling.clip[0], -int(scaling.exponent[0]))
        levels = block * factor[start : start + columns]
        levels += scaling.offset
        place = canvas[row, :height, : len(block), :width]  # (H, k, W, depth)
        place[..., :depth] = levels.transpose(2, 0, 3, 1)
        place[..., depth:] = 255


def _crop(canvas: Bytes, gap: int) -> Bytes:
    """The picture (height, width, depth) of a canvas, without the gap after the last tiles."""
    rows, height, columns, width, depth = canvas.shape
    picture = canvas.reshape(rows * height, columns * width, depth)
    return picture[: rows * height - gap, : columns * width - gap]
