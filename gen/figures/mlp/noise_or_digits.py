"""Figures of the chapter "From a neuron to an MLP": what makes weights look like noise or digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cnnviz.data.inputs import to_input
from cnnviz.drawing.mosaic import mosaic
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.unit_images import by_norm, neighbour_correlation
from cnnviz.training.brief import train_briefly
from gen.context import Context, shared
from gen.figure.figure import Figure, Panel, Text, picture, scale_legend

Floats = NDArray[np.float32]

STEPS = 300
"""Steps of the brief trainings of this chapter."""

HIDDEN = 64
"""Hidden units of the small networks."""

DECAYS = (0.0, 0.01, 0.05)
"""Weight decays of the small networks."""

_SEEDS = range(3)
_SHOWN = 12
_WEIGHT = Text("权重：蓝为负，白为零，橙为正", "weight: blue negative, white zero, orange positive")


@shared
def _small(context: Context, hidden: int, decay: float) -> dict[str, Any]:
    """First-layer weights (units, 28, 28) and accuracy of a small network, briefly trained.

    Without hidden units the ten outputs look at the pixels themselves.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first = nn.Linear(28 * 28, hidden or 10)
        rest = [nn.ReLU(), nn.Linear(hidden, 10)] if hidden else []
    model = nn.Sequential(nn.Flatten(), first, *rest)
    train_briefly(model, context.train, STEPS, 0.1, optimizer="sgd", weight_decay=decay)
    test = context.test
    logits = predict(model, to_input(test.images[:2000]))
    images: Floats = first.weight.detach().numpy().reshape(-1, 28, 28)
    return {
        "images": images,
        "accuracy": accuracy(logits, test.labels[:2000]),
        "neighbours": neighbour_correlation(images),
    }


def ten_alone(context: Context) -> Figure:
    """Weights of a network without a hidden layer: one unit for each digit."""
    small = _small(context, 0, DECAYS[1])
    drawn = mosaic(small["images"], columns=5)
    names = "、".join(context.test.class_names)
    return Figure(
        alt=Text(
            f"没有隐藏层的网络，十个单元的权重（{names}）：大多像一个模糊的数字，笔画是橙色，"
            "别的数字的笔画是蓝色",
            "The weights of ten units of a network without a hidden layer, "
            f"{names.replace('、', ', ')}: most look like their digit, blurred, with its "
            "strokes in orange and those of other digits in blue",
        ),
        panels=[Panel(picture(drawn, 4))],
        legends=[scale_legend(drawn, "map", _WEIGHT)],
    )


def seeds(context: Context) -> Figure:
    """The strongest units of MLPs that differ only in their seed."""
    panels, alike = [], []
    for seed in _SEEDS:
        weights = context.trained(f"short-mlp-{seed}").weights["fc1.weight"]
        images = weights.reshape(-1, 28, 28).numpy()
        alike.append(neighbour_correlation(images))
        drawn = mosaic(images[by_norm(images)[:_SHOWN]], columns=_SHOWN)
        panels.append(Panel(picture(drawn, 1.9, step=4), Text(f"种子 {seed}", f"seed {seed}")))
    values = [f"{value:.2f}" for value in alike]
    return Figure(
        alt=Text(
            f"{len(alike)} 个只有种子不同的多层感知机，各取权重最大的 {_SHOWN} 个单元：没有一个单元相同，"
            f"质地却一样；相邻权重的相关系数是 {'、'.join(values)}",
            f"The {_SHOWN} units with the largest weights of {len(alike)} MLPs that differ only in their "
            "seed: no unit is the same, but the texture is; the correlations of neighbouring weights "
            f"are {', '.join(values)}",
        ),
        panels=panels,
        legends=[scale_legend(drawn, "map", _WEIGHT)],
        layout="column",
        uses=[f"short-mlp-{seed}" for seed in _SEEDS],
    )


def decay(context: Context) -> Figure:
    """The strongest units of small networks with and without weight decay."""
    panels = []
    for value in DECAYS:
        small = _small(context, HIDDEN, value)
        drawn = mosaic(small["images"][by_norm(small["images"])[:_SHOWN]], columns=_SHOWN)
        facts = f"{small['neighbours']:.2f}", f"{small['accuracy']:.1%}"
        label = Text(
            f"权重衰减 {value:g}：相关系数 {facts[0]}，准确率 {facts[1]}",
            f"weight decay {value:g}: correlation {facts[0]}, accuracy {facts[1]}",
        )
        panels.append(Panel(picture(drawn, 1.9, step=4), label))
    none, most = _small(context, HIDDEN, DECAYS[0]), _small(context, HIDDEN, DECAYS[-1])
    return Figure(
        alt=Text(
            f"{HIDDEN} 个隐藏单元的小网络，权重衰减从 {DECAYS[0]:g} 到 {DECAYS[-1]:g}：杂点消失，斑块变平滑，"
            f"相邻权重的相关系数从 {none['neighbours']:.2f} 到 {most['neighbours']:.2f}",
            f"Small networks of {HIDDEN} hidden units with weight decay from {DECAYS[0]:g} to "
            f"{DECAYS[-1]:g}: the noise goes, the blobs grow smooth; correlation of neighbouring "
            f"weights from {none['neighbours']:.2f} to {most['neighbours']:.2f}",
        ),
        panels=panels,
        legends=[scale_legend(drawn, "map", _WEIGHT)],
        layout="column",
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""

    def facts(hidden: int, value: float) -> dict[str, float]:
        return {k: v for k, v in _small(context, hidden, value).items() if k != "images"}

    short = [context.trained(f"short-mlp-{seed}").weights["fc1.weight"] for seed in _SEEDS]
    return {
        "steps": STEPS,
        "hidden": HIDDEN,
        "alone": facts(0, DECAYS[1]),
        "decays": [{"decay": value, **facts(HIDDEN, value)} for value in DECAYS],
        "short_steps": context.recipe("short-mlp-0").steps,
        "seed_neighbours": [neighbour_correlation(w.reshape(-1, 28, 28).numpy()) for w in short],
        "shown": _SHOWN,
        "zero_middle": float(_small(context, 0, DECAYS[1])["images"][0, 12:16, 12:16].mean()),
    }
