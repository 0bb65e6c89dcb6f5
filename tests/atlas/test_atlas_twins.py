"""How twins are drawn below each other."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from cnnviz.words import Message, message
from gen.figures.matched_rows import Row, decimals, matched_rows


def _say(key: str | Message, **values: Any) -> str:
    return f"said: {key.key if isinstance(key, Message) else key}"


def test_rows_have_one_picture_each_and_a_note_below_each_tile() -> None:
    tiles = np.arange(2 * 3 * 5 * 5, dtype=float).reshape(2, 3, 5, 5)
    rows = [Row(message("first"), tiles[0], ["0", "1", "2"]),
            Row("b", tiles[1], [".9", ".8", "−.1"])]  # fmt: skip
    drawn = matched_rows(rows, (0, 150), "sequential", message("title"))(_say)
    pictures = re.findall(r"base64,([^\"]+)", drawn)
    assert len(pictures) == 2
    first = Image.open(BytesIO(b64decode(pictures[0])))
    assert first.size == (3 * 25 + 2 * 2, 25)  # each pixel five times, gaps of two
    names = re.findall(r">([^<>]+)</text>", drawn)
    assert names == ["said: first", "0", "1", "2", "b", ".9", ".8", "−.1"]
    assert "said: title" in drawn


def test_correlations_in_little_room() -> None:
    assert [decimals(v) for v in (0.5, -0.049, 1, -1, 0)] == [".50", "−.05", "1.00", "−1.00", ".00"]
