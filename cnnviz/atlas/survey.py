"""One pass over many images, of which running results for every layer are kept.

Images are cut into shards. Each is computed alone, by one thread, and results are added up in the
order of the shards: how many processes share the work changes no bit of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.inside.images import Images, batch_size
from cnnviz.inside.statistics import EXTREMES, Glance, LayerStatistics, Running
from cnnviz.inside.watching import watch


@dataclass(frozen=True)
class Answering:
    """How a network answers over some images.

    Attributes:
        images: (classes,) how many there are of each class.
        accuracy, loss: (classes,) float64, NaN for a class without images.
        top_five: (classes,) share of images whose class is among the five strongest answers.
    """

    images: Tensor
    accuracy: Tensor
    loss: Tensor
    top_five: Tensor

    def mean(self, by_class: Tensor) -> float:
        """The mean over all images of what is given by class."""
        return float((by_class.nan_to_num() @ self.images.double()) / self.images.sum())


@dataclass(frozen=True)
class Survey:
    """What is known of a network after a pass over images.

    Attributes:
        layers: what each layer puts out, by name.
        answering: how the network answers; None without labels.
    """

    layers: dict[str, LayerStatistics]
    answering: Answering | None


def survey(
    model: nn.Module,
    layers: Sequence[str],
    images: Images,
    labels: Tensor | None = None,
    classes: int = 0,
    *,
    extremes: int = EXTREMES,
    shard: int | None = None,
    axes: Mapping[str, int] | None = None,
) -> Survey:
    """What each layer puts out over images, and how the network answers.

    Args:
        model: any module; it is called in evaluation mode with images on its own device.
        layers: names as `cnnviz.record` gives them.
        images: float (N, …), in memory or read on demand.
        labels: classes of the images (N,), if known.
        classes: how many there are.
        extremes: how many images are kept for each channel that it answers most and least to.
        shard: images that are looked at together, by default by their size.
        axes: where the units of a layer's output lie, the batch not counted; 0 if not given.
    """
    shard = shard or batch_size(images)
    known = _Known({name: Running(extremes, classes) for name in layers})
    for first in range(0, len(images), shard):
        known.add(_look(model, known.layers, images, labels, first, shard, axes or {}), labels)
    return known.survey(classes)


@dataclass
class _Seen:
    """What one shard adds."""

    first: int
    glances: dict[str, Glance]
    answers: Tensor | None  # (B, 3) float64: right, among the top five, loss


@dataclass
class _Known:
    """What is known after the shards so far."""

    layers: dict[str, Running]
    answers: list[Tensor] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)

    def add(self, seen: _Seen, labels: Tensor | None) -> None:
        own = None
        for name, glance in seen.glances.items():
            if labels is not None:
                own = labels[seen.first : seen.first + len(glance.mean)]
            self.layers[name].add(glance, own)
        if seen.answers is not None and labels is not None:
            self.answers.append(seen.answers)
            self.labels.append(labels[seen.first : seen.first + len(seen.answers)])

    def survey(self, classes: int) -> Survey:
        layers = {name: running.statistics() for name, running in self.layers.items()}
        if not self.answers:
            return Survey(layers, None)
        labels = torch.cat(self.labels)
        counts = torch.bincount(labels, minlength=classes)
        sums = torch.zeros(classes, 3, dtype=torch.float64)
        sums.index_add_(0, labels, torch.cat(self.answers))
        right, among, loss = (sums / counts[:, None]).unbind(1)
        return Survey(layers, Answering(counts, right, loss, among))


def _look(
    model: nn.Module,
    layers: dict[str, Running],
    images: Images,
    labels: Tensor | None,
    first: int,
    shard: int,
    axes: Mapping[str, int],
) -> _Seen:
    """Run the model on one shard."""
    glances: dict[str, Glance] = {}

    def at(name: str) -> Callable[[Tensor], None]:
        def look(output: Tensor) -> None:
            if axes.get(name):
                output = output.movedim(axes[name] + 1, 1)
            glances[name] = layers[name].glance(output, first)

        return look

    batch = images[first : first + shard]
    output = watch(model, batch, {name: at(name) for name in layers})
    answers = None
    if labels is not None:
        answers = _answers(output, labels[first : first + shard])
    return _Seen(first, glances, answers)


def _answers(output: Any, labels: Tensor) -> Tensor | None:
    """Whether each image is read right, has its class among the strongest five, and its loss."""
    if not isinstance(output, Tensor) or output.dim() != 2 or len(output) != len(labels):
        return None
    logits = output.cpu().double()
    if int(labels.max()) >= logits.shape[1]:
        return None
    five = logits.topk(min(5, logits.shape[1]), dim=1).indices  # (B, ≤ 5)
    return torch.stack([
        logits.argmax(1).eq(labels).double(),
        five.eq(labels[:, None]).any(1).double(),
        F.cross_entropy(logits, labels, reduction="none"),
    ], dim=1)  # fmt: skip
