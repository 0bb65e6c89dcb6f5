"""Sounds of the chapter on sound: short calls of five kinds in noise, all made from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

RATE, LENGTH, CALL = 4000, 1024, 400
"""Numbers a second, in a clip, in a call."""

LOW, HIGH, DETUNED = 400.0, 800.0, 0.05
"""Frequencies of the calls in hertz; each clip is tuned higher or lower by up to this share."""

NOISE = 0.5
"""Standard deviation of the noise; the calls go from -1 to 1."""

KINDS = ("low", "high", "rising", "falling", "trill")


@dataclass(frozen=True)
class Clips:
    """Sounds (N, 1, LENGTH), their kinds (N,) and where their calls begin (N,).

    `clean` are the same sounds without noise.
    """

    sounds: Tensor
    kinds: Tensor
    starts: Tensor
    clean: Tensor


def _pitches() -> Tensor:
    """Of each kind the frequency at each number of a call, (5, CALL)."""
    share = torch.linspace(0, 1, CALL)
    rising = LOW + (HIGH - LOW) * share
    trill = torch.where((6 * share).long() % 2 == 0, LOW, HIGH)
    low, high = torch.full((CALL,), LOW), torch.full((CALL,), HIGH)
    return torch.stack([low, high, rising, rising.flip(0), trill])


def made(count: int, seed: int, *, late: bool = False, kinds: Tensor | None = None) -> Clips:
    """So many clips. Calls begin in the first half of the time there is, or `late`, in the second.

    Kind, pitch, phase, place and noise are drawn anew for each clip.
    """
    generator = torch.Generator().manual_seed(seed)
    if kinds is None:
        kinds = torch.randint(len(KINDS), (count,), generator=generator)
    tuning = 1 + DETUNED * (2 * torch.rand(count, 1, generator=generator) - 1)
    turns = torch.cumsum(_pitches()[kinds] * tuning, 1) / RATE  # (N, CALL)
    turns = turns + torch.rand(count, 1, generator=generator)
    swell = torch.sin(math.pi * torch.linspace(0, 1, CALL)).clamp_min(0).sqrt()
    room = (LENGTH - CALL) // 2
    starts = torch.randint(room, (count,), generator=generator) + (room if late else 0)
    clean = torch.zeros(count, LENGTH)
    places = starts[:, None] + torch.arange(CALL)  # (N, CALL)
    clean.scatter_(1, places, torch.sin(2 * math.pi * turns) * swell)
    noise = NOISE * torch.randn(count, LENGTH, generator=generator)
    return Clips((clean + noise)[:, None], kinds, starts, clean[:, None])
