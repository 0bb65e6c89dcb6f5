"""Kernels whose shape is known."""

import math

import numpy as np
import pytest

from cnnviz.errors import CnnvizError
from cnnviz.inside.kernel_shape import kernel_shape

Y, X = np.mgrid[-2:3, -2:3].astype(float)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, -60, 179])
def test_an_edge_points_from_dark_to_bright(degrees):
    """A ramp that rises towards the given direction, y pointing down."""
    angle = math.radians(degrees)
    shape = kernel_shape(math.cos(angle) * X + math.sin(angle) * Y)
    assert shape.kind == "edge"
    assert shape.share == pytest.approx(1)
    assert math.cos(shape.angle - angle) == pytest.approx(1)


@pytest.mark.parametrize("degrees", [0, 45, 90, 120, 150])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_bar_lies_along_its_angle(degrees, sign):
    """Gabor-like ridges, bright and dark."""
    angle = math.radians(degrees)
    across = -math.sin(angle) * X + math.cos(angle) * Y
    ridge = np.exp(-(across**2))
    shape = kernel_shape(sign * (ridge - ridge.mean()))
    assert shape.kind == "bar"
    assert shape.positive == (sign > 0)
    assert abs(math.cos(shape.angle - angle)) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_spot_and_plain_brightness(sign):
    dome = np.exp(-(X**2 + Y**2) / 4)
    shape = kernel_shape(sign * (dome - dome.mean()))
    assert (shape.kind, shape.positive) == ("spot", sign > 0)
    flat = kernel_shape(sign * np.ones((3, 4)))
    assert (flat.kind, flat.positive) == ("brightness", sign > 0)
    assert flat.share == pytest.approx(1)


def test_what_is_finer_has_no_name():
    """A checkerboard lies in none of the six polynomials, zero in nothing at all."""
    board = np.indices((6, 6)).sum(0) % 2 * 2.0 - 1
    assert kernel_shape(board).kind == "none"
    assert kernel_shape(np.zeros((5, 5))).share == 0


def test_bad_kernels_are_named():
    with pytest.raises(CnnvizError, match=r"\(2, 5\).*3×3"):
        kernel_shape(np.zeros((2, 5)))
    with pytest.raises(CnnvizError, match="9 of 9 numbers of a kernel are NaN"):
        kernel_shape(np.full((3, 3), np.nan))


@pytest.mark.parametrize("size", [1e-200, 1, 1e200])
def test_size_does_not_matter(size):
    assert kernel_shape(size * X).kind == "edge"
