"""Images that need not all be in memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Protocol

from torch import Tensor

_NUMBERS = 2**22
"""Numbers of images in a batch: with what a network makes of them they stay in some 100 MB."""


class Images(Protocol):
    """Images as a network wants them: a float tensor (N, …), or what reads them on demand."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: slice | Tensor | list[int], /) -> Tensor:
        """Those images, float (n, …)."""
        ...


@dataclass(frozen=True)
class First:
    """The first `count` of images, read when they are asked for by a slice from the front."""

    images: Images
    count: int

    def __len__(self) -> int:
        return min(self.count, len(self.images))

    def __getitem__(self, index: slice | Tensor | list[int], /) -> Tensor:
        if isinstance(index, slice):
            return self.images[slice(*index.indices(len(self)))]
        return self.images[index]


def batch_size(images: Images) -> int:
    """How many images to look at together: a power of two from 8 to 256, by their size alone."""
    numbers = prod(images[:1].shape[1:])
    return max(8, min(256, 2 ** ((_NUMBERS // numbers).bit_length() - 1)))
