"""The credited photographs as EfficientNet-Lite0 sees them, for the chapters about it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cnnviz.data import photos
from cnnviz.figure.figure import Picture
from cnnviz.inside.patches import Answers, extremes
from cnnviz.inside.recording import record
from cnnviz.nets.efficientnet_lite import BLOCKS, NAME, SIDE, EfficientNetLite0, class_names
from gen.context import Context, shared

__all__ = [
    "BLOCK_NAMES", "LAYERS", "NAME", "NAMES", "SIDE", "answers", "inputs", "network", "recorded",
]  # fmt: skip

NAMES = tuple(photos.names(colour_only=True))
"""The nine photographs in colour."""

BLOCK_NAMES = tuple(f"block{number}" for number in range(1, len(BLOCKS) + 1))


LAYERS = ("stem_relu", *BLOCK_NAMES, "head_relu")
"""What is looked at: the first layer, what each block puts out, and the last maps."""


def network(context: Context) -> nn.Module:
    """EfficientNet-Lite0 as it was trained on ImageNet, in evaluation mode."""
    return context.model(NAME)


@shared
def untrained(context: Context, seed: int = 0) -> nn.Module:
    """The same network with random weights, in evaluation mode.

    Its batch normalisations have the means and variances of the nine photographs; with those of
    the start, 0 and 1, hardly anything would come out of the last blocks.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = EfficientNetLite0().train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of all that passes
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    with torch.no_grad():
        model(inputs(context))
    return model.eval()


def square(name: str, side: int = SIDE) -> NDArray[np.uint8]:
    """The middle of a photograph, (side, side, 3)."""
    return photos.resize(photos.load(name), side, side)


def thumbnail(pixels: NDArray[np.uint8], scale: float = 1, colours: int = 256) -> Picture:
    """A photograph (H, W, 3) in its 256 commonest colours, half as heavy and hardly another."""
    image = Image.fromarray(pixels).quantize(colours, dither=Image.Dither.NONE)
    file = BytesIO()
    image.save(file, "PNG", compress_level=9)
    return Picture(file.getvalue(), image.width, image.height, scale, photo=True)


def as_input(pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Images (H, W, 3) uint8 as the network is fed: (N, 3, H, W) from 0 to 1."""
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255


@shared
def inputs(context: Context) -> Tensor:
    """The middle of each photograph of NAMES, (9, 3, 224, 224) from 0 to 1."""
    return as_input([square(name) for name in NAMES])


@shared
def recorded(context: Context, trained: bool = True) -> dict[str, Tensor]:
    """What LAYERS make of the nine photographs, and the logits: layer → (9, C, …)."""
    model = network(context) if trained else untrained(context)
    with torch.no_grad():
        return record(model, inputs(context), layers=[*LAYERS, "output"])


@shared
def answers(context: Context) -> Tensor:
    """Probabilities of the 1,000 classes for each photograph, (9, 1000)."""
    with torch.no_grad():
        return network(context)(inputs(context)).softmax(1)


def classes() -> list[str]:
    """Names of the classes."""
    return class_names()


# --- Many crops ---------------------------------------------------------------------------------

CROPS = 12
"""Crops of each photograph in the bank."""


@shared
def bank(context: Context) -> tuple[Tensor, Tensor]:
    """Random square crops of the photographs, and of which photograph each is.

    Returns:
        (108, 3, 224, 224) from 0 to 1, and (108,) indices of NAMES. A crop is at least 224 pixels
        wide and at most as wide as the photograph; crops of one photograph overlap.
    """
    chance = np.random.default_rng(0)
    crops, origin = [], []
    for index, name in enumerate(NAMES):
        pixels = photos.load(name)
        height, width = pixels.shape[:2]
        for _ in range(CROPS):
            side = int(chance.integers(SIDE, min(height, width) + 1))
            top = int(chance.integers(0, height - side + 1))
            left = int(chance.integers(0, width - side + 1))
            part = photos.crop(pixels, top, left, side, side)
            crops.append(photos.resize(part, SIDE, SIDE))
            origin.append(index)
    return as_input(crops), torch.tensor(origin)


@shared
def strongest(context: Context, trained: bool = True) -> dict[str, Answers]:
    """For each channel of LAYERS the nine crops of the bank that it answers most."""
    model = network(context) if trained else untrained(context)
    with torch.no_grad():
        found = extremes(model, LAYERS, bank(context)[0], 9)
    return {layer: both.most for layer, both in found.items()}
