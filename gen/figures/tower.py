"""The photograph of the chapters on convolution: a tower, cropped and at half size.

Small on purpose: every map made of it is a picture that readers load.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from cnnviz.data import photos


@cache
def colour() -> NDArray[np.uint8]:
    """The tower of china.jpg, (168, 160, 3)."""
    return photos.resize(photos.crop(photos.load("china"), 20, 48, 336, 320), 168, 160)


@cache
def grey() -> NDArray[np.float64]:
    """Its brightness from 0 to 1, (168, 160)."""
    return photos.grey(colour())
