"""Tasks with few labelled images, and what networks that never saw them make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data import photos
from cnnviz.data.datasets import Dataset
from cnnviz.inside.probes import fit_probe
from cnnviz.inside.recording import record
from cnnviz.threads import one_thread
from cnnviz.training.brief import train_on
from gen.context import Context, shared
from gen.figures import photographs
from gen.figures.photographs import LAYERS, NAMES

SIDE = 64
"""Height and width of what the large network is given: small, for then it is quick."""

POOL, TESTED = 60, 30
"""Labelled images of a class to draw from, and images of a class to test on."""

SIZES = (1, 2, 5, 10, 20, 50)
"""Labelled images a class."""

DRAWS = range(5)
"""Seeds of which labelled images are drawn."""

UNTRAINED = range(3)
"""Seeds of networks with random weights."""

_WIDTH = 640
"""Photographs that are wider are made so wide first."""


@dataclass(frozen=True)
class Task:
    """Images from 0 to 1 and their classes, a pool of labelled ones to draw from and a test.

    Attributes:
        pool, test: (N, C, H, W).
        pool_labels, test_labels: (N,).
        mirrored: may an image be mirrored left to right and keep its class?
    """

    pool: Tensor
    pool_labels: Tensor
    test: Tensor
    test_labels: Tensor
    mirrored: bool = False

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.pool_labels.max()) + 1

    def drawn(self, each: int, seed: int) -> Tensor:
        """Indices of `each` images of every class of the pool, drawn without putting back."""
        generator = torch.Generator().manual_seed(seed)
        parts = []
        for kind in range(self.classes):
            of_kind = (self.pool_labels == kind).nonzero()[:, 0]
            order = torch.randperm(len(of_kind), generator=generator)
            parts.append(of_kind[order[:each]])
        return torch.cat(parts)


# --- The tasks ----------------------------------------------------------------------------------


def shrunk(name: str) -> NDArray[np.uint8]:
    """A photograph at most _WIDTH pixels wide, (H, W, 3)."""
    pixels = photos.load(name)
    height, width = pixels.shape[:2]
    if width <= _WIDTH:
        return pixels
    return photos.resize(pixels, height * _WIDTH // width, _WIDTH)


def cut(right: bool, each: int, seed: int) -> tuple[Tensor, Tensor]:
    """Squares at random places of one half of each photograph, and of which photograph each is.

    Returns:
        (9 · each, 3, 64, 64) from 0 to 1, and (9 · each,) indices of NAMES. No pixel of a left
        half is in a right one; squares of one half may overlap.
    """
    chance = np.random.default_rng(seed)
    squares = []
    for name in NAMES:
        pixels = shrunk(name)
        height, width = pixels.shape[:2]
        first, last = (width // 2, width) if right else (0, width // 2)
        for _ in range(each):
            top = int(chance.integers(0, height - SIDE + 1))
            left = int(chance.integers(first, last - SIDE + 1))
            squares.append(pixels[top : top + SIDE, left : left + SIDE])
    return photographs.as_input(squares), torch.arange(len(NAMES)).repeat_interleave(each)


@shared
def crops(context: Context) -> Task:
    """Which of the nine photographs is it from? Labelled left halves, right halves as the test."""
    return Task(*cut(False, POOL, seed=1), *cut(True, TESTED, seed=2), mirrored=True)


@shared
def digits(context: Context, scrambled: bool = False) -> Task:
    """The digits of the build, (N, 1, 28, 28); or with their pixels in one random order for all."""
    pool, test = _first_of_each(context.train, POOL), _first_of_each(context.test, TESTED)
    if scrambled:
        order = torch.randperm(28 * 28, generator=torch.Generator().manual_seed(0))
        pool, test = (
            (images.flatten(2)[:, :, order].view_as(images), labels)
            for images, labels in (pool, test)
        )
    return Task(*pool, *test)


def _first_of_each(data: Dataset, each: int) -> tuple[Tensor, Tensor]:
    """The first images of each class, from 0 to 1."""
    kinds = range(int(data.labels.max()) + 1)
    index = torch.cat([(data.labels == kind).nonzero()[:each, 0] for kind in kinds])
    return data.images[index].float() / 255, data.labels[index]


TASKS = {
    "crops": crops,
    "digits": digits,
    "scrambled": lambda context: digits(context, scrambled=True),
}


# --- Borrowed features --------------------------------------------------------------------------


def enlarged(images: Tensor) -> Tensor:
    """Images of any size, grey or in colour, as the large network is fed: (N, 3, 64, 64)."""
    if images.shape[-1] != SIDE:
        images = F.interpolate(images, size=SIDE, mode="bilinear")
    return images.expand(-1, 3, -1, -1)


def eyes(context: Context, seed: int | None = None) -> nn.Module:
    """The trained network, or one with random weights of some seed."""
    if seed is None:
        return photographs.network(context)
    return photographs.untrained(context, seed)


@shared
def features(
    context: Context, task: str, seed: int | None = None
) -> Mapping[str, tuple[Tensor, Tensor]]:
    """What LAYERS of `eyes` say about a task: layer → means of maps, (N, C) for pool and test."""
    model, given = eyes(context, seed), TASKS[task](context)
    pool, test = (
        looked_at(model, images, LAYERS, lambda maps: maps.mean((2, 3)))
        for images in (given.pool, given.test)
    )
    return {layer: (pool[layer], test[layer]) for layer in LAYERS}


@torch.no_grad()
def looked_at(
    model: nn.Module,
    images: Tensor,
    layers: Sequence[str],
    kept: Callable[[Tensor], Tensor],
) -> dict[str, Tensor]:
    """Layer → what is kept of its maps (N, C, H, W) for images of any size."""
    with one_thread():
        parts = [record(model, part, layers=layers) for part in enlarged(images).split(90)]
    return {layer: torch.cat([kept(part[layer]) for part in parts]) for layer in layers}


def pixels(task: Task) -> tuple[Tensor, Tensor]:
    """The pixels of pool and test, (N, D); those of a crop averaged to 16×16."""
    small = [
        F.adaptive_avg_pool2d(images, 16) if images.shape[1] == 3 else images
        for images in (task.pool, task.test)
    ]
    return small[0].flatten(1), small[1].flatten(1)


def mean_colours(task: Task) -> tuple[Tensor, Tensor]:
    """Of each channel the mean and the standard deviation, (N, 2C) for pool and test."""
    pool, test = (
        torch.cat([images.mean((2, 3)), images.std((2, 3))], 1) for images in (task.pool, task.test)
    )
    return pool, test


def linear(
    task: Task, found: tuple[Tensor, Tensor], each: int, seeds: Sequence[int] = DRAWS
) -> list[float]:
    """Accuracy of a linear head on features (N, D) of pool and test, for each draw.

    It learns from `each` labelled images of a class.
    """
    pool, test = found
    results = []
    with one_thread():
        for seed in seeds:
            chosen = task.drawn(each, seed)
            probe = fit_probe(pool[chosen], task.pool_labels[chosen], task.classes)
            results.append(share(probe.scores(test), task.test_labels))
    return results


def share(scores: Tensor, labels: Tensor) -> float:
    """Share of the scores (N, classes) whose largest is that of the label."""
    return float((scores.argmax(1) == labels).double().mean())


def summary(runs: Sequence[float]) -> dict[str, float]:
    """Mean, least and most of runs."""
    return {"mean": float(np.mean(runs)), "least": min(runs), "most": max(runs)}


# --- From nothing -------------------------------------------------------------------------------

PHASES = ((70, 3e-3), (30, 5e-4))
"""Steps of the small network and their learning rate: small ones at last leave less to luck."""

STEPS, BATCH = sum(steps for steps, _ in PHASES), 32


class Small(nn.Module):
    """A small network to be trained from nothing, for images of 28 or 32 pixels from 0 to 1.

    | layer | output, for 28 or 32 pixels |
    |-------|--------|
    | three times: convolution 3×3 with stride 2, batch normalisation, ReLU | (N, 64, 4, 4) |
    | flatten, output | (N, classes) logits |
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for wide in (16, 32, 64):
            layers += [
                nn.Conv2d(channels, wide, 3, stride=2, padding=1),
                nn.BatchNorm2d(wide),
                nn.ReLU(),
            ]
            channels = wide
        self.maps = nn.Sequential(*layers)
        self.output = nn.Linear(64 * 4 * 4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.maps(x - 0.5).flatten(1))


def mirrored(images: Tensor) -> Tensor:
    """Each with a chance of one half left to right."""
    turned = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(turned, images.flip(3), images)


def from_nothing(task: Task, each: int, seeds: Sequence[int]) -> list[float]:
    """Accuracy of small networks that see only `each` labelled images of a class.

    Colour crops are halved to 32×32 for them; a seed is that of the draw and of the first weights.
    """
    pool, test = (
        F.avg_pool2d(images, 2) if images.shape[-1] == SIDE else images
        for images in (task.pool, task.test)
    )
    results = []
    for seed in seeds:
        chosen = task.drawn(each, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = Small(pool.shape[1], task.classes)
        with one_thread():
            for number, (steps, rate) in enumerate(PHASES):
                train_on(
                    model, pool[chosen], task.pool_labels[chosen], steps, rate, batch_size=BATCH,
                    seed=len(PHASES) * seed + number,
                    prepare=mirrored if task.mirrored else lambda batch: batch,
                )  # fmt: skip
            with torch.no_grad():
                results.append(share(model(test), task.test_labels))
    return results
