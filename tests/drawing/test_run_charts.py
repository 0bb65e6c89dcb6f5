"""Charts of training runs: where points, means and spreads stand, and clear errors."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from cnnviz.drawing import svg
from cnnviz.drawing.run_charts import accuracy_along_training, seed_chart, spread
from cnnviz.errors import CnnvizError

SVG = "{http://www.w3.org/2000/svg}"
_WORDS = {"title": "标题 & title", "y_label": "准确率"}


def _along(runs: dict[str, tuple[list[int], object]]) -> str:
    return accuracy_along_training(runs, x_label="steps", **_WORDS)  # type: ignore[arg-type]


def _texts(markup: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(markup).iter(f"{SVG}text")]


def _paths(markup: str, colour: str = "1") -> list[list[tuple[float, float]]]:
    """Corners of each line in a colour of series, in pixels."""
    found = []
    for path in ET.fromstring(markup).iter(f"{SVG}path"):
        if f"stroke: {svg.var(colour)}" in path.attrib.get("style", "") and "d" in path.attrib:
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
            found.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return found


def _rising(markup: str) -> list[list[tuple[float, float]]]:
    """Lines through three points, without the level samples of the legend."""
    return [p for p in _paths(markup) if len(p) == 3 and p[0][1] != p[2][1]]


def test_step_0_has_a_place_and_a_tick_of_its_own() -> None:
    markup = _along({"a": ([0, 1, 10, 100], [0.1, 0.2, 0.6, 0.9])})
    assert [t for t in _texts(markup) if t.isdigit()] == ["0", "1", "10", "100"]
    line = next(path for path in _paths(markup) if len(path) == 4)
    x = [place for place, _ in line]
    assert x[0] < x[1]
    assert x[3] - x[2] == pytest.approx(x[2] - x[1], abs=0.02)


def test_several_runs_are_lines_with_their_mean() -> None:
    markup = _along({"a": ([0, 1, 2], [[0.0, 0.2, 0.4], [0.2, 0.4, 1.0]])})
    first, second, mean = _rising(markup)
    for one, other, middle in zip(first, second, mean, strict=True):
        assert middle[1] == pytest.approx((one[1] + other[1]) / 2, abs=0.02)


def test_one_run_is_one_line() -> None:
    assert len(_rising(_along({"a": ([0, 1, 2], [0, 0.5, 1])}))) == 1


def test_charts_follow_the_palette_and_give_the_same_bytes() -> None:
    for draw in (
        lambda: _along({"a": ([0, 1], [0, 1]), "b": ([0, 1], [1, 0])}),
        lambda: seed_chart({"a": [[1, 2, 3], [2, 3, 4]]}, ["x", "y"], **_WORDS),  # type: ignore[arg-type]
    ):
        markup = draw()
        assert markup == draw()
        root = ET.fromstring(markup)
        assert (root.attrib["class"], root.attrib["role"]) == ("chart", "img")
        alone = re.sub(r"var\(--cnnviz-[a-z0-9]+, #[0-9a-f]{6}\)", "", markup)
        assert not set(svg.THEME.values()) & set(re.findall(r"#[0-9a-f]{6}", alone))


def test_every_result_is_a_point_and_the_mean_a_line() -> None:
    markup = seed_chart({"a": [[0.0, 1.0, 5.0]]}, ["g"], title="t", y_label="y")
    points = [float(use.attrib["y"]) for use in ET.fromstring(markup).iter(f"{SVG}use")
              if f"fill: {svg.var('1')}" in use.attrib.get("style", "")]  # fmt: skip
    assert len(points) >= 3
    low, middle, high = points[-3:]
    assert low - middle == pytest.approx((low - high) / 5, abs=0.05)
    mean = next(p for p in _paths(markup) if len(p) == 2 and p[0][1] == p[1][1])
    assert low - mean[0][1] == pytest.approx((low - high) * 2 / 5, abs=0.05)


def test_spread() -> None:
    assert spread([1.0, 2.0, 3.0]) == (2.0, 1.0)
    assert spread([7]) == (7.0, 0.0)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: _along({}), "Nothing to draw"),
        (lambda: _along({"a": ([0, 1], [0.5])}), "for 2 steps"),
        (lambda: _along({"a": ([0], [np.nan])}), "NaN"),
        (lambda: seed_chart({}, [], title="t", y_label=""), "Nothing to draw"),
        (lambda: seed_chart({"a": [[1]]}, ["x", "y"], title="t", y_label=""), "each of the 2"),
    ],
)  # fmt: skip
def test_clear_errors(draw: object, message: str) -> None:
    with pytest.raises(CnnvizError, match=message):
        draw()  # type: ignore[operator]
