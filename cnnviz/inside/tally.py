"""How often values occur, counted in bins that fit any range and add up in any order.

Bins are 2**exponent wide and begin at multiples of that, so 0 is always an edge. Where the range
grows, pairs of bins become one: the counts of a whole are those of its parts, however it was cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import frexp

import torch
from torch import Tensor

BINS = 128
"""So many bins at most."""

_FINEST = 24
"""Binary digits of a bin below the largest value: finer than a float tells."""

_SMALLEST = -126  # exponent of the smallest normal float32


@dataclass(frozen=True)
class Tally:
    """How many values lie in each bin.

    Attributes:
        exponent: bins are 2**exponent wide.
        first: the first bin begins at first · 2**exponent.
        counts: int64 (bins,); bin b holds values v with
            first + b ≤ v / 2**exponent < first + b + 1.
    """

    exponent: int
    first: int
    counts: Tensor

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    @property
    def edges(self) -> Tensor:
        """Where the bins begin, and where the last one ends: float64 (bins + 1,)."""
        places = torch.arange(self.first, self.first + len(self.counts) + 1, dtype=torch.float64)
        return torch.ldexp(places, torch.tensor(self.exponent))

    def coarser(self, exponent: int) -> Tally:
        """The same in bins at least as wide."""
        steps = min(exponent - self.exponent, 62)
        if steps <= 0:
            return self
        bins = (torch.arange(len(self.counts)) + self.first) >> steps  # rounds down
        first = int(bins[0])
        counts = torch.zeros(int(bins[-1]) - first + 1, dtype=torch.int64)
        return Tally(exponent, first, counts.index_add_(0, bins - first, self.counts))

    def __add__(self, other: Tally) -> Tally:
        if not len(self.counts) or not len(other.counts):
            return self if len(self.counts) else other
        exponent = max(self.exponent, other.exponent)
        while True:
            a, b = self.coarser(exponent), other.coarser(exponent)
            first = min(a.first, b.first)
            bins = max(a.first + len(a.counts), b.first + len(b.counts)) - first
            if bins <= BINS:
                break
            exponent += 1
        counts = torch.zeros(bins, dtype=torch.int64)
        for part in (a, b):
            counts[part.first - first :][: len(part.counts)] += part.counts
        return Tally(exponent, first, counts)


def alike(tallies: Sequence[Tally], most: int) -> list[Tally]:
    """The same in bins of one width, of which none has more than `most`."""
    exponent = max(tally.exponent for tally in tallies)
    while any(len(tally.coarser(exponent).counts) > most for tally in tallies):
        exponent += 1
    return [tally.coarser(exponent) for tally in tallies]


EMPTY = Tally(_SMALLEST, 0, torch.zeros(0, dtype=torch.int64))


def tally(values: Tensor) -> Tally:
    """Count finite values of any shape.

    >>> counted = tally(torch.tensor([0.0, 0.5, 0.5, -1.0])).coarser(-1)
    >>> counted.edges.tolist(), counted.counts.tolist()
    ([-1.0, -0.5, 0.0, 0.5, 1.0], [1, 0, 1, 2])
    """
    values = values.flatten()
    values = values if values.is_floating_point() else values.float()
    low, high = (float(v) for v in torch.aminmax(values)) if len(values) else (0.0, 0.0)
    if low - low != 0 or high - high != 0:  # NaN or infinite
        values = values[values.isfinite()]
        low, high = (float(v) for v in torch.aminmax(values)) if len(values) else (0.0, 0.0)
    if not len(values):
        return EMPTY
    exponent = max(frexp(max(-low, high))[1] - _FINEST, _SMALLEST)
    while high // 2.0**exponent - low // 2.0**exponent >= BINS:
        exponent += 1
    first = int(low // 2.0**exponent)
    # Multiplying by a power of two is exact.
    bins = (values * 2.0**-exponent).floor_().to(torch.int64).sub_(first)
    return Tally(exponent, first, torch.bincount(bins))
