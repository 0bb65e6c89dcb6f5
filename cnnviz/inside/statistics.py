"""What a layer puts out over many images, of which only running results are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cnnviz.inside.selection import Answers, in_rows, merged, strongest
from cnnviz.inside.tally import EMPTY, Tally, tally

EXTREMES = 9
"""Images that a channel answers most to, and as many that it answers least to."""

COUNTED = 2**16
"""Values of a batch and layer that the histogram counts, if there are more: evenly chosen ones."""

_CHUNK = 2**18
"""Numbers of a batch that are looked at together: they stay in the processor's cache."""


@dataclass(frozen=True)
class LayerStatistics:
    """What a layer put out over some images. A number is one place of one map of one image.

    Attributes:
        images: how many images.
        places: numbers that a channel has for an image.
        low, high: of all numbers.
        zeros, positive: share of the numbers that are 0, and above 0.
        histogram: how often values occur; `histogram.total` of the numbers were counted.
        active: (C,) share of the images for which a channel is somewhere above 0.
        above: (C,) share of a channel's numbers above 0.
        mean, std: (C,) of a channel's numbers, float64.
        lowest, highest: (C,) of a channel's numbers.
        by_class: (C, classes) mean over a channel's numbers for the images of a class, float64; 0
            for a class without images. None without classes.
        most, least: the images that a channel answers most and least to.
    """

    images: int
    places: int
    low: float
    high: float
    zeros: float
    positive: float
    histogram: Tally
    active: Tensor
    above: Tensor
    mean: Tensor
    std: Tensor
    lowest: Tensor
    highest: Tensor
    by_class: Tensor | None
    most: Answers
    least: Answers

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return len(self.mean)


@dataclass(frozen=True)
class Glance:
    """A layer's output for a batch of images, in few numbers.

    Attributes:
        places: numbers that a channel has for an image.
        low, high, mean: (B, C) of each map; the mean in float64.
        spread: (C,) sum of squared deviations from a channel's mean over the batch, float64.
        above: (C,) numbers above 0.
        zeros: numbers that are 0.
    """

    places: int
    low: Tensor
    high: Tensor
    mean: Tensor
    spread: Tensor
    above: Tensor
    zeros: int
    tally: Tally
    most: Answers
    least: Answers


@dataclass
class Running:
    """What is known of a layer after the images so far, in the form in which it can be added to.

    Attributes:
        extremes: how many strongest and weakest images are kept.
        classes: how many classes there are; 0: nothing is told by class.
    """

    extremes: int = EXTREMES
    classes: int = 0
    images: int = 0
    places: int = 0
    zeros: int = 0
    tally: Tally = EMPTY
    most: Answers | None = None
    least: Answers | None = None
    sums: dict[str, Tensor] = field(default_factory=dict)

    def glance(self, output: Tensor, first: int) -> Glance:
        """Look at the output (B, C, …) for images `first`, `first` + 1, …; changes nothing."""
        return glance(output, first, self.extremes, self.most, self.least)

    def add(self, seen: Glance, labels: Tensor | None = None) -> None:
        """Add the next images; `labels` are their classes (B,)."""
        batch = len(seen.mean)
        mean = seen.mean.mean(0)  # (C,)
        active = (seen.high > 0).sum(0)
        low, high = seen.low.amin(0), seen.high.amax(0)
        sums = self.sums
        if not self.images:
            sums |= {"mean": mean, "spread": seen.spread, "above": seen.above, "active": active,
                     "low": low, "high": high}  # fmt: skip
            self.places = seen.places
        else:
            step, share = mean - sums["mean"], batch / (self.images + batch)
            apart = step.square() * (self.images * share * seen.places)
            sums["spread"] = sums["spread"] + seen.spread + apart
            sums["mean"] = sums["mean"] + step * share
            sums["above"] = sums["above"] + seen.above
            sums["active"] = sums["active"] + active
            sums["low"] = torch.minimum(sums["low"], low)
            sums["high"] = torch.maximum(sums["high"], high)
        if self.classes and labels is not None:
            if "by_class" not in sums:
                empty = seen.mean.new_zeros(self.classes, seen.mean.shape[1])
                sums |= {"by_class": empty, "members": empty[:, 0].clone()}
            sums["by_class"].index_add_(0, labels, seen.mean)
            sums["members"].index_add_(0, labels, torch.ones_like(seen.mean[:, 0]))
        self.images += batch
        self.zeros += seen.zeros
        self.tally = self.tally + seen.tally
        self.most = merged(self.most, seen.most, self.extremes, sign=1)
        self.least = merged(self.least, seen.least, self.extremes, sign=-1)

    def statistics(self) -> LayerStatistics:
        """What is known so far."""
        assert self.most is not None, "no images were looked at"
        assert self.least is not None
        sums, each = self.sums, self.images * self.places  # numbers of a channel
        by_class = sums.get("by_class")
        if by_class is not None:
            by_class = (by_class / sums["members"].clamp(min=1)[:, None]).T
        numbers = each * len(sums["mean"])
        return LayerStatistics(
            images=self.images,
            places=self.places,
            low=float(sums["low"].min()),
            high=float(sums["high"].max()),
            zeros=self.zeros / numbers,
            positive=int(sums["above"].sum()) / numbers,
            histogram=self.tally,
            active=sums["active"].double() / self.images,
            above=sums["above"].double() / each,
            mean=sums["mean"],
            std=(sums["spread"] / max(1, each - 1)).sqrt(),
            lowest=sums["low"],
            highest=sums["high"],
            by_class=by_class,
            most=self.most,
            least=self.least,
        )


def statistics(
    output: Tensor, labels: Tensor | None = None, classes: int = 0, extremes: int = EXTREMES
) -> LayerStatistics:
    """Of a layer's output (N, C, …) that is there as a whole."""
    running = Running(extremes, classes)
    running.add(running.glance(output, 0), labels)
    return running.statistics()


def glance(
    output: Tensor,
    first: int,
    extremes: int = EXTREMES,
    most: Answers | None = None,
    least: Answers | None = None,
) -> Glance:
    """A layer's output for the images `first`, `first` + 1, … in few numbers.

    Args:
        output: (B, C, …), or (B,) as one channel.
        most, least: what is known of earlier images; see `strongest`.
    """
    output = _plain(output)
    maps = in_rows(output)  # (B, C, Q, R)
    places = maps.shape[2] * maps.shape[3]
    scratch = torch.empty(maps[: max(1, _CHUNK // max(1, maps[0].numel()))].shape, dtype=maps.dtype)
    parts = [_sums(part, scratch[: len(part)]) for part in maps.split(len(scratch))]
    low, high, total, squares, above = (torch.cat(part) for part in zip(*parts, strict=True))
    positive, lows = int(above.sum()), low.amin(2)  # (B, C)
    not_zero = positive if lows.min() >= 0 else int(maps.count_nonzero())
    mean = total / places  # (B, C)
    return Glance(
        places, lows, high.amax(2), mean, _spread(maps.flatten(2), mean, squares),
        above.sum(0).long(), maps.numel() - not_zero, tally(_sample(maps)),
        strongest(high, output, first, extremes, sign=1, than=most),
        strongest(low, output, first, extremes, sign=-1, than=least),
    )  # fmt: skip


def _plain(output: Tensor) -> Tensor:
    """As numbers on the CPU that can be added up."""
    output = output.detach()
    if output.dtype not in (torch.float32, torch.float64):
        output = output.float()
    return output[:, None] if output.dim() == 1 else output


def _sums(maps: Tensor, scratch: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What can be added up, of maps (B, C, Q, R).

    Lowest and highest of each row (B, C, Q); sum, sum of squares, numbers above 0 of each map
    (B, C), float64. `scratch` is written over.
    """
    total = maps.sum((2, 3)).double()
    squares = torch.linalg.vector_norm(maps, dim=(2, 3)).double().square()
    above = torch.gt(maps, 0, out=scratch).sum((2, 3)).double()  # summing booleans takes thrice
    return maps.amin(3), maps.amax(3), total, squares, above


def _spread(maps: Tensor, mean: Tensor, squares: Tensor) -> Tensor:
    """Sum of squared deviations of each channel from its mean over the batch, (C,), float64."""
    batch, _, places = maps.shape
    middle = mean.mean(0)  # (C,)
    squares = squares.sum(0)
    spread = squares - middle.square() * (batch * places)
    # Where little is left of the difference, rounding is: these channels are added up exactly.
    (narrow,) = (spread < 1e-3 * squares).nonzero(as_tuple=True)
    if len(narrow):
        exact = maps[:, narrow].double() - middle[narrow][:, None]  # (B, some, P)
        spread[narrow] = exact.square().sum((0, 2))
    return spread.clamp(min=0)


def _sample(maps: Tensor) -> Tensor:
    """Evenly chosen numbers of maps, at most about COUNTED.

    The step has no factor in common with the sides of maps, so that all rows and columns have
    their share.
    """
    flat = maps.flatten()
    step = -(-len(flat) // COUNTED)
    if step == 1:
        return flat
    return flat[:: _next_prime(step)]


def _next_prime(number: int) -> int:
    """The first prime from `number` on.

    >>> _next_prime(14)
    17
    """
    while any(number % divisor == 0 for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number
