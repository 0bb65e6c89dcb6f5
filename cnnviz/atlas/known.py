"""What a pass over images knows so far, and the file from which it goes on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz import kept
from cnnviz.files import DamagedError
from cnnviz.inside.images import Images
from cnnviz.inside.selection import Selection
from cnnviz.inside.statistics import Glance, LayerStatistics, Sums
from cnnviz.inside.tally import Tally

_VERSION = 1  # of the numbers; one more where they change

_SHARE = 10
"""Keeping takes at most one in so many seconds."""


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
        answering: how the network answers; None without labels, or where its output is no row of
            scores for each image with one for every class.
    """

    layers: dict[str, LayerStatistics]
    answering: Answering | None


@dataclass(frozen=True)
class Seen:
    """What one shard adds, from the image `first` on.

    Attributes:
        answers: (B, 3) float64: read right, among the top five, loss.
    """

    first: int
    glances: dict[str, Glance]
    answers: Tensor | None


class Known:
    """What is known after the shards so far.

    Attributes:
        selections: the extremes of each layer that this process saw.
        done, shards: how many shards have been added, and how many there are.
    """

    def __init__(
        self, layers: Sequence[str], classes: int, extremes: int, images: int, shard: int
    ) -> None:
        self.selections = {name: Selection(extremes) for name in layers}
        self.done, self.shards = 0, -(-images // shard)
        self._images, self._shard, self._classes = images, shard, classes
        self._sums = {name: Sums(classes) for name in layers}
        self._answers = torch.zeros(classes, 4, dtype=torch.float64)  # images, and their sums
        self._judged = 0
        self._kept_at, self._keeping = 0.0, 0.0

    def add(self, seen: Seen, labels: Tensor | None) -> None:
        """Add the next shard."""
        own = None if labels is None else labels[seen.first : seen.first + self._shard]
        for name, glance in seen.glances.items():
            self._sums[name].add(glance, own)
        if seen.answers is not None and own is not None and self._classes:
            ones = torch.ones_like(seen.answers[:, :1])
            self._answers.index_add_(0, own, torch.cat([ones, seen.answers], dim=1))
            self._judged += len(own)
        self.done += 1

    def survey(self, selections: Mapping[str, Selection]) -> Survey:
        """What is known in the end, with the extremes that all processes saw."""
        layers = {
            name: sums.statistics(selections[name].extremes())
            for name, sums in self._sums.items()
            if sums.images == self._images and self._images
        }
        if not self._judged or self._judged < self._images:
            return Survey(layers, None)
        counts, right, among, loss = self._answers.unbind(1)
        return Survey(
            layers, Answering(counts.long(), right / counts, loss / counts, among / counts)
        )

    # --- The file -------------------------------------------------------------------------------

    def key(
        self, model: nn.Module, images: Images, labels: Tensor | None, more: object = None
    ) -> str:
        """A digest of all that the result depends on; of the images the first and the last."""
        hasher = hashlib.sha256()
        plain = (_VERSION, torch.__version__, list(self._sums), self._classes, self._images,
                 self._shard, [s.count for s in self.selections.values()])  # fmt: skip
        hasher.update(repr((plain, more, str(model))).encode())
        ends = [images[:1], images[len(images) - 1 :]]
        tensors = [*model.state_dict().values(), *ends, *([] if labels is None else [labels])]
        for tensor in tensors:
            if isinstance(tensor, Tensor):
                values = tensor.detach().cpu().contiguous().flatten()
                hasher.update(values.view(torch.uint8).numpy().tobytes())
        return hasher.hexdigest()

    @property
    def due(self) -> bool:
        """Is it time to keep what is known?"""
        return time.monotonic() - self._kept_at > _SHARE * self._keeping

    def write(self, path: Path, key: str, selections: Mapping[str, Selection]) -> None:
        """Keep it, with the extremes that all processes saw."""
        began = time.monotonic()
        kept.write(path, {
            "key": key,
            "done": self.done,
            "answers": [self._answers, self._judged],
            "sums": {name: _plain(sums) for name, sums in self._sums.items()},
            "selections": {name: vars(selection) for name, selection in selections.items()},
        })  # fmt: skip
        self._kept_at = time.monotonic()
        self._keeping = self._kept_at - began

    def read(self, path: Path, key: str) -> None:
        """Go on from what was kept, if it is whole and of the same pass."""
        try:
            state = kept.read(path)
        except DamagedError:  # also where there is none
            return
        if state.get("key") != key:
            return
        self.done = state["done"]
        self._answers, self._judged = state["answers"]
        self._sums = {name: _sums(values) for name, values in state["sums"].items()}
        found = {name: Selection(**values) for name, values in state["selections"].items()}
        self.selections.clear()
        self.selections.update(found)


def _plain(sums: Sums) -> dict[str, Any]:
    tally = sums.tally
    return vars(sums) | {"tally": [tally.exponent, tally.first, tally.counts]}


def _sums(values: dict[str, Any]) -> Sums:
    return Sums(**values | {"tally": Tally(*values["tally"])})
