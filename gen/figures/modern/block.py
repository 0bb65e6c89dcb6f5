"""The figure of a residual block: two convolutions, and the path around them."""

from __future__ import annotations

from cnnviz.drawing import svg
from cnnviz.figure.figure import Figure, Panel, Say, message
from gen.context import Context

_WIDTH, _HEIGHT, _LINE = 640.0, 132.0, 84.0
"""Of the drawing, and the height at which the blocks stand."""

_BOXES = ("convolution", "normalisation", "relu", "convolution", "normalisation")
"""What F consists of, from left to right."""

_FIRST, _STEP, _BOX, _TALL = 112.0, 86.0, 74.0, 36.0
_FORK, _SUM, _LAST = 54.0, 518.0, 578.0
"""Where the path forks, where it is added, and the middle of the last ReLU."""


def residual(context: Context) -> Figure:
    """A block of ResNet: what its input passes through, and what passes by."""
    return Figure(alt=message("alt"), panels=[Panel(_draw)])


def _draw(say: Say) -> str:
    middles = [_FIRST + index * _STEP for index in range(len(_BOXES))]
    parts = [
        svg.text(18, _LINE, "x", size=15, weight="bold"),
        _line(f"M28 {_LINE}H{_FIRST - _BOX / 2 - 3}"),
        *(_box(x, _BOX, say(f"parts.{key}")) for x, key in zip(middles, _BOXES, strict=True)),
        *(_line(f"M{x + _BOX / 2} {_LINE}h{_STEP - _BOX - 3}") for x in middles),
        _line(f"M{_FORK} {_LINE}V18H{_SUM}V{_LINE - 15}", "2", down=True),
        svg.text(_WIDTH / 2 - 20, 30, say("skip"), size=svg.NOTE_SIZE, fill=svg.var("2")),
        svg.text(middles[2], _LINE + 34, "F(x)", fill=svg.var("muted")),
        svg.element("circle", cx=_SUM, cy=_LINE, r=12, fill="none", stroke=svg.var("fg")),
        svg.text(_SUM, _LINE, "+", size=16, weight="bold"),
        _line(f"M{_SUM + 12} {_LINE}H{_LAST - 28}"),
        _box(_LAST, 50, say("parts.relu")),
        _line(f"M{_LAST + 25} {_LINE}h12"),
        svg.text(_WIDTH - 10, _LINE, "y", size=15, weight="bold"),
    ]
    return svg.document(_WIDTH, _HEIGHT, say("title"), "".join(parts))


def _box(x: float, width: float, label: str) -> str:
    frame = svg.element("rect", x=x - width / 2, y=_LINE - _TALL / 2, width=width, height=_TALL,
                        rx=5, fill="none", stroke=svg.var("fg"), stroke_width=1.5)  # fmt: skip
    return frame + svg.text(x, _LINE, label, size=svg.NOTE_SIZE)


def _line(path: str, colour: str = "muted", *, down: bool = False) -> str:
    """A line with an arrowhead that points right, or down."""
    head = "m-4-5 4 5 4-5" if down else "m-5-4 5 4-5 4"
    return svg.element("path", d=path + head, fill="none", stroke=svg.var(colour), stroke_width=1.5)
