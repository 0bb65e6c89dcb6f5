"""Which images each channel of a layer answers most and least to, kept while images pass by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ROW = 512
"""Numbers of a row at most."""

_AT_ONCE = 2**20
"""Numbers that are looked through at once for the place of a value."""


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
        maps = in_rows(output)
        most = strongest(maps.amax(3), output, first, count, sign=1, than=self._most)
        least = strongest(maps.amin(3), output, first, count, sign=-1, than=self._least)
        self._most = merged(self._most, most, count, sign=1)
        self._least = merged(self._least, least, count, sign=-1)

    def extremes(self) -> Extremes:
        """What is known so far."""
        assert self._most is not None, "no images were looked at"
        assert self._least is not None
        return Extremes(self._most, self._least)


def in_rows(output: Tensor) -> Tensor:
    """Maps (B, C, …) as (B, C, rows, numbers of a row), so that a place is soon found.

    Rows are of up to ROW numbers; those of a map's own may be much shorter, and slower.
    """
    flat = output.flatten(2) if output.dim() > 2 else output[:, :, None]  # (B, C, P)
    places = flat.shape[2]
    row = next((n for n in range(min(ROW, places), 0, -1) if places % n == 0), 1)
    return flat.unflatten(2, (-1, row))


def strongest(
    rows: Tensor,
    output: Tensor,
    first: int,
    count: int,
    *,
    sign: int,
    than: Answers | None = None,
) -> Answers:
    """The first `count` images of a batch by their largest (sign 1) or smallest (−1) value.

    Equal values come in the order of the images.

    Args:
        rows: (B, C, Q) the extreme of each of `in_rows(output)`.
        output: (B, C, …): where it is looked up.
        first: index of the batch's first image.
        than: what is known of images before these. The place of a value that does not come before
            the last of it is not looked up, as it will not be kept: (−1, −1).
    """
    values = rows.amax(2) if sign > 0 else rows.amin(2)  # (B, C)
    order = values.sort(dim=0, descending=sign > 0, stable=True).indices[:count]  # (k, C)
    best = values.gather(0, order)  # (k, C)
    place = torch.full_like(order, -1)
    if than is not None and than.value.shape[1] >= count:
        last = than.value[:, -1]  # (C,)
        wanted = (best > last if sign > 0 else best < last) | best.isnan()
    else:
        wanted = torch.ones_like(best, dtype=torch.bool)
    at = wanted.nonzero(as_tuple=True)
    place[at] = _places(rows, in_rows(output), order[at], at[1], sign)
    width = output.shape[-1] if output.dim() > 2 else 1
    row = torch.where(place < 0, -1, place // width)
    column = torch.where(place < 0, -1, place % width)
    return Answers((order + first).T, row.T, column.T, best.T)


def _places(rows: Tensor, maps: Tensor, image: Tensor, channel: Tensor, sign: int) -> Tensor:
    """Where in its map the first extreme of each (image, channel) is, (M,)."""
    row = _first(rows[image, channel], sign)  # (M,)
    length, some = maps.shape[3], max(1, _AT_ONCE // maps.shape[3])
    parts = zip(image.split(some), channel.split(some), row.split(some), strict=True)
    within = [_first(maps[i, c, r], sign) for i, c, r in parts]
    return row * length + torch.cat(within) if within else row


def _first(values: Tensor, sign: int) -> Tensor:
    """Where the first extreme of each row (M, n) is, (M,)."""
    return values.max(1).indices if sign > 0 else values.min(1).indices


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
