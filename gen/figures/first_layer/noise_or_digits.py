"""Figures of the chapter "What the neurons learned": what makes weights look like noise or digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cnnviz.data.inputs import to_input
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Panel, message, picture, scale_legend
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.unit_images import by_norm, neighbour_correlation
from cnnviz.training.brief import train_briefly
from gen.context import Context, shared
from gen.figures.same_recipe import trained_like

Floats = NDArray[np.float32]

STEPS = 300
"""Steps of the brief trainings of this chapter."""

HIDDEN = 64
"""Hidden units of the small networks."""

DECAYS = (0.0, 0.01, 0.05)
"""Weight decays of the small networks."""

_SEEDS = range(3)
_SHOWN = 12


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


@shared
def _ten_in_full(context: Context) -> float:
    """Accuracy of ten units without a hidden layer, trained as long and as well as the MLP."""
    return trained_like(context, "mlp", lambda: nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10)))


def ten_alone(context: Context) -> Figure:
    """Weights of a network without a hidden layer: one unit for each digit."""
    images, names = _small(context, 0, DECAYS[1])["images"], context.test.class_names
    peak = float(np.abs(images).max())
    drawn = [mosaic(image[None], scale=(-peak, peak)) for image in images]
    return Figure(
        alt=message("alt", names=names),
        panels=[Panel(picture(d, 4), name) for d, name in zip(drawn, names, strict=True)],
        legends=[scale_legend(drawn[0], "figure", message("weight"))],
        columns=5,
    )


def seeds(context: Context) -> Figure:
    """The strongest units of MLPs that differ only in their seed."""
    panels, alike = [], []
    for seed in _SEEDS:
        weights = context.trained(f"short-mlp-{seed}").weights["fc1.weight"]
        images = weights.reshape(-1, 28, 28).numpy()
        alike.append(neighbour_correlation(images))
        drawn = mosaic(images[by_norm(images)[:_SHOWN]], columns=_SHOWN)
        panels.append(Panel(picture(drawn, 1.9, step=4), message("seed", seed=seed)))
    return Figure(
        alt=message("alt", units=_SHOWN, alike=alike),
        panels=panels,
        legends=[scale_legend(drawn, "map", message("weight"))],
        layout="column",
        uses=[f"short-mlp-{seed}" for seed in _SEEDS],
    )


def decay(context: Context) -> Figure:
    """The strongest units of small networks with and without weight decay."""
    panels = []
    for value in DECAYS:
        small = _small(context, HIDDEN, value)
        drawn = mosaic(small["images"][by_norm(small["images"])[:_SHOWN]], columns=_SHOWN)
        label = message(
            "network", decay=value, alike=small["neighbours"], accuracy=small["accuracy"]
        )
        panels.append(Panel(picture(drawn, 1.9, step=4), label))
    none, most = _small(context, HIDDEN, DECAYS[0]), _small(context, HIDDEN, DECAYS[-1])
    return Figure(
        alt=message(
            "alt",
            units=HIDDEN,
            least=DECAYS[0],
            most=DECAYS[-1],
            before=none["neighbours"],
            after=most["neighbours"],
        ),
        panels=panels,
        legends=[scale_legend(drawn, "map", message("weight"))],
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
        "alone_in_full": _ten_in_full(context),
        "decays": [{"decay": value, **facts(HIDDEN, value)} for value in DECAYS],
        "short_steps": context.recipe("short-mlp-0").steps,
        "seed_neighbours": [neighbour_correlation(w.reshape(-1, 28, 28).numpy()) for w in short],
        "shown": _SHOWN,
        "zero_middle": float(_small(context, 0, DECAYS[1])["images"][0, 12:16, 12:16].mean()),
    }
