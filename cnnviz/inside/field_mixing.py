"""What elements see that take in many others: products of matrices, attention, normalisation."""

from __future__ import annotations

from torch import Tensor

from cnnviz.inside.field_bounds import (
    Seen,
    compact,
    over,
    together,
)
from cnnviz.inside.field_operation import Operation


def product(operation: Operation, output: Tensor) -> Seen:
    """Rows of one matrix with columns of another, and what is added to them."""
    values = list(operation.values.values())
    matrices = [value for value in values if isinstance(value, Tensor)]
    *added, left, right = matrices
    parts = []
    for tensor, dim in ((left, -1), (right, -2 if right.dim() > 1 else -1)):
        if (seen := operation.seen.get(id(tensor))) is not None:
            joint = over(seen, [dim])
            if left.dim() > 1 and right.dim() == 1:  # a vector has no columns
                joint = joint.each(lambda bound: bound.squeeze(-1))
            parts.append(joint)
    parts += [operation.seen[id(t)] for t in added if id(t) in operation.seen]
    return together(parts, output.shape)


def attention(operation: Operation, output: Tensor) -> Seen:
    """Each token sees itself and all of those that it looks at."""
    query = over(operation.of("query"), [-1])
    key = over(operation.of("key"), [-2, -1])
    return together([query, key, over(operation.of("value"), [-2])], output.shape)


def recurrent(operation: Operation, output: Tensor) -> Seen:
    """Along time (T, N, F): what has come so far, from the end if reversed."""
    seen = over(operation.of("input"), [2])
    backwards = bool(operation.values["reverse"])

    def so_far(bound: Tensor) -> Tensor:
        ordered = bound.flip(0) if backwards else bound
        ordered = ordered.cummin(0).values
        return ordered.flip(0) if backwards else ordered

    return seen.each(so_far).expand(output.shape)


def batch_norm(operation: Operation, output: Tensor) -> Seen:
    """With statistics of its own, or of all positions of what comes in."""
    seen = operation.of("input")
    if not operation.values.get("training", True) or not operation.gates:
        return seen
    return over(seen, [dim for dim in range(output.dim()) if dim != 1]).expand(output.shape)


def layer_norm(operation: Operation, output: Tensor) -> Seen:
    seen, rank = operation.of("input"), len(operation.values["normalized_shape"])
    if rank > 1 and not operation.gates:
        return seen
    return over(seen, range(-rank, 0)).expand(output.shape)


def group_norm(operation: Operation, output: Tensor) -> Seen:
    seen = operation.of("input")
    if not operation.gates:
        return seen
    groups = operation.values["group"]

    def grouped(bound: Tensor) -> Tensor:
        values = compact(bound)
        if values.shape[1] > 1:
            values = values.unflatten(1, (groups, -1)).amin(2)  # (N, groups, …)
            values = values.repeat_interleave(bound.shape[1] // groups, 1)
        return values.expand(bound.shape)

    mixed = seen.each(grouped)
    return over(mixed, range(2, output.dim())).expand(output.shape)
