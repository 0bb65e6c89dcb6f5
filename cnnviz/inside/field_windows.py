"""What units see through windows: convolution, pooling, interpolation, padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cnnviz.inside.field_bounds import (
    Seen,
    Taps,
    compact,
    everything,
    gather,
    shares,
    span,
    spread,
    together,
    window,
)
from cnnviz.inside.field_operation import Operation


def along(value: Sequence[int], axis: int) -> int:
    """Sizes are given for each dimension, or one for all."""
    return value[axis if len(value) > 1 else 0]


def convolved(operation: Operation, output: Tensor) -> Seen:
    values = operation.values
    kernel, groups = values["weight"].shape[2:], values["groups"]
    channels = output.shape[1]
    seen = operation.of("input").each(lambda bound: _grouped(bound, groups, channels))
    make = spread if values["transposed"] else window
    for axis, size in enumerate(kernel):
        options = {name: along(values[name], axis) for name in ("stride", "padding", "dilation")}
        seen = gather(seen, axis - len(kernel), make(output.shape[2 + axis], size, **options))
    parts = [seen.expand(output.shape)]
    if operation.depends("weight", "bias"):  # a filter that the network computes
        others = [name for name in ("weight", "bias") if operation.depends(name)]
        parts += [everything(operation.of(name), output.shape) for name in others]
    return together(parts, output.shape)


def _grouped(bound: Tensor, groups: int, channels: int) -> Tensor:
    """What output channels see, (N, channels, …), of the input channels of their group."""
    values = compact(bound)
    shape = bound.shape[0], channels, *bound.shape[2:]
    if values.shape[1] > 1:
        values = values.unflatten(1, (groups, -1)).amin(2)  # (N, groups, …)
        values = values.repeat_interleave(channels // groups, 1) if groups > 1 else values
    return values.expand(shape)


def pooled(operation: Operation, output: Tensor) -> Seen:
    values, seen = operation.values, operation.first()
    rank = len(values["kernel_size"]) if len(values["kernel_size"]) > 1 else _rank(operation)
    for axis in range(rank):
        kernel = along(values["kernel_size"], axis)
        taps = window(
            output.shape[axis - rank],
            kernel,
            stride=along(values["stride"] or [kernel], axis),
            padding=along(values["padding"], axis),
            dilation=along(values.get("dilation") or [1], axis),
        )
        seen = gather(seen, axis - rank, taps)
    return seen.expand(output.shape)


def _rank(operation: Operation) -> int:
    """How many dimensions an operation works along: 2 of "avg_pool2d"."""
    return next(rank for rank in (1, 2, 3) if f"{rank}d" in operation.name)


def adaptive(operation: Operation, output: Tensor) -> Seen:
    seen, rank = operation.first(), _rank(operation)
    for dim in range(-rank, 0):
        if seen.shape[dim] != output.shape[dim]:
            seen = gather(seen, dim, shares(output.shape[dim], seen.shape[dim]))
    return seen.expand(output.shape)


def resized(operation: Operation, output: Tensor) -> Seen:
    """Interpolation, whose taps are found by asking the operation itself."""
    seen, rank = operation.first(), _rank(operation)
    for axis in range(rank):
        dim = axis - rank
        size, units = seen.shape[dim], output.shape[dim]
        shape = [1, size, *[1] * rank]
        shape[2 + axis] = size
        probes = torch.zeros(size, size).fill_diagonal_(torch.nan).view(shape)  # one an element
        answers = operation.function(probes, **_options_along(operation, axis, rank, units))
        reached = answers.isnan().reshape(size, units).T  # (units, elements)
        seen = gather(seen, dim, span(reached))
    return seen


def _options_along(operation: Operation, axis: int, rank: int, units: int) -> dict[str, Any]:
    """Arguments of an interpolation that changes one dimension only."""
    options = dict(list(operation.values.items())[1:])
    own = ("scales",) if rank == 1 else (f"scales_{'dhw'[3 - rank + axis]}",)
    for name in options:
        if name.startswith("scales") and name not in own:
            options[name] = None
    options["output_size"] = [units if other == axis else 1 for other in range(rank)]
    return options


def padded(operation: Operation, output: Tensor) -> Seen:
    values, seen = operation.values, operation.first()
    pads = values["pad"] if "pad" in values else values["padding"]
    for pair in range(len(pads) // 2):
        dim, (before, after) = -1 - pair, pads[2 * pair : 2 * pair + 2]
        if before or after:
            seen = gather(seen, dim, _border(operation.name, seen.shape[dim], before, after))
    return seen.expand(output.shape)


def _border(name: str, elements: int, before: int, after: int) -> Taps:
    index = torch.arange(-before, elements + after)[:, None]
    if name.startswith("reflection"):
        inside = (index.abs() - (elements - 1)).abs().neg() + (elements - 1)
    elif name.startswith("replication"):
        inside = index.clamp(0, elements - 1)
    else:
        inside = None
    return Taps(index, inside=inside)


def only_enlarges(operation: Operation) -> bool:
    """Whether it gives pixels to several units each, or sets maps to a common scale, no more."""
    if operation.name == "convolution" and operation.values["transposed"]:
        kernel = operation.values["weight"].shape[2:]
        strides = [along(operation.values["stride"], axis) for axis in range(len(kernel))]
        return all(size <= stride for size, stride in zip(kernel, strides, strict=True))
    return operation.name.startswith(("upsample_nearest", "native_group_norm"))
