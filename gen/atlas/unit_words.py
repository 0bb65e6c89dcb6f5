"""Shapes and directions of kernels in words, in both languages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

# From dark to bright, every 45 degrees clockwise from rightward (y points down).
_EDGES = (
    ("左暗右亮，是一条竖直的边缘", "dark on the left, bright on the right: a vertical edge"),
    (
        "左上暗、右下亮，是一条斜的边缘",
        "dark at the upper left, bright at the lower right: a diagonal edge",
    ),
    ("上暗下亮，是一条水平的边缘", "dark above, bright below: a horizontal edge"),
    (
        "右上暗、左下亮，是一条斜的边缘",
        "dark at the upper right, bright at the lower left: a diagonal edge",
    ),
    ("右暗左亮，是一条竖直的边缘", "dark on the right, bright on the left: a vertical edge"),
    (
        "右下暗、左上亮，是一条斜的边缘",
        "dark at the lower right, bright at the upper left: a diagonal edge",
    ),
    ("下暗上亮，是一条水平的边缘", "dark below, bright above: a horizontal edge"),
    (
        "左下暗、右上亮，是一条斜的边缘",
        "dark at the lower left, bright at the upper right: a diagonal edge",
    ),
)

# Along the bar or the stripes, every 45 degrees clockwise from level (y points down).
_BARS = (
    ("横", "horizontal {}"),
    ("从左上到右下的斜", "{} falling to the right"),
    ("竖", "vertical {}"),
    ("从左下到右上的斜", "{} rising to the right"),
)


def edge_words(shape: Mapping[str, Any], language: str) -> str:
    """What a kernel's shape (cnnviz.inside.kernel_shape) looks like, "" if it has no name.

    >>> edge_words({"kind": "edge", "angle": 1.5, "positive": True}, "en")
    'dark above, bright below: a horizontal edge'
    """
    pick, kind = int(language == "en"), shape["kind"]
    if kind == "edge":
        return _EDGES[round(shape["angle"] / (math.pi / 4)) % 8][pick]
    if kind == "bar":
        way = _BARS[round(shape["angle"] / (math.pi / 4)) % 4][pick]
        zh = f"一道{'亮' if shape['positive'] else '暗'}的{way}条"
        return (zh, f"a {'bright' if shape['positive'] else 'dark'} {way.format('bar')}")[pick]
    tone = ("亮", "bright") if shape["positive"] else ("暗", "dark")
    if kind == "spot":
        return (f"中间一个{tone[0]}点", f"a {tone[1]} spot")[pick]
    if kind == "brightness":
        return (f"整片偏{tone[0]}", f"{tone[1]} all over")[pick]
    return ""


def stripes_words(angle: float, language: str) -> str:
    """Stripes whose brightness varies in the direction `angle` (cnnviz.inside.gratings).

    >>> stripes_words(0, "en"), stripes_words(1.57, "en")
    ('vertical stripes', 'horizontal stripes')
    """
    along = angle + math.pi / 2
    way = _BARS[round(along / (math.pi / 4)) % 4][int(language == "en")]
    return f"{way}条纹" if language == "zh" else way.format("stripes")
