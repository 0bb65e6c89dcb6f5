"""What charts and diagrams can draw, and clear errors for the rest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from cnnviz.errors import CnnvizError

Floats = npt.NDArray[np.float64]
Points = tuple[npt.ArrayLike, npt.ArrayLike]


def check_some(series: Mapping[str, object]) -> None:
    """An error if there is nothing to draw."""
    if not series:
        raise CnnvizError("Nothing to draw: an empty mapping was given; expected label → values.")


def finite(name: str, values: npt.ArrayLike) -> Floats:
    """`values` as float64, after a check that there are some and that all are finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise CnnvizError(f"'{name}' has no values; expected at least one.")
    bad = array.size - np.count_nonzero(np.isfinite(array))
    if bad:
        raise CnnvizError(
            f"{bad} of {array.size} values of '{name}' are NaN or infinite; "
            "expected finite numbers."
        )
    return array


def points_of(label: str, points: Points, log_x: bool, log_y: bool) -> tuple[Floats, Floats]:
    """x and y (N,) of one series, checked."""
    x, y = (finite(label, values) for values in points)
    if x.ndim != 1 or x.shape != y.shape:
        raise CnnvizError(
            f"'{label}' has x of shape {x.shape} and y of shape {y.shape}; expected both (N,)."
        )
    for axis, values, log in (("x", x, log_x), ("y", y, log_y)):
        if log and values.min() <= 0:
            raise CnnvizError(
                f"'{label}' has {axis} = {values.min():g} on a logarithmic axis; expected above 0."
            )
    return x, y


def matrix_of(name: str, values: npt.ArrayLike) -> Floats:
    """`values` as float64 with two axes (R, C)."""
    array = finite(name, values)
    if array.ndim != 2:
        raise CnnvizError(f"'{name}' has shape {array.shape}; expected (R, C).")
    return array
