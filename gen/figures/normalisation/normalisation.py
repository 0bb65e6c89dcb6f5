"""Figures of the chapter "Batch normalisation and dropout": values by channel, and two modes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import accuracy_along_training
from cnnviz.inside.evaluation import accuracy
from gen.context import Context, shared
from gen.figure.figure import Figure, Legend, Panel, Text, in_both, picture, scale_legend

PLAIN, NORMED = "sgd-lenet", "sgd-lenet-batchnorm"
SEEDS = range(3)
COUNT = 500
"""Test images over which values are spread, and batches are formed twice as many."""

SIZES = (1, 2, 4, 8, 16, 32, 64)
_LIMIT, _BINS = 7.0, 49
_STEP = Text("训练步数（最左为训练之前）", "training steps (leftmost: before training)")


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


def channels(context: Context) -> Figure:
    """How the values of each channel of the second convolution are spread."""
    names = {
        "plain": Text("LeNet：conv2", "LeNet: conv2"),
        "conv2": Text("带批量归一化：conv2（归一化之前）", "with batch norm: conv2 (before it)"),
        "norm2": Text("带批量归一化：norm2（归一化之后）", "with batch norm: norm2 (after it)"),
    }
    panels = []
    for key, values in _second(context).items():
        rows = []
        for channel in values.transpose(0, 1).flatten(1).numpy():  # (16, N·100)
            counts = np.histogram(channel.clip(-_LIMIT, _LIMIT), _BINS, (-_LIMIT, _LIMIT))[0]
            rows.append(counts / counts.max())
        drawn = mosaic(np.array(rows)[None], scale=(0, 1), signed=False)
        panels.append(Panel(picture(drawn, 13), names[key]))
    spreads = {k: _channel_statistics(v) for k, v in _second(context).items()}
    meaning = Text(
        f"每行一个通道；横向从 −{_LIMIT:.0f} 到 {_LIMIT:.0f}，正中是 0；"
        "更远的算在两端。颜色是落在那里的值有多少，1 是这一行的最高处",
        f"A row is a channel; across from −{_LIMIT:.0f} to {_LIMIT:.0f}, 0 in the middle; the colour "
        "says how many values fall there (farther ones at the ends), 1 being the row's peak",
    )
    return Figure(
        alt=Text(
            "各通道的平均值分散在 "
            + "、".join(f"{names[k].zh} ±{s['means']:.2f}" for k, s in spreads.items()),
            "Means of the channels are spread by "
            + ", ".join(f"±{s['means']:.2f} ({names[k].en})" for k, s in spreads.items()),
        ),
        panels=panels,
        legends=[scale_legend(drawn, "figure", meaning)],
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
    names = {
        "conv2": Text("LeNet", "LeNet"),
        "norm2": Text("批量归一化", "batch norm"),
    }
    drawing = in_both(
        lambda say: charts.line_chart(
            {say(names[k]): ([max(s, 0.5) for s in steps], v.mean(0)) for k, v in found.items()},
            errors={say(names[k]): (v.max(0) - v.min(0)) / 2 for k, v in found.items()},
            title=say(
                Text("第二个 ReLU 之前的标准差", "Standard deviation before the second ReLU")
            ),
            x_label=say(_STEP),
            y_label=say(Text("标准差", "standard deviation")),
            log_x=True,
            y_limits=(0, None),
            size=(640, 260),
        )
    )
    return Figure(
        alt=Text(
            f"ReLU 之前的标准差：LeNet 从 {found['conv2'][:, 0].mean():.2f} 变到 "
            f"{found['conv2'][:, -1].mean():.2f}；批量归一化从 {found['norm2'][:, 0].mean():.2f} 到 "
            f"{found['norm2'][:, -1].mean():.2f}",
            f"Standard deviation before the ReLU: in LeNet from {found['conv2'][:, 0].mean():.2f} to "
            f"{found['conv2'][:, -1].mean():.2f}, with batch normalisation from "
            f"{found['norm2'][:, 0].mean():.2f} to {found['norm2'][:, -1].mean():.2f}",
        ),
        panels=[Panel(drawing)],
        legends=[
            Legend(Text("三个种子的平均；色带的宽度是最小值到最大值的距离", "mean of three seeds; the band is as wide as their range"))
        ],
        uses=[*_runs(PLAIN), *_runs(NORMED)],
    )  # fmt: skip


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
    drawing = in_both(
        lambda say: accuracy_along_training(
            {
                say(Text("LeNet", "LeNet")): (steps, found[PLAIN]),
                say(Text("批量归一化", "batch norm")): (steps, found[NORMED]),
            },
            title=say(Text("有无批量归一化的准确率", "Accuracy with and without batch norm")),
            x_label=say(Text("训练步数", "training steps")),
            y_label=say(Text("测试准确率", "test accuracy")),
        )
    )
    end = {kind: values[:, -1].mean() for kind, values in found.items()}
    return Figure(
        alt=Text(
            f"三个种子的平均准确率：最后 LeNet {end[PLAIN]:.1%}，批量归一化 {end[NORMED]:.1%}；"
            "中途批量归一化领先得多",
            f"Mean accuracy of three seeds: at the end LeNet {end[PLAIN]:.1%}, with batch "
            f"normalisation {end[NORMED]:.1%}; half way the latter is far ahead",
        ),
        panels=[Panel(drawing)],
        uses=[*_runs(PLAIN), *_runs(NORMED)],
    )


def gamma_beta(context: Context) -> Figure:
    """What was learned: scale and offset of each channel."""
    weights = context.trained(_runs(NORMED)[0]).weights
    panels = []
    for layer in ("norm1", "norm2"):
        gamma, beta = (weights[f"{layer}.{part}"].tolist() for part in ("weight", "bias"))
        drawing = in_both(
            lambda say, n=layer, g=gamma, b=beta: charts.grouped_bar_chart(  # type: ignore[misc]
                {"γ": g, "β": b},
                [str(index) for index in range(len(g))],
                title=say(Text(f"{n} 的 γ 与 β", f"γ and β of {n}")),
                x_label=say(Text("通道", "channel")),
                size=(640, 200),
            )
        )
        panels.append(Panel(drawing, Text(layer, layer)))
    return Figure(
        alt=Text(
            "每个通道学到的 γ 与 β：γ 都离 1 不远，β 都离 0 不远",
            "γ and β that each channel learned: γ is never far from 1, β never far from 0",
        ),
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
    names = {
        "evaluation": Text("评估模式", "evaluation mode"),
        "mixed": Text("训练模式，混合", "training mode, mixed"),
        "one class": Text("训练模式，同类", "training mode, one class"),
    }
    drawing = in_both(
        lambda say: charts.line_chart(
            {say(names[key]): (SIZES, found[key]) for key in names},
            title=say(Text("忘了 model.eval() 的代价", "The price of forgetting model.eval()")),
            x_label=say(Text("每批的图数", "images in a batch")),
            y_label=say(Text("测试准确率", "test accuracy")),
            percent=True,
            log_x=True,
            size=(640, 300),
        )
    )
    return Figure(
        alt=Text(
            f"评估模式 {found['evaluation'][0]:.1%}。训练模式：每批 1 张 {found['mixed'][0]:.1%}，"
            f"{SIZES[-1]} 张混合 {found['mixed'][-1]:.1%}，{SIZES[-1]} 张同类 "
            f"{found['one class'][-1]:.1%}",
            f"Evaluation mode {found['evaluation'][0]:.1%}. Training mode: {found['mixed'][0]:.1%} "
            f"with 1 image a batch, {found['mixed'][-1]:.1%} with {SIZES[-1]} mixed, "
            f"{found['one class'][-1]:.1%} with {SIZES[-1]} of one class",
        ),
        panels=[Panel(drawing)],
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
    }
