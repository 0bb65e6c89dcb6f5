"""Figures of the chapter "Receptive field" on what units really look at: averaged gradients.

After Luo, Li, Urtasun and Zemel, "Understanding the effective receptive field in deep convolutional
neural networks" (2016): the field within which a pixel can matter, against how much it does.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz.data import photos
from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.inside.receptive_field import ReceptiveField, receptive_fields
from cnnviz.inside.recording import record
from cnnviz.nets.models import LeNet
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figure.figure import Figure, Panel, Picture, message, picture, scale_legend

Map = NDArray[np.float64]

COUNT = 500
"""Test digits over which LeNet's gradients are averaged."""

_LENET = ("pool1", "conv2", "pool2")
_VGG = {"conv2_2": (7, 12), "conv3_3": (14, 8), "conv4_3": (21, 4), "conv5_3": (28, 2)}
"""VGG-16: name in the paper → number of the module, number of patches to average over."""


def _window(gradient: Tensor, field: ReceptiveField, units: list[tuple[int, int]]) -> Map:
    """Mean over images of |gradient| within the field of one unit of each: (size, size)."""
    total = np.zeros(field.size)
    for image, unit in zip(gradient.abs().sum(1).numpy(), units, strict=True):  # (H, W)
        top, left, bottom, right = field.box(*unit)
        total += image[top:bottom, left:right]
    return total / len(units)


def _inside(field: ReceptiveField) -> list[tuple[int, int]]:
    """Units whose whole field lies in the image."""
    return [
        unit for unit in np.ndindex(*field.units) if field.box(*unit) == field.box(*unit, clip=True)
    ]


@shared
def _lenet(context: Context, step: int | None) -> dict[str, Map]:
    """Effective fields of LeNet, one random unit inside the image a digit; of the answer, all."""
    draw = np.random.default_rng(0)
    count = min(COUNT, len(context.test))
    x = context.inputs("lenet", context.test.images[:count]).requires_grad_()
    outputs = record(context.model("lenet", step), x, layers=[*_LENET, "output"], gradients=True)
    fields = receptive_fields(LeNet(), (28, 28))
    images = torch.arange(count)
    effective = {}
    for name in _LENET:
        units = [
            _inside(fields[name])[i] for i in draw.integers(len(_inside(fields[name])), size=count)
        ]
        rows, columns = torch.tensor(units).T
        channels = torch.from_numpy(draw.integers(outputs[name].shape[1], size=count))
        chosen = outputs[name][images, channels, rows, columns]  # (count,)
        (gradient,) = torch.autograd.grad(chosen.sum(), x, retain_graph=True)
        effective[name] = _window(gradient, fields[name], units)
    answers = outputs["output"].amax(1)
    (gradient,) = torch.autograd.grad(answers.sum(), x)
    effective["output"] = gradient.abs().mean((0, 1)).numpy().astype(np.float64)
    return effective


@cache
def _vgg() -> dict[str, tuple[ReceptiveField, Map]]:
    """Effective fields of a VGG-16 with random weights, on patches of photographs."""
    with torch.device("meta"):
        features = torchvision.models.vgg16().features
    features = features.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(0)
    for layer in features:
        if isinstance(layer, nn.Conv2d):  # as torchvision initialises it
            nn.init.kaiming_normal_(
                layer.weight, mode="fan_out", nonlinearity="relu", generator=generator
            )
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    features.requires_grad_(False)
    found = {}
    for name, (index, count) in _VGG.items():
        part = features[: index + 1]
        size = receptive_fields(part, (224, 224))[str(index)].size[0]
        side = size + 16  # room for one field in the middle
        field = receptive_fields(part, (side, side))[str(index)]
        unit = _inside(field)[len(_inside(field)) // 2]
        x = _patches(count, side).requires_grad_()
        output = part(x)[:, :, unit[0], unit[1]]  # (count, C)
        signs = torch.randint(2, output.shape, generator=generator) * 2.0 - 1
        (gradient,) = torch.autograd.grad((output * signs).sum(), x)
        found[name] = (field, _window(gradient, field, [unit] * count))
    return found


def _patches(count: int, side: int) -> Tensor:
    """Square patches of colour photographs, (count, 3, side, side), centred around 0."""
    draw = np.random.default_rng(1)
    patches = []
    for index in range(count):
        photo = photos.load(("china", "flower")[index % 2])
        top, left = (int(draw.integers(s - side + 1)) for s in photo.shape[:2])
        patches.append(photos.crop(photo, top, left, side, side))
    pixels = np.stack(patches).transpose(0, 3, 1, 2) / 255
    return torch.from_numpy((pixels - 0.5) / 0.25).float()


def _central(effective: Map) -> float:
    """Share of the gradient in the middle quarter of the area; 1/4 if all pixels counted alike."""
    size = len(effective)
    near = np.abs(np.arange(size) + 0.5 - size / 2)  # distance of pixel centres from the middle
    weight = np.clip(size / 4 - near + 0.5, 0, 1)  # a pixel on the edge counts in part
    return float((effective * weight[:, None] * weight).sum() / effective.sum())


def _drawn(effective: Map, width: float) -> Picture:
    tile = mosaic(effective[None], signed=False)
    return picture(tile, width / tile.width)


def effective_lenet(context: Context) -> Figure:
    """Where units of LeNet look, before training and after, within their theoretical field."""
    panels = []
    for when, step in (("untrained", 0), ("trained", None)):
        for name, effective in _lenet(context, step).items():
            label = message("label", when=message(when), layer=name, side=len(effective))
            alt = message("middle", what=label, share=_central(effective))
            panels.append(Panel(_drawn(effective, 150), label, alt))
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(mosaic(np.ones((1, 1, 1))), "map", message("meaning"))],
        columns=4,
        uses=["lenet"],
    )


def effective_vgg(context: Context) -> Figure:
    """The same in a VGG-16 with random weights, from shallow to deep."""
    panels = []
    for name, (field, effective) in _vgg().items():
        label = message("label", layer=name, side=field.size[0])
        alt = message("middle", what=label, share=_central(effective))
        panels.append(Panel(_drawn(effective, 156), label, alt))
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(mosaic(np.ones((1, 1, 1))), "map", message("meaning"))],
        columns=4,
    )


def profiles(context: Context) -> Figure:
    """The gradient along a line through the field, for the four depths of VGG-16."""
    series = {}
    for name, (field, effective) in _vgg().items():
        size = field.size[0]
        along = effective.sum(0)
        bins = np.array_split(along, min(size, 28))
        heights = np.array([part.mean() for part in bins])
        places = np.array(
            [part.mean() for part in np.array_split(np.arange(size) + 0.5, len(bins))]
        )
        series[f"{name}: {size}×{size}"] = (places / size, heights / heights.max())

    def draw(say: Say) -> str:
        return charts.line_chart(
            series,
            title=say("alt"),
            x_label=say("x"),
            y_label=say("y"),
            markers=False,
            y_limits=(0, None),
        )

    return Figure(alt=message("alt"), panels=[Panel(draw)])


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    trained, fresh = _lenet(context, None), _lenet(context, 0)
    vgg = _vgg()
    return {
        "count": min(COUNT, len(context.test)),
        "trained": {name: _central(effective) for name, effective in trained.items()},
        "fresh": {name: _central(effective) for name, effective in fresh.items()},
        "vgg": {name: _central(effective) for name, (_, effective) in vgg.items()},
        "vgg_size": {name: field.size[0] for name, (field, _) in vgg.items()},
        "corner": float(trained["pool2"][0, 0] / trained["pool2"].max()),
    }
