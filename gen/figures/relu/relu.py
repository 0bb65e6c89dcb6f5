"""Figures of the chapter "ReLU and its relatives": maps before and after, curves, zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.recording import record
from cnnviz.numbers import significant
from gen.context import Context, shared
from gen.figure.figure import Figure, Legend, Panel, Text, Variant, in_both, picture, scale_legend

DIGIT = 5
"""The class whose example the chapter follows."""

COUNT = 2000
"""Test images over which values are counted."""

SMALL_STEPS, SMALL_BATCH, SMALL_SEEDS = 250, 128, 3
"""The small networks of this chapter, with and without an activation."""

_SIGNS = Text("蓝为负，白为零，橙为正", "blue negative, white zero, orange positive")
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
            shape = "×".join(map(str, maps.shape))
            label = Text(f"{name}：{shape}", f"{name}: {shape}")
            panels.append(Panel(picture(drawn, scale), label))
        meaning = Text(f"{layer} 与 {relu}，{_SIGNS.zh}", f"{layer} and {relu}, {_SIGNS.en}")
        legends.append(scale_legend(drawn, "figure", meaning))
    zeros = {relu: float((recorded[relu][DIGIT] == 0).double().mean()) for relu in _BEFORE}
    digit = context.test.class_names[DIGIT]
    return Figure(
        alt=Text(
            f"数字 {digit} 的特征图，ReLU 之前有蓝有橙，ReLU 之后只剩橙与白："
            f"relu1 有 {zeros['relu1']:.0%} 是零，relu2 有 {zeros['relu2']:.0%} 是零",
            f"Feature maps of the digit {digit}: blue and orange before ReLU, orange and white "
            f"after it; {zeros['relu1']:.0%} of relu1 and {zeros['relu2']:.0%} of relu2 are zero",
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
        drawing = Text(drawn, drawn)
        panels.append(Panel(drawing, Text(name, name)))
    steepest = _steepest()
    return Figure(
        alt=Text(
            "六个激活函数和它们的导数。ReLU 的导数在左边是 0，在右边是 1；"
            f"sigmoid 的导数最大只有 {steepest['sigmoid']:.2f}，两头都趋于 0",
            "Six activations and their derivatives. The slope of ReLU is 0 on the left and 1 on "
            f"the right; that of the sigmoid is at most {steepest['sigmoid']:.2f} and goes to 0 on "
            "both sides",
        ),
        panels=panels,
        legends=[
            Legend(Text("横轴 z 是激活之前的值，f(z) 是激活函数，f′(z) 是它的导数；六张图的刻度相同",
                        "across, the value z before the activation; f(z) is the activation, f′(z) its derivative; "
                        "all six share their scales"))
        ],
        layout="grid",
    )  # fmt: skip


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
    names = [
        Text("一层", "one layer"),
        Text("三层，无激活", "three, no activation"),
        Text("三层，ReLU", "three, ReLU"),
    ]
    drawing = in_both(
        lambda say: charts.grouped_bar_chart(
            {
                say(Text(f"种子 {seed}", f"seed {seed}")): [errors[k][seed] for k in errors]
                for seed in range(SMALL_SEEDS)
            },
            [say(name) for name in names],
            title=say(Text("有无激活的错误率", "Errors with and without an activation")),
            y_label=say(Text("测试错误率", "test errors")),
            percent=True,
            write=lambda share: f"{share:.1%}",
            size=(640, 300),
        )
    )
    means = {k: float(np.mean(v)) for k, v in errors.items()}
    return Figure(
        alt=Text(
            f"平均错误率：一层 {means['one']:.1%}，三层无激活 {means['linear']:.1%}，"
            f"三层加 ReLU {means['relu']:.1%}",
            f"Mean errors: one layer {means['one']:.1%}, three without activation "
            f"{means['linear']:.1%}, three with ReLU {means['relu']:.1%}",
        ),
        panels=[Panel(drawing)],
    )


def _folded(context: Context) -> np.ndarray:
    """The three linear layers without activation as one matrix (10, 28, 28)."""
    matrices = [m.weight for m in _small(context, "linear", 0) if isinstance(m, nn.Linear)]
    with torch.no_grad():
        return (matrices[2] @ matrices[1] @ matrices[0]).reshape(10, 28, 28).numpy()


def folded_network(context: Context) -> Figure:
    """All that a linear network knows: one picture a class."""
    drawn = mosaic(_folded(context), columns=5, scale="layer", signed=True)
    meaning = Text(f"乘起来之后的权重：{_SIGNS.zh}", f"weight after multiplying: {_SIGNS.en}")
    return Figure(
        alt=Text(
            "十张 28×28 的权重图，从 0 到 9，每类一张：这就是整个三层线性网络",
            "Ten weight images of 28×28, one a class from 0 to 9: the whole three-layer linear "
            "network",
        ),
        panels=[Panel(picture(drawn, 4.6))],
        legends=[scale_legend(drawn, "layer", meaning)],
    )


def distributions(context: Context) -> Figure:
    """How the values of each layer are spread before and after ReLU."""
    outputs = _outputs(context)
    variants = []
    for relu, layer in _BEFORE.items():
        before = outputs[layer].flatten().numpy()
        low, high = (float(v) for v in np.quantile(before[:400_000], (0.005, 0.995)))
        drawing = in_both(
            lambda say, b=before, r=relu, n=layer, ends=(low, high): charts.histogram(  # type: ignore[misc]
                {n: b, r: np.maximum(b, 0)},
                title=say(Text(f"{n} 与 {r} 的分布", f"Spread of {n} and {r}")),
                x_label=say(Text("值", "value")),
                y_label=say(Text("占比", "share")),
                bins=60,
                limits=ends,
                percent=True,
            )
        )
        variants.append(Variant(Text(f"{layer} → {relu}", f"{layer} → {relu}"), [Panel(drawing)]))
    zeros = _zeros(context)["lenet"]
    return Figure(
        alt=Text(
            "ReLU 之前的值分布在零的两侧；ReLU 之后，负的一侧全部堆在零上："
            + "，".join(f"{layer} {share:.0%}" for layer, share in zeros.items()),
            "Before ReLU the values lie on both sides of zero; after it the negative side is "
            "piled up at zero: "
            + ", ".join(f"{layer} {share:.0%}" for layer, share in zeros.items()),
        ),
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
    drawing = in_both(
        lambda say: charts.grouped_bar_chart(
            {
                say(Text("训练之前", "before training")): start,
                say(Text("训练之后", "after training")): end,
            },
            groups,
            title=say(Text("每层 ReLU 之后零的占比", "Share of zeros after each ReLU")),
            y_label=say(Text("零的占比", "share of zeros")),
            percent=True,
            write=lambda share: f"{share:.0%}",
            size=(680, 300),
        )
    )
    listed = [f"{g} {a:.0%} → {b:.0%}" for g, a, b in zip(groups, start, end, strict=True)]
    return Figure(
        alt=Text(
            f"每层 ReLU 之后零的占比，训练之前与之后：{'，'.join(listed)}",
            f"Share of zeros after each ReLU, before and after training: {', '.join(listed)}",
        ),
        panels=[Panel(drawing)],
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
