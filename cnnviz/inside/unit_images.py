"""Weights of units that look at pixels, as images (units, H, W): order, and how smooth they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.floating[Any]]


def by_norm(images: Images) -> NDArray[np.intp]:
    """Units in order of the norm of their weights, the largest first."""
    norms = np.linalg.norm(images.reshape(len(images), -1), axis=1)
    return np.argsort(-norms, kind="stable")


def neighbour_correlation(images: Images) -> float:
    """Correlation of each weight with the one to its right, over all units."""
    left, right = images[..., :-1].ravel(), images[..., 1:].ravel()
    return float(np.corrcoef(left, right)[0, 1])
