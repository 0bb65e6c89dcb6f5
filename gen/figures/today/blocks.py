"""Blocks of later networks, drawn with the channels that torchvision gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import nn
from torchvision.models.mobilenetv2 import InvertedResidual

from cnnviz.drawing import svg
from cnnviz.figure.figure import Figure, Message, Panel, Say, message
from cnnviz.inside.costs import layer_costs
from cnnviz.numbers import thousands, times, whole_percent
from gen.context import Context
from gen.figures.published_nets import NETS, costs, on_meta

_WIDTH = 460.0
"""Of all drawings of this file, in pixels: a phone shows them whole."""

_TALL = 120.0
"""Height of the widest tensor of a chain."""


@dataclass(frozen=True)
class Step:
    """A layer of a block.

    Attributes:
        kernel: its side.
        channels: that it puts out.
        apart: does it look at each channel by itself?
        share: of the block's multiplications.
    """

    kernel: int
    channels: int
    apart: bool
    share: float


@dataclass(frozen=True)
class Chain:
    """A block whose layers follow one another: the channels that come in, and its layers."""

    channels: int
    steps: tuple[Step, ...]


_CHAINS = {
    "resnet50": ("layer1.1", "layer1.1.conv1"),
    "mobilenet": ("features.3", "features.3.conv.0.0"),
    "convnext": ("features.1.1", "features.1.1.block.0"),
    "vit": ("encoder.layers.encoder_layer_1.mlp", "encoder.layers.encoder_layer_1.mlp.0"),
}
"""Network → the block that is drawn, and its first layer."""


@cache
def chain(key: str) -> Chain:
    """A block of a network, as it is defined."""
    block, first = _CHAINS[key]
    modules = dict(on_meta(key).named_modules())
    layers = [
        (modules[name], costs(key)[name].multiplications)
        for name in costs(key)
        if name.startswith(f"{block}.") and isinstance(modules.get(name), nn.Conv2d | nn.Linear)
    ]
    whole = sum(multiplications for _, multiplications in layers)
    start = modules[first]
    incoming = start.in_channels if isinstance(start, nn.Conv2d) else start.in_features
    return Chain(incoming, tuple(_step(layer, own / whole) for layer, own in layers))


def _step(layer: nn.Module, share: float) -> Step:
    if isinstance(layer, nn.Linear):
        return Step(1, layer.out_features, False, share)
    assert isinstance(layer, nn.Conv2d)
    apart = layer.groups == layer.in_channels > 1
    return Step(layer.kernel_size[0], layer.out_channels, apart, share)


def inverted(context: Context) -> Figure:
    """The bottleneck of ResNet-50 and, the other way round, a block of MobileNetV2."""
    return _chains("resnet50", "mobilenet")


def convnext(context: Context) -> Figure:
    """A block of ConvNeXt above the part of a transformer's block that it has taken over."""
    return _chains("convnext", "vit")


def _chains(*keys: str) -> Figure:
    panels = []
    for key in keys:
        label = message(f"chains.panels.{key}")

        def draw(say: Say, key: str = key, label: Message = label) -> str:
            return _drawn_chain(chain(key), say(label), say)

        panels.append(Panel(draw, label))
    shapes = [(NETS[key].name, " → ".join(map(thousands, _widths(key)))) for key in keys]
    return Figure(alt=message("chains.alt", blocks=shapes), panels=panels, layout="column")


def _widths(key: str) -> list[int]:
    """Channels of all tensors in a chain."""
    return [chain(key).channels, *(step.channels for step in chain(key).steps)]


def _drawn_chain(block: Chain, title: str, say: Say) -> str:
    """Tensors as bars as high as they have channels, layers as what leads from one to the next."""
    widths = [block.channels, *(step.channels for step in block.steps)]
    unit, middle, first = _TALL / max(widths), 40 + _TALL / 2, 26.0
    gap = (_WIDTH - 88 - first) / len(block.steps)
    parts = []
    for index, step in enumerate(block.steps):
        left, right = first + index * gap + 5, first + (index + 1) * gap - 5
        ends = widths[index] * unit / 2, step.channels * unit / 2
        parts.append((_lines if step.apart else _funnel)(left, right, middle, ends))
        x, below = (left + right) / 2, middle + _TALL / 2 + 18
        name = say("chains.apart" if step.apart else "chains.mixing", kernel=step.kernel)
        share, muted = whole_percent(step.share), svg.var("muted")
        parts.append(svg.text(x, below, name, size=svg.NOTE_SIZE))
        parts.append(svg.text(x, below + 17, share, size=svg.NOTE_SIZE, fill=muted))
    for index, width in enumerate(widths):
        x, half = first + index * gap, width * unit / 2
        parts.append(_bar(x, middle - half, 2 * half, "1"))
        parts.append(_over(x, middle - half - 9, thousands(width)))
    end = first + len(block.steps) * gap
    parts.append(_skip(first, end + 34, middle))
    return svg.document(_WIDTH, middle + _TALL / 2 + 46, title, "".join(parts))


def _bar(x: float, top: float, tall: float, colour: str) -> str:
    return svg.element("rect", x=x - 4, y=top, width=8, height=tall, rx=2, fill=svg.var(colour))


def _over(x: float, y: float, number: str) -> str:
    """A number of channels on a ground of its own, so that a line behind it does not cross it."""
    return svg.text(x, y, number, size=svg.NOTE_SIZE, weight="bold")


def _funnel(left: float, right: float, middle: float, ends: tuple[float, float]) -> str:
    """A layer in which every channel out depends on every channel in."""
    near, far = ends
    corners = [(left, middle - near), (right, middle - far), (right, middle + far),
               (left, middle + near)]  # fmt: skip
    points = " ".join(f"{svg.coordinate(x)},{svg.coordinate(y)}" for x, y in corners)
    return svg.element("polygon", points=points, fill=svg.var("1"), fill_opacity=0.18)


def _lines(left: float, right: float, middle: float, ends: tuple[float, float]) -> str:
    """A layer that keeps channels apart: threads side by side, fewer than there are channels."""
    count = max(3, round(ends[0] / 4))
    heights = [middle + ends[0] * (2 * (i + 0.5) / count - 1) for i in range(count)]
    path = "".join(
        f"M{svg.coordinate(left)} {svg.coordinate(y)}H{svg.coordinate(right)}" for y in heights
    )
    return svg.element("path", d=path, fill="none", stroke=svg.var("1"), stroke_width=1.2)


def _skip(start: float, plus: float, middle: float) -> str:
    """The path around a block, from before its first layer to the sum behind its last."""
    path = (
        f"M{svg.coordinate(start - 16)} {middle}V12H{svg.coordinate(plus)}"
        f"V{svg.coordinate(middle - 15)}m-4-5 4 5 4-5"
        f"M{svg.coordinate(start - 24)} {middle}H{svg.coordinate(start - 6)}"
        f"M{svg.coordinate(plus - 28)} {middle}H{svg.coordinate(plus - 14)}"
        f"M{svg.coordinate(plus + 12)} {middle}h16m-5-4 5 4-5 4"
    )
    line = svg.element("path", d=path, fill="none", stroke=svg.var("2"), stroke_width=1.5)
    ring = svg.element("circle", cx=plus, cy=middle, r=12, fill="none", stroke=svg.var("fg"))
    return line + ring + svg.text(plus, middle, "+", size=16, weight="bold")


_MODULE = "inception3b"
"""The second of GoogLeNet's modules."""

_BRANCHES = ("branch1", "branch2", "branch3", "branch4")


@cache
def _branches() -> list[list[tuple[int, int]]]:
    """Of each branch its convolutions: side of the kernel, channels."""
    module = on_meta("googlenet").get_submodule(_MODULE)
    return [
        [(m.kernel_size[0], m.out_channels) for m in module.get_submodule(name).modules()
         if isinstance(m, nn.Conv2d)]
        for name in _BRANCHES
    ]  # fmt: skip


def _incoming() -> int:
    first = on_meta("googlenet").get_submodule(f"{_MODULE}.branch1.conv")
    assert isinstance(first, nn.Conv2d)
    return first.in_channels


def inception(context: Context) -> Figure:
    """A module of GoogLeNet: four branches side by side, and what they make in one stack."""

    def draw(say: Say) -> str:
        return _drawn_branches(_incoming(), _branches(), say)

    out = [branch[-1][1] for branch in _branches()]
    alt = message("alt", incoming=_incoming(), out=out, whole=sum(out))
    return Figure(alt=alt, panels=[Panel(draw)])


def _drawn_branches(incoming: int, branches: Sequence[Sequence[tuple[int, int]]], say: Say) -> str:
    """One row a branch; at the right all their outputs as one tensor."""
    unit, top, row = 0.3, 14.0, 60.0
    height = row * len(branches)
    total = sum(branch[-1][1] for branch in branches)
    middle, start, last = top + height / 2, 34.0, 372.0
    joined = middle - total * unit / 2
    parts = [
        _bar(start, middle - incoming * unit / 2, incoming * unit, "6"),
        _over(start, middle - incoming * unit / 2 - 10, str(incoming)),
        _over(last + 40, joined - 10, str(total)),
    ]
    for index, branch in enumerate(branches):
        y, colour = top + row * (index + 0.5), str(index + 1)
        pooled = len(branch) == 1 and index == len(branches) - 1
        xs = [230.0] if len(branch) == 1 else [150.0, 290.0]
        if pooled:
            parts.append(svg.text(150, y, say("pooling"), size=svg.NOTE_SIZE))
            xs = [290.0]
            parts.append(_thread(194, y, 228, y))
        parts.append(_thread(start + 6, middle, xs[0] - (190 if pooled else 62), y))
        for x, (kernel, channels) in zip(xs, branch, strict=True):
            tall = channels * unit
            parts.append(_bar(x, y - tall / 2, tall, colour))
            parts.append(
                svg.text(x - 12, y - 8, times((kernel, kernel)), anchor="end", size=svg.NOTE_SIZE)
            )
            parts.append(svg.text(x - 12, y + 9, str(channels), anchor="end", size=svg.NOTE_SIZE,
                                  fill=svg.var("muted")))  # fmt: skip
        if len(xs) > 1:
            parts.append(_thread(xs[0] + 6, y, xs[1] - 62, y))
        tall = branch[-1][1] * unit
        parts.append(_thread(xs[-1] + 6, y, last + 32, joined + tall / 2, colour))
        parts.append(_bar(last + 40, joined, tall, colour))
        joined += tall
    return svg.document(_WIDTH, top + height + 6, say("title"), "".join(parts))


def _thread(x1: float, y1: float, x2: float, y2: float, colour: str = "muted") -> str:
    bend = (x1 + x2) / 2
    numbers = [svg.coordinate(n) for n in (x1, y1, bend, y1, bend, y2, x2, y2)]
    path = "M{} {}C{} {} {} {} {} {}".format(*numbers)
    return svg.element("path", d=path, fill="none", stroke=svg.var(colour), stroke_width=1.5)


@cache
def _dense() -> tuple[int, int, int]:
    """Of DenseNet's first block: channels that come in, channels a layer adds, layers."""
    block = on_meta("densenet").get_submodule("features.denseblock1")
    layers = [m for name, m in block.named_modules() if name.endswith("conv2")]
    first = block.get_submodule("denselayer1.conv1")
    assert isinstance(first, nn.Conv2d)
    assert isinstance(layers[0], nn.Conv2d)
    return first.in_channels, layers[0].out_channels, len(layers)


def dense(context: Context) -> Figure:
    """What each layer of a dense block reads: all that was there before, side by side."""
    start, growth, layers = _dense()

    def draw(say: Say) -> str:
        return _drawn_stack(start, growth, layers, say)

    alt = message("alt", start=start, growth=growth, layers=layers, end=start + layers * growth)
    return Figure(alt=alt, panels=[Panel(draw)])


def _drawn_stack(start: int, growth: int, layers: int, say: Say) -> str:
    """A row for each layer: its input in pieces, each in the colour of the layer that made it."""
    left, row, top = 86.0, 30.0, 8.0
    unit = (_WIDTH - left - 58) / (start + layers * growth)
    parts = []
    for index in range(layers + 1):
        y = top + row * index
        name = say("layer", number=index + 1) if index < layers else say("out")
        parts.append(svg.text(left - 10, y + 11, name, anchor="end", size=svg.NOTE_SIZE))
        x = left
        for piece in range(index + 1):
            wide = (growth if piece else start) * unit
            parts.append(
                svg.element("rect", x=x, y=y, width=wide - 1.5, height=22, rx=2,
                            fill=svg.var(str(piece % 6 + 1) if piece else "muted"),
                            fill_opacity=0.85 if piece in (0, index) else 0.5)
            )  # fmt: skip
            x += wide
        whole = str(start + index * growth)
        parts.append(svg.text(x + 6, y + 11, whole, anchor="start", size=svg.NOTE_SIZE))
    return svg.document(_WIDTH, top + row * (layers + 1), say("title"), "".join(parts))


def _multiplications(model: nn.Module, image: tuple[int, int, int]) -> int:
    return sum(cost.multiplications for cost in layer_costs(model, image).values())


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    result: dict[str, Any] = {"chains": {}}
    for key in _CHAINS:
        result["chains"][key] = {
            "widths": _widths(key),
            "shares": [step.share for step in chain(key).steps],
        }
    start, growth, layers = _dense()
    result["dense"] = {"start": start, "growth": growth, "layers": layers}
    result["inception"] = _inception_numbers()
    result["inverted"] = _inverted_numbers()
    return result


def _inception_numbers() -> dict[str, Any]:
    """A module's multiplications, and those of one without its 1×1 convolutions before 3×3."""
    incoming, branches = _incoming(), _branches()
    own = [c for name, c in costs("googlenet").items() if name.startswith(f"{_MODULE}.")]
    positions = own[0].shape[1] * own[0].shape[2]
    with_them = sum(cost.multiplications for cost in own)
    without = sum(incoming * branch[-1][0] ** 2 * branch[-1][1] * positions for branch in branches)
    return {
        "incoming": incoming,
        "out": sum(branch[-1][1] for branch in branches),
        "narrow": [branch[0][1] for branch in branches if len(branch) > 1],
        "saved": without / with_them,
    }


def _inverted_numbers() -> dict[str, Any]:
    """A block of MobileNetV2, and the same with an ordinary convolution in its middle."""
    channels, wide, *_ = chain("mobilenet").channels, chain("mobilenet").steps[0].channels
    side = costs("mobilenet")["features.3.conv.0.0"].shape[1]
    image = (channels, side, side)
    with torch.device("meta"):
        block = InvertedResidual(channels, channels, 1, wide // channels).eval()
        plain = InvertedResidual(channels, channels, 1, wide // channels).eval()
        plain.conv[1][0] = nn.Conv2d(wide, wide, 3, padding=1, bias=False)
    return {
        "channels": channels,
        "wide": wide,
        "side": side,
        "layer_saved": wide,
        "block_saved": _multiplications(plain, image) / _multiplications(block, image),
        "separable_saved": 9 * wide / (9 + wide),
    }
