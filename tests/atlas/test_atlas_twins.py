"""How twins are drawn below each other."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO

import numpy as np
from PIL import Image

from cnnviz.figure.figure import Text
from gen.figures.matched_rows import Row, decimals, matched_rows


def test_rows_have_one_picture_each_and_a_note_below_each_tile() -> None:
    tiles = np.arange(2 * 3 * 5 * 5, dtype=float).reshape(2, 3, 5, 5)
    rows = [Row(Text("甲", "a"), tiles[0], ["0", "1", "2"]),
            Row(Text("乙", "b"), tiles[1], [".9", ".8", "−.1"])]  # fmt: skip
    drawn = matched_rows(rows, (0, 150), "sequential", Text("标题", "title"))
    pictures = re.findall(r"base64,([^\"]+)", drawn.en)
    assert len(pictures) == 2
    first = Image.open(BytesIO(b64decode(pictures[0])))
    assert first.size == (3 * 25 + 2 * 2, 25)  # each pixel five times, gaps of two
    assert re.findall(r">([^<>]+)</text>", drawn.en) == ["a", "0", "1", "2", "b", ".9", ".8", "−.1"]
    assert ">甲</text>" in drawn.zh


def test_correlations_in_little_room() -> None:
    assert [decimals(v) for v in (0.5, -0.049, 1, -1, 0)] == [".50", "−.05", "1.00", "−1.00", ".00"]
