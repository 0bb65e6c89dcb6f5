"""Elements that only move to another place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cnnviz.inside.field_bounds import (
    TRUE,
    Seen,
    compact,
    everything,
    nothing,
    together,
)
from cnnviz.inside.field_operation import Operation, tensors

_FAR = 2**22  # whole numbers up to twice this are exact in 32 bits


def moved(operation: Operation, output: Tensor) -> Seen:
    """Elements in other places, found by moving the bounds in the same way.

    0 is what an operation fills in, so it stands for seeing nothing.
    """
    if operation.values.get("accumulate"):
        return seen_by_all(operation, output)
    data = [t for t in tensors(list(operation.values.values())) if t.is_floating_point()]
    whole = {id(t): operation.seen.get(id(t)) or nothing(t.shape) for t in data}
    if any(number not in whole for number in operation.seen):
        return seen_by_all(operation, output)  # where to is itself computed from the input
    bounds = []
    for number in range(2 * TRUE):
        moving = {name: _with(value, whole, number) for name, value in operation.values.items()}
        placed = next(tensors(operation.function(**moving)))
        bounds.append(torch.where(placed == 0, torch.inf, placed + _FAR))
    rows, columns = zip(*(seen.jump for seen in operation.seen.values()), strict=True)
    return Seen(tuple(bounds), (max(rows), max(columns)))


def _with(value: Any, whole: Mapping[int, Seen], number: int) -> Any:
    """An argument with bounds in place of tensors."""
    if isinstance(value, Tensor):
        if id(value) not in whole:
            return value.cpu()
        bound = whole[id(value)].bounds[number]
        return torch.where(bound.isinf(), 0, bound - _FAR)
    if isinstance(value, list | tuple):
        return [_with(item, whole, number) for item in value]
    return value


def joined(operation: Operation, output: Tensor) -> Seen:
    """Concatenation, along one dimension; the others stay as compact as they were."""
    given = [t for t in operation.values["tensors"] if t.numel()]
    dim = operation.values.get("dim", 0) % output.dim()
    parts = [operation.seen.get(id(t)) or nothing(t.shape) for t in given]
    bounds = []
    for several in zip(*(part.bounds for part in parts), strict=True):
        short = [compact(bound) for bound in several]
        sizes = [max(bound.shape[d] for bound in short) for d in range(output.dim())]
        pieces = []
        for bound, tensor in zip(short, given, strict=True):
            sizes[dim] = tensor.shape[dim]
            pieces.append(bound.expand(sizes))
        joined = torch.cat(pieces, dim)
        one = joined.narrow(dim, 0, 1)
        joined = one if bool((joined == one).all()) else joined
        bounds.append(joined.expand(output.shape))
    rows, columns = zip(*(part.jump for part in parts), strict=True)
    return Seen(tuple(bounds), (max(rows), max(columns)))


def seen_by_all(operation: Operation, output: Tensor) -> Seen:
    parts = [everything(seen, output.shape) for seen in operation.seen.values()]
    return together(parts, output.shape)
