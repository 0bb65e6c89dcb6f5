"""Figures of the chapter "From LeNet to ResNet": the shapes, the costs and the fields of four nets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import nn
from torchvision import models as torchvision_models

from cnnviz.drawing import charts
from cnnviz.drawing.diagrams import tensor_blocks
from cnnviz.figure.figure import Figure, Legend, Panel, Say, Variant, message
from cnnviz.inside.costs import Cost, layer_costs
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.nets.models import LeNet
from cnnviz.numbers import times, whole_percent
from gen.context import Context

SIDE = 224
"""Height and width of the images of the three later networks."""

_VGG = {"block 1": 4, "block 2": 9, "block 3": 16, "block 4": 23, "block 5": 30}
"""The stages of VGG-16 end in pooling: index of that layer in `features`."""


@dataclass(frozen=True)
class _Net:
    """A network of the chapter.

    Attributes:
        name: as people write it.
        year: of its paper.
        model: on the meta device: shapes without numbers.
        image: shape of its input.
        blocks: what is drawn of it: label → layer whose output it is.
        stages: label → the beginnings of the names of the layers that belong to it.
    """

    name: str
    year: int
    model: nn.Module
    image: tuple[int, int, int]
    blocks: Mapping[str, str]
    stages: Mapping[str, tuple[str, ...]]


@cache
def _nets() -> dict[str, _Net]:
    with torch.device("meta"):
        lenet, alexnet = LeNet(), torchvision_models.alexnet()
        vgg, resnet = torchvision_models.vgg16(), torchvision_models.resnet18()
    image = (3, SIDE, SIDE)
    layers = ("conv1", "conv2", "fc1", "fc2", "output")
    alex = {f"conv{i}": f"features.{n}" for i, n in enumerate((0, 3, 6, 8, 10), 1)}
    alex |= {f"fc{i}": f"classifier.{n}" for i, n in zip((1, 2, 3), (1, 4, 6), strict=True)}
    # A stage of VGG is drawn before its pooling, which ends it.
    blocks = {name: f"features.{last - 1}" for name, last in _VGG.items()}
    fully = {f"fc{i}": f"classifier.{n}" for i, n in zip((1, 2, 3), (0, 3, 6), strict=True)}
    starts = [0, *(last + 1 for last in _VGG.values())]
    stages = {
        name: tuple(f"features.{n}" for n in range(first, last + 1))
        for first, (name, last) in zip(starts, _VGG.items(), strict=False)
    }
    res = {"conv1": "conv1", **{f"layer{i}": f"layer{i}" for i in range(1, 5)}, "fc": "fc"}
    return {
        "lenet": _Net(
            "LeNet",
            1998,
            lenet,
            (1, 28, 28),
            {layer: layer for layer in layers},
            {layer: (layer,) for layer in layers},
        ),
        "alexnet": _Net(
            "AlexNet", 2012, alexnet, image, alex, {name: (layer,) for name, layer in alex.items()}
        ),
        "vgg": _Net(
            "VGG-16",
            2014,
            vgg,
            image,
            {**blocks, "fc1, 2": fully["fc2"], "fc3": fully["fc3"]},
            stages | {name: (layer,) for name, layer in fully.items()},
        ),
        "resnet": _Net(
            "ResNet-18",
            2015,
            resnet,
            image,
            {"conv1": "relu", **{f"layer{i}": f"layer{i}.1.relu_1" for i in range(1, 5)},
             "mean": "avgpool", "fc": "fc"},
            {name: (layer, "bn1") if name == "conv1" else (layer,) for name, layer in res.items()},
        ),
    }  # fmt: skip


@cache
def _costs(key: str) -> dict[str, Cost]:
    net = _nets()[key]
    return layer_costs(net.model, net.image)


_PIXEL = 130 / SIDE
"""On all drawings of blocks, in pixels: one of height or width …"""
_CHANNEL = 60 / 512
"""… and one channel."""


def _blocks(key: str) -> Figure:
    """The outputs of one network to scale."""
    net, costs = _nets()[key], _costs(key)
    blocks: list[tuple[str, tuple[int, ...]]] = [("input", net.image)]
    blocks += [(label, costs[layer].shape) for label, layer in net.blocks.items()]
    shapes = [times(shape) for _, shape in blocks]

    def draw(say: Say) -> str:
        return tensor_blocks(
            blocks,
            title=say("blocks.title", net=net.name),
            height=_PIXEL * net.image[1],
            channel=_CHANNEL,
        )

    return Figure(alt=message("blocks.alt", net=net.name, shapes=shapes), panels=[Panel(draw)])


def lenet(context: Context) -> Figure:
    """LeNet, on the scale of the three others."""
    return _blocks("lenet")


def alexnet(context: Context) -> Figure:
    """AlexNet: convolutions and fully connected layers."""
    return _blocks("alexnet")


def vgg(context: Context) -> Figure:
    """VGG-16: the end of each of its five stages."""
    return _blocks("vgg")


def resnet(context: Context) -> Figure:
    """ResNet-18: the end of each of its stages."""
    return _blocks("resnet")


def _stages(key: str) -> dict[str, dict[str, int]]:
    """Parameters and multiplications of each stage."""
    costs = _costs(key)
    found = {}
    for stage, starts in _nets()[key].stages.items():
        own = [
            cost
            for name, cost in costs.items()
            if any(name == start or name.startswith(f"{start}.") for start in starts)
        ]
        found[stage] = {
            "parameters": sum(cost.parameters for cost in own),
            "multiplications": sum(cost.multiplications for cost in own),
        }
    return found


def _total(key: str, what: str) -> int:
    return sum(stage[what] for stage in _stages(key).values())


_KINDS = ("parameters", "multiplications")


def stages(context: Context) -> Figure:
    """Which share of its parameters and of its multiplications each stage has, net by net."""
    variants = []
    for key, net in _nets().items():
        found = _stages(key)

        def draw(say: Say, key: str = key, net: _Net = net, found: Any = found) -> str:
            return charts.grouped_bar_chart(
                {
                    say(kind): [stage[kind] / _total(key, kind) for stage in found.values()]
                    for kind in _KINDS
                },
                list(found),
                title=say("title", net=net.name),
                y_label=say("y"),
                percent=True,
                write=whole_percent,
            )

        totals = {kind: _total(key, kind) for kind in _KINDS}
        legend = Legend(message("legend", net=net.name, **totals))
        variants.append(Variant(net.name, [Panel(draw)], [legend]))
    heads = [(net.name, _head(key)) for key, net in _nets().items()]
    return Figure(
        alt=message("alt", nets=heads),
        variants=variants,
        chosen=2,
    )


def _head(key: str, what: str = "parameters") -> float:
    """Share of the fully connected layers."""
    fully = [
        name for name, module in _nets()[key].model.named_modules() if isinstance(module, nn.Linear)
    ]
    costs = _costs(key)
    return sum(int(getattr(costs[name], what)) for name in fully) / _total(key, what)


@cache
def _fields(key: str) -> list[int]:
    """Receptive field after each convolution on the way through, in pixels."""
    net = _nets()[key]
    fields = receptive_fields(net.model, net.image[1:])
    return [
        fields[name].size[0]
        for name, module in net.model.named_modules()
        if isinstance(module, nn.Conv2d) and "downsample" not in name
    ]


def field_growth(context: Context) -> Figure:
    """The receptive field from convolution to convolution."""

    def draw(say: Say) -> str:
        return charts.line_chart(
            {
                net.name: (list(range(1, len(_fields(key)) + 1)), _fields(key))
                for key, net in _nets().items()
            },
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
        )

    ends = [(net.name, _fields(key)[-1]) for key, net in _nets().items()]
    return Figure(alt=message("alt", nets=ends), panels=[Panel(draw)])


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    result: dict[str, Any] = {"side": SIDE}
    for key, net in _nets().items():
        costs, found = _costs(key), _stages(key)
        layers = [m for m in net.model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        extra = [n for n, m in net.model.named_modules()
                 if isinstance(m, nn.Conv2d) and "downsample" in n]  # fmt: skip
        result[key] = {
            "year": net.year,
            "layers": len(layers) - len(extra),
            "parameters": sum(cost.parameters for cost in costs.values()),
            "multiplications": sum(cost.multiplications for cost in costs.values()),
            "head": _head(key),
            "head_multiplications": _head(key, "multiplications"),
            "head_parameters": round(_head(key) * _total(key, "parameters")),
            "field": _fields(key)[-1],
            "channels": [
                costs[layer].shape[0]
                for layer in net.blocks.values()
                if len(costs[layer].shape) == 3 and costs[layer].shape[1] > 1
            ],
            "stages": found,
            "accounted": _total(key, "parameters") == sum(c.parameters for c in costs.values()),
        }
    first = _costs("vgg")["classifier.0"]
    result["vgg"]["first_fc"] = first.parameters
    result["vgg"]["first_fc_share"] = first.parameters / result["vgg"]["parameters"]
    result["average_head"] = 512 * 1000 + 1000
    return result
