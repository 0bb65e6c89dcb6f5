"""Rows of numbers over time, one below the other: sounds, kernels of one axis, their maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnviz.drawing import svg
from cnnviz.drawing.checks import Floats, finite
from cnnviz.errors import CnnvizError

Span = tuple[float, float]

_COLUMN = 1.0  # pixels: of more than two values in so many, only the least and the most are drawn
_DASHES = (None, "3 2")


def wave_rows(
    rows: Sequence[npt.ArrayLike] | npt.NDArray[Any],
    *,
    title: str,
    names: Sequence[str] = (),
    span: Span | None = None,
    reaches: Sequence[Span] = (),
    limits: Sequence[Span] = (),
    ticks: Sequence[tuple[float, str]] = (),
    width: float = 280,
    height: float = 34,
) -> str:
    """One line of numbers a row, or several upon each other, and a thin line at zero.

    Args:
        rows: of each row (T,) or (lines, T).
        names: of the rows, at their left.
        span: from where to where all rows are shaded, as shares of the width.
        reaches: of each row, where its first and its last value stand, as shares of the width;
            by default from end to end.
        limits: of each row the values at its lower and its upper end; by default the same for all:
            from minus to plus the largest absolute value, or from 0 if none is negative.
        ticks: share of the width and what is written there, below the rows.
        width, height: of a row, in pixels, without its name.

    Raises:
        CnnvizError: no rows, a shape of another kind, values that are not finite.
    """
    if not len(rows):
        raise CnnvizError("There are no rows; expected at least one.")
    lines = [_lines(number, values) for number, values in enumerate(rows)]
    limits = limits or [_common(lines)] * len(rows)
    reaches = reaches or [(0.0, 1.0)] * len(rows)
    left = max((svg.text_width(name, svg.NOTE_SIZE) for name in names), default=0.0)
    left += 8 if names else 1
    floor = height * len(rows)
    parts = [_shade(left, width, floor, span)] if span else []
    for number, of_row in enumerate(lines):
        top = number * height
        low, high = limits[number]
        scale = (height - 6) / ((high - low) or 1.0)
        zero = top + height - 3 + low * scale
        parts.append(_level(left, left + width, zero))
        first, last = (left + share * width for share in reaches[number])
        for index, values in enumerate(of_row):
            parts.append(_line(values, (first, last), (zero, scale), index))
        if names:
            middle = top + height / 2
            parts.append(
                svg.text(left - 7, middle, names[number], anchor="end", size=svg.NOTE_SIZE)
            )
    parts += [_tick(left + share * width, floor + 10, share, word) for share, word in ticks]
    total = floor + (20 if ticks else 0)
    return svg.document(left + width + 1, total, title, "".join(parts), "chart")


def _lines(number: int, values: npt.ArrayLike) -> Floats:
    """A row as (lines, T)."""
    line = finite(f"row {number}", values)
    if line.ndim not in (1, 2) or line.shape[-1] < 2:
        raise CnnvizError(f"Row {number} has the shape {line.shape}; expected (T,) or (lines, T).")
    return line.reshape(-1, line.shape[-1])


def _common(lines: Sequence[Floats]) -> Span:
    low = min(float(values.min()) for values in lines)
    high = max(float(values.max()) for values in lines)
    return (-max(-low, high), max(-low, high)) if low < 0 else (0.0, high)


def _shade(left: float, width: float, height: float, span: Span) -> str:
    x, across = left + span[0] * width, (span[1] - span[0]) * width
    fill: dict[str, Any] = {"fill": svg.var("3"), "fill_opacity": 0.16}
    return svg.element("rect", x=x, y=0, width=across, height=height, **fill)


def _tick(x: float, y: float, share: float, word: str) -> str:
    """What is written below; at either end so that it does not stand out."""
    anchor = "start" if share < 0.05 else "end" if share > 0.95 else "middle"
    return svg.text(x, y, word, anchor=anchor, size=svg.NOTE_SIZE, fill=svg.var("muted"))


def _level(left: float, right: float, y: float) -> str:
    return svg.element("line", x1=left, x2=right, y1=y, y2=y, stroke=svg.var("grid"))


def _line(values: Floats, ends: Span, place: tuple[float, float], index: int) -> str:
    """Values (T,) from ends[0] to ends[1]; `place` is the height of zero and pixels a unit."""
    drawn = _envelope(values, round((ends[1] - ends[0]) / _COLUMN))
    across = np.linspace(*ends, len(drawn))
    zero, scale = place
    points = " ".join(
        f"{x:.1f},{zero - scale * value:.1f}" for x, value in zip(across, drawn, strict=True)
    )
    return svg.element(
        "polyline",
        points=points,
        fill="none",
        stroke=svg.var(str(index % 6 + 1)),
        stroke_width=1.2,
        stroke_dasharray=_DASHES[index % 2],
    )


def _envelope(values: Floats, columns: int) -> Floats:
    """The least and the most of each of so many parts in turn; few values as they are.

    >>> _envelope(np.array([0.0, 3, 1, 2, -1, 5]), 1).tolist()
    [-1.0, 5.0]
    """
    if len(values) <= 2 * columns:
        return values
    parts = np.array_split(values, columns)
    return np.array([end for part in parts for end in (part.min(), part.max())])
