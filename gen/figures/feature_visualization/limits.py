"""What a picture leaves out: crops of all strengths, and mixtures of channels."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.figure.figure import Figure, Panel, message
from gen.context import Context, shared
from gen.figures.feature_visualization._measures import common_direction
from gen.figures.feature_visualization.feature_visualization import unit_name
from gen.figures.optimised_units import (
    NAME,
    ascend,
    bank,
    chosen,
    deviations,
    drawn,
    optimised,
    responses,
)
from gen.figures.photographs import BLOCK_NAMES, network

LAYER = "block10"
PERCENTILES = (100, 99, 95, 90, 75, 50)

MIXTURES = 3


# --- Crops of all strengths ---------------------------------------------------------------------


def _at(values: Tensor, percentile: float) -> int:
    """The number of the value that lies at a percentile of all (N,), 100 being the largest."""
    order = values.argsort()
    return int(order[round((len(values) - 1) * percentile / 100)])


def percentiles(context: Context) -> Figure:
    """Crops from the strongest response of one channel down to the middle one."""
    unit = chosen(context)[LAYER][0]
    values = responses(context)[LAYER][:, unit]  # (270,)
    panels = []
    for percentile in PERCENTILES:
        crop = _at(values, percentile)
        reached = deviations(context, LAYER, unit, float(values[crop]))
        shown = round(reached, 1) + 0.0  # the mean is no less than 0
        label = message("label", percentile=percentile, deviations=shown)
        panels.append(Panel(drawn(bank(context)[0][crop]), label))
    name = unit_name(LAYER, unit)
    return Figure(alt=message("alt", unit=name), panels=panels, columns=3, uses=[NAME])


# --- Mixtures -----------------------------------------------------------------------------------


def mixing(model: nn.Module, weights: Tensor) -> nn.Module:
    """A copy of the network whose layer "head" puts out sums of the channels of LAYER.

    Args:
        weights: (M, C), with which the C channels are added up M times.
    """
    mixed = copy.deepcopy(model)
    after = BLOCK_NAMES[BLOCK_NAMES.index(LAYER) + 1 :]
    for name in (*after, "head_norm", "output"):  # these expect other numbers of channels
        setattr(mixed, name, nn.Identity())
    head = nn.Conv2d(weights.shape[1], len(weights), 1, bias=False)
    head.weight = nn.Parameter(weights[:, :, None, None], requires_grad=False)
    mixed.head = head
    return mixed


@shared
def _drawn_by_lot(context: Context) -> dict[str, Any]:
    """Three channels and three mixtures of all channels: pictures, and deviations reached.

    In a mixture each channel counts by a random number, in deviations of the channel.
    """
    values = responses(context)[LAYER]  # (270, C)
    channels = values.shape[1]
    generator = torch.Generator().manual_seed(0)
    units = tuple(torch.randperm(channels, generator=generator)[:MIXTURES].tolist())
    weights = torch.randn(MIXTURES, channels, generator=generator) / values.std(0)  # (3, C)
    order = torch.randperm(2 * MIXTURES, generator=generator).tolist()
    alone = optimised(context, LAYER, units)
    together = ascend(mixing(network(context), weights), "head", range(MIXTURES))
    mixed = values @ weights.T  # (270, 3): means of maps may be added up as maps may
    standard = (together.value[:, 0] - mixed.mean(0)) / mixed.std(0)  # (3,)
    return {
        "units": units,
        "order": order,
        "images": torch.cat([alone.images[:, 0], together.images[:, 0]]),  # (6, 3, 96, 96)
        "alone": [
            deviations(context, LAYER, unit, float(value))
            for unit, value in zip(units, alone.value[:, 0], strict=True)
        ],
        "together": standard.tolist(),
    }


def mixtures(context: Context) -> Figure:
    """Pictures of three channels and of three mixtures, in random order: which are which?"""
    found = _drawn_by_lot(context)
    panels = [
        Panel(drawn(found["images"][k]), message("label", number=number))
        for number, k in enumerate(found["order"], 1)
    ]
    return Figure(alt=message("alt"), panels=panels, columns=3, uses=[NAME])


# --- Numbers ------------------------------------------------------------------------------------


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    unit = chosen(context)[LAYER][0]
    values, origin = responses(context)[LAYER][:, unit], bank(context)[1]
    tenth = values.argsort(descending=True)[: len(values) // 10]
    found = _drawn_by_lot(context)
    return {
        "best": deviations(context, LAYER, unit, float(values.max())),
        "middle": deviations(context, LAYER, unit, float(values.median())),
        "photographs_in_tenth": len(origin[tenth].unique()),
        "tenth": len(tenth),
        "alone": float(np.mean(found["alone"])),
        "together": float(np.mean(found["together"])),
        "together_least": min(found["together"]),
        "alone_least": min(found["alone"]),
        "channels_at": [n for n, k in enumerate(found["order"], 1) if k < MIXTURES],
        "direction_alone": _directions(found["images"][:MIXTURES]),
        "direction_together": _directions(found["images"][MIXTURES:]),
    }


def _directions(images: Tensor) -> float:
    return float(np.mean([common_direction(image) for image in images]))
