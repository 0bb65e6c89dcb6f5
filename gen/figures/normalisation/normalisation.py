"""Figures of the chapter "Batch normalisation and dropout": values by channel, and two modes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.drawing import charts, svg
from cnnviz.drawing.run_charts import accuracy_along_training
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.inside.evaluation import accuracy
from cnnviz.numbers import shortest
from cnnviz.words import Message, Say
from gen.context import Context, shared

PLAIN, NORMED = "sgd-lenet", "sgd-lenet-batchnorm"
SEEDS = range(3)
COUNT = 500
"""Test images over which values are spread, and batches are formed twice as many."""

MOMENTUM = 0.9  # of SGD, as in cnnviz.training.fit
SIZES = (1, 2, 4, 8, 16, 32, 64)
_LIMIT, _BINS = 7.0, 49


def _runs(kind: str) -> list[str]:
    return [f"{kind}-{seed}" for seed in SEEDS]


def _in_training_mode(context: Context, name: str, step: int | None = None) -> nn.Module:
    """A copy whose batch normalisation uses each batch's own statistics and keeps none."""
    model = context.trained(name).model(step)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    return model.train()


def _values(model: nn.Module, inputs: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
    """What layers put out in the mode in which the model is (`record` would change that)."""
    found: dict[str, Tensor] = {}
    hooks = [
        model.get_submodule(layer).register_forward_hook(
            lambda module, args, output, name=layer: found.update({name: output})
        )
        for layer in layers
    ]
    with torch.no_grad():
        model(inputs)
    for hook in hooks:
        hook.remove()
    return found


@shared
def _second(context: Context) -> dict[str, Tensor]:
    """What the second convolution gives in both nets, and its normalisation: (N, 16, 10, 10)."""
    plain, normed = _runs(PLAIN)[0], _runs(NORMED)[0]
    inputs = context.inputs(plain, context.test.images[:COUNT])
    return {
        "plain": _values(context.model(plain), inputs, ["conv2"])["conv2"],
        **_values(context.model(normed), inputs, ["conv2", "norm2"]),
    }


def _ridges(rows: Iterable[Iterable[float]], title: str) -> str:
    """A curve a row, heights from 0 to 1, over one axis from −_LIMIT to _LIMIT with a line at 0."""
    left, width, pitch = 26.0, 560.0, 11.0
    parts = []
    bottom = 4.0
    for number, heights in enumerate(rows):
        bottom += pitch
        points = [
            (left + width * (place + 0.5) / _BINS, bottom - 0.95 * pitch * height)
            for place, height in enumerate(heights)
        ]
        line = "L".join(f"{svg.coordinate(x)} {svg.coordinate(y)}" for x, y in points)
        ends = (svg.coordinate(points[0][0]), svg.coordinate(points[-1][0]))
        base = svg.coordinate(bottom)
        path = f"M{ends[0]} {base}L{line}L{ends[1]} {base}Z"
        parts.append(svg.element("path", d=path, fill=svg.var("1"), fill_opacity=0.75))
        if number % 5 == 0:
            parts.append(svg.text(left - 8, bottom - pitch / 2, str(number), anchor="end",
                                  size=svg.NOTE_SIZE, fill=svg.var("muted")))  # fmt: skip
    for tick in range(-int(_LIMIT) + 1, int(_LIMIT), 2):
        x = left + width * (tick + _LIMIT) / (2 * _LIMIT)
        colour = svg.var("fg" if tick == 0 else "grid")
        parts.append(svg.element("path", d=f"M{svg.coordinate(x)} 4V{svg.coordinate(bottom + 3)}",
                                 stroke=colour, fill="none"))  # fmt: skip
        parts.append(svg.text(x, bottom + 12, shortest(tick), size=svg.NOTE_SIZE,
                              fill=svg.var("muted")))  # fmt: skip
    return svg.document(left + width + 4, bottom + 22, title, "".join(parts))


def channels(context: Context) -> Figure:
    """How the values of each channel of the second convolution are spread."""
    panels, spreads = [], []
    for key, values in _second(context).items():
        rows = []
        for channel in values.transpose(0, 1).flatten(1).numpy():  # (16, N·100)
            counts = np.histogram(channel.clip(-_LIMIT, _LIMIT), _BINS, (-_LIMIT, _LIMIT))[0]
            rows.append(counts / counts.max())
        name = message(f"names.{key}")

        def draw(say: Say, rows: list[Any] = rows, name: Message = name) -> str:
            return _ridges(rows, say(name))

        panels.append(Panel(draw, name))
        spreads.append((name, _channel_statistics(values)["means"]))
    return Figure(
        alt=message("alt", spreads=spreads),
        panels=panels,
        legends=[Legend(message("meaning", limit=_LIMIT))],
        layout="column",
        uses=[_runs(PLAIN)[0], _runs(NORMED)[0]],
    )


def _channel_statistics(values: Tensor) -> dict[str, float]:
    """Spread of the channels' means, and smallest and largest of their standard deviations."""
    by_channel = values.transpose(0, 1).flatten(1)
    means, deviations = by_channel.mean(1), by_channel.std(1)
    return {
        "means": float(means.std()),
        "farthest": float(means.abs().max()),
        "narrowest": float(deviations.min()),
        "widest": float(deviations.max()),
        "ratio": float(deviations.max() / deviations.min().clamp(min=1e-9)),
    }


@shared
def _sizes_along(context: Context) -> tuple[list[int], dict[str, np.ndarray]]:
    """Steps, and by what relu2 is given: its standard deviation (seeds, steps)."""
    steps = context.trained(_runs(PLAIN)[0]).history.step
    inputs = context.inputs(PLAIN + "-0", context.test.images[:100])
    found: dict[str, list[list[float]]] = {"conv2": [], "norm2": []}
    for kind, layer in ((PLAIN, "conv2"), (NORMED, "norm2")):
        for name in _runs(kind):
            models = [_in_training_mode(context, name, step) for step in steps]
            found[layer].append(
                [float(_values(m, inputs, [layer])[layer].std()) for m in models]
            )  # fmt: skip
    return steps, {layer: np.array(values) for layer, values in found.items()}


def sizes(context: Context) -> Figure:
    """How large the values before the second ReLU are, along the training."""
    steps, found = _sizes_along(context)
    lenet, normed = (found[layer].mean(0) for layer in ("conv2", "norm2"))

    def draw(say: Say) -> str:
        names = {"conv2": "LeNet", "norm2": say("batch norm")}
        return charts.line_chart(
            {names[k]: ([max(s, 0.5) for s in steps], v.mean(0)) for k, v in found.items()},
            errors={names[k]: (v.max(0) - v.min(0)) / 2 for k, v in found.items()},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            log_x=True,
            y_limits=(0, None),
            size=(640, 260),
        )

    return Figure(
        alt=message(
            "alt",
            lenet_start=lenet[0],
            lenet_end=lenet[-1],
            normed_start=normed[0],
            normed_end=normed[-1],
        ),
        panels=[Panel(draw)],
        legends=[Legend(message("legend"))],
        uses=[*_runs(PLAIN), *_runs(NORMED)],
    )


@shared
def _learning(context: Context) -> tuple[list[int], dict[str, np.ndarray]]:
    """Steps, and accuracies (seeds, steps) of both nets."""
    steps = context.trained(_runs(PLAIN)[0]).history.step
    return steps, {
        kind: np.array([context.trained(name).history.accuracy for name in _runs(kind)])
        for kind in (PLAIN, NORMED)
    }


def learning(context: Context) -> Figure:
    """Accuracy along the training, with and without, over seeds."""
    steps, found = _learning(context)

    def draw(say: Say) -> str:
        return accuracy_along_training(
            {"LeNet": (steps, found[PLAIN]), say("batch norm"): (steps, found[NORMED])},
            title=say("title"),
            x_label=say("x"),
            y_label=say("accuracy"),
        )

    end = {kind: values[:, -1].mean() for kind, values in found.items()}
    return Figure(
        alt=message("alt", lenet=end[PLAIN], normed=end[NORMED]),
        panels=[Panel(draw)],
        uses=[*_runs(PLAIN), *_runs(NORMED)],
    )


def gamma_beta(context: Context) -> Figure:
    """What was learned: scale and offset of each channel."""
    weights = context.trained(_runs(NORMED)[0]).weights
    panels = []
    for layer in ("norm1", "norm2"):
        gamma, beta = (weights[f"{layer}.{part}"].tolist() for part in ("weight", "bias"))

        def draw(
            say: Say, layer: str = layer, gamma: list[float] = gamma, beta: list[float] = beta
        ) -> str:
            return charts.grouped_bar_chart(
                {"γ": gamma, "β": beta},
                [str(index) for index in range(len(gamma))],
                title=say("title", layer=layer),
                x_label=say("x"),
                size=(640, 200),
            )

        panels.append(Panel(draw, layer))
    return Figure(
        alt=message("alt"),
        panels=panels,
        layout="column",
        uses=[_runs(NORMED)[0]],
    )


@shared
def _by_batch(context: Context) -> dict[str, list[float]]:
    """Accuracy in training mode by size of the batch: digits mixed, or all of one class."""
    name = _runs(NORMED)[0]
    model = _in_training_mode(context, name)
    labels = context.test.labels[: 2 * COUNT]
    inputs = context.inputs(name, context.test.images[: 2 * COUNT])
    mixed = torch.arange(len(labels))
    by_class = [(labels == label).nonzero()[:, 0] for label in labels.unique()]

    def right(batches: Iterable[Tensor]) -> float:
        chosen = list(batches)
        with torch.no_grad():
            logits = torch.cat([model(inputs[batch]) for batch in chosen])
        return accuracy(logits, labels[torch.cat(chosen)])

    alone = right(mixed.split(1))
    return {
        "mixed": [alone, *(right(mixed.split(size)) for size in SIZES[1:])],
        "one class": [alone, *(right(b for c in by_class for b in c.split(size))
                               for size in SIZES[1:])],
        "evaluation": [accuracy(context.logits(name)[: 2 * COUNT], labels)] * len(SIZES),
    }  # fmt: skip


def forgotten(context: Context) -> Figure:
    """What it costs to forget model.eval(), by size of the batch."""
    found = _by_batch(context)

    def draw(say: Say) -> str:
        return charts.line_chart(
            {
                say(f"names.{way}"): (SIZES, found[way])
                for way in ("evaluation", "mixed", "one class")
            },
            title=say("title"),
            x_label=say("x"),
            y_label=say("accuracy"),
            percent=True,
            log_x=True,
            size=(640, 300),
        )

    return Figure(
        alt=message(
            "alt",
            evaluation=found["evaluation"][0],
            alone=found["mixed"][0],
            size=SIZES[-1],
            mixed=found["mixed"][-1],
            one_class=found["one class"][-1],
        ),
        panels=[Panel(draw)],
        uses=[_runs(NORMED)[0]],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    steps, learned = _learning(context)
    _, spread_along = _sizes_along(context)
    middle = steps.index(64) if 64 in steps else len(steps) // 2
    weights = context.trained(_runs(NORMED)[0]).weights
    gammas = torch.cat([weights["norm1.weight"], weights["norm2.weight"]])
    betas = torch.cat([weights["norm1.bias"], weights["norm2.bias"]])
    found = _by_batch(context)

    def reaches(kind: str, share: float) -> int:
        """The first snapshot at which the mean of the seeds is that high; 0 for never."""
        means = learned[kind].mean(0)
        return next((s for s, a in zip(steps, means, strict=True) if a >= share), 0)

    return {
        "count": min(COUNT, len(context.test)),
        "channels": {k: _channel_statistics(v) for k, v in _second(context).items()},
        "along": {k: v.mean(0)[[0, -1]].tolist() for k, v in spread_along.items()},
        "middle_step": steps[middle],
        "middle": {
            "plain": learned[PLAIN][:, middle].tolist(),
            "normed": learned[NORMED][:, middle].tolist(),
            "plain_mean": float(learned[PLAIN][:, middle].mean()),
            "normed_mean": float(learned[NORMED][:, middle].mean()),
        },
        "end": {
            "plain": learned[PLAIN][:, -1].tolist(),
            "normed": learned[NORMED][:, -1].tolist(),
            "plain_mean": float(learned[PLAIN][:, -1].mean()),
            "normed_mean": float(learned[NORMED][:, -1].mean()),
        },
        "ahead": bool((learned[NORMED][:, middle] > learned[PLAIN][:, middle] + 0.05).all()),
        "reaches": {"plain": reaches(PLAIN, 0.75), "normed": reaches(NORMED, 0.75)},
        "gamma": {"least": float(gammas.min()), "most": float(gammas.max())},
        "beta": {"least": float(betas.min()), "most": float(betas.max())},
        "parameters": int(gammas.numel() + betas.numel()),
        "tracked": int(weights["norm1.num_batches_tracked"]),
        "forgotten": {k.replace(" ", "_"): v for k, v in found.items()},
        "sizes": SIZES,
        "batch_images": min(2 * COUNT, len(context.test)),
        "steps": context.recipe(_runs(PLAIN)[0]).steps,
        "rate": context.recipe(_runs(PLAIN)[0]).peak_learning_rate,
        "momentum": MOMENTUM,
    }
