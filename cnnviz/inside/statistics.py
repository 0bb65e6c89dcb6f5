"""What a layer puts out over many images, of which only running results are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd

import torch
from torch import Tensor

from cnnviz.inside.selection import CHUNK, Answers, Extremes, Selection, as_numbers, in_rows
from cnnviz.inside.tally import EMPTY, Tally, tally

EXTREMES = 9
"""Images that a channel answers most to, and as many that it answers least to."""

COUNTED = 2**16
"""Values of a batch and layer that the histogram counts, if there are more: evenly chosen ones."""


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
        mean: (B, C) of each map, float64.
        spread: (C,) sum of squared deviations from a channel's mean over the batch, float64.
        low, high: (C,) of a channel's numbers.
        active: (C,) images for which a channel is somewhere above 0.
        above: (C,) numbers above 0.
        zeros: numbers that are 0.
    """

    places: int
    mean: Tensor
    spread: Tensor
    low: Tensor
    high: Tensor
    active: Tensor
    above: Tensor
    zeros: int
    tally: Tally


def glance(output: Tensor, first: int = 0, selection: Selection | None = None) -> Glance:
    """A layer's output for the images `first`, `first` + 1, … in few numbers.

    Args:
        output: (B, C, …), or (B,) as one channel.
        selection: takes its extremes from them, too.
    """
    output = as_numbers(output)
    maps = in_rows(output)  # (B, C, Q, R)
    scratch = torch.empty_like(maps[: max(1, CHUNK // max(1, maps[0].numel()))])
    parts = [_sums(part, scratch[: len(part)]) for part in maps.split(len(scratch))]
    low, high, total, squares, above = (torch.cat(part) for part in zip(*parts, strict=True))
    if selection is not None:
        width = output.shape[-1] if output.dim() > 2 else 1
        selection.update(high, low, maps, width, first)
    positive, lowest, highest = int(above.sum()), low.amin((0, 2)), high.amax(2)
    not_zero = positive if lowest.min() >= 0 else int(maps.count_nonzero())
    places = maps.shape[2] * maps.shape[3]
    mean = total / places  # (B, C)
    return Glance(
        places,
        mean.cpu(),
        _spread(maps.flatten(2), mean, squares).cpu(),
        lowest.cpu(),
        highest.amax(0).cpu(),
        (highest > 0).sum(0).cpu(),
        above.sum(0).long().cpu(),
        maps.numel() - not_zero,
        tally(_sample(maps).cpu()),
    )


@dataclass
class Sums:
    """What is known of a layer after the images so far, in the form in which it can be added to.

    Attributes:
        classes: how many there are; 0: nothing is told by class.
        images, places, zeros, tally: see LayerStatistics and Glance.
        parts: Glance's numbers by channel over all images; "by_class" (classes, C), sums of
            means, and "members" (classes,), images of each class.
    """

    classes: int = 0
    images: int = 0
    places: int = 0
    zeros: int = 0
    tally: Tally = EMPTY
    parts: dict[str, Tensor] = field(default_factory=dict)

    def add(self, seen: Glance, labels: Tensor | None = None) -> None:
        """Add the next images; `labels` are their classes (B,)."""
        batch, parts, mean = len(seen.mean), self.parts, seen.mean.mean(0)  # (C,)
        if not self.images:
            self.places = seen.places
            parts |= {"mean": mean, "spread": seen.spread, "low": seen.low, "high": seen.high,
                      "active": seen.active, "above": seen.above}  # fmt: skip
        else:
            step, share = mean - parts["mean"], batch / (self.images + batch)
            apart = step.square() * (self.images * share * seen.places)
            parts["spread"] = parts["spread"] + seen.spread + apart
            parts["mean"] = parts["mean"] + step * share
            parts["low"] = torch.minimum(parts["low"], seen.low)
            parts["high"] = torch.maximum(parts["high"], seen.high)
            parts["active"] = parts["active"] + seen.active
            parts["above"] = parts["above"] + seen.above
        if self.classes and labels is not None:
            if "by_class" not in parts:
                parts["by_class"] = seen.mean.new_zeros(self.classes, seen.mean.shape[1])
                parts["members"] = seen.mean.new_zeros(self.classes)
            parts["by_class"].index_add_(0, labels, seen.mean)
            parts["members"].index_add_(0, labels, torch.ones_like(seen.mean[:, 0]))
        self.images += batch
        self.zeros += seen.zeros
        self.tally = self.tally + seen.tally

    def statistics(self, extremes: Extremes) -> LayerStatistics:
        """What is known so far, together with the extremes of the same images."""
        parts, each = self.parts, self.images * self.places  # numbers of a channel
        numbers = each * len(parts["mean"])
        by_class = parts.get("by_class")
        if by_class is not None:
            by_class = (by_class / parts["members"].clamp(min=1)[:, None]).T  # (C, classes)
        return LayerStatistics(
            images=self.images,
            places=self.places,
            low=float(parts["low"].min()),
            high=float(parts["high"].max()),
            zeros=self.zeros / numbers,
            positive=int(parts["above"].sum()) / numbers,
            histogram=self.tally,
            active=parts["active"].double() / self.images,
            above=parts["above"].double() / each,
            mean=parts["mean"],
            std=(parts["spread"] / max(1, each - 1)).sqrt(),
            lowest=parts["low"],
            highest=parts["high"],
            by_class=by_class,
            most=extremes.most,
            least=extremes.least,
        )


def statistics(
    output: Tensor, labels: Tensor | None = None, classes: int = 0, extremes: int = EXTREMES
) -> LayerStatistics:
    """Of a layer's output (N, C, …) that is there as a whole."""
    sums, selection = Sums(classes), Selection(extremes)
    sums.add(glance(output, selection=selection), labels)
    return sums.statistics(selection.extremes())


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
    while gcd(step, len(flat)) > 1:
        step += 1
    return flat[::step]
