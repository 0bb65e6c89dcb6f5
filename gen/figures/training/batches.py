"""Figures of the chapter "How it learns": what a mini-batch tells of the gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Panel, message, picture
from cnnviz.inside.recording import record
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.own_scales import own_scales
from gen.figures.training.descent import early_step

_IMAGES = 2048  # training images whose gradients are taken one by one
_BATCHES = (1, 4, 16, 64, 256)
_MEASURED = 200  # batches of a size that are measured
_DRAWN = 6  # batches of a size that are drawn


@shared
def _each_gradient(context: Context) -> tuple[int, Tensor]:
    """A unit of the MLP's first layer, and the gradient that each image gives its weights (N, 784).

    It is the unit whose gradient over all images is the largest.
    """
    model = context.trained("mlp").model(early_step(context))
    images = context.inputs("mlp", context.train.images[:_IMAGES])
    labels = context.train.labels[:_IMAGES]
    outputs = record(model, images, layers=["fc1", "output"], gradients=True)
    loss = F.cross_entropy(outputs["output"], labels, reduction="sum")
    (back,) = torch.autograd.grad(loss, outputs["fc1"])  # (N, 512)
    pixels = images.flatten(1)  # (N, 784): what each weight was multiplied by
    unit = int((back.T @ pixels).norm(dim=1).argmax())
    return unit, back[:, unit, None] * pixels


def _batches(context: Context, size: int, count: int) -> Tensor:
    """Mean gradients of `count` random batches (count, 784)."""
    _, each = _each_gradient(context)
    generator = torch.Generator().manual_seed(size)
    chosen = torch.randint(len(each), (count, size), generator=generator)
    return torch.stack([each[indices].mean(0) for indices in chosen])


@shared
def _noise(context: Context) -> dict[int, dict[str, float]]:
    """How far a batch's gradient is off, for each size of batch."""
    whole = _each_gradient(context)[1].mean(0)
    result = {}
    for size in _BATCHES:
        batches = _batches(context, size, _MEASURED)
        off = (batches - whole).square().sum(1).mean().sqrt() / whole.norm().clip(1e-9)
        alike = F.cosine_similarity(batches, whole[None], dim=1)
        result[size] = {"off": off.item(), "alike": alike.mean().item()}
    return result


def _spread(context: Context) -> float:
    """The error that a single image has, over all of them: the standard deviation, relative."""
    each = _each_gradient(context)[1]
    whole = each.mean(0)
    return ((each - whole).square().sum(1).mean().sqrt() / whole.norm().clip(1e-9)).item()


def batches(context: Context) -> Figure:
    """The gradient of one unit's weights as six batches of each size see it."""
    unit, each = _each_gradient(context)
    rows = {size: _batches(context, size, _DRAWN) for size in (1, 16, 256)}
    rows[len(each)] = each.mean(0)[None]
    panels = []
    for size, gradients in rows.items():
        drawn = mosaic(gradients.view(-1, 28, 28).numpy(), columns=_DRAWN, scale="layer",
                       signed=True)  # fmt: skip
        name = "all" if size == len(each) else "batch"
        label = message(name, images=size, limit=float(drawn.limits[0, 1]))
        panels.append(Panel(picture(drawn, 2, step=4), label))
    return Figure(
        alt=message("alt", cosine=_noise(context)[256]["alike"]),
        panels=panels,
        legends=[own_scales(message("meaning", unit=unit))],
        layout="column",
        uses=["mlp"],
    )


def noise(context: Context) -> Figure:
    """How far the gradient of a batch is off, against its size."""
    sizes = list(_BATCHES)
    measured = [_noise(context)[size]["off"] for size in sizes]
    expected = [_spread(context) / size**0.5 for size in sizes]

    def draw(say: Say) -> str:
        return charts.line_chart(
            {say("measured"): (sizes, measured), "1/√B": (sizes, expected)},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            log_x=True,
            log_y=True,
            size=(640, 280),
        )

    return Figure(
        alt=message("alt", largest=sizes[-1], first=measured[0], last=measured[-1]),
        panels=[Panel(draw)],
        uses=["mlp"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    return {
        "noise": {str(size): values for size, values in _noise(context).items()},
        "images": _IMAGES,
        "measured": _MEASURED,
        "unit": _each_gradient(context)[0],
        "batch": context.recipe("mlp").batch_size,
    }
