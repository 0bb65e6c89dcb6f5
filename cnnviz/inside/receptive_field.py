"""Which part of the input each unit of a layer can see.

Arithmetic after Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural
Networks" (Distill, 2019), and Dumoulin and Visin, "A guide to convolution arithmetic for deep
learning" (2016). Along each axis, unit i of a layer sees the input pixels

    jump · i + first  …  jump · i + last                                (both ends included)

and a layer with kernel k, stride s, padding p and dilation d on top of it has

    first' = first − p · jump
    last'  = last + (d (k − 1) − p) · jump
    jump'  = s · jump

Where branches meet, the union of what they see is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import fx, nn
from torchvision.models.feature_extraction import NodePathTracer

from cnnviz.errors import CnnvizError
from cnnviz.inside.recording import eval_mode

T = TypeVar("T")


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
        input_size: height and width of the network's input.
    """

    size: tuple[int, int]
    jump: tuple[int, int]
    start: tuple[float, float]
    units: tuple[int, int]
    input_size: tuple[int, int]

    def box(self, row: int, column: int, *, clip: bool = False) -> tuple[int, int, int, int]:
        """What unit (row, column) sees, as (top, left, bottom, right).

        `image[top:bottom, left:right]` is the field. Parts of it that lie in the padding have
        coordinates outside the input, or are left out with `clip`. Under dilation the unit does
        not see every pixel within.

        Raises:
            CnnvizError: the layer has no such unit.
        """
        if not (0 <= row < self.units[0] and 0 <= column < self.units[1]):
            raise CnnvizError(
                f"There is no unit ({row}, {column}) in a layer of {self.units[0]}×"
                f"{self.units[1]} units. Rows and columns count from 0."
            )
        (top, bottom), (left, right) = (
            self._interval(axis, index, clip) for axis, index in enumerate((row, column))
        )
        return top, left, bottom, right

    def _interval(self, axis: int, index: int, clip: bool) -> tuple[int, int]:
        begin = round(self.start[axis] - self.size[axis] / 2) + self.jump[axis] * index
        end = begin + self.size[axis]
        limit = self.input_size[axis]
        return (min(max(begin, 0), limit), max(min(end, limit), 0)) if clip else (begin, end)


def receptive_fields(model: nn.Module, input_size: tuple[int, int]) -> dict[str, ReceptiveField]:
    """The receptive field of every layer, by the names and in the order of `cnnviz.record`.

    Convolutions, pooling (also adaptive, where it divides evenly) and all that works on each
    position alone (activations, batch normalisation, dropout, sums, concatenation) are
    followed; flattening, a mean over positions and fully connected layers see what all units
    before them see. The model is not run.

    Args:
        model: any module that torch.fx can trace.
        input_size: height and width of its input, in pixels.

    Raises:
        CnnvizError: torch.fx cannot trace the model, or a layer has no receptive field of
            constant size that is known here.
    """
    tracer = NodePathTracer()
    with eval_mode(model):
        try:
            graph = tracer.trace(model)
        except Exception as error:  # whatever the model's code does with fx's stand-ins
            raise CnnvizError(
                f"Cannot follow {type(model).__name__} with torch.fx: {error} "
                "Receptive fields are known only for models whose path does not depend on data."
            ) from error
    modules = dict(model.named_modules())
    seen: dict[fx.Node, _Plane] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            height, width = input_size
            seen[node] = _Plane(_Axis.of_input(height), _Axis.of_input(width))
            continue
        before = [seen[source] for source in node.all_input_nodes if source in seen]
        if node.op == "output" or not before or _operation(node) in _NOT_TENSORS:
            continue
        name = tracer.node_to_qualname[node]
        seen[node] = _after(name, node, modules, _union(name, before))
    return {
        tracer.node_to_qualname[node]: plane.field(input_size)
        for node, plane in seen.items()
        if node.op != "placeholder"
    }


@dataclass(frozen=True)
class _Axis:
    """Unit i of `units` sees the pixels jump·i + first … jump·i + last of `pixels`."""

    first: int
    last: int
    jump: int
    units: int
    pixels: int

    @classmethod
    def of_input(cls, pixels: int) -> _Axis:
        return cls(0, 0, 1, pixels, pixels)

    def slide(
        self, kernel: int, stride: int, before: int, after: int, dilation: int, ceil: bool = False
    ) -> _Axis:
        """Under a window; `before` and `after` are the padding at either end."""
        reach = dilation * (kernel - 1)
        room = self.units + before + after - reach - 1
        units = room // stride + 1
        if ceil and room % stride and units * stride < self.units + before:
            units += 1  # a last window that begins inside may hang over the end
        return _Axis(
            self.first - before * self.jump,
            self.last + (reach - before) * self.jump,
            self.jump * stride,
            units,
            self.pixels,
        )

    def collapse(self) -> _Axis:
        """All units together, padding not counted."""
        last = self.last + self.jump * (self.units - 1)
        return _Axis(max(self.first, 0), min(last, self.pixels - 1), 0, 1, self.pixels)

    def merge(self, other: _Axis) -> _Axis | None:
        """What both see; None where their units do not correspond."""
        units = max(self.units, other.units)
        if self.jump != other.jump:
            if 0 not in (self.jump, other.jump):
                return None
            one, two = self.collapse(), other.collapse()  # one of them sees the same everywhere
            return _Axis(min(one.first, two.first), max(one.last, two.last), 0, units, self.pixels)
        first, last = min(self.first, other.first), max(self.last, other.last)
        return _Axis(first, last, self.jump, units, self.pixels)


@dataclass(frozen=True)
class _Plane:
    rows: _Axis
    columns: _Axis

    def field(self, input_size: tuple[int, int]) -> ReceptiveField:
        axes = (self.rows, self.columns)
        return ReceptiveField(
            size=_pair([axis.last - axis.first + 1 for axis in axes]),
            jump=_pair([axis.jump for axis in axes]),
            start=_pair([(axis.first + axis.last + 1) / 2 for axis in axes]),
            units=_pair([axis.units for axis in axes]),
            input_size=input_size,
        )

    def each(self, change: Callable[[_Axis, int], _Axis]) -> _Plane:
        return _Plane(change(self.rows, 0), change(self.columns, 1))


_NOT_TENSORS = {"size", "getattr", "dim"}
_ON_EACH_POSITION = {
    "add", "sub", "mul", "truediv", "div", "neg", "pow", "clamp", "cat", "clone", "contiguous",
    "batch_norm", "dropout", "dropout2d", "stochastic_depth", "softmax", "log_softmax",
    "relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus",
    "sigmoid", "tanh", "hardtanh", "hardsigmoid", "hardswish",
}  # fmt: skip
_COLLAPSING = {"flatten", "view", "reshape", "mean", "linear", "squeeze"}
_LAYERS_ON_EACH_POSITION = (nn.BatchNorm2d, nn.BatchNorm1d, nn.Identity)
_LAYERS_COLLAPSING = (nn.Flatten, nn.Linear)
# Parameters of the functional forms, in order, after the input.
_POOLING = {
    "max_pool2d": ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avg_pool2d": ("kernel_size", "stride", "padding", "ceil_mode"),
}


def _operation(node: fx.Node) -> str:
    target = node.target
    return (target if isinstance(target, str) else target.__name__).strip("_")


def _union(name: str, planes: Sequence[_Plane]) -> _Plane:
    """What a layer sees through several inputs."""
    merged = planes[0]
    for plane in planes[1:]:
        rows, columns = merged.rows.merge(plane.rows), merged.columns.merge(plane.columns)
        if rows is None or columns is None:
            raise CnnvizError(
                f"Layer '{name}' joins branches of different strides, so its units have no "
                "common receptive field. Ask for a model whose branches match."
            )
        merged = _Plane(rows, columns)
    return merged


def _after(name: str, node: fx.Node, modules: Mapping[str, nn.Module], plane: _Plane) -> _Plane:
    """What the layer `node` sees, given what its input sees."""
    if node.op == "call_module":
        layer = modules[str(node.target)]
        kind = type(layer).__name__
        on_each = isinstance(layer, _LAYERS_ON_EACH_POSITION) or _is_pointwise(layer)
        collapsing = isinstance(layer, _LAYERS_COLLAPSING)
        options = vars(layer)
    else:
        kind = _operation(node)
        on_each, collapsing = kind in _ON_EACH_POSITION, kind in _COLLAPSING
        options = dict(zip(_POOLING.get(kind, ("output_size",)), node.args[1:], strict=False))
        options |= node.kwargs
    if on_each:
        return plane
    if collapsing:
        return plane.each(lambda axis, _: axis.collapse())
    if kind in {"Conv2d", "MaxPool2d", "AvgPool2d", *_POOLING}:
        return plane.each(lambda axis, number: _window(axis, number, options))
    if kind.lower().replace("_", "") in {"adaptiveavgpool2d", "adaptivemaxpool2d"}:
        return plane.each(lambda axis, number: _adaptive(name, axis, number, options))
    raise CnnvizError(
        f"Layer '{name}' ({kind}) has no receptive field of constant size that is known here. "
        "Known are convolutions, pooling, layers that work on each position alone, and fully "
        "connected layers."
    )


def _is_pointwise(layer: nn.Module) -> bool:
    """Activation functions (softmax, too: over channels) and dropout."""
    home = type(layer).__module__
    return home.endswith(("nn.modules.activation", "nn.modules.dropout")) and not isinstance(
        layer, nn.MultiheadAttention
    )


def _window(axis: _Axis, number: int, options: Mapping[str, Any]) -> _Axis:
    """Convolution or pooling along one axis; `options` are named as PyTorch names them."""
    kernel = _along(options["kernel_size"], number)
    stride = _along(options.get("stride") or options["kernel_size"], number)
    dilation = _along(options.get("dilation", 1), number)
    padding = options.get("padding", 0)
    if padding == "same":
        total = dilation * (kernel - 1)
        before, after = total // 2, total - total // 2
    else:
        before = after = 0 if padding == "valid" else _along(padding, number)
    return axis.slide(kernel, stride, before, after, dilation, options.get("ceil_mode", False))


def _adaptive(name: str, axis: _Axis, number: int, options: Mapping[str, Any]) -> _Axis:
    """Adaptive pooling along one axis, which is plain pooling where it divides evenly."""
    wanted = _along(options["output_size"], number) or axis.units
    if axis.units % wanted:
        raise CnnvizError(
            f"Layer '{name}' pools {axis.units} units to {wanted}, in windows of different "
            f"sizes. Choose an input size that leaves a multiple of {wanted} units."
        )
    if wanted == 1:
        return axis.collapse()
    window = axis.units // wanted
    return axis.slide(window, window, 0, 0, 1)


def _along(value: Any, number: int) -> Any:
    """PyTorch's sizes are one number for both axes, or a pair."""
    return value[number if len(value) > 1 else 0] if isinstance(value, list | tuple) else value


def _pair(values: Sequence[T]) -> tuple[T, T]:
    first, second = values
    return first, second
