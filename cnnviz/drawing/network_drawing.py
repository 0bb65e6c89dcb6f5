"""A multilayer perceptron as columns of circles, with a line for each weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cnnviz.drawing import svg
from cnnviz.drawing.checks import Floats, finite, matrix_of
from cnnviz.errors import CnnvizError


def network_diagram(
    sizes: Sequence[int],
    weights: Sequence[npt.ArrayLike] = (),
    *,
    title: str,
    labels: Sequence[str] = (),
    units: Sequence[Sequence[int]] | None = None,
    activations: Sequence[npt.ArrayLike] | None = None,
    shown: int = 6,
    size: tuple[float, float] = (640, 340),
) -> str:
    """A multilayer perceptron: a column of circles for each layer, a line for each weight.

    Blue lines are negative weights and orange ones positive; the larger a weight among all of its
    layer that are drawn, the wider and stronger its line. Of a large layer a few units are drawn,
    with ⋮ where others are left out.

    Args:
        sizes: number of units in each layer, inputs first.
        weights: for each layer after the first its weights (units, units before); without them
            the lines are all alike.
        labels: what stands below each column.
        units: which units of each layer are drawn; by default `shown` evenly spaced ones.
        activations: values (units,) of each layer, 0 or above: full circles are the largest.
        size: width and height in pixels.

    Raises:
        CnnvizError: fewer than two layers, shapes that do not fit `sizes`, units that are not
            there, values that are not finite.
    """
    matrices = _weights(sizes, weights)
    chosen = _chosen(sizes, units, shown)
    width, height = size
    below = 30.0 if labels else 4.0
    columns = np.linspace(44, width - 44, len(sizes))
    places = [_column(len(picked), height - below) for picked in chosen]
    radius = min(11.0, (height - below) / (2.6 * max(len(picked) for picked in chosen) + 1))
    parts = []
    for index, matrix in enumerate(matrices):
        drawn = matrix[np.ix_(chosen[index + 1], chosen[index])]  # (units after, units before)
        ends = columns[index] + radius, columns[index + 1] - radius
        parts += _weight_lines(drawn, *ends, *places[index : index + 2], alike=not weights)
    for index, (x, picked) in enumerate(zip(columns, chosen, strict=True)):
        values = None if activations is None else _activation(sizes[index], activations[index])
        for y, unit in zip(places[index], picked, strict=True):
            parts.append(_unit(x, y, radius, None if values is None else values[unit]))
        parts.append(_dots(x, places[index], picked, sizes[index]))
        if labels:
            parts.append(svg.text(x, height - 10, labels[index], fill=svg.var("muted")))
    return svg.document(width, height, title, "".join(parts))


def _weight_lines(
    weights: Floats,
    x1: float,
    x2: float,
    before: Sequence[float],
    after: Sequence[float],
    *,
    alike: bool,
) -> list[str]:
    """A line for each weight (units after, units before), from x1 to x2; `alike`: all the same."""
    largest = float(np.abs(weights).max()) or 1.0
    lines = []
    for (end, start), value in np.ndenumerate(weights):
        share = abs(float(value)) / largest
        lines.append(
            svg.element(
                "line",
                x1=x1,
                y1=before[start],
                x2=x2,
                y2=after[end],
                stroke=svg.var("muted" if alike else "2" if value > 0 else "1"),
                stroke_width=0.7 if alike else 0.4 + 2.4 * share,
                stroke_opacity=0.5 if alike else 0.1 + 0.85 * share,
            )
        )
    return lines


def _weights(sizes: Sequence[int], weights: Sequence[npt.ArrayLike]) -> list[Floats]:
    """A matrix (units, units before) for each layer after the first; of ones if none are given."""
    if len(sizes) < 2 or min(sizes) < 1:
        raise CnnvizError(f"sizes={list(sizes)}; expected at least two layers of 1 unit or more.")
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    if not weights:
        return [np.ones(shape) for shape in shapes]
    matrices = [matrix_of("weights", matrix) for matrix in weights]
    if [matrix.shape for matrix in matrices] != shapes:
        raise CnnvizError(
            f"Weights of shapes {[matrix.shape for matrix in matrices]} for layers of "
            f"{list(sizes)} units; expected {shapes}."
        )
    return matrices


def _chosen(
    sizes: Sequence[int], units: Sequence[Sequence[int]] | None, shown: int
) -> list[list[int]]:
    """Indices of the units to draw in each layer."""
    if units is None:
        return [
            np.rint(np.linspace(0, size - 1, min(size, shown))).astype(int).tolist()
            for size in sizes
        ]
    chosen = [sorted(picked) for picked in units]
    fits = len(chosen) == len(sizes) and all(
        picked and picked[0] >= 0 and picked[-1] < size
        for picked, size in zip(chosen, sizes, strict=True)
    )
    if not fits:
        raise CnnvizError(
            f"units={units} for layers of {list(sizes)}; expected some indices of each layer."
        )
    return chosen


def _activation(size: int, values: npt.ArrayLike) -> Floats:
    """Activations (size,) as shares of the largest."""
    array = finite("activations", values)
    if array.shape != (size,) or array.min() < 0:
        raise CnnvizError(
            f"Activations of shape {array.shape} from {array.min():g}; expected ({size},) "
            "and nothing below 0."
        )
    return array / (array.max() or 1)


def _column(count: int, height: float) -> list[float]:
    """Heights of the centres of `count` units, the outer ones half a step from the edge."""
    step = min(height / count, 46.0)
    return [height / 2 + (index - (count - 1) / 2) * step for index in range(count)]


def _unit(x: float, y: float, radius: float, share: float | None) -> str:
    """A circle; with an activation it holds a disc whose area is the share of the largest."""
    ring = svg.element(
        "circle",
        cx=x,
        cy=y,
        r=radius,
        fill="none",
        stroke=svg.var("fg"),
        stroke_width=1.5,
    )
    if not share:
        return ring
    return ring + svg.element("circle", cx=x, cy=y, r=radius * share**0.5, fill=svg.var("fg"))


def _dots(x: float, places: list[float], picked: list[int], size: int) -> str:
    """⋮ between neighbours that are not neighbours in the layer, at most once: in the middle."""
    gaps = [index for index in range(len(picked) - 1) if picked[index + 1] > picked[index] + 1]
    if not gaps:
        return ""
    middle = min(gaps, key=lambda index: abs(index - (len(picked) - 2) / 2))
    y = (places[middle] + places[middle + 1]) / 2
    return "".join(svg.element("circle", cx=x, cy=y + offset, r=1.4) for offset in (-4.5, 0.0, 4.5))
