"""Small patches of the photographs in colour, to be told by which photograph they are from.

Each photograph is shrunk first. From its left part come patches to learn from, from the rest those
to be tested on, so that no pixel of the one kind is in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from cnnviz.data import photos
from cnnviz.errors import unknown_name

NAMES = tuple(photos.names(colour_only=True))
"""The classes: nine photographs."""

HEIGHT = 192
"""Height that photographs are shrunk to, in pixels."""

SIDE = 32
"""Height and width of a patch."""

LEARNED = 0.6
"""Share of a photograph's width, from the left, that patches to learn from lie in."""

PARTS = ("train", "test")


@dataclass(frozen=True)
class PhotoPatches:
    """Patches, the photographs that they are from, and where in them they lie.

    Attributes:
        images: uint8 (N, 3, 32, 32).
        labels: int64 (N,), index into NAMES.
        corners: int64 (N, 2), row and column of the upper left pixel in the shrunk photograph.
    """

    images: Tensor
    labels: Tensor
    corners: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@cache
def shrunk(name: str) -> photos.Photo:
    """A photograph HEIGHT pixels high, its width in proportion: (HEIGHT, W, 3)."""
    pixels = photos.load(name)
    height, width = pixels.shape[:2]
    return photos.resize(pixels, HEIGHT, round(width * HEIGHT / height))


def columns(name: str, part: str) -> tuple[int, int]:
    """The columns of the shrunk photograph that a part has: the first, and the one after the last.

    Raises:
        CnnvizError: no photograph, or no part, of that name.
    """
    if part not in PARTS:
        raise unknown_name("part", part, PARTS)
    width = shrunk(name).shape[1]
    border = round(LEARNED * width)
    return (0, border) if part == "train" else (border, width)


def load(part: str, each: int, seed: int = 0) -> PhotoPatches:
    """Patches at random places of every photograph; they may overlap within their part.

    Args:
        part: "train" or "test".
        each: patches of each photograph.
        seed: of the places.

    Raises:
        CnnvizError: no part of that name.
    """
    chance = np.random.default_rng(seed)
    images, corners = [], []
    for name in NAMES:
        photo = shrunk(name)
        first, last = columns(name, part)
        rows = chance.integers(0, HEIGHT - SIDE + 1, each)
        lefts = chance.integers(first, last - SIDE + 1, each)
        for row, left in zip(rows, lefts, strict=True):
            images.append(photo[row : row + SIDE, left : left + SIDE])
            corners.append((row, left))
    return PhotoPatches(
        images=torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(),
        labels=torch.arange(len(NAMES)).repeat_interleave(each),
        corners=torch.tensor(np.array(corners)),
    )
