"""Convolution kernels written by hand, before any network learns its own.

All are arrays (k, k) of float64, used as cross-correlation (no flip), as `torch.nn.Conv2d` does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Kernel = NDArray[np.float64]

BLUR: Kernel = np.full((3, 3), 1 / 9)
"""The mean of a pixel and its eight neighbours."""

SHARPEN: Kernel = np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])
"""The pixel plus its difference from its four neighbours."""

SOBEL_X: Kernel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
"""Positive where it gets brighter from left to right (Sobel and Feldman, 1968)."""

SOBEL_Y: Kernel = SOBEL_X.T.copy()
"""Positive where it gets brighter from top to bottom."""

BRIGHT_RIGHT: Kernel = np.tile([-1.0, -1, 1, 1], (4, 1))
"""Columns −1 −1 1 1: positive where the right half is brighter than the left."""

BRIGHT_LEFT: Kernel = -BRIGHT_RIGHT
BRIGHT_BELOW: Kernel = BRIGHT_RIGHT.T.copy()
BRIGHT_ABOVE: Kernel = -BRIGHT_BELOW

FOUR_EDGES: dict[str, Kernel] = {
    "bright right": BRIGHT_RIGHT,
    "bright left": BRIGHT_LEFT,
    "bright below": BRIGHT_BELOW,
    "bright above": BRIGHT_ABOVE,
}
"""Four 4×4 edge filters: one pattern, its negative, and both turned by a transpose."""
