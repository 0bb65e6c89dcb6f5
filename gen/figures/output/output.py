"""Figures of the chapter "Fully connected and output layers": from 400 numbers to an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.drawing.mosaic import mosaic
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.recording import record
from cnnviz.numbers import significant
from gen.context import Context
from gen.figure.figure import GREY_LEGEND, Figure, Panel, Text, picture, scale_legend

ONE = 3
"""The class whose example the chapter follows."""

COUNT = 2000
"""Test images over which the units of fc1 are compared."""

_SIGNS = Text("蓝为负，白为零，橙为正", "blue negative, white zero, orange positive")
_EVIDENCE = Text("权重 × 平均激活值", "weight × mean activation")


def _weight(context: Context, name: str) -> Tensor:
    return context.trained("lenet").weights[f"{name}.weight"]


def _bias(context: Context, name: str) -> Tensor:
    return context.trained("lenet").weights[f"{name}.bias"]


def _recorded(context: Context) -> dict[str, Tensor]:
    """pool2 (COUNT, 16, 5, 5) and relu3 (COUNT, 120) of test images."""
    images = context.inputs("lenet", context.test.images[:COUNT])
    return record(context.model("lenet"), images, layers=["pool2", "relu3"])


def _means(values: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Mean of values (N, …) over the images of each class, (classes, …); 0 without any."""
    sums = torch.zeros(classes, *values.shape[1:]).index_add_(0, labels, values)
    counts = torch.bincount(labels, minlength=classes).clamp(min=1)
    return sums / counts.reshape(-1, *[1] * (values.ndim - 1))


def _favourites(context: Context) -> tuple[list[int], Tensor, Tensor]:
    """For each class the unit of fc1 that prefers it most.

    Returns:
        The units, the mean activations (classes, 120), the mean pool2 (classes, 16, 5, 5).
    """
    outputs = _recorded(context)
    labels = context.test.labels[: len(outputs["relu3"])]
    classes = len(context.test.class_names)
    means = _means(outputs["relu3"], labels, classes)
    units = []
    for label in range(classes):
        others = means[torch.arange(classes) != label].amax(0)  # (120,)
        units.append(int((means[label] - others).argmax()))
    return units, means, _means(outputs["pool2"], labels, classes)


def _enlarged(maps: np.ndarray) -> np.ndarray:
    """Maps (…, H, W) with each number as 4×4 pixels, so that the gap between maps is a hair."""
    return maps.repeat(4, axis=-2).repeat(4, axis=-1)


def fc1_places(context: Context) -> Figure:
    """The 16 maps of pool2, and the row of 400 numbers that flattening makes of them."""
    maps = context.recording("lenet")["pool2"][ONE].numpy()  # (16, 5, 5)
    peak = float(maps.max())
    before = mosaic(_enlarged(maps), columns=4, scale=(0, peak))
    after = mosaic(_enlarged(maps.reshape(16, 1, 25)), columns=1, scale=(0, peak))
    name = context.test.class_names[ONE]
    return Figure(
        alt=Text(
            f"左：{name} 在 pool2 的 16 张 5×5 特征图。右：同样的 400 个数，每张图的 25 个数排成一行，"
            f"共 16 行；最大的值是 {significant(peak)}",
            f"Left: the 16 maps of 5×5 that pool2 makes of a {name}. Right: the same 400 numbers, the "
            f"25 of each map in a row, 16 rows; the largest value is {significant(peak)}",
        ),
        panels=[
            Panel(picture(before, 3), Text("pool2：16×5×5", "pool2: 16×5×5")),
            Panel(
                picture(after, 3),
                Text("flatten：400（每 25 个换行）", "flatten: 400 (a new line every 25)"),
            ),
        ],
        legends=[scale_legend(after, "figure", Text("激活值", "activation"))],
        layout="flow",
        uses=["lenet"],
    )


def _unit(context: Context) -> dict[str, Any]:
    """The unit of fc1 that prefers class ONE, looking at the example of that class."""
    unit = _favourites(context)[0][ONE]
    weights = _weight(context, "fc1")[unit].reshape(16, 5, 5)
    inputs = context.recording("lenet")["pool2"][ONE]
    products = weights.double() * inputs.double()
    bias = float(_bias(context, "fc1")[unit])
    return {
        "unit": unit,
        "weights": weights.numpy(),
        "inputs": inputs.numpy(),
        "products": products.numpy(),
        "positive": float(products.clamp(min=0).sum()),
        "negative": float(products.clamp(max=0).sum()),
        "bias": bias,
        "sum": float(products.sum()) + bias,
        "recorded": float(context.recording("lenet")["fc1"][ONE, unit]),
    }


def fc1_unit(context: Context) -> Figure:
    """One unit of fc1 folded back: its weights, what it sees, the products."""
    one = _unit(context)
    rows = [
        (
            "weights",
            Text("① 400 个权重，折回 16 张 5×5", "① its 400 weights, folded back to 16×5×5"),
        ),
        ("inputs", Text("② pool2 的 16 张特征图", "② the 16 maps of pool2")),
        ("products", Text("①×②", "① × ②")),
    ]
    meanings = [
        Text(f"①权重：{_SIGNS.zh}", f"① weight: {_SIGNS.en}"),
        Text("②激活值", "② activation"),
        Text(f"乘积：{_SIGNS.zh}", f"product: {_SIGNS.en}"),
    ]
    panels, legends = [], []
    for (key, label), meaning in zip(rows, meanings, strict=True):
        drawn = mosaic(_enlarged(one[key]), columns=16, scale="layer", signed=key != "inputs")
        panels.append(Panel(picture(drawn, 2), label))
        legends.append(scale_legend(drawn, "layer", meaning))
    name = context.test.class_names[ONE]
    return Figure(
        alt=Text(
            f"fc1 的第 {one['unit']} 号单元看一个 {name}：正的乘积共 {significant(one['positive'])}，"
            f"负的共 {significant(one['negative'])}，加偏置得 {significant(one['sum'])}",
            f"Unit {one['unit']} of fc1 looks at a {name}: the positive products add up to "
            f"{significant(one['positive'])}, the negative ones to {significant(one['negative'])}; with the "
            f"bias that makes {significant(one['sum'])}",
        ),
        panels=panels,
        legends=legends,
        layout="column",
        uses=["lenet"],
    )


def fc1_folded(context: Context) -> Figure:
    """For each class its unit of fc1: where in the picture the evidence comes from."""
    units, means, pools = _favourites(context)
    names = context.test.class_names
    weights = _weight(context, "fc1").reshape(-1, 16, 5, 5)[units]  # (classes, 16, 5, 5)
    evidence = (weights * pools).sum(1).numpy()  # (classes, 5, 5)
    images = _means(context.test.images.float(), context.test.labels, len(names))[:, 0].numpy()
    seen = mosaic(images, columns=len(names), scale=(0, 255), palette="grey")
    drawn = mosaic(_enlarged(evidence), columns=len(names), scale="layer", signed=True)
    lead = float(means[ONE, units[ONE]])
    return Figure(
        alt=Text(
            f"十列，每列一个类别（从左到右 {names[0]} 到 {names[-1]}）。上排：该类测试图的平均。"
            "下排：最偏爱它的 fc1 单元从 5×5 的每一格得到多少；橙色的格子散在笔画经过的几处，并不排成数字；"
            f"{names[ONE]} 的单元平均激活值是 {significant(lead)}",
            f"Ten columns, one a class ({names[0]} to {names[-1]}). Top: the mean of its test images. "
            "Bottom: what the fc1 unit that prefers it gains at each of 5×5 places; orange places "
            f"lie here and there along its strokes and form no digit. The unit of {names[ONE]} is at {significant(lead)} on average",
        ),
        panels=[
            Panel(picture(seen, 2.35), Text("每类的平均图像", "mean image of each class")),
            Panel(
                picture(drawn, 3.25),
                Text("每一格贡献多少（16 张图相加）", "what each place brings (16 maps added)"),
            ),
        ],
        legends=[
            GREY_LEGEND,
            scale_legend(
                drawn,
                "layer",
                Text(f"{_EVIDENCE.zh}：{_SIGNS.zh}", f"{_EVIDENCE.en}: {_SIGNS.en}"),
            ),
        ],
        layout="column",
        uses=["lenet"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    units, means, pools = _favourites(context)
    names = context.test.class_names
    others = torch.arange(len(names)) != ONE
    evidence = (_weight(context, "fc1").reshape(-1, 16, 5, 5)[units] * pools).sum(1)
    gains = evidence.clamp(min=0).flatten(1).sort(descending=True).values  # (classes, 25)
    field = receptive_fields(context.model("lenet"), (28, 28))["pool2"]
    return {
        "best_places": float((gains[:, :5].sum(1) / gains.sum(1).clamp(min=1e-9)).mean()),
        "field": {"size": field.size[0], "jump": field.jump[0]},
        "one": names[ONE],
        "count": min(COUNT, len(context.test)),
        "unit": {k: v for k, v in _unit(context).items() if not isinstance(v, np.ndarray)},
        "mean_own": float(means[ONE, units[ONE]]),
        "mean_next": float(means[others, units[ONE]].max()),
        "prefer": sum(int(means[:, unit].argmax() == label) for label, unit in enumerate(units)),
        "fc1_parameters": _weight(context, "fc1").numel() + _bias(context, "fc1").numel(),
    }
