"""Scenes of the chapter on segmentation: a disc and a ring on stripes, and each pixel's class."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.data.datasets import Dataset

SIDE = 28
CLASSES = ("background", "disc", "ring")
RADIUS, THICK = (5.5, 7.5), 2.5
"""Pixels: of discs and of rings from … to …, and how wide the band of a ring is."""

NOISE = 0.08
"""Standard deviation, where black is 0 and white is 1."""


def scenes(split: str, count: int, seed: int) -> Dataset:
    """`count` scenes: images uint8 (N, 1, 28, 28), labels (N, 28, 28) of `CLASSES`.

    In each lie one disc and one ring, the later over the earlier, both of any brightness; so
    brightness tells them from the background, but not from each other.
    """
    generator = torch.Generator().manual_seed(seed)

    def lot(low: float, high: float) -> Tensor:
        """One number a scene, (N, 1, 1)."""
        return low + (high - low) * torch.rand(count, 1, 1, generator=generator)

    row, column = torch.arange(SIDE)[None, :, None], torch.arange(SIDE)[None, None, :]
    angle = lot(0, pi)
    waves = (row * angle.sin() + column * angle.cos()) * 2 * pi / lot(5, 9) + lot(0, 2 * pi)
    image = 0.3 + 0.12 * waves.sin()  # (N, 28, 28)
    labels = torch.zeros(count, SIDE, SIDE, dtype=torch.long)
    ring_first = lot(0, 1) < 0.5
    for ring in (ring_first, ~ring_first):
        radius = lot(*RADIUS)
        away = ((row - lot(6.5, 20.5)).square() + (column - lot(6.5, 20.5)).square()).sqrt()
        inside = (away <= radius) & (~ring | (away >= radius - THICK))
        image = torch.where(inside, lot(0.6, 0.95), image)
        labels = torch.where(inside, 1 + ring.long(), labels)
    image = image + NOISE * torch.randn(image.shape, generator=generator)
    pixels = (255 * image.clamp(0, 1)).round().to(torch.uint8)
    return Dataset("scenes", split, pixels[:, None], labels, CLASSES)


def steps_to_border(labels: Tensor, most: int) -> Tensor:
    """For each pixel (N, H, W) how far the nearest of another label is, diagonals counting as 1.

    1 is beside the border; `most` stands for that and more.
    """
    kinds = F.one_hot(labels).movedim(3, 1).float()  # (N, C, H, W)
    steps = torch.full(labels.shape, most)
    for reach in range(most - 1, 0, -1):
        around = F.max_pool2d(kinds, 2 * reach + 1, stride=1, padding=reach)  # is any within reach?
        steps[around.sum(1) > 1] = reach
    return steps
