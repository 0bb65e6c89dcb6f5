"""What else excites a channel: the crops of all photographs that it answers most."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.figure.figure import Figure, Legend, Panel, Picture, message, raster
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.photograph.photograph import ANIMAL, striking
from gen.figures.photographs import (
    CROPS,
    LAYERS,
    NAME,
    NAMES,
    SIDE,
    bank,
    network,
    recorded,
    strongest,
    thumbnail,
)

SHOWN = ("block2", "block4", "block6", "block8", "block12", "block16")
PATCHES = 5
WINDOW = 64
"""Pixels that are shown of fields that are larger than that."""

_GAP = 3


@shared
def _windows(context: Context) -> dict[str, int]:
    """How many pixels are shown of what a channel sees."""
    fields = receptive_fields(network(context), (SIDE, SIDE))
    return {layer: min(fields[layer].size[0], WINDOW) for layer in SHOWN}


def patches(context: Context) -> Figure:
    """For the channel of some blocks that the cat excites most: where else it is excited."""
    photo, windows = NAMES.index(ANIMAL), _windows(context)
    panels = []
    for layer in SHOWN:
        channel = striking(recorded(context)[layer], photo, 1)[0]
        side = windows[layer]
        label = message("label", layer=layer, channel=channel, side=side)
        row = _row(context, layer, channel, side)
        panels.append(Panel(_drawn(row, side), label))
    return Figure(alt=message("alt", count=PATCHES), panels=panels, layout="column", uses=[NAME])


def _row(context: Context, layer: str, channel: int, side: int) -> NDArray[np.uint8]:
    """The patches side by side, (side, width, 3)."""
    images, answers = bank(context)[0], strongest(context)[layer]
    across = recorded(context)[layer].shape[-1]  # places a side
    gap = np.full((side, max(1, _GAP * side // WINDOW), 3), 255, np.uint8)
    parts: list[NDArray[np.uint8]] = []
    for k in range(PATCHES):
        place = [int(x[channel, k]) for x in (answers.image, answers.row, answers.column)]
        patch = _window(images[place[0]], place[1], place[2], across, side)
        parts += [patch, gap]
    return np.concatenate(parts[:-1], axis=1)


def _window(image: Tensor, row: int, column: int, across: int, side: int) -> NDArray[np.uint8]:
    """A square of an image (3, 224, 224) around a place of a map, moved inside at the border."""
    edges = [
        min(max(round((place + 0.5) * SIDE / across - side / 2), 0), SIDE - side)
        for place in (row, column)
    ]
    patch = image[:, edges[0] : edges[0] + side, edges[1] : edges[1] + side]
    pixels: NDArray[np.uint8] = (patch * 255).round().byte().permute(1, 2, 0).numpy()
    return pixels


def _drawn(row: NDArray[np.uint8], side: int) -> Picture:
    """A row of patches so large that each is some 100 pixels wide; small ones pixel by pixel."""
    if side == WINDOW:
        return thumbnail(row, 1.5)
    times = 96 // side
    return raster(row.repeat(times, axis=0).repeat(times, axis=1), photo=True)


@shared
def _different(context: Context, trained: bool) -> dict[str, float]:
    """By layer: of how many photographs a channel's nine strongest crops are; mean of channels."""
    origin = bank(context)[1]  # (108,)
    result = {}
    for layer in LAYERS:
        of = origin[strongest(context, trained)[layer].image]  # (C, 9)
        kinds = [len(row.unique()) for row in of]
        result[layer] = float(np.mean(kinds))
    return result


def photographs_per_channel(context: Context) -> Figure:
    """How many photographs the nine strongest crops of a channel come from, layer by layer."""
    places = np.arange(len(LAYERS))
    found = {key: _different(context, key == "trained") for key in ("trained", "untrained")}

    def draw(say: Say) -> str:
        return charts.line_chart(
            {say(key): (places, [*values.values()]) for key, values in found.items()},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            y_limits=(1, None),
        )

    return Figure(
        alt=message(
            "alt", trained=found["trained"]["block16"], untrained=found["untrained"]["block16"]
        ),
        panels=[Panel(draw)],
        legends=[Legend(message("legend"))],
        uses=[NAME],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    origin = bank(context)[1]
    generator = torch.Generator().manual_seed(0)
    chance = [
        len(origin[torch.randperm(len(origin), generator=generator)[:9]].unique())
        for _ in range(2000)
    ]
    return {
        "trained": _different(context, True),
        "untrained": _different(context, False),
        "chance": float(np.mean(chance)),
        "crops": len(origin),
        "crops_each": CROPS,
        "window": WINDOW,
    }
