"""Pictures that units of EfficientNet-Lite0 answer most to, and crops of photographs beside them.

Responses are the mean of a channel's map (a class: its logit), and are told in standard
deviations of the responses to the crops, above their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cnnviz.data import photos
from cnnviz.figure.figure import Picture
from cnnviz.inside.feature_visualization import Optimised, maximise
from cnnviz.inside.watching import watch
from gen.context import Context, shared
from gen.figures.photographs import NAME, NAMES, as_input, network, thumbnail, untrained

__all__ = [
    "CROPS", "LAYERS", "NAME", "NAMES", "SHIFT", "SIDE", "STEPS", "ascend", "bank", "chosen", "deviations", "drawn",
    "model_of", "optimised", "responses", "seen_by",
]  # fmt: skip

SIDE = 96
"""Pixels of a picture, each way."""

STEPS = 48

SHIFT = 6
"""Pixels by which a picture is moved at most, at random in each step."""

LAYERS = ("stem_norm", "block2", "block6", "block10", "block14", "output")
"""Layers without an activation function behind them: a unit has a gradient whatever it answers."""

CROPS = 30
"""Crops of each photograph."""

_AT_ONCE = 30


def model_of(context: Context, seed: int | None) -> nn.Module:
    """The trained network, or the one with the random weights of a seed."""
    return network(context) if seed is None else untrained(context, seed)


@shared
def bank(context: Context) -> tuple[Tensor, Tensor]:
    """Random square crops of the photographs, and of which photograph each is.

    Returns:
        (270, 3, 96, 96) from 0 to 1, and (270,) indices of NAMES. A crop is at least 96 pixels
        wide and at most as wide as the photograph; crops of one photograph overlap.
    """
    chance = np.random.default_rng(0)
    crops, origin = [], []
    for index, name in enumerate(NAMES):
        photo = Image.fromarray(photos.load(name))
        for _ in range(CROPS):
            side = int(chance.integers(SIDE, min(photo.size) + 1))
            left, top = (int(chance.integers(0, size - side + 1)) for size in photo.size)
            box = (left, top, left + side, top + side)
            # Four times as fast as photos.resize, which is exact; there are many.
            small = photo.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box)
            crops.append(np.array(small))
            origin.append(index)
    return as_input(crops), torch.tensor(origin)


def seen_by(model: nn.Module, images: Tensor, layers: tuple[str, ...]) -> dict[str, Tensor]:
    """Mean responses of each channel of some layers to images (N, 3, H, W): layer → (N, C)."""
    found: dict[str, list[Tensor]] = {layer: [] for layer in layers}

    def keep(layer: str, output: Tensor) -> None:
        maps = output.flatten(2).mean(2) if output.dim() > 2 else output  # (B, C)
        found[layer].append(maps.clone())

    look = {layer: lambda output, layer=layer: keep(layer, output) for layer in layers}
    for some in images.split(_AT_ONCE):
        watch(model, some, look)
    return {layer: torch.cat(parts) for layer, parts in found.items()}


@shared
def responses(context: Context, seed: int | None = None) -> dict[str, Tensor]:
    """Responses of each channel of LAYERS to the crops: layer → (270, C)."""
    return seen_by(model_of(context, seed), bank(context)[0], LAYERS)


@shared
def chosen(context: Context, seed: int | None = None, count: int = 2) -> dict[str, list[int]]:
    """Channels of each layer whose strongest crop stands out most, each for another photograph.

    Standing out is told in standard deviations of the channel's responses to all crops.
    """
    origin = bank(context)[1]  # (270,)
    return {
        layer: standing_out(values, origin, count)
        for layer, values in responses(context, seed).items()
    }


def standing_out(values: Tensor, origin: Tensor, count: int) -> list[int]:
    """The channels whose largest value stands out most, of different photographs.

    Args:
        values: (N, C), a channel's responses to crops.
        origin: (N,), of which photograph a crop is.
    """
    standard = (values - values.mean(0)) / values.std(0).clamp(min=1e-6)
    peaks, best = standard.max(0)  # (C,) each
    channels: dict[int, int] = {}  # photograph → channel
    for channel in peaks.argsort(descending=True).tolist():
        channels.setdefault(int(origin[best[channel]]), channel)
    return list(channels.values())[:count]


def deviations(
    context: Context, layer: str, unit: int, value: float, seed: int | None = None
) -> float:
    """A response in standard deviations of the channel's responses to the crops, above their mean."""
    values = responses(context, seed)[layer][:, unit]  # (270,)
    return (value - float(values.mean())) / float(values.std())


@shared
def optimised(
    context: Context,
    layer: str,
    units: tuple[int, ...],
    *,
    seed: int | None = None,
    starts: int = 1,
    parameters: Literal["pixels", "fourier"] = "fourier",
    shifts: bool = True,
    roughness: float = 0.0,
    target: Literal["middle", "channel"] = "channel",
) -> Optimised:
    """Pictures that units answer most to, with the settings that all chapters share.

    Args:
        seed: of random weights; None: the trained network.
        shifts: whether the picture is moved by up to SHIFT pixels at random in each step.
    """
    return ascend(
        model_of(context, seed),
        layer,
        units,
        starts=starts,
        parameters=parameters,
        max_shift=SHIFT if shifts else 0,
        roughness=roughness,
        target=target,
    )


def ascend(
    model: nn.Module,
    layer: str,
    units: Sequence[int],
    *,
    starts: int = 1,
    parameters: Literal["pixels", "fourier"] = "fourier",
    max_shift: int = SHIFT,
    roughness: float = 0.0,
    target: Literal["middle", "channel"] = "channel",
) -> Optimised:
    """`maximise` with the size and the number of steps that the chapter has."""
    return maximise(
        model, layer, units, (3, SIDE, SIDE), steps=STEPS, starts=starts, parameters=parameters,
        max_shift=max_shift, roughness=roughness, target=target,
    )  # fmt: skip


def drawn(image: Tensor, colours: int = 56) -> Picture:
    """An image (3, H, W) from 0 to 1 as a picture in few colours, since a page has dozens."""
    pixels: NDArray[np.uint8] = (image * 255).round().byte().permute(1, 2, 0).numpy()
    return thumbnail(np.ascontiguousarray(pixels), 1.5, colours)
