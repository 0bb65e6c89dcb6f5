"""Figures of the chapter "From a neuron to an MLP": one unit, one layer, one network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.network_drawing import network_diagram
from cnnviz.drawing.pixels import sum_of_parts
from cnnviz.nets.models import parameter_count
from cnnviz.numbers import significant, thousands, with_minus
from gen.context import Context
from gen.figure.figure import (
    GREY_LEGEND,
    Figure,
    Legend,
    Panel,
    Text,
    in_both,
    picture,
    scale_legend,
)

Floats = NDArray[np.float32]

DIGIT = 3
"""The class whose example the chapter follows, as the chapters after it do."""

LAYERS = ("fc1", "fc2", "output")
_SIDE = 28


def _weight(context: Context, layer: str) -> Floats:
    return context.trained("mlp").weights[f"{layer}.weight"].numpy()


def _weight_image(context: Context) -> Floats:
    """Weights of the unit that the chapter follows, (28, 28)."""
    return _weight(context, "fc1")[_unit(context)].reshape(_SIDE, _SIDE)


def _pixels(context: Context) -> Floats:
    """The example as the network gets it, (28, 28) from 0 to 1."""
    return context.inputs("mlp", context.examples[DIGIT : DIGIT + 1])[0, 0].numpy()


def _unit(context: Context) -> int:
    """The unit of fc1 that answers most to the example."""
    return int(context.recording("mlp")["fc1"][DIGIT].argmax())


def _parts(context: Context) -> dict[str, float]:
    """Of that unit's weighted sum: positive products, negative products, bias, recorded result."""
    unit = _unit(context)
    products = _weight_image(context).astype(np.float64) * _pixels(context)
    return {
        "positive": float(products[products > 0].sum()),
        "negative": float(products[products < 0].sum()),
        "bias": float(context.trained("mlp").weights["fc1.bias"][unit]),
        "recorded": float(context.recording("mlp")["fc1"][DIGIT, unit]),
    }


def neuron(context: Context) -> Figure:
    """One hidden unit at work: pixels, weights, products, and their sum."""
    unit = _unit(context)
    pixels, weights = _pixels(context), _weight_image(context)
    peak = float(np.abs(weights).max())
    drawn = mosaic(weights[None], scale=(-peak, peak))
    products = mosaic((weights * pixels)[None], scale=(-peak, peak))
    parts = _parts(context)
    digit = context.test.class_names[DIGIT]
    terms = [
        (Text("正的乘积之和", "positive products"), parts["positive"]),
        (Text("负的乘积之和", "negative products"), parts["negative"]),
        (Text("偏置 b", "bias b"), parts["bias"]),
    ]
    chain = in_both(
        lambda say: sum_of_parts(
            [(say(name), value) for name, value in terms],
            (say(Text("加权和 z", "weighted sum z")), parts["recorded"]),
            (say(Text("ReLU 之后", "after ReLU")), max(parts["recorded"], 0.0)),
            title=say(Text("加起来，再经过 ReLU", "Added up, then ReLU")),
        )
    )
    return Figure(
        alt=Text(
            f"fc1 的第 {unit} 号单元看一个 {digit}：像素乘以权重，正的乘积加起来是 "
            f"{significant(parts['positive'])}，负的是 {significant(parts['negative'])}，连同偏置得 "
            f"{significant(parts['recorded'])}",
            f"Unit {unit} of fc1 looks at a {digit}: pixels times weights; the positive products add "
            f"up to {significant(parts['positive'])}, the negative ones to {significant(parts['negative'])}; "
            f"with the bias that is {significant(parts['recorded'])}",
        ),
        panels=[
            Panel(
                picture(mosaic(pixels[None], scale=(0, 1), palette="grey"), 5.5),
                Text("① 像素", "① pixels"),
            ),
            Panel(picture(drawn, 5.5), Text("② 权重", "② weights")),
            Panel(picture(products, 5.5), Text("③ 乘积 ① × ②", "③ products ① × ②")),
            Panel(chain),
        ],
        legends=[
            scale_legend(
                drawn,
                "figure",
                Text(
                    "②与③：蓝为负，白为零，橙为正",
                    "② and ③: blue negative, white zero, orange positive",
                ),
            )
        ],
        uses=["mlp"],
    )


def _answers(context: Context) -> Tensor:
    """fc1's weighted sums for all test images, (N, 512)."""
    weights = context.trained("mlp").weights
    images = context.inputs("mlp", context.test.images).flatten(1)  # (N, 784)
    return images @ weights["fc1.weight"].T + weights["fc1.bias"]


def favourites(context: Context) -> Figure:
    """The test images to which that unit answers most and least."""
    answers = _answers(context)[:, _unit(context)]
    order = answers.argsort(descending=True, stable=True)
    ends = (
        (Text("加权和最大的十张", "the ten largest sums"), order[:10]),
        (Text("加权和最小的十张", "the ten smallest sums"), order[-10:].flip(0)),
    )
    panels = []
    for label, chosen in ends:
        images = context.test.images[chosen, 0].numpy()
        low, high = float(answers[chosen].min()), float(answers[chosen].max())
        span = Text(
            with_minus(f"{label.zh}：{low:.1f} 到 {high:.1f}"),
            with_minus(f"{label.en}: {low:.1f} to {high:.1f}"),
        )
        drawn = mosaic(images, columns=10, scale=(0, 255), palette="grey")
        panels.append(Panel(picture(drawn, 2), span))
    classes = [[context.test.class_names[context.test.labels[i]] for i in c] for _, c in ends]
    return Figure(
        alt=Text(
            f"这个单元加权和最大的图像：{'、'.join(classes[0])}；最小的：{'、'.join(classes[1])}",
            f"The images with this unit's largest sums: {', '.join(classes[0])}; with the smallest: "
            f"{', '.join(classes[1])}",
        ),
        panels=panels,
        legends=[GREY_LEGEND],
        layout="column",
        uses=["mlp"],
    )


def relu(context: Context) -> Figure:
    """The ReLU curve, and where the sums of the first layer lie on it."""
    x = np.linspace(-8, 4, 121)
    sums = _answers(context)[:1000].numpy()
    below = float((sums <= 0).mean())
    curve = in_both(
        lambda say: charts.line_chart(
            {"ReLU": (x, np.maximum(x, 0))},
            title=say(Text("ReLU 的曲线", "The curve of ReLU")),
            x_label=say(Text("加权和 z", "weighted sum z")),
            y_label=say(Text("输出", "output")),
            markers=False,
            size=(640, 240),
        )
    )
    spread = in_both(
        lambda say: charts.histogram(
            {say(Text("加权和", "weighted sums")): sums},
            title=say(Text("fc1 加权和的分布", "Distribution of the weighted sums of fc1")),
            x_label=say(Text("加权和 z", "weighted sum z")),
            y_label=say(Text("占比", "share")),
            limits=(-8, 4),
            bins=48,
            percent=True,
            size=(640, 240),
        )
    )
    return Figure(
        alt=Text(
            f"ReLU 的曲线：负数变成 0，正数不变。下面是 fc1 的加权和的分布，{below:.0%} 不大于 0",
            f"The curve of ReLU: negative numbers become 0, positive ones stay. Below, the weighted "
            f"sums of fc1: {below:.0%} are not above 0",
        ),
        panels=[
            Panel(curve, Text("ReLU(z) = max(0, z)", "ReLU(z) = max(0, z)")),
            Panel(
                spread,
                Text(
                    f"fc1 的 {sums.shape[1]} 个单元在 {thousands(len(sums))} 张测试图上的加权和",
                    f"weighted sums of fc1's {sums.shape[1]} units on {thousands(len(sums))} test images",
                ),
            ),
        ],
        layout="column",
        uses=["mlp"],
    )


def network(context: Context) -> Figure:
    """A few units of each layer with their real weights and what they do for the example."""
    outputs = context.recording("mlp")
    pixels = _pixels(context).ravel()
    probabilities = outputs["output"][DIGIT].softmax(0).numpy()
    activations = [
        pixels,
        outputs["relu1"][DIGIT].numpy(),
        outputs["relu2"][DIGIT].numpy(),
        probabilities,
    ]
    units = _shown_units(*activations[:3])
    weights = [_weight(context, layer) for layer in LAYERS]
    sizes = [weights[0].shape[1], *(matrix.shape[0] for matrix in weights)]
    names = (
        Text("像素", "pixels"),
        Text("隐藏层 1", "hidden layer 1"),
        Text("隐藏层 2", "hidden layer 2"),
        Text("输出", "output"),
    )
    drawing = in_both(
        lambda say: network_diagram(
            sizes,
            weights,
            title=say(Text("多层感知机的一部分", "A part of the MLP")),
            labels=[
                f"{say(name)}{say(Text('：', ': '))}{size}"
                for name, size in zip(names, sizes, strict=True)
            ],
            units=units,
            activations=activations,
            size=(640, 380),
        )
    )
    shape = "-".join(map(str, sizes))
    return Figure(
        alt=Text(
            f"{shape} 的多层感知机，每层只画最亮的几个单元和它们之间真实的权重；"
            f"输出层概率最大的是 {context.test.class_names[int(probabilities.argmax())]}",
            f"The MLP {shape}, of each layer only a few of the most active units and the real weights "
            f"between them; the largest output is that of "
            f"{context.test.class_names[int(probabilities.argmax())]}",
        ),
        panels=[Panel(drawing)],
        legends=[
            Legend(
                Text(
                    "线是权重：橙为正，蓝为负，越粗绝对值越大，每两层之间各有刻度。"
                    "圆里的黑点是激活值，越大越满",
                    "a line is a weight: orange positive, blue negative, wider if larger, with a scale "
                    "for each pair of layers. The disc in a circle is its activation: fuller if larger",
                )
            )
        ],
        uses=["mlp"],
    )


def _shown_units(pixels: Any, first: Any, second: Any) -> list[list[int]]:
    """Some bright pixels, the eight most active units of each hidden layer, all outputs."""
    lit = np.flatnonzero(pixels > 0.9)
    return [
        lit[np.linspace(0, len(lit) - 1, 8).round().astype(int)].tolist(),
        *(np.argsort(-values, kind="stable")[:8].tolist() for values in (first, second)),
        list(range(10)),
    ]


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    trained, outputs = context.trained("mlp"), context.recording("mlp")
    evaluation = context.evaluation("mlp")
    names = context.test.class_names
    unit, parts = _unit(context), _parts(context)
    answers = _answers(context)
    own = int((context.test.labels == DIGIT).sum())
    top = answers[:, unit].topk(own).indices  # as many as there are images of that class
    counts = context.test.labels[top].bincount(minlength=len(names))
    layers = {
        layer: trained.weights[f"{layer}.weight"].numel() + trained.weights[f"{layer}.bias"].numel()
        for layer in LAYERS
    }
    return {
        "digit": names[DIGIT],
        "unit": unit,
        "first_units": answers.shape[1],
        **parts,
        "sum": parts["positive"] + parts["negative"] + parts["bias"],
        "liked": {
            "count": own,
            "own": int(counts[DIGIT]),
            "other_classes": sum(c > 0 for i, c in enumerate(counts.tolist()) if i != DIGIT),
        },
        "below_zero": float((answers[:1000] <= 0).double().mean()),
        "active": int((outputs["relu1"][DIGIT] > 0).sum()),
        "dead": int((answers <= 0).all(0).sum()),
        "layers": layers,
        "parameters": parameter_count(context.model("mlp")),
        "accuracy": evaluation.accuracy,
        "test_count": evaluation.count,
        "errors": round((1 - evaluation.accuracy) * evaluation.count),
    }
