"""Made digits: form, balance, determinism, geometry and errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cnnviz.data import digit_paths, digits
from cnnviz.data.digit_templates import STYLES
from cnnviz.errors import CnnvizError


@pytest.fixture(scope="module")
def made() -> digits.Digits:
    return digits.generate(3000, seed=11)


def test_shapes_types_and_names(made: digits.Digits) -> None:
    assert made.images.shape == (3000, 28, 28)
    assert made.images.dtype == np.uint8
    assert made.labels.shape == (3000,)
    assert made.labels.dtype == np.int64
    names = digits.style_names()
    assert sorted(names) == list(range(10))
    for label, style in zip(made.labels, made.styles, strict=True):
        assert style in names[int(label)]
    assert set(made.styles) == {name for of_digit in names.values() for name in of_digit}


@pytest.mark.parametrize("count", [1, 7, 10, 203])
def test_classes_are_balanced(count: int) -> None:
    counts = np.bincount(digits.generate(count, seed=3).labels, minlength=10)
    assert counts.sum() == count
    assert np.ptp(counts) <= 1


def test_classes_come_shuffled(made: digits.Digits) -> None:
    # Were the order 0, 1, …, 9, 0, … no two neighbours would be equal; by chance a tenth are.
    assert 0.07 < np.mean(made.labels[1:] == made.labels[:-1]) < 0.13


def test_seed_decides() -> None:
    once, again, other = (digits.generate(150, seed) for seed in (5, 5, 6))
    assert np.array_equal(once.images, again.images)
    assert np.array_equal(once.styles, again.styles)
    assert not np.array_equal(once.images, other.images)


def test_threads_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    two = digits.generate(400, seed=5)
    for workers in (1, 5):
        monkeypatch.setattr(
            digits, "ThreadPoolExecutor", lambda _, n=workers: ThreadPoolExecutor(n)
        )
        images = digits.generate(400, seed=5).images
        assert np.array_equal(images, two.images)


def test_a_larger_spread_sets_hands_further_apart() -> None:
    """Mean variance of a pixel within a class, around the mean image of the class."""

    def variance(spread: float) -> float:
        made = digits.generate(1000, seed=5, spread=spread)
        classes = [made.images[made.labels == digit] / 255 for digit in range(10)]
        return float(np.mean([images.var(0).mean() for images in classes]))

    near, real, far = (variance(spread) for spread in (0.5, 1, 1.5))
    assert near < 0.9 * real
    assert far > 1.05 * real


def test_no_two_samples_are_alike(made: digits.Digits) -> None:
    assert len(np.unique(made.images.reshape(len(made.images), -1), axis=0)) == len(made.images)


def test_ink_fills_a_box_of_20_pixels(made: digits.Digits) -> None:
    rows = made.images.max(2) > 0  # (N, 28)
    columns = made.images.max(1) > 0
    height, width = (28 - used[:, ::-1].argmax(1) - used.argmax(1) for used in (rows, columns))
    assert max(height.max(), width.max()) == 20
    assert np.maximum(height, width).min() >= 19


def test_centre_of_mass_is_in_the_middle(made: digits.Digits) -> None:
    """MNIST's convention: the mass is on pixel 14, to the nearest pixel.

    The box cannot leave the image, so that a few very lopsided digits stay off it.
    """
    mass = made.images.sum((1, 2), dtype=float)
    for axis in (1, 2):
        centre = (made.images.sum(axis, dtype=float) * np.arange(28)).sum(1) / mass
        assert np.mean(np.abs(centre - 14) < 0.52) > 0.98
        assert abs(centre.mean() - 14) < 0.03


def test_grey_levels_are_like_handwriting(made: digits.Digits) -> None:
    """Real scans: about 19 % of pixels inked, 33 in the mean, 7 % nearly white."""
    assert 0.17 < np.mean(made.images > 0) < 0.22
    assert 29 < made.images.mean() < 39
    assert 0.05 < np.mean(made.images > 250) < 0.10


def test_templates_of_a_style_correspond() -> None:
    for style in STYLES:
        forms = {str(digit_paths.parse(t)[1:]) for t in style.templates}
        assert len(forms) == 1, f"{style.digit} {style.name}: points, corners or lifts differ"
        assert len(style.templates) >= 3


def test_parse() -> None:
    points, corners, strokes = digit_paths.parse("0,0 5,9! 7,-7 / 1,2 3,4")
    assert points == [(0, 0), (5, 9), (7, -7), (1, 2), (3, 4)]
    assert corners == [False, True, False, False, False]
    assert strokes == [0, 0, 0, 1, 1]


def test_curve_is_affine_and_passes_through_the_control_points() -> None:
    control = np.array([[0, 0], [30, 40], [60, 0], [0, 90], [50, 90]], np.float32)
    stroke = np.array([0, 0, 0, 1, 1])
    ends = np.array([True, False, True, True, True])
    matrix, strokes = digit_paths.curve(control, stroke, ends)
    assert matrix.sum(1) == pytest.approx(np.ones(len(matrix)), abs=1e-6)  # moved with its points
    curve = matrix @ control
    for point in control:
        assert np.hypot(*(curve - point).T).min() < 1e-4
    assert np.all(matrix[strokes == 0][:, 3:] == 0)  # strokes do not pull at each other
    assert matrix[strokes == 1] @ control == pytest.approx(
        np.stack([np.linspace(0, 50, 17), np.full(17, 90)], 1), abs=1e-4
    )  # two points: a straight line, evenly inked


def test_ink_of_one_disc() -> None:
    """Radius 3 at (10, 10), soft edge 1: full where d ≤ 2.5, half at d = 3, none from 3.5."""
    point = np.full((1, 2, 1), 10, np.float32)
    ink = digits._ink(point, np.full((1, 1), 3, np.float32), np.ones(1, np.float32))[:, :, 0]
    y, x = np.mgrid[:20, :20] + 0.5
    expected = np.clip(0.5 - (np.hypot(x - 10, y - 10) - 3), 0, 1)
    assert ink == pytest.approx(expected, abs=1e-4)
    assert ink.sum() == pytest.approx(np.pi * 9, rel=0.02)


def test_centring_of_a_single_pixel() -> None:
    """All mass in column 3, row 12 of the box: corner at (14 − 3, 14 − 12), limited to 8."""
    ink = np.zeros((20, 20, 1), np.float32)
    ink[12, 3] = 1
    assert digits._centring(ink)[:, 0].tolist() == [8, 2]


def test_example_shows_the_steps() -> None:
    shown = digits.example(7, "7 barred", seed=4)
    assert len(shown.blended) == len(shown.warped) == len(shown.placed) == 2  # the bar is a stroke
    for before, after in zip(shown.blended, shown.placed, strict=True):
        assert before.shape == after.shape
        assert before.shape[1] == 2
    placed = np.concatenate(shown.placed)
    assert placed.min() > 0
    assert placed.max() < 28
    for x, y in placed:  # ink lies where the pen went
        assert shown.image[int(y), int(x)] > 100
    y, x = np.argwhere(shown.image).min(0)
    assert np.array_equal(
        shown.image[shown.image.any(1)][:, shown.image.any(0)],
        shown.ink[shown.ink.any(1)][:, shown.ink.any(0)],
    )
    assert np.array_equal(shown.image, digits.example(7, "7 barred", seed=4).image)


@pytest.mark.parametrize("count", [0, -3, 2.5, True, "ten"])
def test_bad_count(count: object) -> None:
    with pytest.raises(CnnvizError, match=r"Bad count .* at least 1\."):
        digits.generate(count, seed=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_bad_seed(seed: object) -> None:
    with pytest.raises(CnnvizError, match=r"Bad seed .* at least 0\."):
        digits.generate(10, seed)  # type: ignore[arg-type]
    with pytest.raises(CnnvizError, match="Bad seed"):
        digits.example(7, "7 plain", seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("spread", [-0.1, float("nan"), float("inf")])
def test_bad_spread(spread: float) -> None:
    with pytest.raises(CnnvizError, match=r"Bad spread .* from 0 up"):
        digits.generate(10, 0, spread)


def test_bad_style_and_digit() -> None:
    with pytest.raises(CnnvizError, match="Did you mean '7 barred'"):
        digits.example(7, "7 bared", seed=0)
    with pytest.raises(CnnvizError, match="Unknown digit 10"):
        digits.example(10, "7 barred", seed=0)
