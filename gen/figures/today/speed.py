"""How long one pass takes on the machine that draws, beside ResNet-18 in the same minute."""

from __future__ import annotations

import copy
import statistics
import time
from typing import Any

import torch
from torch import nn

from cnnviz.threads import one_thread
from gen.context import Context
from gen.figures.published_nets import NETS, on_meta, side

BESIDE = "resnet18"

PASSES = 3
"""Passes whose median counts; the first, which prepares, is slow and so not the one."""


def _runnable(key: str) -> nn.Module:
    """A network with weights that keep signals in bounds; they say nothing and cost no time."""
    model = copy.deepcopy(on_meta(key)).to_empty(device="cpu")
    with torch.no_grad():
        for weight in [*model.parameters(), *model.buffers()]:
            if weight.is_floating_point():  # means of what comes in
                weight.fill_(1 / weight[0].numel() if weight.dim() > 1 else 1)
            else:
                weight.zero_()
    return model


def _seconds(model: nn.Module, image: torch.Tensor) -> float:
    """Of the processor: what other programs do meanwhile does not count."""
    began = time.process_time()
    model(image)
    return time.process_time() - began


def ratios() -> dict[str, float]:
    """Network → its time for one image by that of ResNet-18, the two in turn, medians, one thread."""
    found = {BESIDE: 1.0}
    with one_thread(), torch.inference_mode():
        beside, small = _runnable(BESIDE), torch.full((1, 3, side(BESIDE), side(BESIDE)), 0.5)
        for key in NETS:
            if key == BESIDE:
                continue
            model, image = _runnable(key), torch.full((1, 3, side(key), side(key)), 0.5)
            own, others = [], []
            for _ in range(PASSES):
                own.append(_seconds(model, image))
                others.append(_seconds(beside, small))
            found[key] = statistics.median(own) / statistics.median(others)
    return found


CHANNELS, SIDE = 144, 56
"""Of the maps on which the two kinds of convolution are timed: inside a block of MobileNetV2."""


def depthwise_faster() -> float:
    """How many times as long as a depthwise 3×3 convolution an ordinary one takes."""
    image = torch.full((1, CHANNELS, SIDE, SIDE), 0.5)
    medians = []
    with one_thread(), torch.inference_mode():
        for groups in (1, CHANNELS):
            layer = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=groups, bias=False)
            nn.init.constant_(layer.weight, 1 / CHANNELS)
            layer(image)
            medians.append(statistics.median(_seconds(layer, image) for _ in range(12)))
    return medians[0] / medians[1]


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses; each machine and each run has others."""
    return {
        "ratios": ratios(),
        "passes": PASSES,
        "channels": CHANNELS,
        "depthwise_faster": depthwise_faster(),
    }
