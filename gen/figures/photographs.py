"""The credited photographs as EfficientNet-Lite0 sees them, for the chapters about it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz.data import photos
from cnnviz.inside.recording import record
from cnnviz.nets.efficientnet_lite import BLOCKS, NAME, SIDE, EfficientNetLite0, class_names
from gen.context import Context, shared

__all__ = ["BLOCK_NAMES", "NAME", "NAMES", "SIDE", "answers", "inputs", "network", "recorded"]

NAMES = tuple(photos.names(colour_only=True))
"""The nine photographs in colour."""

BLOCK_NAMES = tuple(f"block{number}" for number in range(1, len(BLOCKS) + 1))


def network(context: Context) -> nn.Module:
    """EfficientNet-Lite0 as it was trained on ImageNet, in evaluation mode."""
    return context.model(NAME)


@shared
def untrained(context: Context, seed: int = 0) -> nn.Module:
    """The same network as it is before any training: random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EfficientNetLite0().eval()


def square(name: str, side: int = SIDE) -> NDArray[np.uint8]:
    """The middle of a photograph, (side, side, 3)."""
    return photos.resize(photos.load(name), side, side)


def as_input(pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Images (H, W, 3) uint8 as the network is fed: (N, 3, H, W) from 0 to 1."""
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255


@shared
def inputs(context: Context) -> Tensor:
    """The middle of each photograph of NAMES, (9, 3, 224, 224) from 0 to 1."""
    return as_input([square(name) for name in NAMES])


@shared
def recorded(context: Context, name: str) -> dict[str, Tensor]:
    """What each block and the head make of a photograph, and the logits: layer → (C, …)."""
    image = inputs(context)[[NAMES.index(name)]]  # (1, 3, 224, 224)
    layers = ["stem_relu", *BLOCK_NAMES, "head_relu", "output"]
    with torch.no_grad():
        outputs = record(network(context), image, layers=layers)
    return {layer: values[0] for layer, values in outputs.items()}


@shared
def answers(context: Context) -> Tensor:
    """Probabilities of the 1,000 classes for each photograph, (9, 1000)."""
    with torch.no_grad():
        return network(context)(inputs(context)).softmax(1)


def classes() -> list[str]:
    """Names of the classes."""
    return class_names()
