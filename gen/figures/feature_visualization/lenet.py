"""What LeNet's ten outputs want to see, with a penalty on roughness and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Panel, message, picture, scale_legend
from cnnviz.inside.evaluation import predict
from cnnviz.inside.feature_visualization import maximise
from gen.context import Context, shared

WAYS = {"free": (0.0, 0), "smooth": (0.5, 1)}
"""Weight of the penalty, and pixels of shift."""

_STEPS = 64


@shared
def _images(context: Context, way: str) -> Tensor:
    """The picture that each output answers most to, (10, 1, 28, 28)."""
    roughness, shift = WAYS[way]
    model, count = context.model("lenet"), len(context.test.class_names)
    made = maximise(
        model, "output", range(count), (1, 28, 28),
        starts=1, steps=_STEPS, roughness=roughness, max_shift=shift,
    )  # fmt: skip
    return made.images[:, 0]


@shared
def _means(context: Context) -> Tensor:
    """Mean training image of each class, (10, 1, 28, 28)."""
    data = context.train
    count = len(data.class_names)
    return torch.stack([to_input(data.images[data.labels == k]).mean(0) for k in range(count)])


def digits(context: Context) -> Figure:
    """Ten pictures without and with the penalty, and the mean image of each digit."""
    rows = {"free": _images(context, "free"), "smooth": _images(context, "smooth")}
    rows["mean"] = _means(context)
    panels = []
    for way, images in rows.items():
        drawn = mosaic(images[:, 0].numpy(), columns=5, scale=(0, 1), palette="grey", gap=2)
        panels.append(Panel(picture(drawn, 2), message(way)))
    result = numbers(context)["free"]
    return Figure(
        alt=message("alt", sure=result["sure"]),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("meaning"))],
        layout="row",
        uses=["lenet"],
    )


@shared
def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    model, means = context.model("lenet"), _centred(_means(context))
    tested = predict(model, to_input(context.test.images))  # (N, 10)
    best = tested.amax(0)  # (10,)
    result: dict[str, Any] = {}
    for way in WAYS:
        images = _images(context, way)
        with torch.no_grad():
            logits = model(images)  # (10, 10)
        sure = logits.softmax(1).diagonal()
        likeness = _centred(images) @ means.T  # (10, 10)
        own = likeness.diagonal()  # (10,)
        result[way] = {
            "sure": int((sure > 0.99).sum()),
            "confidence": float(sure.mean()),
            "above": int((logits.diagonal() > best).sum()),
            "ratio": float((logits.diagonal() / best).mean()),
            "likeness": float(own.mean()),
            "likeness_others": float((likeness.sum() - own.sum()) / (likeness.numel() - len(own))),
        }
    shares = tested.softmax(1)
    right = shares.gather(1, context.test.labels[:, None].long())
    pictured = _centred(to_input(context.test.images)) * means[context.test.labels.long()]
    result["tested"] = {
        "count": len(tested),
        "confidence": float(right.mean()),
        "likeness": float(np.mean(pictured.sum(1).numpy())),
    }
    return result


def _centred(images: Tensor) -> Tensor:
    """Images (N, 1, H, W) without their mean and of length 1, (N, H·W): products are correlations."""
    flat = images.flatten(1)
    return F.normalize(flat - flat.mean(1, keepdim=True), dim=1)
