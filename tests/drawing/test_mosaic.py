"""Mosaics: which value gets which level, where the tiles lie, what the PNG holds."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnviz.drawing.mosaic import colour_mosaic, image_png, mosaic
from cnnviz.drawing.palettes import CENTRE, DIVERGING, GAP, GREY, HIGHEST, LOWEST, SEQUENTIAL
from cnnviz.errors import CnnvizError


def _opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def _normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# --- levels


def test_non_negative_from_zero_to_the_largest() -> None:
    """Of 0, 1, 2, 4 the levels are 1 + 254·x/4, rounded: 1, 64.5 → 65, 128, 255."""
    drawn = mosaic([[[0.0, 1.0], [2.0, 4.0]]])
    np.testing.assert_array_equal(drawn.indices, [[1, 65], [128, 255]])
    np.testing.assert_array_equal(drawn.limits, [[0, 4]])
    assert not drawn.signed
    assert drawn.palette is SEQUENTIAL


def test_signed_is_symmetric_around_the_centre() -> None:
    """Limits ±4: -4 → 1, -2 → 64.5 → 65 (half up), 0 → 128, 4 → 255."""
    drawn = mosaic([[[-4.0, -2.0], [0.0, 4.0]]])
    np.testing.assert_array_equal(drawn.indices, [[LOWEST, 65], [CENTRE, HIGHEST]])
    np.testing.assert_array_equal(drawn.limits, [[-4, 4]])
    assert drawn.signed
    assert drawn.palette is DIVERGING


def test_the_smallest_value_above_zero_is_not_drawn_from_the_minimum() -> None:
    """A map that is 9 to 10 everywhere is bright everywhere: 0 is always the dark end."""
    assert mosaic([[[9.0, 10.0]]]).indices.min() > 225


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8, bool])
@pytest.mark.parametrize("top", [1, 3, 7])
def test_ends_and_zero_are_exact_in_any_type(dtype: type, top: int) -> None:
    indices = mosaic(np.array([[[0, top]]]).astype(dtype)).indices
    assert indices.tolist() == [[LOWEST, HIGHEST]]


@pytest.mark.parametrize("top", [1e-36, 1e-9, 1 / 3, 1e9, 3e38])
def test_zero_is_the_centre_and_ends_are_reached_at_any_size(top: float) -> None:
    values = np.array([[[-top, 0.0, top]]], dtype=np.float32)
    assert mosaic(values).indices.tolist() == [[LOWEST, CENTRE, HIGHEST]]


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    ("dtype", "top"), [(np.float32, 1e-40), (np.float64, 2e-320), (np.float64, 1.7e308)]
)
def test_what_cannot_be_divided_by_is_drawn_right(dtype: type, top: float, signed: bool) -> None:
    """254 / 1e-40 is beyond float32, 2 × 1.7e308 beyond float64."""
    values = np.array([[[-top, 0.0, top]]], dtype=dtype)
    drawn = mosaic(values, scale=(-top, top), signed=signed)
    assert drawn.indices.tolist() == mosaic(values).indices.tolist() == [[LOWEST, CENTRE, HIGHEST]]


def test_large_integers_keep_their_differences() -> None:
    values = np.array([[[16777216, 16777217, 16777218]]])
    assert mosaic(values, scale=(16777216, 16777218)).indices.tolist() == [[1, 128, 255]]


@pytest.mark.parametrize(
    "maps",
    [
        torch.ones(1, 2, 2, dtype=torch.bfloat16),
        torch.ones(1, 2, 2, dtype=torch.float8_e4m3fn),
        torch.ones(1, 2, 2, requires_grad=True),
        torch.ones(1, 2, 2).to_sparse(),
        torch.ones(1, 2, 2, dtype=torch.float64)._neg_view().neg(),
        [torch.ones(2, 2, requires_grad=True)],
    ],
)
def test_tensors_of_any_kind(maps: Any) -> None:
    assert (mosaic(maps).indices == HIGHEST).all()


@pytest.mark.parametrize(
    "maps", [[[[1, 2]], [[3]]], "maps", None, [torch.ones(2, 2), torch.ones(2, 3)],
             torch.ones(1, 2, 2) + 1j, torch.full((1, 2, 2), torch.nan, dtype=torch.bfloat16),
             torch.ones(1, 2, 2, device="meta")],
)  # fmt: skip
def test_what_is_no_map(maps: Any) -> None:
    with pytest.raises(CnnvizError):
        mosaic(maps)


def test_zero_is_the_centre_in_random_signed_maps() -> None:
    values = _normal(50, 9, 9)
    values[:, 4, 4] = 0
    for scale in ("map", "layer", (-7.3, 5.1)):
        drawn = mosaic(values, scale=scale)
        for tile in range(50):
            left, top, _, _ = drawn.box(tile)
            assert drawn.indices[top + 4, left + 4] == CENTRE


def test_constant_zero_draws_as_zero() -> None:
    assert (mosaic(np.zeros((1, 3, 3))).indices == LOWEST).all()
    assert (mosaic(np.zeros((1, 3, 3)), signed=True).indices == CENTRE).all()
    assert (mosaic(np.zeros((1, 3, 3)), scale=(0, 0)).indices == LOWEST).all()


def test_a_dead_map_beside_a_living_one() -> None:
    drawn = mosaic([[[0.0, 0.0]], [[0.0, 2.0]]], columns=1, gap=0)
    assert drawn.indices.tolist() == [[1, 1], [1, 255]]
    assert drawn.limits.tolist() == [[0, 0], [0, 2]]


def test_map_scale_is_each_tiles_own_and_layer_scale_is_shared() -> None:
    """Maps up to 1 and up to 2: by map both reach 255; by layer the first ends at 128."""
    maps = [[[0.0, 1.0]], [[0.0, 2.0]]]
    by_map = mosaic(maps, columns=1, gap=0)
    by_layer = mosaic(maps, columns=1, gap=0, scale="layer")
    assert by_map.indices.tolist() == [[1, 255], [1, 255]]
    assert by_layer.indices.tolist() == [[1, 128], [1, 255]]
    assert by_map.limits.tolist() == [[0, 1], [0, 2]]
    assert by_layer.limits.tolist() == [[0, 2]]


def test_one_signed_map_makes_the_layer_signed() -> None:
    """Sign is decided once, so that equal colours in one mosaic mean equal signs."""
    drawn = mosaic([[[0.0, 1.0]], [[-2.0, 1.0]]], columns=1, gap=0)
    assert drawn.indices.tolist() == [[128, 255], [1, 192]]


def test_a_scale_from_outside_clips_and_decides_the_sign() -> None:
    """(0, 2): -1 → 0, 1 → 128, 5 → 255. (-2, 1) is signed, so ±2: -1 → 65, 0 → 128, 1 → 192."""
    assert mosaic([[[-1.0, 1.0, 5.0]]], scale=(0, 2)).indices.tolist() == [[1, 128, 255]]
    signed = mosaic([[[-1.0, 0.0, 1.0]]], scale=(-2, 1))
    assert signed.indices.tolist() == [[65, 128, 192]]
    assert signed.limits.tolist() == [[-2, 2]]


def test_a_scale_from_outside_may_start_anywhere() -> None:
    """(10, 12): 10 → 1, 11 → 128, 12 → 255."""
    drawn = mosaic([[[10.0, 11.0, 12.0]]], scale=(10, 12), palette="grey")
    assert drawn.indices.tolist() == [[1, 128, 255]]
    assert drawn.palette is GREY
    pixels = mosaic([[[-1.0, 0.0, 1.0]]], scale=(-1, 1), signed=False)
    assert pixels.indices.tolist() == [[1, 128, 255]]


def _reference(maps: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """The same picture by loops over tiles and pixels in Python floats, per-map scale."""
    count, height, width = maps.shape
    rows = -(-count // columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap), dtype=np.uint8)
    signed = maps.min() < 0
    for index, tile in enumerate(maps.astype(float)):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        limit = np.abs(tile).max()
        for y in range(height):
            for x in range(width):
                share = tile[y, x] / limit
                level = np.floor(share * 127 + 128.5) if signed else np.floor(share * 254 + 1.5)
                canvas[top + y, left + x] = level
    return canvas


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("count", "columns", "gap"), [(7, 3, 2), (6, 6, 0), (5, 1, 1)])
def test_same_picture_as_plain_loops(count: int, columns: int, gap: int, signed: bool) -> None:
    maps = _normal(count, 4, 6).astype(np.float64)
    maps = maps if signed else np.abs(maps)
    drawn = mosaic(maps, columns=columns, gap=gap)
    np.testing.assert_array_equal(drawn.indices, _reference(maps, columns, gap))


def test_inputs_are_left_as_they_were() -> None:
    maps = _normal(3, 5, 5)
    before = maps.copy()
    mosaic(maps, scale=(0, 1))
    mosaic(maps)
    np.testing.assert_array_equal(maps, before)


def test_strides_do_not_matter() -> None:
    """A channels-last array draws as its contiguous copy does."""
    maps = _normal(8, 8, 5).transpose(2, 0, 1)
    np.testing.assert_array_equal(mosaic(maps).indices, mosaic(maps.copy()).indices)


# --- layout


def test_rows_and_columns_of_four_axes_are_kept() -> None:
    drawn = mosaic(np.ones((2, 3, 4, 5)), gap=2)
    assert (drawn.rows, drawn.columns, drawn.count) == (2, 3, 6)
    assert (drawn.height, drawn.width) == (2 * 4 + 2, 3 * 5 + 2 * 2)
    assert drawn.indices.shape == (drawn.height, drawn.width)
    assert (drawn.indices == GAP).sum() == drawn.indices.size - 6 * 20


def test_places_after_the_last_tile_are_gap() -> None:
    """Three tiles of 2×2 in two columns: the fourth place stays empty."""
    drawn = mosaic(np.ones((3, 2, 2)), columns=2, gap=1)
    assert (drawn.indices[3:, 3:] == GAP).all()
    assert (drawn.indices[3:, :2] == HIGHEST).all()


def test_box_cuts_out_one_tile() -> None:
    drawn = mosaic(np.arange(6).reshape(6, 1, 1) * np.ones((6, 3, 2)), scale="layer", columns=3)
    left, top, width, height = drawn.box(4)
    assert (left, top, width, height) == (3, 4, 2, 3)
    assert (drawn.indices[top : top + height, left : left + width] == round(1 + 254 * 4 / 5)).all()
    with pytest.raises(CnnvizError, match="tiles 0 to 5"):
        drawn.box(6)


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (6, 3), (7, 3), (10, 5), (16, 4), (120, 12), (512, 32)]
)
def test_default_columns_fill_the_rows(count: int, columns: int) -> None:
    assert mosaic(np.ones((count, 28, 28))).columns == columns


def test_default_columns_of_flat_tiles_make_a_square() -> None:
    """16 tiles of 1×16 pixels stand in one column, not in four."""
    assert mosaic(np.ones((16, 1, 16))).columns == 1


# --- files


def test_png_has_a_palette_and_a_transparent_gap() -> None:
    drawn = mosaic(np.array([[[-1.0, 1.0]], [[0.5, 0.25]]]), columns=1)
    image = _opened(drawn.png())
    assert image.mode == "P"
    assert image.info["transparency"] == GAP
    assert image.size == (drawn.width, drawn.height)
    np.testing.assert_array_equal(np.asarray(image), drawn.indices)
    rgba = np.asarray(image.convert("RGBA"))
    assert rgba[:, :, 3].tolist() == [[255, 255], [0, 0], [255, 255]]
    np.testing.assert_array_equal(rgba[0, 0, :3], DIVERGING[LOWEST])
    np.testing.assert_array_equal(rgba[0, 1, :3], DIVERGING[HIGHEST])


@pytest.mark.parametrize("level", [1, 3, 9])
def test_same_bytes_twice_and_same_pixels_at_every_level(level: int) -> None:
    maps = _normal(12, 14, 14)
    png = mosaic(maps).png(level)
    assert png == mosaic(maps).png(level)
    np.testing.assert_array_equal(np.asarray(_opened(png)), mosaic(maps).indices)


def test_fewer_colours_keep_zero_the_gap_and_the_ends() -> None:
    """Signed levels 1, 65, 128, 160, 255 with step 50: 128 − 127 ≈ −150, −63 ≈ −50, 32 ≈ 50."""
    values = np.array([-1.0, -0.5, 0.0, 0.25, 1.0]).reshape(5, 1, 1)
    drawn = mosaic(values, scale="layer", columns=5)
    coarse = np.asarray(_opened(drawn.png(9, step=50)))
    assert coarse.tolist() == [[LOWEST, GAP, 78, GAP, CENTRE, GAP, 178, GAP, HIGHEST]]
    assert drawn.png(9, step=1) == drawn.png(9)


def test_fewer_colours_begin_at_zero_where_nothing_is_negative() -> None:
    """Levels 1 (zero), 65 and 255 with step 10: 1, 1 + 60, and the end."""
    drawn = mosaic(np.array([0.0, 0.25, 1.0]).reshape(3, 1, 1), scale="layer", columns=3, gap=0)
    assert drawn.indices.tolist() == [[1, 65, 255]]
    assert np.asarray(_opened(drawn.png(step=10))).tolist() == [[1, 61, 251]]


@pytest.mark.parametrize("step", [0, 128])
def test_a_step_out_of_range_is_named(step: int) -> None:
    with pytest.raises(CnnvizError, match=rf"step={step}; expected 1 .* to 127"):
        mosaic(np.ones((1, 2, 2))).png(step=step)


def test_images_come_back_pixel_for_pixel() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colour = np.stack([grey, grey.T, 255 - grey], axis=2)
    for image in (grey, colour):
        np.testing.assert_array_equal(np.asarray(_opened(image_png(image))), image)


def test_colour_filters_have_zero_in_grey() -> None:
    """Weights (-2, 0, 1) in red, green, blue under ±2: 128.5 + 127·x/2 → 1, 128, 192."""
    drawn = colour_mosaic(np.array([-2.0, 0.0, 1.0]).reshape(1, 3, 1, 1))
    assert drawn.pixels.tolist() == [[[1, 128, 192, 255]]]
    assert drawn.limits.tolist() == [[-2, 2]]


def test_colour_images_keep_their_bytes() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 4, 5)).astype(np.uint8)
    drawn = colour_mosaic(images, scale=(0, 255), columns=3, gap=1)
    pixels = np.asarray(_opened(drawn.png()))
    for index, image in enumerate(images):
        left, top, width, height = drawn.box(index)
        tile = pixels[top : top + height, left : left + width]
        np.testing.assert_array_equal(tile[..., :3], image.transpose(1, 2, 0))
        assert (tile[..., 3] == 255).all()
    assert (pixels[:, 5] == 0).all()


# --- errors


@pytest.mark.parametrize(
    ("maps", "options", "message"),
    [
        (np.ones((3, 3)), {}, r"\(3, 3\).*\(N, H, W\) or \(R, C, H, W\)"),
        (np.ones((0, 3, 3)), {}, "Nothing to draw"),
        (np.ones((1, 1, 2), dtype=complex), {}, "complex128"),
        (np.array([[[np.nan, 1, np.inf, 0]]]), {}, "2 of 4 values are NaN or infinite"),
        (-np.ones((1, 2, 2)), {"signed": False}, "4 of 4 values are negative"),
        (np.ones((1, 2, 2)), {"scale": "tile"}, "Unknown scale 'tile'"),
        (np.ones((1, 2, 2)), {"scale": (1, 0)}, r"Unknown scale \(1, 0\)"),
        (np.ones((1, 2, 2)), {"scale": (0, float("nan"))}, "two finite numbers"),
        (np.ones((1, 2, 2)), {"columns": 0}, "columns=0"),
        (np.ones((1, 2, 2)), {"gap": -1}, "gap=-1"),
        (np.ones((1, 2, 2, 2)), {"columns": 3}, "four axes say the columns"),
        (np.ones((1, 2, 2)), {"palette": "jet"}, "Unknown palette 'jet'"),
    ],
)
def test_clear_errors(maps: np.ndarray, options: dict[str, object], message: str) -> None:
    with pytest.raises(CnnvizError, match=message):
        mosaic(maps, **options)  # type: ignore[arg-type]


def test_clear_errors_of_images() -> None:
    with pytest.raises(CnnvizError, match="float64"):
        image_png(np.ones((2, 2)))
    with pytest.raises(CnnvizError, match=r"\(2, 2, 4\)"):
        image_png(np.ones((2, 2, 4), dtype=np.uint8))
    with pytest.raises(CnnvizError, match="PNG level 12"):
        image_png(np.ones((2, 2), dtype=np.uint8), level=12)
    with pytest.raises(CnnvizError, match=r"expected \(N, 3, H, W\)"):
        colour_mosaic(np.ones((2, 4, 5, 5)))
