"""Charts of training runs: accuracy along the steps, and results of the same run over seeds.

As in `cnnviz.drawing.charts`, the same arguments give the same SVG, and all words are the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import FixedFormatter, FixedLocator

from cnnviz.drawing import svg
from cnnviz.drawing.charts import _colour, _line_style
from cnnviz.drawing.checks import Floats, check_some, finite
from cnnviz.drawing.plotting import (
    Entry,
    Size,
    lay_out,
    name_line_ends,
    name_width,
    styled_axes,
    to_svg,
    write_percent,
)
from cnnviz.errors import CnnvizError

_BEFORE = 0.4  # where step 0 stands on a logarithmic axis


def accuracy_along_training(
    runs: Mapping[str, tuple[Sequence[int], npt.ArrayLike]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    y_limits: tuple[float | None, float | None] = (0, 1),
    size: Size = (640, 280),
) -> str:
    """Accuracy at the snapshots of training runs: steps from 0 on a logarithmic axis.

    Args:
        runs: label → (steps, accuracies), whose accuracies are those of one run (S,) or of
            several (R, S): then each is a thin line and their mean a thick one.
        y_limits: ends of the y axis; None leaves that end to the data.

    Raises:
        CnnvizError: no runs, values that are not finite, or not one for each step.
    """
    check_some(runs)
    with styled_axes(size) as (figure, axes):
        axes.set_xscale("log")
        ends: list[tuple[float, Entry]] = []
        last = 1
        for index, (label, (steps, values)) in enumerate(runs.items()):
            table = np.atleast_2d(finite(label, values))  # (R, S)
            if table.shape[1] != len(steps):
                raise CnnvizError(
                    f"'{label}' has {table.shape[1]} accuracies for {len(steps)} steps; "
                    "expected one for each."
                )
            x = np.maximum(np.asarray(steps, dtype=float), _BEFORE)
            style = {**_line_style(index), "markersize": 5}
            if len(table) > 1:
                axes.plot(x, table.T, color=style["color"], linewidth=1, alpha=0.4)
            axes.plot(x, table.mean(0), clip_on=False, **style)
            ends.append((float(table[:, -1].mean()), (label, style)))
            last = max(last, int(x[-1]))
        ticks = [_BEFORE, *(10.0**power for power in range(len(str(last))))]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(FixedFormatter(["0", *(f"{t:,.0f}" for t in ticks[1:])]))
        axes.xaxis.set_minor_locator(FixedLocator([]))
        axes.set_ylim(*y_limits)
        axes.margins(x=0.02)
        axes.grid(visible=False, axis="x")
        write_percent(axes.yaxis)
        lay_out(figure, axes, x_label, y_label, right=name_width(list(runs)))
        name_line_ends(figure, axes, ends)
        return to_svg(figure, title, [entry for _, entry in ends])


def seed_chart(
    series: Mapping[str, Sequence[npt.ArrayLike]],
    groups: Sequence[str],
    *,
    title: str,
    y_label: str,
    x_label: str = "",
    percent: bool = False,
    y_limits: tuple[float | None, float | None] = (None, None),
    size: Size = (640, 320),
) -> str:
    """Every result of runs that differ only in their seed, with mean and standard deviation.

    A point is a run. The short line is the mean of its column of points, the box around it one
    standard deviation to either side (of the sample, so with R − 1; none for a single run).

    Args:
        series: label → results (R,) for each of `groups`.
        percent: results are shares: 0.5 is written as 50%.
        y_limits: ends of the y axis; None leaves that end to the data.

    Raises:
        CnnvizError: no series, values that are not finite, or not one list for each group.
    """
    check_some(series)
    with styled_axes(size) as (figure, axes):
        width = 0.8 / len(series)
        legend: list[Entry] = []
        for index, (label, results) in enumerate(series.items()):
            if len(results) != len(groups):
                raise CnnvizError(
                    f"'{label}' has results for {len(results)} groups; "
                    f"expected one list for each of the {len(groups)}."
                )
            marker: dict[str, Any] = {**_line_style(index), "linestyle": "", "markersize": 6}
            for place, given in enumerate(results):
                values = finite(label, given).ravel()
                middle = place + (index - (len(series) - 1) / 2) * width
                _column(axes, middle, width, values, _colour(index))
                spots = middle + width * 0.3 * (_ranks(len(values)) - 0.5)
                axes.plot(spots, values, **marker, markeredgewidth=0, alpha=0.8, clip_on=False)
            legend.append((label, marker))
        axes.set_xticks(range(len(groups)), groups, color=svg.THEME["fg"])
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.spines["left"].set_visible(False)
        axes.margins(y=0.1)
        axes.set_xlim(-0.5, len(groups) - 0.5)
        axes.set_ylim(*y_limits)
        if percent:
            write_percent(axes.yaxis)
        lay_out(figure, axes, x_label, y_label, legend=legend if len(legend) > 1 else ())
        return to_svg(figure, title)


def spread(values: npt.ArrayLike) -> tuple[float, float]:
    """Mean and standard deviation (of the sample) of the results of several runs.

    >>> spread([1.0, 3.0])
    (2.0, 1.4142135623730951)
    """
    numbers = finite("results", values).ravel()
    return float(numbers.mean()), float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0


def _column(axes: Any, middle: float, width: float, values: Floats, colour: str) -> None:
    """Mean and standard deviation of one column of points."""
    mean, deviation = spread(values)
    left, right = middle - width * 0.35, middle + width * 0.35
    low, high = mean - deviation, mean + deviation
    axes.fill_between([left, right], low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot([left, right], [mean, mean], color=colour, linewidth=2)


def _ranks(count: int) -> Floats:
    """Places from 0 to 1 for `count` points side by side."""
    return np.linspace(0, 1, count) if count > 1 else np.array([0.5])
