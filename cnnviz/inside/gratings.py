"""Which direction of stripes each channel of a layer answers to: its tuning curve.

As Hubel and Wiesel did with cells ("Receptive fields of single neurones in the cat's striate
cortex", 1959), with sinusoidal gratings instead of bars.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cnnviz.inside.recording import record


def gratings(side: int, angles: Tensor, wavelength: float, phases: int = 8) -> Tensor:
    """Stripes of every angle and phase, (A, phases, 1, side, side) from 0 to 1.

    Args:
        angles: (A,) direction in radians in which brightness varies: 0 gives upright stripes,
            π/2 level ones; it turns clockwise on the screen, where y points down.
        wavelength: distance from one bright stripe to the next, in pixels.

    >>> gratings(4, torch.tensor([0.0]), wavelength=4, phases=1)[0, 0, 0, 0].round(decimals=2)
    tensor([0.8500, 0.1500, 0.1500, 0.8500])
    """
    place = torch.arange(side) + 0.5 - side / 2  # pixel centres from the middle
    y, x = torch.meshgrid(place, place, indexing="ij")
    along = torch.cos(angles)[:, None, None] * x + torch.sin(angles)[:, None, None] * y  # (A, S, S)
    phase = 2 * math.pi * torch.arange(phases)[None, :, None, None] / phases
    wave = torch.cos(2 * math.pi * along[:, None] / wavelength + phase + math.pi)
    return (0.5 + 0.5 * wave)[:, :, None]


def tuning(
    model: nn.Module, layer: str, side: int, angles: Tensor, wavelength: float, phases: int = 8
) -> Tensor:
    """Each channel's strongest answer over the phases, in the middle of its map: (C, A).

    The middle, because at the border padding makes edges of its own.
    """
    stripes = gratings(side, angles, wavelength, phases).flatten(0, 1)  # (A·P, 1, side, side)
    output = record(model, stripes, layers=[layer], functional=False)[layer]  # (A·P, C, …)
    if output.dim() > 2:
        output = output[:, :, output.shape[2] // 2, output.shape[3] // 2]
    return output.unflatten(0, (len(angles), phases)).amax(1).T
