"""Where in a set of images each channel of a layer answers most, and least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.inside.receptive_field import ReceptiveField
from cnnviz.inside.recording import record

BATCH = 500


@dataclass(frozen=True)
class Answers:
    """The `count` images that a channel answers most (or least) to, the extreme first.

    Attributes:
        image: (C, count) index of the image.
        row, column: (C, count) place in the map; 0 in a layer without maps.
        value: (C, count) the layer's output there.
    """

    image: Tensor
    row: Tensor
    column: Tensor
    value: Tensor


@dataclass(frozen=True)
class Extremes:
    """The strongest and the weakest answers of every channel of a layer."""

    most: Answers
    least: Answers


def extremes(
    model: nn.Module, layers: Sequence[str], images: Tensor, count: int = 9
) -> dict[str, Extremes]:
    """For each channel of each layer, the images with its largest and its smallest answers.

    One sweep over the images serves all layers and channels. Of each image only the best place
    counts. Equal answers come in the order of the images.

    Args:
        layers: dotted names.
        images: (N, …) input of the model, N ≥ `count`.
    """
    found: dict[str, list[tuple[Tensor, Tensor, Tensor, Tensor]]] = {name: [] for name in layers}
    widths: dict[str, int] = {}
    for batch in images.split(BATCH):
        outputs = record(model, batch, layers=layers)
        for name in layers:
            output = outputs[name]  # (B, C, H, W) or (B, C)
            widths[name] = output.shape[-1] if output.dim() > 2 else 1
            flat = output.flatten(2) if output.dim() > 2 else output[:, :, None]  # (B, C, H·W)
            found[name].append((*flat.max(2), *flat.min(2)))  # each (B, C)
    result = {}
    for name, parts in found.items():
        high, high_place, low, low_place = (torch.cat(part) for part in zip(*parts, strict=True))
        result[name] = Extremes(
            _first(high, high_place, widths[name], count, descending=True),
            _first(low, low_place, widths[name], count, descending=False),
        )
    return result


def _first(values: Tensor, places: Tensor, width: int, count: int, *, descending: bool) -> Answers:
    """The first `count` images by `values` (N, C) for each channel."""
    order = values.sort(dim=0, descending=descending, stable=True).indices[:count]  # (count, C)
    place = places.gather(0, order).T
    return Answers(order.T, place // width, place % width, values.gather(0, order).T)


def cut(images: Tensor, answers: Answers, field: ReceptiveField) -> Tensor:
    """What each answer's unit sees: (C, count, channels, height, width) of `images` (N, …).

    Parts of a field outside the image are 0, as padding makes them.
    """
    channels, count = answers.image.shape
    height, width = images.shape[2:]
    places = zip(
        answers.image.flatten().tolist(),
        answers.row.flatten().tolist(),
        answers.column.flatten().tolist(),
        strict=True,
    )
    windows = []
    for image, row, column in places:
        top, left, bottom, right = field.box(row, column)
        inside = images[image, :, max(top, 0) : bottom, max(left, 0) : right]
        beyond = (max(-left, 0), max(right - width, 0), max(-top, 0), max(bottom - height, 0))
        windows.append(F.pad(inside, beyond) if any(beyond) else inside)
    return torch.stack(windows).unflatten(0, (channels, count))
