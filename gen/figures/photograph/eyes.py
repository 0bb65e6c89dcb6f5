"""Which channels answer to both eyes of the cat and to nothing else as much."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.data import photos
from cnnviz.drawing import charts
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.inside.recording import record
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.photograph.photograph import ANIMAL
from gen.figures.photographs import LAYERS, NAME, NAMES, SIDE, inputs, recorded, square, untrained

EYES = ((64, 114, 44, 100), (82, 122, 164, 199))
"""Boxes around the two eyes in the photograph of 224×224: top, bottom, left, right; drawn by hand."""

SEEDS = range(3)
MIDDLE = tuple(f"block{number}" for number in range(6, 12))
"""Where eyes are found by training, and not by contrast."""


def answer_to_both(maps: Tensor) -> float:
    """Share of the channels whose value in each eye is larger than anywhere outside the eyes.

    Args:
        maps: (C, H, W) of the photograph of the cat.
    """
    height, width = maps.shape[1:]
    rows = (torch.arange(height) + 0.5) * SIDE / height  # centres in pixels of the photograph
    columns = (torch.arange(width) + 0.5) * SIDE / width
    eyes = [
        ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
        for top, bottom, left, right in EYES
    ]  # (H, W) each
    outside = maps[:, ~(eyes[0] | eyes[1])].amax(1)  # (C,)
    both = [maps[:, eye].amax(1) > outside for eye in eyes]
    return float((both[0] & both[1]).float().mean())


@shared
def _shares(context: Context) -> dict[str, list[list[float]]]:
    """By layer of LAYERS: of the trained network, and of networks with random weights."""
    photo = NAMES.index(ANIMAL)
    image = inputs(context)[[photo]]  # (1, 3, 224, 224)
    starts = []
    for seed in SEEDS:
        with torch.no_grad():
            found = record(untrained(context, seed), image, layers=LAYERS)
        starts.append([answer_to_both(found[layer][0]) for layer in LAYERS])
    trained = [answer_to_both(recorded(context)[layer][photo]) for layer in LAYERS]
    return {"trained": [trained], "untrained": starts}


def both_eyes(context: Context) -> Figure:
    """Share of channels that answer to both eyes, layer by layer."""
    found = _shares(context)
    places = np.arange(len(LAYERS))

    def draw(say: Say) -> str:
        series, errors = {}, {}
        for name, runs in found.items():
            values = np.array(runs)  # (runs, layers)
            middle = (values.max(0) + values.min(0)) / 2
            series[say(name)] = (places, middle)
            errors[say(name)] = (values.max(0) - values.min(0)) / 2
        return charts.line_chart(
            series,
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            errors=errors,
            percent=True,
            y_limits=(0, None),
        )

    result = numbers(context)
    return Figure(
        alt=message("alt", least=result["trained_least"], most=result["untrained_most"]),
        panels=[Panel(draw)],
        legends=[Legend(message("legend"))],
        uses=[NAME],
    )


def _edges_in_eyes() -> float:
    """Of the hundredth of the pixels where brightness changes most, the share in the boxes."""
    slopes = np.hypot(*np.gradient(photos.grey(square(ANIMAL))))  # (224, 224)
    steep = slopes >= np.quantile(slopes, 0.99)
    inside = np.zeros_like(steep)
    for top, bottom, left, right in EYES:
        inside[top:bottom, left:right] = True
    return float((steep & inside).sum() / steep.sum())


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    found = _shares(context)
    middle = [LAYERS.index(layer) for layer in MIDDLE]
    early = [LAYERS.index(layer) for layer in ("stem_relu", "block1", "block2", "block3")]
    between = [LAYERS.index(layer) for layer in ("block4", "block5")]
    trained, starts = np.array(found["trained"][0]), np.array(found["untrained"])
    return {
        "trained_least": float(trained[middle].min()),
        "untrained_most": float(starts[:, middle].max()),
        "early_trained": float(trained[early].mean()),
        "early_untrained": float(starts[:, early].mean()),
        "between_trained": float(trained[between].max()),
        "between_untrained": float(starts[:, between].min()),
        "area": float(sum((b - t) * (r - left) for t, b, left, r in EYES) / SIDE**2),
        "edges": _edges_in_eyes(),
        "networks": len(SEEDS),
    }
