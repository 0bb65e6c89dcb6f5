"""Figures of the chapter "The scale of the input": the same pixels in three units."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing.run_charts import accuracy_along_training, seed_chart, spread
from cnnviz.figure.figure import Figure, Panel, message
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.nets import networks
from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD, LeNet
from cnnviz.training.brief import train_briefly
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.same_recipe import trained_like

SEEDS = range(3)

UNITS = {"centred": "lenet", "fractions": "lenet-uncentred", "bytes": "lenet-bytes"}
"""Name → model that takes the pixels in that unit."""

BRIEF_STEPS = 60
"""Steps of the runs that compare optimisers."""

RATES = {"sgd": 0.05, "adamw": 3e-3}
"""Learning rates of those runs."""


def _recipes(unit: str) -> list[str]:
    return [f"sgd-{UNITS[unit]}-{seed}" for seed in SEEDS]


def _accuracies(context: Context, unit: str) -> tuple[list[int], list[list[float]]]:
    """Steps (S,) and accuracies at them for each seed (R, S)."""
    histories = [context.trained(name).history for name in _recipes(unit)]
    return histories[0].step, [history.accuracy for history in histories]


def learning(context: Context) -> Figure:
    """Accuracy along the training of LeNet on pixels in three units, three seeds each."""
    curves = {unit: _accuracies(context, unit) for unit in UNITS}
    ends = {unit: [run[-1] for run in runs] for unit, (_, runs) in curves.items()}

    def along(say: Say) -> str:
        return accuracy_along_training(
            {say(f"units.{unit}"): curve for unit, curve in curves.items()},
            title=say("along.title"),
            x_label=say("along.steps"),
            y_label=say("accuracy"),
            size=(640, 300),
        )

    def final(say: Say) -> str:
        return seed_chart(
            {say("final.run"): list(ends.values())},
            [say(f"units.{unit}") for unit in UNITS],
            title=say("final.title"),
            y_label=say("accuracy"),
            percent=True,
            size=(420, 260),
        )

    means = {unit: np.mean(values) for unit, values in ends.items()}
    return Figure(
        alt=message("alt", seeds=len(SEEDS), **means),
        panels=[Panel(along, message("along.label")), Panel(final, message("final.label"))],
        layout="column",
        uses=[name for unit in UNITS for name in _recipes(unit)],
    )


def _in_unit(pixels: Tensor, unit: str) -> Tensor:
    """Pixels from 0 to 1 as the first convolution of that unit's model gets them."""
    if unit == "centred":
        return (pixels - PIXEL_MEAN) / PIXEL_STD
    return pixels * 255 if unit == "bytes" else pixels


def _start(context: Context, unit: str) -> dict[str, float]:
    """Before the first step, over the seeds: loss, spread of logits, gradient of conv1."""
    images, labels = to_input(context.train.images[:256]), context.train.labels[:256]
    found = []
    for name in _recipes(unit):
        model = context.trained(name).model(0)
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        (gradient,) = torch.autograd.grad(loss, [model.get_parameter("conv1.weight")])
        found.append((loss.item(), logits.std().item(), gradient.norm().item()))
    loss_, logits_, gradient_ = np.mean(found, axis=0).tolist()
    return {"loss": loss_, "logits": logits_, "gradient": gradient_}


@shared
def _brief(context: Context) -> dict[str, dict[str, float]]:
    """Accuracy on 2,000 test images after a brief training, by optimiser and unit."""
    images, labels = to_input(context.test.images[:2000]), context.test.labels[:2000]
    result: dict[str, dict[str, float]] = {}
    for optimizer, rate in RATES.items():
        result[optimizer] = {}
        for unit, name in UNITS.items():
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                model = networks.build(name)
            train_briefly(model, context.train, BRIEF_STEPS, rate, optimizer=optimizer)
            result[optimizer][unit] = accuracy(predict(model, images), labels)
    return result


class _Larger(LeNet):
    """LeNet on pixels from 0 to `white`: not centred, only larger."""

    def __init__(self, white: float) -> None:
        super().__init__()
        self.white = white

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.white * x * PIXEL_STD + PIXEL_MEAN)  # undoes the centring


def _size_or_mean(context: Context, white: float) -> dict[str, list[float]]:
    """Accuracy on the test split for each seed: centred, 0 to 1, and 0 to `white`."""
    result = {
        unit: [accuracy(context.logits(name), context.test.labels) for name in _recipes(unit)]
        for unit in ("centred", "fractions")
    }
    return result | {
        "larger": [trained_like(context, name, lambda: _Larger(white))
                   for name in _recipes("centred")]
    }  # fmt: skip


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    pixels = to_input(context.train.images[:5000])
    units = {}
    for unit in UNITS:
        values = _in_unit(pixels, unit).double()
        steps, runs = _accuracies(context, unit)
        early = min(range(len(steps)), key=lambda i: abs(steps[i] - 64))  # a snapshot at 64
        mean, deviation = spread([run[-1] for run in runs])
        units[unit] = {
            "black": float(_in_unit(torch.zeros(1), unit)),
            "white": float(_in_unit(torch.ones(1), unit)),
            "mean": float(values.mean()),
            "std": float(values.std()),
            "square": float(values.square().mean()),
            "accuracy": mean,
            "deviation": deviation,
            "worst": min(run[-1] for run in runs),
            "best": max(run[-1] for run in runs),
            "early_step": steps[early],
            "early": float(np.mean([run[early] for run in runs])),
            "early_worst": min(run[early] for run in runs),
            "early_best": max(run[early] for run in runs),
            **_start(context, unit),
        }
    white = (units["centred"]["square"] / units["fractions"]["square"]) ** 0.5
    return {
        "units": units,
        "white": white,  # up to which pixels not centred have the mean square of centred ones
        "size_or_mean": _size_or_mean(context, white),
        "brief": _brief(context),
        "brief_steps": BRIEF_STEPS,
        "steps": context.recipe("sgd-lenet-0").steps,
        "rate": context.recipe("sgd-lenet-0").peak_learning_rate,
        "seeds": len(SEEDS),
        "mean": PIXEL_MEAN,
        "std": PIXEL_STD,
    }
