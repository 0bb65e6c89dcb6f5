"""Figures of the chapter "Fully connected and output layers": from 400 numbers to an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import GREY_LEGEND, Figure, Panel, message, picture, scale_legend
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.recording import record
from cnnviz.training.runs import SEEDS
from gen.context import Context, shared

ONE = 3
"""The class whose example the chapter follows."""

COUNT = 2000
"""Test images over which the units of fc1 are compared."""


def _weight(context: Context, name: str) -> Tensor:
    return context.trained("lenet").weights[f"{name}.weight"]


def _bias(context: Context, name: str) -> Tensor:
    return context.trained("lenet").weights[f"{name}.bias"]


UNTRAINED = [f"short-lenet-{seed}" for seed in SEEDS[:3]]
"""Networks whose starts, before any training, are compared with LeNet."""


def _recorded(
    context: Context, images: Tensor, name: str = "lenet", step: int | None = None
) -> dict[str, Tensor]:
    """pool2 (N, 16, 5, 5) and relu3 (N, 120) of images."""
    return record(
        context.model(name, step), context.inputs("lenet", images), layers=["pool2", "relu3"]
    )


def _means(values: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Mean of values (N, …) over the images of each class, (classes, …); 0 without any."""
    sums = torch.zeros(classes, *values.shape[1:]).index_add_(0, labels, values)
    counts = torch.bincount(labels, minlength=classes).clamp(min=1)
    return sums / counts.reshape(-1, *[1] * (values.ndim - 1))


@shared
def _favourites(
    context: Context, name: str = "lenet", step: int | None = None
) -> tuple[list[int], Tensor, Tensor]:
    """For each class the unit of fc1 that prefers it most.

    Returns:
        The units, the mean activations (classes, 120), the mean pool2 (classes, 16, 5, 5).
    """
    outputs = _recorded(context, context.test.images[:COUNT], name, step)
    labels = context.test.labels[: len(outputs["relu3"])]
    classes = len(context.test.class_names)
    means = _means(outputs["relu3"], labels, classes)
    units = []
    for label in range(classes):
        others = means[torch.arange(classes) != label].amax(0)  # (120,)
        units.append(int((means[label] - others).argmax()))
    return units, means, _means(outputs["pool2"], labels, classes)


def _evidence(context: Context, name: str = "lenet", step: int | None = None) -> Tensor:
    """What the unit of each class gains at each place, (classes, 5, 5)."""
    units, _, pools = _favourites(context, name, step)
    weights = context.model(name, step).get_parameter("fc1.weight").detach()
    return (weights.reshape(-1, 16, 5, 5)[units] * pools).sum(1)


def _best_places(evidence: Tensor) -> float:
    """How much of what speaks for a class is found in five of the 25 places, on average."""
    gains = evidence.clamp(min=0).flatten(1).sort(descending=True).values  # (classes, 25)
    return float((gains[:, :5].sum(1) / gains.sum(1).clamp(min=1e-9)).mean())


def _preferring(context: Context) -> int:
    """Of the ten units, how many prefer their class on images by which they were not chosen."""
    units, _, _ = _favourites(context)
    others = slice(COUNT, 2 * COUNT)
    if len(context.test) < 2 * COUNT:  # a tiny build
        others = slice(None)
    values = _recorded(context, context.test.images[others])["relu3"]
    means = _means(values, context.test.labels[others], len(units))
    return sum(int(means[:, unit].argmax() == label) for label, unit in enumerate(units))


def _enlarged(maps: np.ndarray) -> np.ndarray:
    """Maps (…, H, W) with each number as 4×4 pixels, so that the gap between maps is a hair."""
    return maps.repeat(4, axis=-2).repeat(4, axis=-1)


def fc1_places(context: Context) -> Figure:
    """The 16 maps of pool2, and the row of 400 numbers that flattening makes of them."""
    maps = context.recording("lenet")["pool2"][ONE].numpy()  # (16, 5, 5)
    peak = float(maps.max())
    before = mosaic(_enlarged(maps), columns=4, scale=(0, peak))
    after = mosaic(_enlarged(maps.reshape(16, 1, 25)), columns=1, scale=(0, peak))
    name = context.test.class_names[ONE]
    return Figure(
        alt=message("alt", digit=name, largest=peak),
        panels=[
            Panel(picture(before, 3), message("named", name="pool2", what="16×5×5")),
            Panel(picture(after, 3), message("panels.after")),
        ],
        legends=[scale_legend(after, "figure", message("meaning"))],
        layout="flow",
        uses=["lenet"],
    )


def _unit(context: Context) -> dict[str, Any]:
    """The unit of fc1 that prefers class ONE, looking at the example of that class."""
    unit = _favourites(context)[0][ONE]
    weights = _weight(context, "fc1")[unit].reshape(16, 5, 5)
    inputs = context.recording("lenet")["pool2"][ONE]
    products = weights.double() * inputs.double()
    bias = float(_bias(context, "fc1")[unit])
    return {
        "unit": unit,
        "weights": weights.numpy(),
        "inputs": inputs.numpy(),
        "products": products.numpy(),
        "positive": float(products.clamp(min=0).sum()),
        "negative": float(products.clamp(max=0).sum()),
        "bias": bias,
        "sum": float(products.sum()) + bias,
        "recorded": float(context.recording("lenet")["fc1"][ONE, unit]),
    }


def fc1_unit(context: Context) -> Figure:
    """One unit of fc1 folded back: its weights, what it sees, the products."""
    one = _unit(context)
    panels, legends = [], []
    for key in ("weights", "inputs", "products"):
        drawn = mosaic(_enlarged(one[key]), columns=16, scale="layer", signed=key != "inputs")
        panels.append(Panel(picture(drawn, 2), message(f"panels.{key}")))
        legends.append(scale_legend(drawn, "layer", message(f"meanings.{key}")))
    name = context.test.class_names[ONE]
    return Figure(
        alt=message(
            "alt",
            unit=one["unit"],
            digit=name,
            positive=one["positive"],
            negative=one["negative"],
            sum=one["sum"],
        ),
        panels=panels,
        legends=legends,
        layout="column",
        uses=["lenet"],
    )


def fc1_folded(context: Context) -> Figure:
    """For each class its unit of fc1: where in the picture the evidence comes from."""
    units, means, _ = _favourites(context)
    names = context.test.class_names
    evidence = _evidence(context).numpy()
    images = _means(context.test.images.float(), context.test.labels, len(names))[:, 0].numpy()
    seen = mosaic(images, columns=len(names), scale=(0, 255), palette="grey")
    drawn = mosaic(_enlarged(evidence), columns=len(names), scale="layer", signed=True)
    return Figure(
        alt=message(
            "alt",
            first=names[0],
            last=names[-1],
            digit=names[ONE],
            activation=means[ONE, units[ONE]],
        ),
        panels=[
            Panel(picture(seen, 2.35), message("panels.means")),
            Panel(picture(drawn, 3.25), message("panels.places")),
        ],
        legends=[GREY_LEGEND, scale_legend(drawn, "layer", message("meaning"))],
        layout="column",
        uses=["lenet"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    units, means, _ = _favourites(context)
    names = context.test.class_names
    others = torch.arange(len(names)) != ONE
    field = receptive_fields(context.model("lenet"), (28, 28))["pool2"]
    return {
        "best_places": _best_places(_evidence(context)),
        "best_places_untrained": sorted(
            _best_places(_evidence(context, name, 0)) for name in UNTRAINED
        ),
        "places_for": float((_evidence(context) > 0).double().mean()),
        "field": {"size": field.size[0], "jump": field.jump[0]},
        "one": names[ONE],
        "count": min(COUNT, len(context.test)),
        "unit": {k: v for k, v in _unit(context).items() if not isinstance(v, np.ndarray)},
        "mean_own": float(means[ONE, units[ONE]]),
        "mean_next": float(means[others, units[ONE]].max()),
        "prefer": _preferring(context),
        "fc1_parameters": _weight(context, "fc1").numel() + _bias(context, "fc1").numel(),
    }
