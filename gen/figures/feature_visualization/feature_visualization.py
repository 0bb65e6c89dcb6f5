"""Figures of "What a unit wants to see": crops and optimised pictures, layers, several starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.figure.figure import Figure, Panel, message
from cnnviz.words import Message
from gen.context import Context, shared
from gen.figures.feature_visualization import _measures as measures
from gen.figures.optimised_units import (
    CROPS,
    LAYERS,
    NAME,
    SHIFT,
    SIDE,
    STEPS,
    bank,
    chosen,
    deviations,
    drawn,
    model_of,
    optimised,
    responses,
    seen_by,
)
from gen.figures.photographs import BLOCK_NAMES, classes

SHOWN = ("block6", "block10", "block14")
"""Layers whose first channel is shown beside crops."""

BEST = 3
"""Crops beside a picture, each of another photograph."""

DEEP = ("block6", "block10", "block14", "output")
"""Layers over which pictures of the trained network and of random weights are compared."""

RANDOM = {0: DEEP, 1: ("block10", "output")}
"""Seeds of random weights, and the layers by which their pictures are measured; 0 is shown."""

STARTS = 4
STARTED = ("block6", "block14")
_COMPARED_IN = "block14"
"""Where the network's own view of two pictures is compared."""


def unit_name(layer: str, unit: int) -> Message:
    """A channel by its layer and number, or a class by its name."""
    if layer == "output":
        return message("units.class", name=message("imagenet." + classes()[unit].replace("'", "")))
    if layer in BLOCK_NAMES:
        return message("units.block", block=int(layer.removeprefix("block")), unit=unit)
    return message("units.stem", unit=unit)


# --- Crops beside pictures ----------------------------------------------------------------------


@shared
def best_crops(context: Context, layer: str, unit: int) -> list[int]:
    """The crops that a channel answers most, at most one of a photograph; numbers in the bank."""
    values, origin = responses(context)[layer][:, unit], bank(context)[1]
    best: dict[int, int] = {}
    for crop in values.argsort(descending=True).tolist():
        best.setdefault(int(origin[crop]), crop)
    return list(best.values())[:BEST]


def examples(context: Context) -> Figure:
    """For a channel of some blocks: the crops that it answers most, and its optimised picture."""
    panels = []
    for layer in SHOWN:
        unit = chosen(context)[layer][0]
        for crop in best_crops(context, layer, unit):
            value = float(responses(context)[layer][crop, unit])
            label = message("crop", deviations=deviations(context, layer, unit, value))
            panels.append(Panel(drawn(bank(context)[0][crop]), label))
        image, reached = picture_of(context, layer, 0)
        label = message("optimised", unit=unit_name(layer, unit), deviations=reached)
        panels.append(Panel(drawn(image), label))
    facts = numbers(context)["reached"]
    return Figure(
        alt=message("alt", least=facts["least"], best=facts["best_most"]),
        panels=panels,
        columns=BEST + 1,
        uses=[NAME],
    )


def picture_of(
    context: Context, layer: str, which: int, seed: int | None = None, shifts: bool = True
) -> tuple[Tensor, float]:
    """The picture (3, H, W) of a chosen channel, and the response that it reaches in deviations.

    Of a network with random weights only the first of the chosen channels has a picture.
    """
    units = tuple(chosen(context, seed)[layer][: 2 if seed is None else 1])
    made = optimised(context, layer, units, seed=seed, shifts=shifts)
    value = float(made.value[which, 0])
    return made.images[which, 0], deviations(context, layer, units[which], value, seed)


# --- Layers, beside random weights --------------------------------------------------------------

_COLUMNS = ((None, True, 0), (None, True, 1), (0, True, 0), (0, False, 0))
"""Seed, shifts, and which of the chosen channels."""


def layers(context: Context) -> Figure:
    """A row for each layer: two channels of the trained network, one of random weights twice."""
    panels = []
    for layer in LAYERS:
        for seed, shifts, which in _COLUMNS:
            image, reached = picture_of(context, layer, which, seed, shifts)
            unit = chosen(context, seed)[layer][which]
            way = "trained" if seed is None else "shifted" if shifts else "still"
            name = unit_name(layer, unit) if seed is None else ""
            # What is noise needs fewer colours to look the same.
            colours = 56 if seed is None else 32
            label = message(way, unit=name, deviations=reached)
            panels.append(Panel(drawn(image, colours), label))
    return Figure(alt=message("alt"), panels=panels, columns=len(_COLUMNS), uses=[NAME])


@shared
def looks(context: Context) -> dict[str, dict[str, float]]:
    """Means of pictures: way → contrast, colour, common direction, and deviations reached.

    "trained" are two channels of each of DEEP, "shifted" and "still" one channel of each layer of
    RANDOM, "crops" the photographs.
    """
    images = {
        "trained": [picture_of(context, layer, k) for layer in DEEP for k in range(2)],
        "crops": [(crop, 0.0) for crop in bank(context)[0]],
    }
    for way in ("shifted", "still"):
        images[way] = [
            picture_of(context, layer, 0, seed, way == "shifted")
            for seed, names in RANDOM.items()
            for layer in names
        ]
    found = {}
    for way, some in images.items():
        direction = [measures.common_direction(image) for image, _ in some]
        reached = [deviation for _, deviation in some]
        found[way] = {
            "contrast": float(np.mean([measures.contrast(image) for image, _ in some])),
            "colour": float(np.mean([measures.colour(image) for image, _ in some])),
            "direction": float(np.mean(direction)),
            "direction_least": min(direction),
            "direction_most": max(direction),
            "reached": float(np.mean(reached)),
            "reached_least": min(reached),
            "reached_most": max(reached),
        }
    return found


# --- Several starts -----------------------------------------------------------------------------


def starts(context: Context) -> Figure:
    """Four pictures each of two channels, from four starts."""
    panels = []
    for layer in STARTED:
        unit = chosen(context)[layer][0]
        made = optimised(context, layer, (unit,), starts=STARTS)
        for start in range(STARTS):
            reached = deviations(context, layer, unit, float(made.value[0, start]))
            label = message("label", unit=unit_name(layer, unit), deviations=reached)
            panels.append(Panel(drawn(made.images[0, start]), label))
    return Figure(alt=message("alt"), panels=panels, columns=STARTS, uses=[NAME])


@shared
def likeness(context: Context, layer: str) -> dict[str, float]:
    """How alike the four pictures of one channel are, and pictures of two channels.

    By what the network makes of them: cosine of the mean responses of the channels of block 14, in
    deviations, without the channel itself. And by their pixels: correlation.
    """
    units = chosen(context)[layer]
    same = optimised(context, layer, (units[0],), starts=STARTS).images[0]  # (4, 3, H, W)
    other = optimised(context, layer, tuple(units)).images[1]  # (1, 3, H, W)
    crops = responses(context)[_COMPARED_IN]  # (270, 192)
    seen = seen_by(model_of(context, None), torch.cat([same, other]), (_COMPARED_IN,))
    standard = (seen[_COMPARED_IN] - crops.mean(0)) / crops.std(0)  # (5, 192)
    if layer == _COMPARED_IN:
        standard[:, units] = 0
    pixels = torch.cat([same, other]).flatten(1)
    pixels = pixels - pixels.mean(1, keepdim=True)
    pairs = torch.triu(torch.ones(STARTS, STARTS, dtype=torch.bool), 1)
    result = {}
    for name, vectors in (("seen", standard), ("pixels", pixels)):
        cosines = measures.alike(vectors, vectors)
        result[name] = float(cosines[:STARTS, :STARTS][pairs].mean())
        result[f"{name}_least"] = float(cosines[:STARTS, :STARTS][pairs].min())
        result[f"{name}_other"] = float(cosines[:STARTS, STARTS:].mean())
    return result


# --- One place ----------------------------------------------------------------------------------


def _of_channel(context: Context, layer: str) -> Tensor:
    """The picture (3, H, W) of a layer's first channel."""
    return picture_of(context, layer, 0)[0]


@shared
def _of_place(context: Context, layer: str) -> Tensor:
    """The picture (3, H, W) of the middle place of that channel's map."""
    unit = chosen(context)[layer][0]
    return optimised(context, layer, (unit,), target="middle").images[0, 0]


def places(context: Context) -> Figure:
    """For a channel of three blocks the picture of one place of its map."""
    panels = [
        Panel(drawn(_of_place(context, layer)), unit_name(layer, chosen(context)[layer][0]))
        for layer in SHOWN
    ]
    return Figure(alt=message("alt"), panels=panels, columns=len(SHOWN), uses=[NAME])


# --- Numbers ------------------------------------------------------------------------------------


def _reached(context: Context) -> dict[str, float]:
    """Deviations reached by pictures and by the best crop, over both channels of each layer."""
    pictures, crops = [], []
    for layer in LAYERS:
        for which, unit in enumerate(chosen(context)[layer]):
            pictures.append(picture_of(context, layer, which)[1])
            best = float(responses(context)[layer][:, unit].max())
            crops.append(deviations(context, layer, unit, best))
    ratios = [a / b for a, b in zip(pictures, crops, strict=True)]
    return {
        "stem": pictures[0],
        "stem_crop": crops[0],
        "least": min(pictures[-2 * len(DEEP) :]),
        "most": max(pictures),
        "best_least": min(crops),
        "best_most": max(crops[-2 * len(DEEP) :]),
        "ratio_least": min(ratios[-2 * len(DEEP) :]),
    }


def _other_channels(context: Context) -> dict[str, float]:
    """On the pictures of DEEP: how many other channels answer more, and how many above their best.

    "first": the share of pictures on which no channel of the layer answers more, in deviations.
    """
    first, above = [], []
    for layer in DEEP:
        units = chosen(context)[layer]
        crops = responses(context)[layer]  # (270, C)
        images = torch.stack([picture_of(context, layer, which)[0] for which in range(2)])
        seen = seen_by(model_of(context, None), images, (layer,))[layer]  # (2, C)
        mean, spread = crops.mean(0), crops.std(0).clamp(min=1e-6)
        standard, best = (seen - mean) / spread, (crops.amax(0) - mean) / spread
        for row, unit in zip(standard, units, strict=True):
            first.append(float(row.argmax() == unit))
            above.append(float((row > best).float().mean()))
    return {"first": float(np.mean(first)), "above": float(np.mean(above)), "most": max(above)}


def _sure(context: Context) -> float:
    """Least probability of the class over the two pictures of classes."""
    units = chosen(context)["output"]
    images = torch.stack([picture_of(context, "output", which)[0] for which in range(2)])
    with torch.no_grad():
        shares = model_of(context, None)(images).softmax(1)  # (2, 1000)
    return min(float(shares[k, unit]) for k, unit in enumerate(units))


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    return {
        "side": SIDE,
        "steps": STEPS,
        "shift": SHIFT,
        "crops": len(bank(context)[0]),
        "crops_each": CROPS,
        "reached": _reached(context),
        "looks": looks(context),
        "stripes": float(
            np.mean([measures.common_direction(picture_of(context, "block2", k)[0]) for k in (0, 1)])
        ),
        "starts": {layer: likeness(context, layer) for layer in STARTED},
        "middle": {
            way: {layer: measures.in_the_middle(picture(context, layer)) for layer in SHOWN}
            for way, picture in (("channel", _of_channel), ("place", _of_place))
        },
        "others": _other_channels(context),
        "sure": _sure(context),
        "units": {layer: chosen(context)[layer] for layer in LAYERS},
        "classes": [classes()[unit] for unit in chosen(context)["output"]],
        "moved": bool(
            all(optimised(context, layer, tuple(chosen(context)[layer])).moved.all()
                for layer in LAYERS)
        ),
    }  # fmt: skip
