"""Points with names: none of them covers another."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from cnnviz.drawing.named_points import name_boxes, named_points
from cnnviz.errors import CnnvizError

ROOM = (0.0, 0.0, 400.0, 300.0)


def apart(one, other) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_names_cover_neither_each_other_nor_points():
    places = {
        "first name": (200.0, 150.0),
        "second name": (204.0, 152.0),
        "third": (210.0, 140.0),
        "at the right": (398.0, 150.0),
        "at the top": (100.0, 298.0),
    }
    boxes = name_boxes(places, ROOM)
    assert list(boxes) == list(places)
    for one, other in combinations(boxes.values(), 2):
        assert apart(one, other)
    for left, bottom, right, top in boxes.values():
        assert left >= 0
        assert bottom >= 0
        assert right <= 400
        assert top <= 300
        for x, y in places.values():
            assert apart((left, bottom, right, top), (x, y, x, y))


def test_a_name_stands_on_the_right_where_there_is_room():
    left, bottom, _, top = name_boxes({"name": (100.0, 100.0)}, ROOM)["name"]
    assert left > 100
    assert (bottom + top) / 2 == pytest.approx(100)


def test_the_chart_has_every_name_and_its_legend():
    drawn = named_points(
        {"nets": {"A": (1, 0.5), "B": (10, 0.6)}, "others": {"C": (100, 0.7)}},
        title="accuracy",
        joined=[("A", "B")],
        log_x=True,
        percent=True,
    )
    texts = re.findall(r">([^<>]+)</text>", drawn)
    for name in ("A", "B", "C", "nets", "others", "60%"):
        assert name in texts
    assert 'aria-label="accuracy"' in drawn


@pytest.mark.parametrize(
    ("series", "options", "said"),
    [
        ({}, {}, "Nothing to draw"),
        ({"a": {}}, {}, "Nothing to draw"),
        ({"a": {"x": (1, 2)}, "b": {"x": (2, 3)}}, {}, "Two points are named 'x'"),
        ({"a": {"x": (0, 2)}}, {"log_x": True}, "'x' is at x=0"),
        ({"a": {"x": (float("nan"), 2)}}, {}, "NaN"),
        ({"a": {"x": (1, 2)}}, {"joined": [("x", "y")]}, "Cannot join 'y'"),
    ],
)
def test_what_cannot_be_drawn_is_said(series, options, said):
    with pytest.raises(CnnvizError, match=said):
        named_points(series, title="t", **options)
