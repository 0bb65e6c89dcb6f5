"""Crops laid out in the plane by what pixels, or layers of the network, say of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from cnnviz.figure.figure import Figure, Panel, message
from cnnviz.threads import one_thread
from gen.context import Context, shared
from gen.figures.borrowed_eyes import TESTED, UNTRAINED, Task, crops, features, pixels
from gen.figures.photographs import NAME, NAMES, thumbnail
from gen.figures.transfer.transfer import best

_EACH = 10
"""Crops of each photograph that are drawn."""

_CANVAS, _SMALL = 340, 24
"""Side of a map, and of a crop on it, in pixels."""

_GROUND = 205
"""Grey of the ground: some crops are all white, some all black."""


def principal(features: Tensor, count: int = 2) -> tuple[Tensor, float]:
    """Coordinates of features (N, D) along the directions in which they differ most.

    Returns:
        (N, count), and which share of the variance they have.
    """
    x = features.double()
    with one_thread():
        u, s, _ = torch.linalg.svd(x - x.mean(0), full_matrices=False)  # (N, R), (R,)
    # Which way an axis points is left open: here the place farthest out is on the positive side.
    signs = u.gather(0, u.abs().argmax(0, keepdim=True)).sign()  # (1, R)
    energy = s.square()
    return (u * signs * s)[:, :count], float(energy[:count].sum() / energy.sum())


def agreement(task: Task, found: tuple[Tensor, Tensor]) -> float:
    """Share of the test whose nearest labelled image, by features (N, D), has the same class."""
    pool, test = found
    with one_thread():
        nearest = torch.cdist(test.double(), pool.double()).argmin(1)  # (T,)
    return float((task.pool_labels[nearest] == task.test_labels).double().mean())


@shared
def _views(context: Context) -> dict[str, list[tuple[Tensor, Tensor]]]:
    """What crops are laid out by → features of pool and test, once or for each untrained seed."""
    trained, layer = features(context, "crops"), best(context, True)
    random = [features(context, "crops", seed) for seed in UNTRAINED]
    return {
        "pixels": [pixels(crops(context))],
        "early": [trained["stem_relu"]],
        "best": [trained[layer]],
        "last": [trained["head_relu"]],
        "untrained_early": [one[best(context, False)] for one in random],
        "untrained": [one[layer] for one in random],
        "untrained_last": [one["head_relu"] for one in random],
    }


def _laid_out(places: Tensor, images: Tensor) -> NDArray[np.uint8]:
    """Images (N, 3, s, s) at places (N, 2) on grey, (_CANVAS, _CANVAS, 3); later ones on top."""
    low, high = places.amin(0), places.amax(0)
    corners = ((places - low) / (high - low) * (_CANVAS - _SMALL)).round().long()  # (N, 2)
    canvas = np.full((_CANVAS, _CANVAS, 3), _GROUND, np.uint8)
    pictures = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()  # (N, s, s, 3)
    for (x, y), picture in zip(corners.tolist(), pictures, strict=True):
        top = _CANVAS - _SMALL - y  # upwards, as in a chart
        canvas[top : top + _SMALL, x : x + _SMALL] = picture
    return canvas


def maps(context: Context) -> Figure:
    """The test crops in the plane: by pixels, by two layers, and by one with random weights."""
    task, views = crops(context), _views(context)
    # One of each photograph in turn, so that none lies always on top.
    order = torch.arange(len(task.test)).view(len(NAMES), TESTED)[:, :_EACH].T.flatten()
    images = F.adaptive_avg_pool2d(task.test[order], _SMALL)
    panels = []
    for name in ("pixels", "untrained", "best", "last"):
        found = views[name][0]
        places, variance = principal(found[1])
        drawn = thumbnail(_laid_out(places[order], images))
        label = message(name, variance=variance, same=agreement(task, found),
                        layer=best(context, True), networks=len(UNTRAINED))  # fmt: skip
        panels.append(Panel(drawn, label))
    alt = message("alt", count=len(order), pixels=agreement(task, views["pixels"][0]),
                  best=agreement(task, views["best"][0]))  # fmt: skip
    return Figure(alt=alt, panels=panels, layout="grid", columns=2, uses=[NAME])


def numbers(context: Context) -> dict[str, Any]:
    """Of each view: the share of nearest labelled crops of the same photograph, and variance."""
    task = crops(context)
    result: dict[str, Any] = {"drawn": _EACH * len(NAMES)}
    for name, views in _views(context).items():
        same = [agreement(task, found) for found in views]
        result[name] = {
            "same": float(np.mean(same)),
            "least": min(same),
            "most": max(same),
            "variance": principal(views[0][1])[1],
        }
    return result
