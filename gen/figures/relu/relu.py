"""Figures of the chapter "ReLU and its relatives": maps before and after, curves, zeros."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Legend, Panel, Variant, message, picture, scale_legend
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.recording import record
from cnnviz.numbers import percent, significant, times
from cnnviz.words import Say
from gen.context import Context, shared

DIGIT = 5
"""The class whose example the chapter follows."""

COUNT = 2000
"""Test images over which values are counted."""

BINS = 60
"""Intervals of the distributions, about."""

SMALL_STEPS, SMALL_BATCH, SMALL_SEEDS = 250, 128, 3
"""The small networks of this chapter, with and without an activation."""

_BEFORE = {"relu1": "conv1", "relu2": "conv2", "relu3": "fc1", "relu4": "fc2"}

_CURVES: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": F.relu,
    "leaky ReLU (0.1)": lambda x: F.leaky_relu(x, 0.1),
    "ELU": F.elu,
    "GELU": F.gelu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


@shared
def _outputs(context: Context) -> dict[str, Tensor]:
    """What LeNet's layers put out for the first test images."""
    inputs = context.inputs("lenet", context.test.images[:COUNT])
    return record(context.model("lenet"), inputs, layers=[*_BEFORE, *_BEFORE.values()])


def before_after(context: Context) -> Figure:
    """Both convolutions of LeNet on one digit, before and after ReLU."""
    panels, legends = [], []
    recorded = context.recording("lenet")
    for relu, scale, columns in (("relu1", 3.9, 6), ("relu2", 3.9, 16)):
        layer = _BEFORE[relu]
        peak = float(recorded[layer][DIGIT].abs().max())
        for name in (layer, relu):
            maps = recorded[name][DIGIT].numpy()
            drawn = mosaic(maps, columns=columns, scale=(-peak, peak), signed=True)
            label = message("named", name=name, what=times(maps.shape))
            panels.append(Panel(picture(drawn, scale), label))
        meaning = message("meaning", layer=layer, relu=relu)
        legends.append(scale_legend(drawn, "figure", meaning))
    zeros = {relu: float((recorded[relu][DIGIT] == 0).double().mean()) for relu in _BEFORE}
    return Figure(
        alt=message(
            "alt",
            digit=context.test.class_names[DIGIT],
            relu1=zeros["relu1"],
            relu2=zeros["relu2"],
        ),
        panels=panels,
        legends=legends,
        layout="column",
        uses=["lenet"],
    )


def curves(context: Context) -> Figure:
    """Six activations, each with its derivative."""
    x = torch.linspace(-4, 4, 161, requires_grad=True)
    points = x.detach().numpy()
    panels = []
    for name, function in _CURVES.items():
        y = function(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
        points = x.detach().numpy()
        lines = {"f(z)": (points, y.detach().numpy()), "f′(z)": (points, slope.numpy())}
        drawn = charts.line_chart(
            lines, title=name, x_label="z", markers=False, y_limits=(-1.2, 4.1), size=(330, 220)
        )
        panels.append(Panel(drawn, name))
    return Figure(
        alt=message("alt", sigmoid=_steepest()["sigmoid"]),
        panels=panels,
        legends=[Legend(message("legend"))],
        layout="grid",
    )


def _steepest() -> dict[str, float]:
    """The largest derivative of each activation between −4 and 4."""
    x = torch.linspace(-4, 4, 161, requires_grad=True)
    return {
        name: float(torch.autograd.grad(function(x).sum(), x)[0].max())
        for name, function in _CURVES.items()
    }


@shared
def _small(context: Context, kind: str, seed: int) -> nn.Sequential:
    """A small network on the training digits: "one" linear layer, "linear" or "relu" with three."""
    images, labels = context.train.images, context.train.labels
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        hidden = nn.ReLU if kind == "relu" else nn.Identity
        layers: list[nn.Module] = [nn.Linear(784, 10)]
        if kind != "one":
            layers = [nn.Linear(784, 64), hidden(), nn.Linear(64, 64), hidden(), nn.Linear(64, 10)]
        net = nn.Sequential(nn.Flatten(), *layers)
        order = torch.randint(len(images), (SMALL_STEPS, SMALL_BATCH))
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, fused=True)
    for batch in order:
        loss = F.cross_entropy(net(to_input(images[batch])), labels[batch])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return net.eval()


@shared
def _small_accuracies(context: Context) -> dict[str, list[float]]:
    images, labels = to_input(context.test.images), context.test.labels
    return {
        kind: [
            accuracy(predict(_small(context, kind, seed), images), labels)
            for seed in range(SMALL_SEEDS)
        ]
        for kind in ("one", "linear", "relu")
    }


def depth_without_activation(context: Context) -> Figure:
    """Errors of one linear layer, of three, and of three with ReLU between."""
    errors = {k: [1 - a for a in values] for k, values in _small_accuracies(context).items()}

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {
                say("seed", seed=seed): [errors[k][seed] for k in errors]
                for seed in range(SMALL_SEEDS)
            },
            [say(f"nets.{kind}") for kind in errors],
            title=say("title"),
            y_label=say("errors"),
            percent=True,
            write=percent,
            size=(640, 300),
        )

    means = {k: float(np.mean(v)) for k, v in errors.items()}
    return Figure(alt=message("alt", **means), panels=[Panel(draw)])


def _folded(context: Context) -> np.ndarray:
    """The three linear layers without activation as one matrix (10, 28, 28)."""
    matrices = [m.weight for m in _small(context, "linear", 0) if isinstance(m, nn.Linear)]
    with torch.no_grad():
        return (matrices[2] @ matrices[1] @ matrices[0]).reshape(10, 28, 28).numpy()


def folded_network(context: Context) -> Figure:
    """All that a linear network knows: one picture a class."""
    folded = _folded(context)
    peak = float(np.abs(folded).max()) or 1.0
    panels = []
    for name, weights in zip(context.test.class_names, folded, strict=True):
        drawn = mosaic(weights[None], scale=(-peak, peak), signed=True)
        panels.append(Panel(picture(drawn, 4), name))
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("meaning"))],
        columns=5,
    )


def _around_zero(low: float, high: float) -> tuple[int, tuple[float, float]]:
    """Number and ends of about BINS intervals from low to high, one with 0 in its middle.

    So the zeros that ReLU makes stand at 0, not beside it.
    """
    width = (high - low) / BINS or 1.0
    left, right = (max(0, math.ceil(end / width - 0.5)) for end in (-low, high))
    return left + right + 1, (-(left + 0.5) * width, (right + 0.5) * width)


def distributions(context: Context) -> Figure:
    """How the values of each layer are spread before and after ReLU."""
    outputs = _outputs(context)
    variants = []
    for relu, layer in _BEFORE.items():
        before = outputs[layer].flatten().numpy()
        low, high = (float(v) for v in np.quantile(before[:400_000], (0.005, 0.995)))
        around = _around_zero(low, high)

        def draw(
            say: Say, layer: str = layer, relu: str = relu, before: Any = before,
            around: Any = around,
        ) -> str:  # fmt: skip
            count, ends = around
            return charts.histogram(
                {layer: before, relu: np.maximum(before, 0)},
                title=say("title", layer=layer, relu=relu),
                x_label=say("value"),
                y_label=say("share"),
                bins=count,
                limits=ends,
                percent=True,
            )

        variants.append(Variant(f"{layer} → {relu}", [Panel(draw)]))
    zeros = _zeros(context)["lenet"]
    return Figure(
        alt=message("alt", layers=list(zeros.items())),
        variants=variants,
        chosen=2,
        uses=["lenet"],
    )


@shared
def _zeros(context: Context) -> dict[str, dict[str, float]]:
    """Share of zeros by layer of both networks, trained and at the random start."""
    result = {}
    for key, name, step in (
        ("lenet", "lenet", None),
        ("lenet at start", "lenet", 0),
        ("mlp", "mlp", None),
        ("mlp at start", "mlp", 0),
    ):
        layers = list(_BEFORE) if name == "lenet" else ["relu1", "relu2"]
        inputs = context.inputs(name, context.test.images[:COUNT])
        recorded = record(context.model(name, step), inputs, layers=layers)
        result[key] = {n: float((recorded[n] == 0).double().mean()) for n in layers}
    return result


def zeros(context: Context) -> Figure:
    """Share of zeros after each ReLU, before and after training."""
    shares = _zeros(context)
    groups = [f"LeNet {n}" for n in shares["lenet"]] + [f"MLP {n}" for n in shares["mlp"]]
    start = [*shares["lenet at start"].values(), *shares["mlp at start"].values()]
    end = [*shares["lenet"].values(), *shares["mlp"].values()]

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {say("before"): start, say("after"): end},
            groups,
            title=say("title"),
            y_label=say("share"),
            percent=True,
            write=partial(percent, digits=0),
            size=(680, 300),
        )

    return Figure(
        alt=message("alt", layers=list(zip(groups, start, end, strict=True))),
        panels=[Panel(draw)],
        uses=["lenet", "mlp"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    small = _small_accuracies(context)
    recorded = context.recording("lenet")
    net = _small(context, "linear", 0)
    steepest = _steepest()
    shares = _zeros(context)
    return {
        "digit": context.test.class_names[DIGIT],
        "count": min(COUNT, len(context.test)),
        "digit_zeros": {r: float((recorded[r][DIGIT] == 0).double().mean()) for r in _BEFORE},
        "zeros": shares,
        "sparse_layers": sum(s > 0.55 for n in ("lenet", "mlp") for s in shares[n].values()),
        "small": {
            kind: {"accuracy": values, "mean": float(np.mean(values)), "best": max(values),
                   "worst": min(values)}
            for kind, values in small.items()
        },
        "small_steps": SMALL_STEPS,
        "small_parameters": sum(p.numel() for p in net.parameters()),
        "one_parameters": 784 * 10 + 10,
        "steepest": steepest,
        "sigmoid_four": steepest["sigmoid"] ** 4,
        "sigmoid_ten": steepest["sigmoid"] ** 10,
        "largest": significant(float(recorded["conv2"][DIGIT].max())),
    }  # fmt: skip
