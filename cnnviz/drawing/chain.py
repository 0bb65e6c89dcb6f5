"""The drawing of a small computation with its gradients: numbers in, an SVG string out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnnviz.drawing import svg
from cnnviz.numbers import shortest


@dataclass(frozen=True)
class Stage:
    """One value on the way from the input to the loss.

    Attributes:
        name: the formula that gives it, such as "a = w·x + b".
        value: its number.
        gradient: derivative of the loss by it; None where it is of no interest.
        local: what the gradient from below is multiplied by to give this one, in words.
        parameters: (name, value, gradient, local) of the weights that the stage uses.
    """

    name: str
    value: float
    gradient: float | None = None
    local: str = ""
    parameters: Sequence[tuple[str, float, float, str]] = ()


_WIDTH, _ROW, _BOX = 460.0, 92.0, 44.0
_LEFT, _MIDDLE, _RIGHT = 84.0, 236.0, 386.0  # centres of the three columns


def chain(stages: Sequence[Stage], headings: Sequence[str], *, title: str) -> str:
    """Stages below one another: values go down on the left, gradients come up in the middle.

    Args:
        stages: input first, loss last.
        headings: three, of the columns of values, of gradients, and of gradients of the weights.
        title: accessible name.
    """
    parts = [
        svg.text(x, 10, heading, size=svg.NOTE_SIZE, fill=svg.var("muted"))
        for x, heading in zip((_LEFT, _MIDDLE, _RIGHT), headings, strict=True)
    ]
    for index, stage in enumerate(stages):
        top = 26.0 + index * _ROW
        parts.append(_box(_LEFT, top, 150, stage.name, stage.value, svg.var("fg")))
        if stage.gradient is not None:
            parts.append(_box(_MIDDLE, top, 116, "", stage.gradient, svg.var("2")))
        for place, (name, value, gradient, local) in enumerate(stage.parameters):
            shift = (place - (len(stage.parameters) - 1) / 2) * 52
            middle = top + _BOX / 2 + shift
            parts.append(_weight(middle, name, value, gradient, local))
        if index < len(stages) - 1:
            low, high = top + _BOX + 4, top + _ROW - 4
            parts.append(_arrow(_LEFT, low, high))
            if stage.gradient is not None:
                parts.append(_arrow(_MIDDLE, high, low))
                note = {"anchor": "start", "size": svg.NOTE_SIZE, "fill": svg.var("2")}
                parts.append(svg.text(_MIDDLE + 10, (low + high) / 2, stage.local, **note))  # type: ignore[arg-type]
    height = 26 + (len(stages) - 1) * _ROW + _BOX + 2
    return svg.document(_WIDTH, height, title, "".join(parts))


def _box(x: float, top: float, width: float, name: str, value: float, colour: str) -> str:
    frame = svg.element("rect", x=x - width / 2, y=top, width=width, height=_BOX, rx=5,
                        fill="none", stroke=colour, stroke_width=1.5)  # fmt: skip
    if not name:
        return frame + svg.text(x, top + _BOX / 2, shortest(value), size=15, weight="bold")
    return (
        frame
        + svg.text(x, top + 13, name, size=svg.NOTE_SIZE, fill=svg.var("muted"))
        + svg.text(x, top + 31, shortest(value), size=15, weight="bold")
    )


def _weight(y: float, name: str, value: float, gradient: float, local: str) -> str:
    """A weight with its gradient, and how that came about."""
    first = f"{name} = {shortest(value)}"
    return (
        svg.text(_RIGHT, y - 9, first, size=svg.NOTE_SIZE, fill=svg.var("muted"))
        + svg.text(_RIGHT, y + 9, f"{local} = {shortest(gradient)}", fill=svg.var("2"))
    )  # fmt: skip


def _arrow(x: float, start: float, end: float) -> str:
    point = "m-4-5 4 5 4-5" if end > start else "m-4 5 4-5 4 5"
    path = f"M{svg.coordinate(x)} {svg.coordinate(start)}V{svg.coordinate(end)}{point}"
    return svg.element("path", d=path, fill="none", stroke=svg.var("muted"), stroke_width=1.5)
