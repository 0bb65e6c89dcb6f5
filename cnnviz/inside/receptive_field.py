"""Which part of the input each unit of a layer can see.

One forward pass is followed, and of every element of every tensor is known which rows and columns
of the input it depends on (`cnnviz.inside.field_bounds`). So the boxes are exact at borders and
gaps, too, and for layers whose units see windows of different sizes.

For the units of a convolutional layer that see no border there is the arithmetic of Araujo, Norris
and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill, 2019), and Dumoulin
and Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.inside.field_bounds import TRUE, Seen, compact, pixels
from cnnviz.inside.field_following import Following
from cnnviz.inside.field_memory import Memory
from cnnviz.inside.field_watching import FieldWatch, failure
from cnnviz.inside.inputs import Inputs
from cnnviz.inside.naming import tensors_in

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of the units of one layer; pairs are (vertical, horizontal).

    Pixel i reaches from i to i + 1, so the centre of the first pixel is 0.5.

    Attributes:
        size: height and width of what one unit sees, in pixels.
        jump: distance between the fields of neighbouring units, in pixels; 0 where all units
            see the same, as in a fully connected layer.
        start: centre of the field of unit (0, 0), in pixels; can lie outside the input.
        units: height and width of the layer's output; (1, 1) after flattening.
        input_size: height and width of the network's input; a sequence has height 1.

    Where units of a layer see windows of different sizes (uneven adaptive pooling, transposed
    convolution, circular padding), `size` is that of the largest, `jump` is 0 unless neighbours
    are everywhere the same distance apart, and the boxes are what counts.
    """

    size: tuple[int, int]
    jump: tuple[int, int]
    start: tuple[float, float]
    units: tuple[int, int]
    input_size: tuple[int, int]
    _seen: tuple[_Ends, _Ends] | None = field(default=None, repr=False, compare=False)

    def box(self, row: int, column: int, *, clip: bool = False) -> tuple[int, int, int, int]:
        """What unit (row, column) sees, as (top, left, bottom, right).

        `image[top:bottom, left:right]` is the field. Parts of it that lie in the padding have
        coordinates outside the input, or are left out with `clip`, which gives exactly what the
        unit sees; (0, 0, 0, 0) if that is nothing. Under dilation the unit does not see every
        pixel within.

        Raises:
            CnnvizError: the layer has no such unit.
        """
        if not (0 <= row < self.units[0] and 0 <= column < self.units[1]):
            raise CnnvizError(
                f"There is no unit ({row}, {column}) in a layer of {self.units[0]}×"
                f"{self.units[1]} units. Rows and columns count from 0."
            )
        (top, bottom), (left, right) = (
            self._interval(axis, (row, column), clip) for axis in (0, 1)
        )
        return top, left, bottom, right

    def _interval(self, axis: int, unit: tuple[int, int], clip: bool) -> tuple[int, int]:
        ends = None if self._seen is None else self._seen[axis]
        if ends is not None and (clip or not ends.even):
            return int(ends.begin[unit]), int(ends.end[unit])
        begin = round(self.start[axis] - self.size[axis] / 2) + self.jump[axis] * unit[axis]
        end = begin + self.size[axis]
        limit = self.input_size[axis]
        return (min(max(begin, 0), limit), max(min(end, limit), 0)) if clip else (begin, end)


@dataclass(frozen=True)
class _Ends:
    """Where the fields begin and end along one axis, (rows, columns) of units; clipped.

    Attributes:
        even: they are windows of one size, equally far apart, that may reach over the border.
    """

    begin: Whole
    end: Whole
    even: bool


class ReceptiveFields(dict[str, ReceptiveField]):
    """Receptive field by name of the layer, in order of execution.

    Attributes:
        unknown: why the other layers have none, by name.
        unlisted: fields of what containers such as "layer1" put out, and of operations inside
            a convolution of a class of the user's.

    `fields[name]` of one that has none raises a CnnvizError that says why. Those that are
    unlisted can be asked for like layers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unknown: dict[str, str] = {}
        self.unlisted: dict[str, ReceptiveField] = {}

    def __missing__(self, name: str) -> ReceptiveField:
        if name in self.unlisted:
            return self.unlisted[name]
        if name in self.unknown:
            raise CnnvizError(f"Layer '{name}' has no receptive field: {self.unknown[name]}.")
        raise unknown_name("layer", name, [*self, *self.unknown, *self.unlisted])


def receptive_fields(
    model: nn.Module, input_size: Sequence[int] | Inputs, *, gates: bool = True
) -> ReceptiveFields:
    """The receptive field of every layer, by the names and in the order of `cnnviz.record`.

    The model runs once, on black unless an input is given, in eval mode and without gradients.
    Units are the elements of the last two dimensions of a layer's output, or of the two that are
    maps where channels come last; a vector (N, F) is one unit. Of several channels, which can see
    different things, it is what they see together.

    A layer that does what is not known here costs its own field and that of the layers behind it.
    A choice that the model makes by the values of its input (`if x.sum() > 0`) does not count.

    Args:
        model: any module.
        input_size: (H, W) of the input, in pixels; of a sequence, (W,).
            Or the input itself, where size does not say enough: a tensor (N, C, H, W), a tuple of
            arguments, or a dict of keyword arguments. In it all tensors of three dimensions and
            more are images.
        gates: False leaves out what maps get as one number for a whole channel: the factors of
            squeeze and excitation, the mean and variance of a normalisation over positions.
            Behind them every unit truly sees the whole image, which says little of where it looks.

    Raises:
        CnnvizError: the model cannot run on an input of this size, or does nothing but enlarge
            and normalise; or, when it is asked for, a layer's field is not known.
    """
    if isinstance(input_size, Tensor | Mapping) or not all(isinstance(n, int) for n in input_size):
        return _follow(model, input_size, gates)
    error = None
    for shape in _shapes(model, input_size):
        try:
            return _follow(model, _black(model, shape), gates)
        except CnnvizError as failed:
            error = error or failed
    assert error is not None
    raise error


def _shapes(model: nn.Module, size: Sequence[int]) -> list[tuple[int, ...]]:
    """Shapes of an input to try, without the batch."""
    convolutions = [m for m in model.modules() if isinstance(m, nn.modules.conv._ConvNd)]
    rank = len(convolutions[0].kernel_size) if convolutions else 2
    if len(size) != rank or min(size, default=0) < 1:
        raise CnnvizError(
            f"An input of size {tuple(size)} was asked for; expected height and width in pixels, "
            "(H, W), or the input itself, (N, C, H, W)."
            if rank == 2
            else f"An input of size {tuple(size)} was asked for, but {type(model).__name__} has "
            f"{rank}-dimensional convolutions; expected {rank} sizes, or the input itself."
        )
    channels = [m.in_channels for m in convolutions if m.in_channels]  # 0: not yet known
    return [(count, *size) for count in dict.fromkeys((*channels[:1], 3, 1, *channels))]


def _black(model: nn.Module, shape: Sequence[int]) -> Tensor:
    for some in (*model.parameters(), *model.buffers()):
        if some.is_floating_point():
            return torch.zeros(1, *shape, device=some.device, dtype=some.dtype)
    return torch.zeros(1, *shape)


def _follow(model: nn.Module, inputs: Inputs, gates: bool) -> ReceptiveFields:
    rank, memory, sizes = _rank(model), Memory(), []

    def mark(given: Inputs) -> None:
        for _, image in tensors_in(given):
            if image.dim() > 2:
                memory.write(image, pixels(image.shape, rank))
                sizes.append((1 if rank == 1 else image.shape[-2], image.shape[-1]))
        if not sizes:
            raise CnnvizError("There is no image, of three dimensions or more, in the input.")

    following = Following(memory, gates=gates)
    watching = FieldWatch(model, following, mark)
    try:
        with following:
            watching.run(inputs)
    except CnnvizError:
        raise
    except Exception as error:  # whatever the model's code does
        raise failure(model, sizes[0] if sizes else (0, 0), error) from error
    if not following.gathers:
        raise CnnvizError(
            f"{type(model).__name__} does nothing but enlarge or normalise, so there are no "
            "receptive fields to tell. Ask for a model with convolutions or pooling."
        )
    heights, widths = zip(*sizes, strict=True)
    return _fields(watching, (max(heights), max(widths)))


def _fields(watching: FieldWatch, input_size: tuple[int, int]) -> ReceptiveFields:
    fields = ReceptiveFields()
    fields.unknown = watching.unknown
    same: dict[int, ReceptiveField | None] = {}
    for name, (seen, listed) in watching.seen.items():
        if id(seen) not in same:
            same[id(seen)] = _field(seen, input_size)
        field = same[id(seen)]
        if field is not None:
            (fields if listed else fields.unlisted)[name] = field
        elif listed:
            fields.unknown[name] = "it does not depend on the input"
    return fields


def _rank(model: nn.Module) -> int:
    """Of how many dimensions images are: 1 if the first convolution slides along a sequence."""
    ranks = (len(m.kernel_size) for m in model.modules() if isinstance(m, nn.modules.conv._ConvNd))
    return next(ranks, 2)


def _field(seen: Seen, input_size: tuple[int, int]) -> ReceptiveField | None:
    """What the units of a layer see, all channels together; None if nothing at all."""
    dims = _unit_dims(seen)
    others = [dim for dim in range(len(seen.shape)) if dim not in dims]
    units = (seen.shape[dims[0]], seen.shape[dims[1]]) if dims else (1, 1)
    bounds = []
    for bound in seen.bounds:
        together = compact(bound).amin(others, keepdim=True) if others else compact(bound)
        bounds.append(together.reshape([together.shape[dim] for dim in dims] or (1, 1)))
    blind = torch.stack([bound.expand(units) for bound in bounds[:TRUE]]).isinf().any(0)
    if blind.all():
        return None
    lines = [
        _line(bounds[axis::2], axis, units, seen.jump[axis] if dims else 0, blind)
        for axis in (0, 1)
    ]
    size, jump, start, ends = zip(*lines, strict=True)
    return ReceptiveField(size, jump, start, units, input_size, ends)


def _unit_dims(seen: Seen) -> list[int]:
    """The dimensions of maps: the last two, unless only those before them look at places."""
    rank = len(seen.shape)
    if rank < 3:
        return []
    top, left = (compact(bound).shape for bound in seen.bounds[:2])
    if rank == 4 and top[1] > 1 and left[2] > 1 and top[2] == top[3] == left[1] == left[3] == 1:
        return [1, 2]
    return [rank - 2, rank - 1]


def _line(
    bounds: Sequence[Tensor], axis: int, units: tuple[int, int], jump: float, blind: Tensor
) -> tuple[int, int, float, _Ends]:
    """Size, jump, start and exact ends of the fields along one axis."""
    begin, end, begin_beyond, end_beyond = (bound.expand(units) for bound in bounds)
    begin, end = begin.masked_fill(blind, 0), -end.masked_fill(blind, 0)
    sizes, firsts = -end_beyond - begin_beyond, begin_beyond.movedim(axis, 0)
    steps = firsts.diff(dim=0)
    if units[axis] > 1:
        jump = float(steps[0, 0])
    even = _all_equal(sizes) and bool((steps == jump).all() and (firsts == firsts[:, :1]).all())
    if even and jump > 0:
        size, start = int(sizes[0, 0]), float(firsts[0, 0] + sizes[0, 0] / 2)
    else:
        size, start, jump = int((end - begin).max()), float(begin[0, 0] + end[0, 0]) / 2, 0
        even = _all_equal(begin) and _all_equal(end)
    ends = _Ends(begin.long().numpy(), end.long().numpy(), even)
    return size, round(jump), start, ends


def _all_equal(values: Tensor) -> bool:
    return bool((values == values[0, 0]).all())
