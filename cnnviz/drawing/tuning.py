"""Small drawings on the pages of units, as SVG text. No torch: there are thousands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from cnnviz.numbers import significant

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 62, 12, 44
_DASHES = ("", "6 3", "2 3")
_COLOURS = ("var(--cnnviz-1,#0b4f9e)", "var(--cnnviz-2,#e06000)", "var(--cnnviz-3,#0c9c7c)")


def tuning_curves(
    curves: Sequence[Sequence[float]], wavelengths: Sequence[float], alt: str, label: str
) -> str:
    """One line for each wavelength: the answer over the direction of stripes, 0 to 180 degrees.

    The first value comes again at the end, because half a turn leads back to it. Little strokes
    below show how the stripes lie.
    """
    values = [value for curve in curves for value in curve]
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0

    def x(share: float) -> float:
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / span * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(0):.1f}" y2="{y(0):.1f}" '
        'stroke="var(--cnnviz-muted,#656d78)"/>',
        *(
            f'<text x="{LEFT - 6}" y="{y(end) + 4:.1f}" text-anchor="end" font-size="11" '
            f'fill="var(--cnnviz-muted,#656d78)">{significant(end)}</text>'
            for end in dict.fromkeys((low, 0.0, high))
            if end == 0 or abs(y(end) - y(0)) > 12
        ),
    ]
    ends = []
    for i, curve in enumerate(curves):
        closed = [*curve, curve[0]]
        points = " ".join(f"{x(j / len(curve)):.1f},{y(v):.1f}" for j, v in enumerate(closed))
        dash = f' stroke-dasharray="{_DASHES[i % 3]}"' if _DASHES[i % 3] else ""
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{_COLOURS[i % 3]}" '
            f'stroke-width="2"{dash}/>'
        )
        ends.append((y(curve[0]), i))
    parts += _names(ends, wavelengths)
    parts += [_stripes(math.pi * quarter / 4, x(quarter / 4)) for quarter in range(5)]
    parts.append(
        f'<text x="{x(0.5):.1f}" y="{HEIGHT - 6}" text-anchor="middle" font-size="12" '
        f'fill="var(--cnnviz-muted,#656d78)">{escape(label)}</text>'
    )
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}" '
        f'style="width:{WIDTH}px;max-width:100%;height:auto">{"".join(parts)}</svg>'
    )


def _names(ends: Sequence[tuple[float, int]], wavelengths: Sequence[float]) -> list[str]:
    """The wavelength of each line beside its end (height, index), none upon another."""
    parts = []
    last = -99.0
    for where, i in sorted(ends):
        last = max(where, last + 14)
        parts.append(
            f'<text x="{WIDTH - RIGHT + 6}" y="{last + 4:.1f}" font-size="12" '
            f'fill="var(--cnnviz-fg,#20262e)">{wavelengths[i]:g} px</text>'
            f'<line x1="{WIDTH - RIGHT + 40}" x2="{WIDTH - 2}" y1="{last:.1f}" y2="{last:.1f}" '
            f'stroke="{_COLOURS[i % 3]}" stroke-width="2"'
            f"{f' stroke-dasharray={chr(34)}{_DASHES[i % 3]}{chr(34)}' if _DASHES[i % 3] else ''}/>"
        )
    return parts


def _stripes(direction: float, cx: float) -> str:
    """A little stroke that lies as the stripes do: across the change of brightness."""
    along = direction + math.pi / 2
    dx, dy = 6 * math.cos(along), 6 * math.sin(along)
    cy = HEIGHT - BOTTOM + 13
    return (
        f'<line x1="{cx - dx:.1f}" y1="{cy - dy:.1f}" x2="{cx + dx:.1f}" y2="{cy + dy:.1f}" '
        'stroke="var(--cnnviz-fg,#20262e)" stroke-width="2.5" stroke-linecap="round"/>'
    )
