"""What every element of a tensor sees of the input, and how layers change it.

Of each element eight numbers are kept: the first row and column of the input that it sees, the
row and column behind the last, and the same four once more as they would be if the input went on
beyond its border. The ends have their sign turned, so that the smaller number is always the wider
view, and what two elements see together is the minimum. An element that sees nothing has infinity.

Elements along a dimension that see the same are kept once and expanded, which costs no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

TRUE = 4
"""How many of the bounds are those within the input; as many follow of the input without end."""

ROWS, COLUMNS = -2, -1


@dataclass(frozen=True)
class Seen:
    """Attributes:
    bounds: top, left, −bottom, −right within the input, then of the input without end; each
        in the shape of the tensor.
    jump: distance between what neighbouring elements see, along rows and columns, in pixels. It
        matters where a dimension has one element only.
    """

    bounds: tuple[Tensor, ...]
    jump: tuple[float, float]

    @property
    def shape(self) -> torch.Size:
        return self.bounds[0].shape

    def each(self, change: Callable[[Tensor], Tensor]) -> Seen:
        return Seen(tuple(change(bound) for bound in self.bounds), self.jump)

    def expand(self, shape: Sequence[int]) -> Seen:
        return self.each(lambda bound: bound.expand(tuple(shape)))


def pixels(shape: Sequence[int], rank: int = 2) -> Seen:
    """Of an input (…, H, W), or (…, W) if of `rank` 1, whose elements see themselves."""
    column = torch.arange(shape[-1], dtype=torch.float32)  # (W,)
    row = torch.arange(1 if rank == 1 else shape[-2], dtype=torch.float32)[:, None]  # (H, 1)
    return Seen((row, column, -row - 1, -column - 1) * 2, (1, 1)).expand(shape)


def nothing(shape: Sequence[int]) -> Seen:
    """Of a tensor that does not depend on the input."""
    return Seen((torch.tensor(inf).expand(tuple(shape)),) * 2 * TRUE, (0, 0))


def compact(bound: Tensor) -> Tensor:
    """A bound without its repetitions: one element along each dimension that was expanded."""
    return bound[tuple(slice(1 if step == 0 else None) for step in bound.stride())]


def together(parts: Sequence[Seen], shape: Sequence[int]) -> Seen:
    """What several tensors see, of which each is broadcast to `shape`."""
    if len(parts) == 1 and parts[0].shape == torch.Size(shape):
        return parts[0]
    bounds = []
    for several in zip(*(part.bounds for part in parts), strict=True):
        joint = compact(several[0])
        for other in several[1:]:
            joint = torch.minimum(joint, compact(other))
        bounds.append(joint.expand(tuple(shape)))
    rows, columns = zip(*(part.jump for part in parts), strict=True)
    return Seen(tuple(bounds), (max(rows), max(columns)))


def over(seen: Seen, dims: Sequence[int]) -> Seen:
    """What all elements along `dims` see together, each of which keeps one element.

    A view of several positions ends where the input does; elements that see the same, such as
    the channels of one position, are no positions.
    """
    if not seen.shape:
        return seen
    dims = [dim % len(seen.shape) for dim in dims]
    bounds = [compact(bound).amin(dims, keepdim=True) for bound in seen.bounds]
    jump = list(seen.jump)
    for number, bound in enumerate(seen.bounds[TRUE:]):
        if not torch.equal(compact(bound).amax(dims, keepdim=True), bounds[TRUE + number]):
            bounds[TRUE + number] = bounds[number]
            jump[number % 2] = 0
    kept = [1 if dim in dims else size for dim, size in enumerate(seen.shape)]
    return Seen(tuple(bound.expand(kept) for bound in bounds), (jump[0], jump[1]))


def everything(seen: Seen, shape: Sequence[int]) -> Seen:
    """Every element of a tensor of `shape` sees what all of these together see."""
    one = over(seen, range(len(seen.shape))).each(lambda bound: bound.reshape(()))
    return one.expand(shape)


@dataclass(frozen=True)
class Taps:
    """What the units of a layer take in along one dimension.

    Attributes:
        index: (units, taps) numbers of elements; numbers outside count as padding.
        used: (units, taps) False where there is no tap; None: there are all.
        inside: (units, taps) like `index` where padding repeats elements; None: it adds none.
        jump: by how much the distance of neighbouring units grows.
    """

    index: Tensor
    jump: float = 1
    used: Tensor | None = None
    inside: Tensor | None = None


def window(
    units: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Taps:
    """Which elements each unit of a convolution, or of pooling, takes in."""
    first = torch.arange(units)[:, None] * stride - padding  # (units, 1)
    return Taps(first + torch.arange(kernel) * dilation, jump=stride)


def spread(
    units: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Taps:
    """Units of a transposed convolution, which spreads what a convolution gathers."""
    place = torch.arange(units)[:, None] + padding - torch.arange(kernel) * dilation
    return Taps(place.div(stride, rounding_mode="floor"), 1 / stride, place % stride == 0)


def shares(units: int, elements: int) -> Taps:
    """Adaptive pooling: unit i takes in the i-th of `units` parts, which may overlap."""
    unit = torch.arange(units)[:, None]
    first, end = unit * elements // units, -((unit + 1) * elements // -units)
    index = first + torch.arange(int((end - first).max()))
    return Taps(index.minimum(end - 1), elements / units if units > 1 else 0)


def span(reached: Tensor) -> Taps:
    """Units that take in all between the first and the last True of `reached` (units, elements)."""
    units, elements = reached.shape
    first = reached.int().argmax(1)[:, None]
    last = elements - 1 - reached.flip(1).int().argmax(1)[:, None]
    index = first + torch.arange(int((last - first).max()) + 1)
    return Taps(index.minimum(last), elements / units)


def gather(seen: Seen, dim: int, taps: Taps) -> Seen:
    """What units see that take in elements along dimension `dim`, counted from the end."""
    elements = seen.shape[dim]
    place = taps.index if taps.inside is None else taps.inside
    used = torch.ones_like(place, dtype=torch.bool) if taps.used is None else taps.used
    real = used & (place >= 0) & (place < elements)
    bounds = []
    for number, bound in enumerate(seen.bounds):
        if number < TRUE:
            values = _picked(compact(bound), dim, place.clamp(0, elements - 1))
        else:
            values = _picked_beyond(seen, number, dim, taps.index)
        taken = real if number < TRUE else used
        if not taken.all():
            values = torch.where(_aligned(taken, dim), values, inf)
        bounds.append(values.amin(dim))
    jump = list(seen.jump)
    if dim in (ROWS, COLUMNS):
        jump[dim] *= taps.jump
        if taps.jump == 0:  # all positions: that view ends where the input does
            start, end = dim + 2, dim + 4
            bounds[TRUE + start], bounds[TRUE + end] = bounds[start], bounds[end]
    shape = list(seen.shape)
    shape[dim] = len(taps.index)
    return Seen(tuple(bound.expand(tuple(shape)) for bound in bounds), (jump[0], jump[1]))


def _aligned(table: Tensor, dim: int) -> Tensor:
    """(units, taps) as the dimensions dim − 1 and dim of a tensor."""
    return table.view(*table.shape, *[1] * (-dim - 1))


def _picked(values: Tensor, dim: int, index: Tensor) -> Tensor:
    """Values at `index` (units, taps), in place of dimension `dim`."""
    if values.shape[dim] == 1:
        return values.unsqueeze(dim)
    return values.index_select(dim, index.flatten()).unflatten(dim, index.shape)


def _picked_beyond(seen: Seen, number: int, dim: int, index: Tensor) -> Tensor:
    """The same of a bound that goes on at the distance that its neighbours have at the border."""
    values, elements = compact(seen.bounds[number]), seen.shape[dim]
    inside = index.clamp(0, elements - 1)
    picked, beyond = _picked(values, dim, inside), _aligned(index - inside, dim)
    if elements == 1:
        own = dim == (ROWS if number % 2 == 0 else COLUMNS)
        jump = seen.jump[number % 2] if own else 0
        return picked + beyond * (jump if number < TRUE + 2 else -jump)
    if values.shape[dim] == 1 or not beyond.any():
        return picked
    steps = values.diff(dim=dim).nan_to_num(0, 0, 0)  # of elements that see nothing: 0
    first, last = steps.narrow(dim, 0, 1), steps.narrow(dim, -1, 1)
    return picked + beyond * torch.where(beyond < 0, first.unsqueeze(dim), last.unsqueeze(dim))
