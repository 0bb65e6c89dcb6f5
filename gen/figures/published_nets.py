"""Networks as torchvision defines them, on the meta device: costs, fields, and accuracies it quotes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import nn
from torchvision import models

from cnnviz.inside.costs import Cost, layer_costs
from cnnviz.inside.receptive_field import receptive_fields

FIRST = "IMAGENET1K_V1"
"""What torchvision calls the first weights that it published for a network."""
SECOND = "IMAGENET1K_V2"
"""The same network, trained again by a later recipe."""


@dataclass(frozen=True)
class Published:
    """A network that has a paper, and weights whose accuracy is known.

    Attributes:
        name: as people write it.
        year: in which the paper first appeared.
        entry: its name in torchvision.
        attention: is it a transformer?
    """

    name: str
    year: int
    entry: str
    attention: bool = False


NETS = {
    "alexnet": Published("AlexNet", 2012, "alexnet"),
    "vgg": Published("VGG-16", 2014, "vgg16"),
    "googlenet": Published("GoogLeNet", 2014, "googlenet"),
    "resnet18": Published("ResNet-18", 2015, "resnet18"),
    "resnet50": Published("ResNet-50", 2015, "resnet50"),
    "densenet": Published("DenseNet-121", 2016, "densenet121"),
    "mobilenet": Published("MobileNetV2", 2018, "mobilenet_v2"),
    "efficientnet": Published("EfficientNet-B0", 2019, "efficientnet_b0"),
    "efficientnet4": Published("EfficientNet-B4", 2019, "efficientnet_b4"),
    "vit": Published("ViT-B/16", 2020, "vit_b_16", attention=True),
    "swin": Published("Swin-T", 2021, "swin_t", attention=True),
    "convnext": Published("ConvNeXt-T", 2022, "convnext_tiny"),
}

_SMALL = 96
"""Side of an image on which fields are followed: three units a side are left of it at the end."""

# Two extra outputs that only training used, and random weights that nobody looks at.
_OPTIONS: dict[str, dict[str, Any]] = {"googlenet": {"aux_logits": False, "init_weights": False}}


@cache
def on_meta(key: str) -> nn.Module:
    """A network with shapes and no numbers, in evaluation mode."""
    with torch.device("meta"):
        model: nn.Module = models.get_model(NETS[key].entry, **_OPTIONS.get(key, {}))
    return model.eval()


def side(key: str) -> int:
    """Of the images on which its accuracy was measured, in pixels."""
    return int(_weights(key, FIRST).transforms.keywords["crop_size"])


def quoted(key: str, weights: str = FIRST) -> float:
    """Share of ImageNet's validation images that it classifies right, as torchvision states it."""
    return float(_weights(key, weights).meta["_metrics"]["ImageNet-1K"]["acc@1"]) / 100


def has(key: str, weights: str) -> bool:
    """Did torchvision publish such weights for it?"""
    return weights in models.get_model_weights(NETS[key].entry).__members__


def _weights(key: str, weights: str) -> Any:
    return models.get_model_weights(NETS[key].entry)[weights]


@cache
def costs(key: str) -> dict[str, Cost]:
    """What each of its layers costs, for an image of its own size."""
    return layer_costs(on_meta(key), (3, side(key), side(key)))


def total(key: str) -> Cost:
    """Parameters and multiplications of the whole network, and the shape of its output."""
    every = costs(key).values()
    return Cost(
        (1000,),
        sum(cost.parameters for cost in every),
        sum(cost.multiplications for cost in every),
    )


def agrees(key: str) -> bool:
    """Are our counts those that torchvision states, which it rounds to millions?"""
    stated, ours = _weights(key, FIRST).meta, total(key)
    return bool(
        ours.parameters == stated["num_params"]
        and round(ours.multiplications / 1e9, 3) == stated["_ops"]
    )


@cache
def field(key: str) -> int:
    """Side of what a unit of its last convolution sees, in pixels; gates of SE left aside."""
    model = on_meta(key)
    # The size of the image does not matter: how far a unit looks beyond its border counts.
    fields = receptive_fields(model, (_SMALL, _SMALL), gates=False)
    *_, last = (name for name, m in model.named_modules() if isinstance(m, nn.Conv2d))
    return fields[last].size[0]


@cache
def depth(key: str) -> int:
    """Layers with weights that follow one another, on the longest way through the network."""
    model = on_meta(key)
    return _longest(model(torch.zeros(1, 3, side(key), side(key), device="meta")).grad_fn)


def _longest(last: Any) -> int:
    """Convolutions and products on the longest way back through the graph of gradients."""
    found: dict[Any, int] = {}
    waiting = [last]
    while waiting:
        node = waiting[-1]
        if unknown := [before for before in _before(node) if before not in found]:
            waiting.append(unknown[0])
            continue
        found[node] = max((found[b] for b in _before(node)), default=0) + _has_weights(node)
        waiting.pop()
    return found[last]


def _before(node: Any) -> Iterator[Any]:
    return (before for before, _ in node.next_functions if before is not None)


def _has_weights(node: Any) -> bool:
    """A convolution, or a product one side of which is a parameter, maybe transposed."""
    if node.name() not in ("ConvolutionBackward0", "AddmmBackward0", "MmBackward0"):
        return False
    return any(
        before.name() == "torch::autograd::AccumulateGrad"
        or any(b.name() == "torch::autograd::AccumulateGrad" for b in _before(before))
        for before in _before(node)
    )
