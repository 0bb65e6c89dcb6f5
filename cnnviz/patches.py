"""Where in a set of images each channel of a layer answers most, and least."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.receptive_field import ReceptiveField
from cnnviz.recording import record

BATCH = 500


@dataclass(frozen=True)
class Answers:
    """The `count` images that a channel answers most strongly to, best first, at most one a place.

    Attributes:
        image: (C, count) index of the image.
        row, column: (C, count) place in the map; 0 in a layer without maps.
        value: (C, count) the layer's output there.
    """

    image: Tensor
    row: Tensor
    column: Tensor
    value: Tensor


def strongest(
    model: nn.Module, layer: str, images: Tensor, count: int = 9, *, least: bool = False
) -> Answers:
    """For each channel of a layer, the images with its largest answer, one place an image.

    One sweep over the images serves all channels. With `least` the images with the smallest
    answers, at the place where each is smallest. Equal answers come in the order of the images.

    Args:
        images: (N, …) input of the model, N ≥ `count`.
    """
    best: list[Tensor] = []
    where: list[Tensor] = []
    width = 1
    for batch in images.split(BATCH):
        output = record(model, batch, layers=[layer], functional=False)[layer]  # (B, C, H, W)
        width = output.shape[-1] if output.dim() > 2 else 1
        flat = output.flatten(2) if output.dim() > 2 else output[:, :, None]  # (B, C, H·W)
        value, place = (-flat if least else flat).max(2)  # (B, C)
        best.append(value)
        where.append(place)
    values, places = torch.cat(best), torch.cat(where)  # (N, C)
    order = values.sort(dim=0, descending=True, stable=True).indices[:count]  # (count, C)
    value = values.gather(0, order).T
    place = places.gather(0, order).T
    return Answers(order.T, place // width, place % width, -value if least else value)


def cut(images: Tensor, answers: Answers, field: ReceptiveField) -> Tensor:
    """What each answer's unit sees: (C, count, channels, height, width) of `images` (N, …).

    Parts of a field outside the image are 0, as padding makes them.
    """
    height, width = field.size
    padded = F.pad(images, (width, width, height, height))  # any field lies within
    channels, count = answers.image.shape
    windows = []
    for image, row, column in zip(
        answers.image.flatten().tolist(),
        answers.row.flatten().tolist(),
        answers.column.flatten().tolist(),
        strict=True,
    ):
        top, left, bottom, right = field.box(row, column)
        windows.append(
            padded[image, :, top + height : bottom + height, left + width : right + width]
        )
    return torch.stack(windows).unflatten(0, (channels, count))
