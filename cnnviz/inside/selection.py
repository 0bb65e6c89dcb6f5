"""Which images each channel of a layer answers most and least to, kept while images pass by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_AT_ONCE = 2**20
"""Numbers of maps that are looked through at once for the place of a value."""


@dataclass(frozen=True)
class Answers:
    """The `count` images that a channel answers most (or least) to, the extreme first.

    Attributes:
        image: (C, count) index of the image.
        row, column: (C, count) place in the map; 0 in a layer without maps.
        value: (C, count) the layer's output there.
    """

    image: Tensor
    row: Tensor
    column: Tensor
    value: Tensor


@dataclass(frozen=True)
class Extremes:
    """The strongest and the weakest answers of every channel of a layer."""

    most: Answers
    least: Answers


class Selection:
    """The extremes of a layer over the images so far."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._most: Answers | None = None
        self._least: Answers | None = None

    def add(self, output: Tensor, first: int) -> None:
        """Look at the output (B, C, …) for the images `first`, `first` + 1, …"""
        count, output = self._count, output.detach()
        flat = output.flatten(2) if output.dim() > 2 else output[:, :, None]  # (B, C, P)
        most = strongest(flat.amax(2), output, first, count, sign=1, than=self._most)
        least = strongest(flat.amin(2), output, first, count, sign=-1, than=self._least)
        self._most = merged(self._most, most, count, sign=1)
        self._least = merged(self._least, least, count, sign=-1)

    def extremes(self) -> Extremes:
        """What is known so far."""
        assert self._most is not None, "no images were looked at"
        assert self._least is not None
        return Extremes(self._most, self._least)


def strongest(
    values: Tensor, maps: Tensor, first: int, count: int, *, sign: int, than: Answers | None = None
) -> Answers:
    """The first `count` images of a batch by their largest (sign 1) or smallest (−1) value.

    Equal values come in the order of the images.

    Args:
        values: (B, C) the extreme of each map.
        maps: (B, C, H, W), (B, C, L) or (B, C): where it is looked up.
        first: index of the batch's first image.
        than: what is known of images before these. The place of a value that does not come before
            the last of it is not looked up, as it will not be kept: (−1, −1).
    """
    order = values.sort(dim=0, descending=sign > 0, stable=True).indices[:count]  # (k, C)
    best = values.gather(0, order)  # (k, C)
    wanted = torch.ones_like(best, dtype=torch.bool)
    if than is not None and than.value.shape[1] >= count:
        last = than.value[:, -1]  # (C,)
        wanted = (best > last if sign > 0 else best < last) | best.isnan()
    width = maps.shape[-1] if maps.dim() > 2 else 1
    place = torch.full_like(order, -1)
    at = wanted.nonzero(as_tuple=True)
    place[at] = _places(maps, order[at], at[1], sign)
    row = torch.where(place < 0, -1, place // width)
    column = torch.where(place < 0, -1, place % width)
    return Answers((order + first).T, row.T, column.T, best.T)


def _places(maps: Tensor, image: Tensor, channel: Tensor, sign: int) -> Tensor:
    """Where in its map the first extreme of each (image, channel) is, (M,)."""
    if maps.dim() < 3:
        return torch.zeros_like(image)
    flat = maps.flatten(2)  # (B, C, P)
    some = max(1, _AT_ONCE // flat.shape[2])
    found = []
    for images, channels in zip(image.split(some), channel.split(some), strict=True):
        chosen = flat[images, channels]  # (≤ some, P)
        found.append(chosen.max(1).indices if sign > 0 else chosen.min(1).indices)
    return torch.cat(found)


def merged(before: Answers | None, after: Answers, count: int, *, sign: int) -> Answers:
    """The first `count` of two lists, `before` of earlier images."""
    if before is None:
        return after
    value = torch.cat([before.value, after.value], dim=1)  # (C, k + k')
    order = value.sort(dim=1, descending=sign > 0, stable=True).indices[:, :count]

    def chosen(first: Tensor, second: Tensor) -> Tensor:
        return torch.cat([first, second], dim=1).gather(1, order)

    return Answers(
        chosen(before.image, after.image),
        chosen(before.row, after.row),
        chosen(before.column, after.column),
        value.gather(1, order),
    )
