"""Charts as SVG strings that follow the reader's palette: lines, bars, histograms, points.

Theme colours are CSS variables (`cnnviz.drawing.svg.THEME`), text is in the page's font, and the
same arguments give the same bytes. Series differ in dash, marker or hatching as well as in colour.
Every chart has a `title`: its accessible name, not drawn, which says what is to be seen. All words
come from the caller, in any language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cnnviz.drawing import svg
from cnnviz.drawing.checks import Floats, Points, check_some, finite, points_of
from cnnviz.drawing.plotting import (
    Entry,
    Size,
    lay_out,
    name_bars,
    name_line_ends,
    name_width,
    set_log,
    styled_axes,
    to_svg,
    write_on_bars,
    write_percent,
)
from cnnviz.errors import CnnvizError
from cnnviz.numbers import Write, shortest

_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (7, 2, 1.5, 2)), (0, (3, 1)))
_MARKERS = "osD^vP"
_HATCHES = ("", "///", "---", "\\\\\\", "xxx", "|||")


def line_chart(
    series: Mapping[str, Points],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    errors: Mapping[str, npt.ArrayLike] | None = None,
    percent: bool = False,
    log_x: bool = False,
    log_y: bool = False,
    y_limits: tuple[float | None, float | None] = (None, None),
    markers: bool | None = None,
    size: Size = (640, 320),
) -> str:
    """Lines through points, each named at its right end.

    Args:
        series: label → (x, y), two equally long sequences.
        errors: label → half the height of a band around y, in the unit of y.
        percent: y is a share: 0.5 is written as 50%.
        log_x, log_y: logarithmic axes; their values must be above 0.
        y_limits: ends of the y axis; None leaves that end to the data.
        markers: mark every point; by default in lines of at most 20.
        size: width and height in pixels.

    Raises:
        CnnvizError: no series, lengths that differ, values that are not finite or, on a
            logarithmic axis, not above 0.
    """
    check_some(series)
    with styled_axes(size) as (figure, axes):
        axes.set(xscale=_scale(log_x), yscale=_scale(log_y))
        ends: list[tuple[float, Entry]] = []
        for index, (label, points) in enumerate(series.items()):
            x, y = points_of(label, points, log_x, log_y)
            style = {**_line_style(index), "markersize": 6}
            if not (len(x) <= 20 if markers is None else markers):
                style["marker"] = ""
            axes.plot(x, y, clip_on=False, **style)
            if errors and label in errors:
                half = finite(f"errors of {label}", errors[label])
                axes.fill_between(x, y - half, y + half, color=style["color"], alpha=0.2, lw=0)
            ends.append((float(y[-1]), (label, style)))
        axes.set_ylim(*y_limits)
        axes.margins(x=0.02)
        axes.grid(visible=False, axis="x")
        _write_ticks(axes, log_x, log_y, percent)
        if not log_x and all(np.array_equal(x, np.rint(x)) for x, _ in series.values()):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        lay_out(figure, axes, x_label, y_label, right=name_width(list(series)))
        name_line_ends(figure, axes, ends)
        return to_svg(figure, title, [entry for _, entry in ends])


def scatter_chart(
    series: Mapping[str, Points],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    log_x: bool = False,
    log_y: bool = False,
    size: Size = (560, 400),
) -> str:
    """Points, one colour and marker a series. Arguments and errors as in `line_chart`."""
    check_some(series)
    with styled_axes(size) as (figure, axes):
        axes.set(xscale=_scale(log_x), yscale=_scale(log_y))
        legend: list[Entry] = []
        for index, (label, points) in enumerate(series.items()):
            x, y = points_of(label, points, log_x, log_y)
            style = {**_line_style(index), "linestyle": "", "markeredgewidth": 0, "alpha": 0.75}
            axes.plot(x, y, **style)
            legend.append((label, style))
        _write_ticks(axes, log_x, log_y)
        lay_out(figure, axes, x_label, y_label, legend=legend if len(legend) > 1 else ())
        return to_svg(figure, title)


def histogram(
    series: Mapping[str, npt.ArrayLike],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    bins: int = 40,
    limits: tuple[float, float] | None = None,
    percent: bool = False,
    log_y: bool = False,
    size: Size = (640, 300),
) -> str:
    """How often values of any shape fall into `bins` equal intervals, the same for all series.

    Args:
        limits: ends of the intervals, by default of all data; values beyond are not counted.
        percent: shares of each series' values instead of numbers of values.

    Raises:
        CnnvizError: no series, an empty one, values that are not finite, fewer than 1 bin.
    """
    check_some(series)
    if bins < 1:
        raise CnnvizError(f"bins={bins}; expected at least 1.")
    data = {label: finite(label, values).ravel() for label, values in series.items()}
    if limits is None:
        limits = (min(v.min() for v in data.values()), max(v.max() for v in data.values()))
    counted = {label: np.histogram(values, bins, limits) for label, values in data.items()}
    heights = {label: (counts / len(data[label]) if percent else counts, edges)
               for label, (counts, edges) in counted.items()}  # fmt: skip
    return _stairs(heights, title, x_label, y_label, percent, log_y, size)


def counted_histogram(
    series: Mapping[str, Points],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    percent: bool = False,
    log_y: bool = False,
    size: Size = (640, 300),
) -> str:
    """A histogram of values that are counted already.

    Args:
        series: label → (counts, edges), one edge more than counts; series that are to be compared
            have intervals of one width.
        percent: shares of each series' counts instead of counts.

    Raises:
        CnnvizError: no series, one without counts, lengths that do not fit.
    """
    check_some(series)
    heights = {}
    for label, given in series.items():
        counts, edges = (finite(label, values) for values in given)
        if len(edges) != len(counts) + 1:
            raise CnnvizError(
                f"'{label}' has {len(counts)} counts and {len(edges)} edges; expected one "
                "edge more than counts."
            )
        heights[label] = counts / max(counts.sum(), 1) if percent else counts, edges
    return _stairs(heights, title, x_label, y_label, percent, log_y, size)


def _stairs(
    series: Mapping[str, tuple[Floats, Floats]],
    title: str,
    x_label: str,
    y_label: str,
    percent: bool,
    log_y: bool,
    size: Size,
) -> str:
    """Heights over the intervals between edges."""
    with styled_axes(size) as (figure, axes):
        axes.set_yscale(_scale(log_y))
        legend: list[Entry] = []
        for index, (label, (heights, edges)) in enumerate(series.items()):
            style = {**_line_style(index), "marker": ""}
            axes.stairs(
                heights, edges, color=style["color"], linestyle=style["linestyle"], linewidth=2
            )
            if len(series) == 1:
                axes.stairs(heights, edges, color=style["color"], alpha=0.25, fill=True)
            legend.append((label, style))
        axes.margins(x=0)
        axes.grid(visible=False, axis="x")
        _write_ticks(axes, False, log_y, percent)
        if not (percent or log_y):
            axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        lay_out(figure, axes, x_label, y_label, legend=legend if len(legend) > 1 else ())
        return to_svg(figure, title)


def bar_chart(
    values: Mapping[str, float],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    percent: bool = False,
    write: Write | None = None,
    horizontal: bool = False,
    highlight: str | None = None,
    limits: tuple[float, float] | None = None,
    size: Size | None = None,
) -> str:
    """One bar a label, from zero, with its value at its end.

    Args:
        x_label, y_label: what the axes of the drawing are; values run along y, or x if horizontal.
        percent: values are shares: 0.5 is written as 50%.
        write: how a value is written on its bar; by default in at most two decimals.
        horizontal: bars from left to right, the first on top: for long labels.
        highlight: the label whose bar stands out.
        limits: ends of the axis of values, for charts that are to be compared.
        size: width and height in pixels; by default 640 by what the bars need.

    Raises:
        CnnvizError: no values, values that are not finite, a highlight that is not there.
    """
    check_some(values)
    if highlight is not None and highlight not in values:
        raise CnnvizError(f"Cannot highlight '{highlight}'; the bars are: {', '.join(values)}.")
    numbers = finite("values", list(values.values()))
    own_writer, write = write is not None, write or _writer(percent)
    size = size or (640, 40 + 30 * len(values) if horizontal else 300)
    with styled_axes(size) as (figure, axes):
        places = np.arange(len(values), dtype=float)
        bars = (axes.barh if horizontal else axes.bar)(places, numbers, 0.68, color=_colour(0))
        for label, bar in zip(values, bars, strict=True):
            if highlight is not None and label != highlight:
                bar.set_alpha(0.45)
        write_on_bars(axes, places, numbers, write, horizontal)
        name_bars(axes, list(values), horizontal)
        if limits:
            (axes.set_xlim if horizontal else axes.set_ylim)(*limits)
        room = max(svg.text_width(write(value), svg.NOTE_SIZE) for value in numbers) + 8
        along = axes.xaxis if horizontal else axes.yaxis
        along.set_major_locator(MaxNLocator(nbins=6))
        if percent:
            write_percent(along)
        elif own_writer:
            along.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
        if numbers.min() < 0:  # room for the numbers below the bars
            (axes.set_xmargin if horizontal else axes.set_ymargin)(0.12)
        if horizontal:
            lay_out(figure, axes, x_label, y_label, right=room)
        else:
            lay_out(figure, axes, x_label, y_label, top=20)
        return to_svg(figure, title)


def grouped_bar_chart(
    series: Mapping[str, Sequence[float]],
    groups: Sequence[str],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    percent: bool = False,
    write: Write | None = None,
    size: Size = (640, 320),
) -> str:
    """Bars of several series side by side in each group, upright, from zero.

    Args:
        series: label → one value for each of `groups`.
        write: how a value is written on its bar, and on the axis unless that is in percent; by
            default bars carry no numbers.

    Raises:
        CnnvizError: no series, values that are not finite or not one for each group.
    """
    check_some(series)
    with styled_axes(size) as (figure, axes):
        width = 0.8 / len(series)
        places = np.arange(len(groups), dtype=float)
        legend: list[Entry] = []
        for index, (label, given) in enumerate(series.items()):
            values = finite(label, given)
            if values.shape != places.shape:
                raise CnnvizError(
                    f"'{label}' has {values.size} values; expected one for each of the "
                    f"{len(groups)} groups."
                )
            solid = _HATCHES[index % len(_HATCHES)] == ""
            style: dict[str, Any] = {
                "facecolor": _colour(index) if solid else "none",
                "edgecolor": _colour(index),
                "hatch": _HATCHES[index % len(_HATCHES)],
                "linewidth": 1,
            }
            at = places + (index - (len(series) - 1) / 2) * width
            axes.bar(at, values, width * 0.9, **style)
            if write:
                write_on_bars(axes, at, values, write, False)
            legend.append((label, style))
        name_bars(axes, groups, horizontal=False)
        if percent:
            write_percent(axes.yaxis)
        elif writer := write:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: writer(value)))
        lay_out(figure, axes, x_label, y_label, legend=legend, top=20 if write else 8)
        return to_svg(figure, title)


def _line_style(index: int) -> dict[str, Any]:
    """Colour, dash and marker of series `index`, counted from 0."""
    return {
        "color": _colour(index),
        "linestyle": _DASHES[index % len(_DASHES)],
        "linewidth": 2,
        "marker": _MARKERS[index % len(_MARKERS)],
    }


def _colour(index: int) -> str:
    return svg.THEME[str(index % 6 + 1)]


def _writer(percent: bool) -> Write:
    return (lambda share: f"{shortest(100 * share, 1)}%") if percent else shortest


def _scale(log: bool) -> str:
    return "log" if log else "linear"


def _write_ticks(axes: Axes, log_x: bool, log_y: bool, percent: bool = False) -> None:
    for axis, log in ((axes.xaxis, log_x), (axes.yaxis, log_y)):
        if log:
            set_log(axis)
    if percent:
        write_percent(axes.yaxis)
