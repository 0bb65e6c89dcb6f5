"""Which images each channel of a layer answers most and least to, kept while images pass by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

ROW = 512
"""Numbers of a row of a map at most."""

CHUNK = 2**18
"""Numbers of a batch that are looked at together: they stay in the processor's cache."""

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

    def first(self, channels: int | None) -> Extremes:
        """Those of the first so many channels; of all for None."""
        return Extremes(*(
            Answers(*(getattr(x, side)[:channels] for side in ("image", "row", "column", "value")))
            for x in (self.most, self.least)
        ))  # fmt: skip


@dataclass
class Selection:
    """The extremes of a layer over the images so far.

    Attributes:
        count: images for each channel.
        width: of a map.
        value: (2, C, ≤ count) the strongest answers, and the weakest with the other sign.
        image, place: (2, C, ≤ count) index of the image, place in the flattened map.
    """

    count: int
    width: int = 1
    value: Tensor | None = None
    image: Tensor | None = None
    place: Tensor | None = None

    def add(self, output: Tensor, first: int, axis: int = 0) -> None:
        """Look at the output (B, C, …) for the images `first`, `first` + 1, …

        Args:
            axis: where the channels lie, the batch not counted.
        """
        output = as_numbers(output)
        output = output.movedim(axis + 1, 1) if axis else output
        maps = in_rows(output)
        width = output.shape[-1] if output.dim() > 2 else 1
        some = max(1, CHUNK // max(1, maps[0].numel()))
        high, low = zip(*((part.amax(3), part.amin(3)) for part in maps.split(some)), strict=True)
        self.update(torch.cat(high), torch.cat(low), maps, width, first)

    def update(self, high: Tensor, low: Tensor, maps: Tensor, width: int, first: int) -> None:
        """The same where the extremes of each row of `maps` (B, C, Q, R) are known, (B, C, Q)."""
        rows = torch.stack([high, -low])  # (2, B, C, Q)
        new = rows.amax(3).transpose(1, 2)  # (2, C, B)
        if self.value is None or self.image is None or self.place is None:
            self.width, self.value = width, new[..., :0]
            self.image = self.place = torch.empty_like(self.value, dtype=torch.int64)
        known = self.value.shape[2]
        changed = torch.ones_like(new[..., 0], dtype=torch.bool)
        if known == self.count:  # few channels change once many images have been seen
            changed = ~(new <= self.value[..., -1:]).all(2)
        side, channel = changed.nonzero(as_tuple=True)  # (P,)
        every = torch.cat([self.value[side, channel], new[side, channel]], dim=1)
        # Stable: equal answers stay in the order of the images.
        order = every.sort(dim=1, descending=True, stable=True).indices[:, : self.count]
        value = every.gather(1, order)  # (P, ≤ count)
        kept = order.clamp(max=max(0, known - 1))
        if known < self.count:
            self.value, self.image, self.place = (
                torch.cat([part, part.new_zeros(*part.shape[:2], order.shape[1] - known)], dim=2)
                for part in (self.value, self.image, self.place)
            )
        image, place = (part[side, channel].gather(1, kept) for part in (self.image, self.place))
        at, rank = (order >= known).nonzero(as_tuple=True)  # (M,)
        fresh = order[at, rank] - known
        image[at, rank] = fresh + first
        place[at, rank] = _places(rows, maps, side[at], fresh, channel[at], value[at, rank])
        self.value[side, channel], self.image[side, channel] = value, image
        self.place[side, channel] = place

    def extremes(self) -> Extremes:
        """What is known so far."""
        assert self.value is not None, "no images were looked at"
        assert self.image is not None
        assert self.place is not None
        image, place, value = self.image.cpu(), self.place.cpu(), self.value.cpu()
        row, column = place // self.width, place % self.width
        return Extremes(
            Answers(image[0], row[0], column[0], value[0]),
            Answers(image[1], row[1], column[1], -value[1]),
        )


def joined(selections: Iterable[Selection]) -> Selection:
    """One selection of several over different images, in whatever order they saw them."""
    seen = [selection for selection in selections if selection.value is not None]
    if len(seen) < 2:
        return seen[0] if seen else Selection(0)
    value, image, place = (
        torch.cat([getattr(selection, name) for selection in seen], dim=2)
        for name in ("value", "image", "place")
    )
    by_image = image.sort(dim=2).indices
    by_value = value.gather(2, by_image).sort(dim=2, descending=True, stable=True).indices
    order = by_image.gather(2, by_value[..., : seen[0].count])
    return Selection(
        seen[0].count,
        seen[0].width,
        value.gather(2, order),
        image.gather(2, order),
        place.gather(2, order),
    )


def as_numbers(output: Tensor) -> Tensor:
    """Of float32 or float64, with channels: (B, C, …)."""
    output = output.detach()
    if output.dtype not in (torch.float32, torch.float64):
        output = output.float()
    return output[:, None] if output.dim() == 1 else output


def in_rows(output: Tensor) -> Tensor:
    """Maps (B, C, …) as (B, C, rows, numbers of a row), so that a place is soon found.

    Rows are of up to ROW numbers; those of a map's own may be much shorter, and slower.
    """
    flat = output.flatten(2) if output.dim() > 2 else output[:, :, None]  # (B, C, P)
    places = flat.shape[2]
    row = next((n for n in range(min(ROW, places), 0, -1) if places % n == 0), 1)
    return flat.unflatten(2, (-1, row))


def _places(
    rows: Tensor, maps: Tensor, side: Tensor, image: Tensor, channel: Tensor, wanted: Tensor
) -> Tensor:
    """Where in its map each wanted value first is, (M,)."""
    row = _first_of(rows[side, image, channel], wanted)
    wanted = torch.where(side > 0, -wanted, wanted)
    some = max(1, _AT_ONCE // maps.shape[3])
    parts = zip(*(part.split(some) for part in (image, channel, row, wanted)), strict=True)
    within = torch.cat([_first_of(maps[i, c, r], value) for i, c, r, value in parts])
    return row * maps.shape[3] + within


def _first_of(values: Tensor, wanted: Tensor) -> Tensor:
    """Where in each row (M, n) the wanted value (M,) first is, (M,); 0 for NaN."""
    return (values == wanted[:, None]).byte().argmax(1)
