"""A chart of points that each have a name beside them, so that no legend is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnnviz.drawing import svg
from cnnviz.drawing.checks import check_some, finite
from cnnviz.drawing.plotting import Size, lay_out, set_log, styled_axes, to_svg, write_percent
from cnnviz.errors import CnnvizError

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels from the lower left."""

_MARKERS = "osD^vP"
_RADIUS, _GAP = 5.0, 4.0  # of a marker, and between it and its name


def named_points(
    series: Mapping[str, Mapping[str, tuple[float, float]]],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    joined: Sequence[tuple[str, str]] = (),
    log_x: bool = False,
    percent: bool = False,
    size: Size = (440, 440),
) -> str:
    """Points with their names, each name where it covers no other name and no point.

    Args:
        series: label → name of a point → (x, y); the labels are named above the chart, if several.
        joined: pairs of names to be joined by a line, such as the same thing before and after.
        log_x: a logarithmic axis; its values must be above 0.
        percent: y is a share: 0.5 is written as 50%.
        size: width and height in pixels.

    Raises:
        CnnvizError: no points, two of one name, values that are not finite or, on a logarithmic
            axis, not above 0; a name in `joined` that is no point's.
    """
    check_some(series)
    points = _points(series, log_x)
    for name in (name for pair in joined for name in pair):
        if name not in points:
            raise CnnvizError(f"Cannot join '{name}'; the points are: {', '.join(points)}.")
    with styled_axes(size) as (figure, axes):
        axes.set_xscale("log" if log_x else "linear")
        for one, other in joined:
            (x1, y1), (x2, y2) = points[one], points[other]
            axes.plot([x1, x2], [y1, y2], color=svg.THEME["muted"], linewidth=1, zorder=1)
        legend = []
        for index, (label, named) in enumerate(series.items()):
            style: dict[str, Any] = {
                "color": svg.THEME[str(index % 6 + 1)],
                "linestyle": "",
                "marker": _MARKERS[index % len(_MARKERS)],
                "markersize": 2 * _RADIUS,
                "markeredgewidth": 0,
            }
            x, y = zip(*named.values(), strict=True)
            axes.plot(x, y, **style)
            legend.append((label, style))
        axes.margins(0.08)
        if log_x:
            set_log(axes.xaxis)
        if percent:
            write_percent(axes.yaxis)
        lay_out(figure, axes, x_label, y_label, legend=legend if len(legend) > 1 else ())
        _name(figure, axes, points)
        return to_svg(figure, title)


def _points(
    series: Mapping[str, Mapping[str, tuple[float, float]]], log_x: bool
) -> dict[str, tuple[float, float]]:
    """Name → (x, y), of all series."""
    points: dict[str, tuple[float, float]] = {}
    for label, named in series.items():
        check_some(named)
        for name, (x, y) in named.items():
            finite(f"{name} of {label}", [x, y])
            if log_x and x <= 0:
                raise CnnvizError(f"'{name}' is at x={x}; expected above 0 on a logarithmic axis.")
            if name in points:
                raise CnnvizError(f"Two points are named '{name}'; expected a name for each.")
            points[name] = (x, y)
    return points


def _name(figure: Figure, axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write each name beside its point."""
    width, height = figure.get_size_inches() * 72
    places = {name: tuple(axes.transData.transform(point)) for name, point in points.items()}
    frame = axes.get_position()
    room = (frame.x0 * width, frame.y0 * height, width - 2, height)
    for name, (left, bottom, right, _) in name_boxes(places, room).items():
        # Widths are estimated: the end that is near the point is the one to keep.
        anchor = {"left": left, "center": (left + right) / 2, "right": right}
        align = min(anchor, key=lambda end: abs(anchor[end] - places[name][0]))
        # The baseline of a text lies above the lower end of its letters.
        x, y = anchor[align] / width, (bottom + 3) / height
        figure.text(x, y, name, ha=align, va="baseline", fontsize=svg.NOTE_SIZE)


def name_boxes(places: Mapping[str, tuple[float, float]], room: Box) -> dict[str, Box]:
    """Where names stand: right of their point, or left, above, below, whichever is free.

    Args:
        places: name → (x, y) of its point in pixels.
        room: what no name may leave.
    """
    points = [_around(x, y) for x, y in places.values()]
    found: dict[str, Box] = {}
    # Those on the right have the fewest places left, so they choose first.
    for name in sorted(places, key=lambda name: -places[name][0]):
        candidates = list(_candidates(name, *places[name]))
        taken = [*points, *found.values()]
        found[name] = min(
            candidates,
            key=lambda box: (
                10 * _outside(box, room) + sum(_shared(box, other) for other in taken),
                candidates.index(box),
            ),
        )
    return {name: found[name] for name in places}


def _around(x: float, y: float) -> Box:
    return x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS


def _candidates(name: str, x: float, y: float) -> list[Box]:
    """Places for a name about its point, the best first."""
    width, height = svg.text_width(name, svg.NOTE_SIZE), svg.NOTE_SIZE + 2
    away = _RADIUS + _GAP
    sides = [(x + away, y - height / 2), (x - away - width, y - height / 2)]
    sides += [(x - width / 2, y + away), (x - width / 2, y - away - height)]
    sides += [
        (x + across, y + along)
        for along, across in product((away - 3, 3 - away - height), (away - 3, 3 - away - width))
    ]
    return [(left, bottom, left + width, bottom + height) for left, bottom in sides]


def _shared(one: Box, other: Box) -> float:
    """Area that two boxes have in common."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    along = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0) * max(along, 0)


def _outside(box: Box, room: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) - _shared(box, room)
