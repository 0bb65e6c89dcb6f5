"""Switching units off: what each class loses when one channel of a layer answers 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.inside.batches import batches, count, numbers_of
from cnnviz.inside.outputs import layer_output
from cnnviz.inside.replacing import replaced
from cnnviz.inside.undisturbed import undisturbed
from cnnviz.inside.without import CHECKED, Without, quickest

AT_ONCE = 1_600_000
"""Pixels of all images that go through the network at once, over all channels that are off."""


@dataclass(frozen=True)
class Ablation:
    """Attributes:
    accuracy: (C, classes) share of right answers among the images of each class.
    loss: (C, classes) mean cross-entropy of the images of each class.

    Both are NaN for a class without images.
    """

    accuracy: Tensor
    loss: Tensor


def by_class(logits: Tensor, labels: Tensor, classes: int) -> Ablation:
    """What a network gives as it is: both of shape (1, classes), like one row of `ablate`.

    Args:
        logits: (N, classes).
        labels: (N,) true classes from 0 to `classes` − 1.
    """
    sums = _Sums(1, classes)
    sums.add(slice(None), logits.detach()[None], _checked(labels, len(logits), classes))
    return sums.means()


def ablate(
    model: nn.Module,
    layer: str,
    images: Any,
    labels: Tensor,
    classes: int,
    *,
    units: Iterable[int] | None = None,
    output: str | int | None = None,
    batch: int | None = None,
) -> Ablation:
    """Accuracy and loss by class with each channel of a layer switched off in turn.

    Passes carry the images of many switched-off channels at once. They begin as late in the
    network as gives the same as the whole of it (tried on a few images): at the layer, or at one
    before it where something goes around it. Where what follows works on each channel by itself
    up to the next linear layer or convolution (ReLU, pooling, flattening), that layer is not run
    again either: the part of its output that comes from the channel is taken off.

    Args:
        layer: any name that `record` gives, whose output is (N, C, …). Of a layer that is used
            twice this is one use only, "relu" or "relu_1": `silenced` takes both at once.
        images: (N, …) float, or anything with a length that gives such a tensor for a slice; they
            are read in batches.
        labels: (N,) true classes from 0 to `classes` − 1.
        units: numbers of the channels to switch off, rows of the result; None: every one.
        output: of a model with several heads the one that is meant; see `cnnviz.inside.heads.head`.
        batch: images that go through the network at once; None: as their size allows.

    Raises:
        CnnvizError: no such layer, channel or head, an output without channels, labels that do not
            go with the images.
    """
    labels = _checked(labels, count(images), classes)
    with undisturbed(model), torch.no_grad():
        few = next(batches(model, images, CHECKED))
        channels = _channels(model, layer, few, units)
        if not len(channels):
            return Ablation(torch.empty(0, classes).double(), torch.empty(0, classes).double())
        rows = batch or min(2000, max(8, AT_ONCE // numbers_of(few)))
        what = Without(model, layer, output)
        way = quickest(what, few, channels, rows, worth_it=len(labels) > CHECKED)
        sums = _Sums(len(channels), classes)
        truths = labels.split(rows)
        for some, truth in zip(batches(model, images, rows), truths, strict=True):
            prepared = way.prepare(some)
            together = max(1, min(way.together, rows // len(truth)))
            for which in torch.arange(len(channels)).split(together):
                sums.add(which, prepared(channels[which]), truth)
    return sums.means()


@contextmanager
def silenced(model: nn.Module, channels: Mapping[str, Iterable[int]]) -> Iterator[None]:
    """While it lasts, these channels of these layers answer 0, all at once.

    Args:
        channels: name as `record` gives it of a layer, an operation or a second use, whose output
            is (N, C, …) → numbers of its channels.

    Raises:
        CnnvizError: at the end of a pass, a layer that the model does not have or did not run; in
            it, a channel that the layer does not have.
    """
    functions = {layer: partial(_silent, layer, list(off)) for layer, off in channels.items()}
    with replaced(model, functions):
        yield


def _silent(layer: str, off: Sequence[int], output: Tensor) -> Tensor:
    which = _among(layer, output, off)
    return output.index_fill(1, which.to(output.device), 0)


def _channels(model: nn.Module, layer: str, few: Any, units: Iterable[int] | None) -> Tensor:
    """Numbers of the channels to switch off, (K,)."""
    return _among(layer, layer_output(model, few, layer), units)


def _among(layer: str, output: Tensor, units: Iterable[int] | None) -> Tensor:
    """Channels (K,) int64 of a layer's output (N, C, …), checked; None: every one."""
    if output.dim() < 2:
        raise CnnvizError(
            f"Layer '{layer}' puts out shape {tuple(output.shape)}; expected (N, C, …) with "
            "channels to switch off."
        )
    have = output.shape[1]
    which = torch.as_tensor(
        list(range(have)) if units is None else [int(unit) for unit in units], dtype=torch.int64
    )
    if (bad := which[(which < 0) | (which >= have)]).numel():
        raise CnnvizError(
            f"Layer '{layer}' has channels 0 to {have - 1}; there is no channel {int(bad[0])}."
        )
    return which


def _checked(labels: Tensor, images: int, classes: int) -> Tensor:
    """Labels (N,) int64 on the CPU, one for each image."""
    if labels.shape != (images,):
        raise CnnvizError(
            f"Labels of shape {tuple(labels.shape)} for {images} images; expected ({images},)."
        )
    if images and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise CnnvizError(
            f"Labels from {int(labels.min())} to {int(labels.max())} with {classes} classes; "
            f"expected 0 to {classes - 1}."
        )
    return labels.detach().cpu().long()


class _Sums:
    """Right answers and losses by class, added up over batches of images."""

    def __init__(self, channels: int, classes: int) -> None:
        self._classes = classes
        self._counts = torch.zeros(channels, classes, dtype=torch.float64)
        self._right, self._losses = torch.zeros_like(self._counts), torch.zeros_like(self._counts)

    def add(self, which: Tensor | slice, logits: Tensor, labels: Tensor) -> None:
        """Add the answers (K, n, classes) without channels `which`, given the labels (n,)."""
        if len(labels) and int(labels.max()) >= logits.shape[-1]:
            raise CnnvizError(
                f"Label {int(labels.max())}, but the network scores {logits.shape[-1]} classes; "
                "expected labels below that."
            )
        labels_there = labels.to(logits.device)
        # Half precision would lose what a single unit adds.
        scores = logits if logits.dtype == torch.float64 else logits.float()
        truth = labels_there.expand(scores.shape[:2])[..., None]  # (K, n, 1)
        losses = -scores.log_softmax(2).gather(2, truth)[..., 0]  # (K, n)
        members = F.one_hot(labels_there, self._classes).double()  # (n, classes)
        right = scores.argmax(2).eq(labels_there).double()
        self._right[which] += (right @ members).cpu()
        self._losses[which] += (losses.double() @ members).cpu()
        self._counts[which] += members.sum(0).cpu()

    def means(self) -> Ablation:
        return Ablation(self._right / self._counts, self._losses / self._counts)
