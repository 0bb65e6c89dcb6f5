"""Figures of the chapter "Watching LeNet learn": what the learning rate and the seed change."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import accuracy_along_training
from cnnviz.figure.figure import Figure, Panel, message, picture, scale_legend
from cnnviz.inside.evaluation import predict
from cnnviz.inside.recording import record
from cnnviz.training.runs import SEEDS
from cnnviz.words import Message, Say
from gen.context import Context
from gen.figures.learning.learning import PLAIN
from gen.figures.own_scales import own_scales

_RATES = {"low": "sgd-lenet-low-rate", "right": PLAIN, "high": "sgd-lenet-high-rate"}
_SMOOTH = 10  # steps over which the loss is averaged in the chart
_TESTED = 2000  # test images


def _rate_label(context: Context, kind: str) -> Message:
    rate = context.trained(_RATES[kind]).recipe.peak_learning_rate
    return message(f"named rates.{kind}", rate=rate)


def rates(context: Context) -> Figure:
    """Loss and accuracy of three runs that differ in the learning rate only."""
    runs = {kind: context.trained(name).history for kind, name in _RATES.items()}
    losses = {
        kind: np.convolve(run.loss, np.full(_SMOOTH, 1 / _SMOOTH), "valid")
        for kind, run in runs.items()
    }
    steps = np.arange(_SMOOTH, len(runs["right"].loss) + 1)

    def loss_chart(say: Say) -> str:
        return charts.line_chart(
            {say(_rate_label(context, kind)): (steps, values) for kind, values in losses.items()},
            title=say("loss.title"),
            x_label=say("loss.x"),
            y_label=say("loss.y"),
            y_limits=(0, None),
            markers=False,
        )

    def accuracy_chart(say: Say) -> str:
        return accuracy_along_training(
            {say(_rate_label(context, kind)): (r.step, r.accuracy) for kind, r in runs.items()},
            title=say("accuracy.title"),
            x_label=say("accuracy.x"),
            y_label=say("accuracy.y"),
        )

    return Figure(
        alt=message("alt", **{kind: run.accuracy[-1] for kind, run in runs.items()}),
        panels=[
            Panel(loss_chart, message("loss.label", steps=_SMOOTH)),
            Panel(accuracy_chart, message("accuracy.label")),
        ],
        layout="column",
        uses=list(_RATES.values()),
    )


def _kernels(context: Context, name: str) -> NDArray[np.floating[Any]]:
    return context.trained(name).weights["conv1.weight"][:, 0].numpy()  # (6, 5, 5)


def rate_kernels(context: Context) -> Figure:
    """The kernels that the three learning rates lead to, below the start that they share."""
    start = context.trained(PLAIN).snapshots[0]["conv1.weight"][:, 0].numpy()
    rows = [(message("start"), start)]
    rows += [(_rate_label(context, kind), _kernels(context, name)) for kind, name in _RATES.items()]
    panels = []
    for label, kernels in rows:
        drawn = mosaic(kernels, columns=6, scale="layer", signed=True)
        shown = message("row", name=label, limit=float(drawn.limits[0, 1]))
        panels.append(Panel(picture(drawn, 12), shown))
    return Figure(
        alt=message("alt", largest=float(np.abs(rows[-1][1]).max())),
        panels=panels,
        legends=[own_scales(message("meaning"))],
        layout="column",
        uses=list(_RATES.values()),
    )


def _seed_runs() -> list[str]:
    return [f"short-lenet-{seed}" for seed in SEEDS]


def seeds(context: Context) -> Figure:
    """The kernels of five runs that differ in their seed only."""
    peak = max(float(np.abs(_kernels(context, name)).max()) for name in _seed_runs())
    panels, legends = [], []
    for seed, name in zip(SEEDS, _seed_runs(), strict=True):
        drawn = mosaic(_kernels(context, name), columns=6, scale=(-peak, peak), signed=True)
        right = context.trained(name).history.accuracy[-1]
        panels.append(Panel(picture(drawn, 9), message("seed", seed=seed, accuracy=right)))
        legends = [scale_legend(drawn, "figure", message("meaning"))]
    rights = [context.trained(name).history.accuracy[-1] for name in _seed_runs()]
    return Figure(
        alt=message("alt", lowest=min(rights), highest=max(rights)),
        panels=panels,
        legends=legends,
        layout="column",
        uses=_seed_runs(),
    )


def _likeness(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Cosine of each kernel in `first` to the most similar of `second`, on average."""
    a, b = (k.reshape(len(k), -1) / np.linalg.norm(k.reshape(len(k), -1), axis=1, keepdims=True)
            for k in (first, second))  # fmt: skip
    return float((a @ b.T).max(1).mean())


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    result: dict[str, Any] = {}
    for key, name in _RATES.items():
        trained = context.trained(name)
        start, end = trained.snapshots[0]["conv1.weight"], trained.weights["conv1.weight"]
        result[key] = {
            "rate": trained.recipe.peak_learning_rate,
            "accuracy": trained.history.accuracy[-1],
            "loss": float(np.mean(trained.history.loss[-20:])),
            "first_loss": trained.history.loss[0],
            "highest_loss": max(trained.history.loss),
            "largest": float(end.abs().max()),
            "moved": float((end - start).norm() / start.norm()),
        }
    kernels = [_kernels(context, name) for name in _seed_runs()]
    starts = [context.trained(name).snapshots[0]["conv1.weight"][:, 0].numpy()
              for name in _seed_runs()]  # fmt: skip
    pairs = [(i, j) for i in range(len(kernels)) for j in range(len(kernels)) if i != j]
    rights = [context.trained(name).history.accuracy[-1] for name in _seed_runs()]
    inputs = context.inputs(PLAIN, context.test.images[:_TESTED])
    answers_of = [predict(context.model(name), inputs).argmax(1) for name in _seed_runs()]
    outputs = record(context.model(_RATES["high"]), inputs)
    alive = (outputs["relu4"] > 0).any(0)
    maps = (outputs["relu2"] > 0).amax((0, 2, 3))  # (16,)
    answers = outputs["output"].argmax(1)
    result["high"] |= {
        "dead": int((~alive).sum()),
        "units": len(alive),
        "dead_maps": int((~maps).sum()),
        "maps": len(maps),
        "tested": len(inputs),
        "answers": len(answers.unique()),
    }
    differ = [float((answers_of[i] != answers_of[j]).float().mean()) for i, j in pairs]
    return result | {
        "seeds": {
            "count": len(kernels),
            "steps": context.trained(_seed_runs()[0]).recipe.steps,
            "lowest": min(rights),
            "highest": max(rights),
            "between": float(np.mean([_likeness(kernels[i], kernels[j]) for i, j in pairs])),
            "by_chance": float(np.mean([_likeness(starts[i], starts[j]) for i, j in pairs])),
            "to_start": float(np.mean([
                F.cosine_similarity(torch.from_numpy(k).flatten(1), torch.from_numpy(s).flatten(1))
                .mean().item() for k, s in zip(kernels, starts, strict=True)])),
            "disagree": float(np.mean(differ)),
        },
    }  # fmt: skip
