"""Figures of the chapter "Watching LeNet learn": kernels from random to final, and what settles when."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import accuracy_along_training
from cnnviz.figure.figure import Figure, Legend, Panel, Variant, message, picture, scale_legend
from cnnviz.inside.recording import record
from cnnviz.words import Say
from gen.context import Context
from gen.figures.learning.learning import DIGIT

LAYERS = ("conv1", "conv2", "fc1", "fc2", "output")


def filters(context: Context) -> Figure:
    """Kernels and maps from the random start to the end, a frame for each snapshot."""
    trained = context.trained("lenet")
    image = context.inputs("lenet", context.examples[DIGIT : DIGIT + 1])
    frames = []
    for step in trained.history.step:
        with torch.no_grad():
            maps = record(context.model("lenet", step), image, layers=["conv1"])["conv1"][0]
        weights = trained.snapshots[step]
        slices = weights["conv2.weight"].transpose(0, 1).numpy()  # (6, 16, 5, 5)
        frames.append((weights["conv1.weight"][:, 0].numpy(), maps.numpy(), slices))
    peaks = [max(float(np.abs(frame[i]).max()) for frame in frames) for i in range(3)]
    labels = [message(f"panels.{key}") for key in ("kernels", "maps", "slices")]
    variants = []
    for step, right, frame in zip(trained.history.step, trained.history.accuracy, frames,
                                  strict=True):  # fmt: skip
        panels, legends = [], []
        for values, peak, label, scale in zip(frame, peaks, labels, (16, 3.2, 5.9), strict=True):
            columns = None if values.ndim == 4 else 6
            stacked = np.ascontiguousarray(values)
            drawn = mosaic(stacked, columns=columns, scale=(-peak, peak), signed=True)
            panels.append(Panel(picture(drawn, scale), label))
            meaning = message("meaning", panel=label)
            legend = scale_legend(drawn, "layer", meaning)
            legends.append(Legend(meaning, legend.gradient, legend.low, legend.high))
        name = message("step", step=step, accuracy=right)
        variants.append(Variant(name, panels, legends))
    history = trained.history
    return Figure(
        alt=message(
            "alt",
            frames=len(frames),
            steps=history.step[-1],
            before=history.accuracy[0],
            after=history.accuracy[-1],
        ),
        variants=variants,
        chosen=len(variants) - 1,
        scrub=message("scrub"),
        layout="column",
        uses=["lenet"],
    )


def _distances(context: Context) -> dict[str, list[float]]:
    """For each layer, how far its weights still have to go, as a share of the whole way."""
    trained = context.trained("lenet")
    result = {}
    for layer in LAYERS:
        name = f"{layer}.weight"
        final = trained.weights[name]
        whole = float((trained.snapshots[0][name] - final).norm()) or 1.0
        result[layer] = [float((w[name] - final).norm()) / whole
                         for w in trained.snapshots.values()]  # fmt: skip
    return result


def settling(context: Context) -> Figure:
    """How far the weights of each layer still are from where they end."""
    history = context.trained("lenet").history
    steps = [max(step, 0.5) for step in history.step]  # a logarithmic axis has no zero
    distances = _distances(context)

    def distance_chart(say: Say) -> str:
        return charts.line_chart(
            {layer: (steps, values) for layer, values in distances.items()},
            title=say("distance.title"),
            x_label=say("distance.x"),
            y_label=say("distance.y"),
            percent=True,
            log_x=True,
        )

    def accuracy_chart(say: Say) -> str:
        return accuracy_along_training(
            {"LeNet": (history.step, history.accuracy)},
            title=say("accuracy.title"),
            x_label=say("accuracy.x"),
            y_label=say("accuracy.y"),
        )

    return Figure(
        alt=message("alt", **_early(context)),
        panels=[
            Panel(distance_chart, message("distance.label")),
            Panel(accuracy_chart, message("accuracy.label")),
        ],
        layout="column",
        uses=["lenet"],
    )


def _early(context: Context) -> dict[str, Any]:
    """The first snapshot with nine tenths of the final accuracy, and how far the weights are."""
    history = context.trained("lenet").history
    enough = 0.9 * history.accuracy[-1]
    place = next(i for i, right in enumerate(history.accuracy) if right >= enough)
    left = {layer: values[place] for layer, values in _distances(context).items()}
    return {
        "step": history.step[place],
        "accuracy": history.accuracy[place],
        "nearest": min(left.values()),
        "farthest": max(left.values()),
    }


def _late(context: Context) -> dict[str, Any]:
    """The layers that are nearest to and farthest from their end half-way (by snapshots)."""
    history = context.trained("lenet").history
    place = max(len(history.step) - 3, 0)
    left = {layer: values[place] for layer, values in _distances(context).items()}
    first, last = min(left, key=left.__getitem__), max(left, key=left.__getitem__)
    return {"step": history.step[place], "first": first, "first_left": left[first],
            "last": last, "last_left": left[last]}  # fmt: skip


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    history = context.trained("lenet").history
    return {
        "early": _early(context),
        "late": _late(context),
        "start_accuracy": history.accuracy[0],
        "end_accuracy": history.accuracy[-1],
        "steps": history.step[-1],
        "snapshots": len(history.step),
        "conv1_cosine": _cosine(context, "conv1"),
    }


def _cosine(context: Context, layer: str) -> float:
    """How much of the random start is still in the final kernels."""
    trained, name = context.trained("lenet"), f"{layer}.weight"
    start, end = trained.snapshots[0][name].flatten(), trained.weights[name].flatten()
    return float(F.cosine_similarity(start, end, dim=0))
