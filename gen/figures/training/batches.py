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
def _factors(context: Context) -> tuple[Tensor, Tensor]:
    """What each image adds to the gradient of the MLP's first layer, as two factors.

    Returns:
        (N, 512) gradients of the layer's outputs and (N, 784) pixels: the gradient of the weights
        that image i gives is the outer product of its two rows.
    """
    model = context.trained("mlp").model(early_step(context))
    images = context.inputs("mlp", context.train.images[:_IMAGES])
    labels = context.train.labels[:_IMAGES]
    outputs = record(model, images, layers=["fc1", "output"], gradients=True)
    loss = F.cross_entropy(outputs["output"], labels, reduction="sum")
    (back,) = torch.autograd.grad(loss, outputs["fc1"])  # (N, 512)
    return back, images.flatten(1)  # (N, 784)


def _mean(context: Context, chosen: Tensor | slice) -> Tensor:
    """The mean gradient (512, 784) of some images."""
    back, pixels = (factor[chosen] for factor in _factors(context))
    return back.T @ pixels / len(back)


def _chosen(context: Context, size: int, count: int) -> Tensor:
    """`count` random batches of the images, (count, size)."""
    generator = torch.Generator().manual_seed(size)
    return torch.randint(len(_factors(context)[0]), (count, size), generator=generator)


@shared
def _noise(context: Context) -> dict[int, dict[str, float]]:
    """How far a batch's gradient of all the layer's weights is off, for each size of batch."""
    whole = _mean(context, slice(None))
    result = {}
    for size in _BATCHES:
        found = [_mean(context, batch) for batch in _chosen(context, size, _MEASURED)]
        off = torch.stack([(mean - whole).square().sum() for mean in found]).mean().sqrt()
        alike = [F.cosine_similarity(m.flatten(), whole.flatten(), dim=0) for m in found]
        result[size] = {
            "off": (off / whole.norm().clip(1e-9)).item(),
            "alike": torch.stack(alike).mean().item(),
        }
    return result


def _spread(context: Context) -> float:
    """The error that a single image has, over all of them: the standard deviation, relative."""
    back, pixels = _factors(context)
    # An outer product is as long as its factors' lengths multiplied.
    square = (back.square().sum(1) * pixels.square().sum(1)).mean()
    whole = _mean(context, slice(None)).norm()
    return ((square - whole.square()).sqrt() / whole.clip(1e-9)).item()


def _unit(context: Context) -> int:
    """The unit that is drawn: that whose gradient over all images is the largest."""
    return int(_mean(context, slice(None)).norm(dim=1).argmax())


def batches(context: Context) -> Figure:
    """The gradient of one unit's weights as six batches of each size see it."""
    unit = _unit(context)
    rows = {
        size: torch.stack([_mean(context, batch)[unit] for batch in _chosen(context, size, _DRAWN)])
        for size in (1, 16, 256)
    }  # (6, 784) each
    rows[_IMAGES] = _mean(context, slice(None))[unit][None]
    panels = []
    for size, gradients in rows.items():
        drawn = mosaic(gradients.view(-1, 28, 28).numpy(), columns=_DRAWN, scale="layer",
                       signed=True)  # fmt: skip
        name = "all" if size == _IMAGES else "batch"
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
        "unit": _unit(context),
        "weights": _mean(context, slice(None)).numel(),
        "batch": context.recipe("mlp").batch_size,
    }
