"""Palettes: monotone where they promise it, symmetric, neutral at zero, free of matplotlib."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cnnviz.drawing import palettes
from cnnviz.errors import CnnvizError


def _lightness(palette: palettes.Palette) -> np.ndarray:
    return palettes.oklab(palette[palettes.LOWEST :])[:, 0]


@pytest.mark.parametrize("name", palettes.PALETTES)
def test_a_palette_is_read_only_and_fits_a_png(name: str) -> None:
    palette = palettes.palette(name)
    assert palette.shape == (256, 3)
    assert palette.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        palette[0] = 0


def test_oklab_of_known_colours() -> None:
    """White is (1, 0, 0), black (0, 0, 0), red (0.628, 0.225, 0.126): Ottosson's own table."""
    lab = palettes.oklab([[255, 255, 255], [0, 0, 0], [255, 0, 0]])
    np.testing.assert_allclose(lab, [[1, 0, 0], [0, 0, 0], [0.628, 0.225, 0.126]], atol=1e-3)


def test_oklab_is_inverted() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (500, 3))
    np.testing.assert_array_equal(palettes._srgb(palettes.oklab(colours)), colours)


@pytest.mark.parametrize("name", ["sequential", "grey"])
def test_lightness_rises_at_every_level(name: str) -> None:
    assert (np.diff(_lightness(palettes.palette(name))) > 0).all()


def test_sequential_lightness_rises_evenly() -> None:
    """Each level adds 1/254 of the range; rounding to bytes moves it by less than 0.004."""
    lightness = _lightness(palettes.SEQUENTIAL)
    even = np.linspace(lightness[0], lightness[-1], 255)
    np.testing.assert_allclose(lightness, even, atol=0.004)
    assert lightness[-1] - lightness[0] > 0.75


def test_diverging_falls_alike_on_both_sides_of_a_neutral_middle() -> None:
    lightness = _lightness(palettes.DIVERGING)
    np.testing.assert_allclose(lightness, lightness[::-1], atol=0.004)
    assert lightness.argmax() == palettes.CENTRE - palettes.LOWEST
    assert (np.diff(lightness[127::4]) < 0).all()
    _, a, b = palettes.oklab(palettes.DIVERGING[palettes.CENTRE])
    assert np.hypot(a, b) < 0.01
    # Blue to yellow is the axis that red-green blind eyes keep: the sides lie far apart on it.
    sides = palettes.oklab(palettes.DIVERGING[[64, 192]])[:, 2]
    assert sides[0] < -0.05
    assert sides[1] > 0.05


def test_no_two_neighbours_look_the_same() -> None:
    for name in palettes.PALETTES:
        levels = palettes.palette(name)[1:].astype(int)
        assert (np.abs(np.diff(levels, axis=0)).sum(axis=1) > 0).all(), name


def test_css_gradient_runs_through_the_middle() -> None:
    gradient = palettes.css_gradient("diverging", stops=3)
    low, middle, high = (palettes.hex_colour(palettes.DIVERGING[row]) for row in (1, 128, 255))
    assert gradient == f"linear-gradient(to right, {low}, {middle}, {high})"


def test_unknown_palette_suggests_the_nearest() -> None:
    with pytest.raises(CnnvizError, match="Did you mean 'sequential'"):
        palettes.palette("sequentail")


def test_wrong_array_is_named() -> None:
    with pytest.raises(CnnvizError, match=r"\(10, 3\).*float64"):
        palettes.palette(np.zeros((10, 3)))  # type: ignore[arg-type]


def test_palettes_and_mosaics_need_no_matplotlib() -> None:
    code = "import sys, cnnviz.drawing.mosaic; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
