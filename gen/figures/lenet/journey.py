"""Figures of the chapter "LeNet, layer by layer": the whole journey at once, and two inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.drawing import charts
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.drawing.mosaic import mosaic
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.recording import record
from cnnviz.numbers import fixed, significant
from gen.context import Context, shared
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
from gen.figures.lenet.lenet import DIGIT

_STAGES = {
    "conv1": (Text("卷积", "convolution"), 6, 3.9),
    "relu1": (Text("负数变零", "negative becomes 0"), 6, 3.9),
    "pool1": (Text("每 2×2 留最大", "largest of 2×2"), 6, 7.5),
    "conv2": (Text("卷积", "convolution"), 8, 7.5),
    "relu2": (Text("负数变零", "negative becomes 0"), 8, 7.5),
    "pool2": (Text("每 2×2 留最大", "largest of 2×2"), 8, 14),
    "flatten": (Text("排成一行", "in one row"), 1, 1.65),
    "fc1": (Text("全连接", "fully connected"), 1, 5.5),
    "relu3": (Text("负数变零", "negative becomes 0"), 1, 5.5),
    "fc2": (Text("全连接", "fully connected"), 1, 7.8),
    "relu4": (Text("负数变零", "negative becomes 0"), 1, 7.8),
}
"""Layer → what it does, maps a row, scale of the picture."""

_SIGNED = ("conv1", "conv2", "fc1", "fc2")
_OWN = Text("每层一个刻度，两端写在它上方", "each layer has a scale of its own, written above it")
_CLOTHES = (2, 4)  # pullover and coat, the pair of the exercise in "Dive into Deep Learning"
_TESTED = 2000  # test images that are read with black and white exchanged
_COMPARED = 200  # test images of each class whose activations are compared


def journey(context: Context) -> Figure:
    """Every map of every layer for one image, from pixels to probabilities."""
    outputs = context.recording("lenet")
    image = mosaic(context.examples[DIGIT].numpy(), scale=(0, 255), palette="grey")
    panels = [Panel(picture(image, 5), Text("输入：1×28×28", "input: 1×28×28"))]
    legends = {"grey": GREY_LEGEND}
    for layer, (does, columns, scale) in _STAGES.items():
        values = outputs[layer][DIGIT].numpy()
        shape = "×".join(map(str, values.shape))
        if values.ndim == 1:  # a strip, thick enough to be seen
            values = values[None, None].repeat(max(1, round(30 / scale)), axis=1)
        signed = layer in _SIGNED
        drawn = mosaic(values, columns=columns, scale="layer", signed=signed)
        top = significant(float(drawn.limits[0, 1]))
        ends = Text(f"±{top}", f"±{top}") if signed else Text(f"0 到 {top}", f"0 to {top}")
        label = Text(
            f"{layer}：{shape}，{does.zh}，{ends.zh}", f"{layer}: {shape}, {does.en}, {ends.en}"
        )
        panels.append(Panel(picture(drawn, scale), label))
        legends.setdefault("signed" if signed else "bright", _own_scale(drawn, signed))
    names = list(context.test.class_names)
    logits = outputs["output"][DIGIT]
    panels += _answer(logits, names)
    shares = logits.softmax(0)
    best = int(shares.argmax())
    return Figure(
        alt=Text(
            f"类别 {names[DIGIT]} 的一张图穿过 LeNet：从一张 28×28 的图到六张、十六张特征图，"
            f"排成 400 个数，再到 120、84 和 10 个数；最后给 {names[best]} 的概率是 {shares[best]:.1%}",
            f"An image of class {names[DIGIT]} passing through LeNet: one image of 28×28, six maps, "
            f"sixteen maps, a row of 400 numbers, then 120, 84 and 10; in the end {names[best]} gets a "
            f"probability of {shares[best]:.1%}",
        ),
        panels=panels,
        legends=[legends["grey"], legends["signed"], legends["bright"]],
        layout="column",
        uses=["lenet"],
    )


def _own_scale(drawn: Any, signed: bool) -> Legend:
    legend = scale_legend(drawn, "layer", _OWN)
    if signed:
        colours = Text("蓝为负，白为零，橙为正", "blue negative, white zero, orange positive")
    else:
        colours = Text("没有负数的层：最暗为零", "layers without negatives: darkest is zero")
    text = Text(f"{colours.zh}；{_OWN.zh}", f"{colours.en}; {_OWN.en}")
    return Legend(text, legend.gradient, "−max" if signed else "0", "+max" if signed else "max")


def _answer(logits: Tensor, names: list[str]) -> list[Panel]:
    """Ten logits and ten probabilities as numbers in cells."""
    rows = (
        (Text("output：10 个 logits，全连接", "output: 10 logits, fully connected"),
         logits, lambda value: significant(round(value, 1))),
        (Text("softmax：10 个概率", "softmax: 10 probabilities"),
         logits.softmax(0), lambda share: f"{share:.0%}"),
    )  # fmt: skip
    return [
        Panel(
            in_both(
                lambda say, t=title, v=values, w=write: matrix_chart(  # type: ignore[misc]
                    v.numpy()[None], [""], names, title=say(t), write=w, cell=(32.5, 34)
                )
            ),
            title,
        )
        for title, values, write in rows
    ]


def _pair(context: Context) -> tuple[int, int]:
    """Two classes to compare: sweaters and coats, or the pair that is confused most."""
    if context.settings.dataset == "fashion-mnist":
        return _CLOTHES
    counts = context.evaluation("lenet").confusion.numpy()
    errors = counts + counts.T
    np.fill_diagonal(errors, -1)
    first, second = np.unravel_index(errors.argmax(), errors.shape)
    return int(min(first, second)), int(max(first, second))


def two_inputs(context: Context) -> Figure:
    """Activations of the first and the second layer for images of two classes."""
    outputs, pair = context.recording("lenet"), _pair(context)
    names = [context.test.class_names[label] for label in pair]
    panels = []
    for label, name in zip(pair, names, strict=True):
        drawn = mosaic(context.examples[label].numpy(), scale=(0, 255), palette="grey")
        panels.append(Panel(picture(drawn, 4), Text(f"输入：{name}", f"input: {name}")))
    legends = [GREY_LEGEND]
    for layer, columns, scale in (("relu1", 3, 3.7), ("relu2", 4, 7.4)):
        peak = float(outputs[layer][list(pair)].max())
        ends = (0.0, peak if peak > 0 else 1.0)
        for label, name in zip(pair, names, strict=True):
            drawn = mosaic(outputs[layer][label].numpy(), columns=columns, scale=ends)
            panels.append(
                Panel(picture(drawn, scale), Text(f"{layer}：{name}", f"{layer}: {name}"))
            )
        meaning = Text(
            f"{layer} 的激活值，左右共用", f"activations of {layer}, the same on both sides"
        )
        legend = scale_legend(drawn, "layer", meaning)
        legends.append(Legend(meaning, legend.gradient, legend.low, legend.high))
    channel, means = _most_different(context)
    return Figure(
        alt=Text(
            f"左列是 {names[0]}，右列是 {names[1]}：输入、第一层的 6 张激活图、第二层的 16 张激活图；"
            f"差得最多的是第二层的第 {channel} 号，平均 {means[0]:.2f} 与 {means[1]:.2f}",
            f"Left {names[0]}, right {names[1]}: the input, 6 maps of the first layer, 16 maps of the "
            f"second; map {channel} of the second differs most, with means of {means[0]:.2f} and "
            f"{means[1]:.2f}",
        ),
        panels=panels,
        legends=legends,
        columns=2,
        uses=["lenet"],
    )  # fmt: skip


def _most_different(context: Context) -> tuple[int, list[float]]:
    """The channel of relu2 whose mean differs most between the two images, and both means."""
    means = context.recording("lenet")["relu2"][list(_pair(context))].mean((2, 3))  # (2, 16)
    channel = int((means[0] - means[1]).abs().argmax())
    return channel, means[:, channel].tolist()


def _of_class(context: Context, label: int) -> Tensor:
    return context.test.images[context.test.labels == label][:_COMPARED]


@shared
def _compared(context: Context) -> dict[str, dict[str, float]]:
    """Mean cosine similarity of two images of one class and of two classes, in each layer."""
    images = [_of_class(context, label) for label in _pair(context)]
    both = torch.cat(images)
    outputs = {"input": context.inputs("lenet", both)}
    layers = ["relu1", "relu2", "relu3", "relu4"]
    outputs |= record(context.model("lenet"), outputs["input"], layers=layers)
    first = torch.arange(len(both)) < len(images[0])
    same = (first[:, None] == first) & ~torch.eye(len(both), dtype=torch.bool)
    other = first[:, None] != first
    found = {}
    for layer, values in outputs.items():
        unit = F.normalize(values.flatten(1), dim=1)
        alike = unit @ unit.T  # (N, N)
        found[layer] = {"same": alike[same].mean().item(), "other": alike[other].mean().item()}
    return found


def alike(context: Context) -> Figure:
    """Two images of one class and of two classes: how similar they are, layer by layer."""
    compared = _compared(context)
    first, second = (context.test.class_names[label] for label in _pair(context))
    same = Text("同一类的两张图", "two images of one class")
    other = Text(f"一张 {first} 与一张 {second}", f"one {first} and one {second}")

    def draw(say: Any) -> str:
        groups = [say(Text("输入", "input")) if n == "input" else n for n in compared]
        return charts.grouped_bar_chart(
            {
                say(same): [values["same"] for values in compared.values()],
                say(other): [values["other"] for values in compared.values()],
            },
            groups,
            title=say(Text("每一层里的相似度", "Similarity in each layer")),
            y_label=say(Text("余弦相似度", "cosine similarity")),
            write=fixed,
            size=(470, 280),
        )

    start, end = compared["input"], compared["relu4"]
    return Figure(
        alt=Text(
            f"{first} 与 {second}：输入里同类相似度 {start['same']:.2f}，异类 {start['other']:.2f}；"
            f"到 relu4，同类 {end['same']:.2f}，异类 {end['other']:.2f}",
            f"{first} and {second}: in the input a similarity of {start['same']:.2f} within a class and "
            f"{start['other']:.2f} between them; in relu4 {end['same']:.2f} and {end['other']:.2f}",
        ),
        panels=[Panel(in_both(draw))],
        uses=["lenet"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    outputs, pair = context.recording("lenet"), _pair(context)
    channel, means = _most_different(context)
    inverted = context.inputs("lenet", 255 - context.test.images[:_TESTED])
    values = [outputs[layer][DIGIT].numel() for layer in ("conv1", "pool1", "conv2", "pool2")]
    return {
        "values": dict(zip(("conv1", "pool1", "conv2", "pool2"), values, strict=True)),
        "maps": sum(len(outputs[layer][DIGIT]) for layer in
                    ("conv1", "relu1", "pool1", "conv2", "relu2", "pool2")),
        "first": context.test.class_names[pair[0]],
        "second": context.test.class_names[pair[1]],
        "channel": channel,
        "channel_first": means[0],
        "channel_second": means[1],
        "alike": _compared(context),
        "inverted": accuracy(predict(context.model("lenet"), inverted), context.test.labels[:_TESTED]),
        "upright": accuracy(context.logits("lenet")[:_TESTED], context.test.labels[:_TESTED]),
        "compared": _COMPARED,
    }  # fmt: skip
