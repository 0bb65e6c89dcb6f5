"""The path of the pen in a style of a digit: smooth curves through the points of its templates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cnnviz.data.digit_templates import STYLES

Floats = NDArray[np.float32]


SPACING = 3.0  # distance between inked points of a path, in template units (100 are a digit)


@dataclass(frozen=True)
class Path:
    """The geometry of a style: K control points, P inked points, T templates.

    Attributes:
        templates: (T, K, 2) control points.
        sharp: (P, K) matrix from control points to the curve, corners kept.
        round: (P, K) the same without corners.
        stroke: (P,) number of the stroke of each inked point.
        stroke_of_control: (K,) number of the stroke of each control point.
        ends: (K,) true where a stroke starts or ends.
        wobble: factor on the jitter.
    """

    templates: Floats
    sharp: Floats
    round: Floats
    stroke: NDArray[np.int64]
    stroke_of_control: NDArray[np.int64]
    ends: NDArray[np.bool_]
    wobble: np.float32


def parse(template: str) -> tuple[list[tuple[float, float]], list[bool], list[int]]:
    """Control points, corner flags and stroke numbers of a template.

    >>> parse("0,0 5,9! 7,7 / 1,2 3,4")[1:]
    ([False, True, False, False, False], [0, 0, 0, 1, 1])
    """
    points, corners, strokes = [], [], []
    for number, stroke in enumerate(template.split("/")):
        for word in stroke.split():
            x, y = word.removesuffix("!").split(",")
            points.append((float(x), float(y)))
            corners.append(word.endswith("!"))
            strokes.append(number)
    return points, corners, strokes


@cache
def path_of(index: int) -> Path:
    parsed = [parse(template) for template in STYLES[index].templates]
    _, corners, strokes = parsed[0]
    templates = np.array([points for points, _, _ in parsed], np.float32)  # (T, K, 2)
    stroke = np.array(strokes)
    mean = templates.mean(0)
    first = np.r_[True, np.diff(stroke) > 0]
    ends = first | np.r_[first[1:], True]
    sharp = curve(mean, stroke, ends | np.array(corners))
    rounded = curve(mean, stroke, ends)
    wobble = np.float32(STYLES[index].wobble)
    return Path(templates, sharp[0], rounded[0], sharp[1], stroke, ends, wobble)


def curve(
    points: Floats, stroke: NDArray[np.int64], breaks: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.int64]]:
    """The matrix (P, K) from control points to points on a smooth curve through them.

    A Catmull-Rom spline as cubic Hermite pieces, with centripetal knots taken from `points`, so
    that the curve is linear in the control points. `breaks` marks those without a common tangent.
    """
    unit = np.eye(len(points))
    pieces = [i for i in range(len(points) - 1) if stroke[i] == stroke[i + 1]]
    length = {i: float(np.hypot(*(points[i + 1] - points[i]))) for i in pieces}
    knot = {i: max(length[i], 1.0) ** 0.5 for i in pieces}
    slope = {i: (unit[i + 1] - unit[i]) / knot[i] for i in pieces}
    tangent = {
        i: (slope[i - 1] * knot[i] + slope[i] * knot[i - 1]) / (knot[i - 1] + knot[i])
        for i in pieces
        if not breaks[i]
    }
    rows, strokes = [], []
    for i in pieces:
        start, stop = tangent.get(i), tangent.get(i + 1)
        if start is None:  # a free end bends as its other end asks
            start = slope[i] if stop is None else 1.5 * slope[i] - 0.5 * stop
        if stop is None:
            stop = 1.5 * slope[i] - 0.5 * start
        steps = max(2, round(length[i] / SPACING))
        t = np.linspace(0, 1, steps, endpoint=i + 1 not in knot)[:, None]
        rows.append(
            (1 + 2 * t) * (1 - t) ** 2 * unit[i]
            + t * (1 - t) ** 2 * knot[i] * start
            + t**2 * (3 - 2 * t) * unit[i + 1]
            + t**2 * (t - 1) * knot[i] * stop
        )
        strokes += [stroke[i]] * steps
    return np.concatenate(rows).astype(np.float32), np.array(strokes)
