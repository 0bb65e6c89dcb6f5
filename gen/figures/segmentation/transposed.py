"""What a transposed convolution does, number by number on a small map."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.drawing.diagrams import kernel_grid
from cnnviz.figure.figure import Figure, Legend, Panel, Variant, message
from cnnviz.words import Say
from gen.context import Context

# Small whole numbers; products and sums can be checked by hand.
MAP = [[2, 1], [3, -1]]
KERNEL = [[1, 2, 1], [0, 1, 0], [-1, 0, 2]]
STRIDE = 2

EVEN = 3
"""Side of a map of ones."""


def _grid(values: list[list[int]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def stamped(values: Tensor, kernel: Tensor, stride: int, count: int | None = None) -> Tensor:
    """By hand: the kernel (k, k), times each value of (H, W) in turn, added up where it lies.

    `count` stops after so many values, row by row.
    """
    side, size = len(values), len(kernel)
    sums = values.new_zeros([stride * (side - 1) + size] * 2)
    for row, column in list(product(range(side), repeat=2))[:count]:
        top, left = stride * row, stride * column
        sums[top : top + size, left : left + size] += values[row, column] * kernel
    return sums


def stamp(context: Context) -> Figure:
    """A slider over the values of a map; each adds its stamp to the output."""
    values, kernel = _grid(MAP), _grid(KERNEL)
    whole = stamped(values, kernel, STRIDE)
    limits = (-float(whole.abs().max()), float(whole.abs().max()))
    frames = []
    for index, (row, column) in enumerate(product(range(len(MAP)), repeat=2)):
        place = message("place", row=row, column=column, value=MAP[row][column])
        sums = stamped(values, kernel, STRIDE, index + 1)
        parts: dict[str, tuple[Tensor, tuple[int, int, int, int] | None]] = {
            "map": (values, (row, column, 1, 1)),
            "kernel": (kernel, None),
            "stamp": (values[row, column] * kernel, None),
            "output": (sums, (STRIDE * row, STRIDE * column, len(KERNEL), len(KERNEL))),
        }
        panels = []
        for name, (grid, framed) in parts.items():

            def draw(
                say: Say, name: str = name, grid: Tensor = grid,
                framed: tuple[int, int, int, int] | None = framed,
            ) -> str:  # fmt: skip
                title, numbers = say(f"panels.{name}"), grid.numpy()
                return kernel_grid(numbers, title=title, limits=limits, highlight=framed, cell=34)

            panels.append(Panel(draw, message(f"panels.{name}")))
        frames.append(Variant(place, panels))
    return Figure(
        alt=message("alt", results=whole.flatten().int().tolist()),
        variants=frames, legends=[Legend(message("legend"))], chosen=1, scrub=message("scrub"),
    )  # fmt: skip


def overlaps(context: Context) -> Figure:
    """A map of ones enlarged by kernels of ones: how many stamps lie on each pixel."""
    panels = []
    for size in (2, 3, 4):
        counts = _overlaps(size)

        def draw(say: Say, counts: Tensor = counts, size: int = size) -> str:
            title, numbers = say("panel", size=size), counts.numpy()
            return kernel_grid(numbers, title=title, palette="sequential", limits=(0, 4), cell=24)

        panels.append(Panel(draw, message("panel", size=size)))
    return Figure(alt=message("alt", side=EVEN), panels=panels)


def _overlaps(size: int) -> Tensor:
    return stamped(torch.ones(EVEN, EVEN), torch.ones(size, size), STRIDE)


def _inner(sums: Tensor) -> list[float]:
    """The different values of a map (S, S), without the margins, where fewer stamps lie."""
    return sorted(set(sums[2:-2, 2:-2].flatten().tolist()))


def _off_by() -> float:
    """The most that stamping differs from conv_transpose2d, over sizes and strides."""
    generator = torch.Generator().manual_seed(0)
    most = 0.0
    for size, stride in product((1, 2, 3, 4, 5), (1, 2, 3)):
        values = torch.randn(4, 4, generator=generator, dtype=torch.float64)
        kernel = torch.randn(size, size, generator=generator, dtype=torch.float64)
        torchs = F.conv_transpose2d(values[None, None], kernel[None, None], stride=stride)
        most = max(most, float((torchs[0, 0] - stamped(values, kernel, stride)).abs().max()))
    return most


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    values, kernel = _grid(MAP), _grid(KERNEL)
    whole = stamped(values, kernel, STRIDE)
    parts = [  # what each stamp brings to the pixel in the middle
        float(values[row, column] * kernel[2 - STRIDE * row, 2 - STRIDE * column])
        for row, column in product(range(2), repeat=2)
    ]
    uneven = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    return {
        "off_by": _off_by(),
        "side": len(whole),
        "middle": float(whole[2, 2]),
        "parts": parts,
        "written": "".join(f"{part:+.0f}" for part in parts).removeprefix("+"),
        "inner": {str(size): _inner(_overlaps(size)) for size in (2, 3, 4)},
        "uneven": _inner(stamped(torch.ones(4, 4), uneven, STRIDE)),
    }
