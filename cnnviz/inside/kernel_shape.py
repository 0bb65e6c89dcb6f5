"""What a small kernel looks for, in one word: an edge, a bar, a spot, brightness.

A kernel is projected on the lowest polynomials over its grid: 1; x, y; x² + y², x² − y², xy. They
are orthonormal, so their squares share out the kernel's energy: the first derivative of brightness
is an edge, the second a bar or a spot, as in Koenderink and van Doorn, "Representation of local
geometry in the visual system" (1987). What lies in no such share is finer than these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cnnviz.errors import CnnvizError

Kind = Literal["edge", "bar", "spot", "brightness", "none"]

ENOUGH = 0.4
"""Share of the energy that a shape must hold to be named."""


@dataclass(frozen=True)
class KernelShape:
    """What a kernel responds to.

    Attributes:
        kind: the shape with the largest share of its energy; "none" if that is below ENOUGH or
            the kernel is zero.
        angle: in radians, y pointing down: of an edge, the way from dark to bright (−π to π); of a
            bar, the direction along it (0 to π), 0 being level; 0 for the others.
        positive: a bar, spot or brightness that is bright (else dark); True for an edge.
        share: of the energy, 0 to 1.
    """

    kind: Kind
    angle: float
    positive: bool
    share: float


def kernel_shape(kernel: npt.NDArray[np.floating[Any]]) -> KernelShape:
    """The shape of a kernel (height, width), at least 3 × 3.

    >>> kernel_shape(np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])).kind
    'edge'
    >>> kernel_shape(np.array([[-1, 2, -1]] * 3)).kind
    'bar'

    Raises:
        CnnvizError: another shape, or numbers that are not finite.
    """
    if kernel.ndim != 2 or min(kernel.shape) < 3:
        raise CnnvizError(f"A kernel of shape {kernel.shape} was given; expected 3×3 or larger.")
    weights = np.asarray(kernel, dtype=np.float64).ravel()
    if not np.isfinite(weights).all():
        raise CnnvizError(
            f"{np.count_nonzero(~np.isfinite(weights))} of {weights.size} numbers of a kernel are "
            "NaN or infinite; expected finite ones."
        )
    largest = np.abs(weights).max()
    if largest == 0:
        return KernelShape("none", 0.0, True, 0.0)
    weights = weights / largest  # so that no square is too large or too small for a number
    energy = float(weights @ weights)
    level, x, y, round_, upright, oblique = (float(c) for c in _basis(kernel.shape) @ weights)
    curved = math.hypot(round_, upright, oblique)
    # Second derivatives across and along: a bar has one of them, a spot both with one sign.
    strain = math.hypot(upright, oblique)
    bar = strain > abs(round_) / 2
    shares: dict[Kind, float] = {
        "brightness": level**2,
        "edge": x**2 + y**2,
        "bar" if bar else "spot": curved**2,
    }
    kind = max(shares, key=lambda name: shares[name])
    share = min(shares[kind] / energy, 1.0)
    if share < ENOUGH:
        return KernelShape("none", 0.0, True, share)
    if kind == "edge":
        return KernelShape(kind, math.atan2(y, x), True, share)
    if kind == "bar":
        # (upright, oblique) turn by twice the angle. A bright bar is curved down across, so the
        # direction of the strongest curve is that of the bar if the whole is curved up.
        positive = round_ <= 0
        turned = math.atan2(oblique, upright) / 2
        return KernelShape(
            kind, (turned + (0 if positive else math.pi / 2)) % math.pi, positive, share
        )
    return KernelShape(kind, 0.0, level > 0 if kind == "brightness" else round_ < 0, share)


def _basis(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Orthonormal polynomials on the grid (6, height · width): 1, x, y, x² + y², x² − y², xy."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    x, y = (x - x.mean()).ravel() / width, (y - y.mean()).ravel() / height
    columns = np.stack([np.ones_like(x), x, y, x**2 + y**2, x**2 - y**2, x * y], axis=1)
    basis, scale = np.linalg.qr(columns)
    basis *= np.sign(np.diag(scale))  # each looks the way of its polynomial
    return basis.T
