"""Rows of numbers over time: every number drawn, or the ends of many."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnnviz.drawing.waves import wave_rows
from cnnviz.errors import CnnvizError


def lines(drawing: str) -> list[list[tuple[float, float]]]:
    """The points of every line."""
    return [
        [tuple(map(float, point.split(","))) for point in points.split()]  # type: ignore[misc]
        for points in re.findall(r'<polyline points="([^"]+)"', drawing)
    ]


def test_a_row_goes_from_end_to_end_and_up_where_values_grow() -> None:
    (line,) = lines(wave_rows([[-1.0, 0.0, 2.0]], title="three", width=100, height=46))
    assert [x for x, _ in line] == [1.0, 51.0, 101.0]
    assert [y for _, y in line] == [33.0, 23.0, 3.0]  # zero in the middle, the largest on top


def test_values_above_zero_stand_on_the_floor() -> None:
    (line,) = lines(wave_rows([[0.0, 4.0]], title="two", width=100, height=46))
    assert [y for _, y in line] == [43.0, 3.0]


def test_rows_share_a_scale_and_several_lines_a_row() -> None:
    drawn = lines(wave_rows([[[0.0, 2.0], [2.0, 0.0]], [0.0, 1.0]], title="t", height=46))
    assert [len(line) for line in drawn] == [2, 2, 2]
    assert drawn[2][1][1] == 46 + 23  # half as high


def test_a_row_stands_where_it_is_told_to() -> None:
    (line,) = lines(wave_rows([[0.0, 1.0]], title="t", reaches=[(0.25, 0.5)], width=200))
    assert [x for x, _ in line] == [51.0, 101.0]


def test_of_many_values_the_least_and_the_most_are_drawn() -> None:
    values = np.zeros(10_000)
    values[5003], values[5004] = 1, -1
    (line,) = lines(wave_rows([values], title="t", width=100, height=46))
    assert len(line) == 200
    assert min(y for _, y in line) == 3
    assert max(y for _, y in line) == 43


@pytest.mark.parametrize("rows", [[], [[1.0]], [[float("nan"), 0.0]], [np.zeros((2, 2, 2))]])
def test_what_cannot_be_drawn_is_refused(rows: list[object]) -> None:
    with pytest.raises(CnnvizError):
        wave_rows(rows, title="t")  # type: ignore[arg-type]
