"""Figures of the chapter "Convolution by hand" on channels: in colour, several filters, bias."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from cnnviz.data import kernels
from cnnviz.drawing import palettes
from cnnviz.drawing.diagrams import kernel_grid
from cnnviz.drawing.mosaic import mosaic
from cnnviz.numbers import fixed, significant
from gen.context import Context
from gen.figure.figure import Figure, Legend, Panel, Text, in_both, picture, raster, scale_legend
from gen.figures import tower

Map = NDArray[np.float64]

_CHANNELS = (Text("红", "red"), Text("绿", "green"), Text("蓝", "blue"))
_SIGNS = Text("蓝为负，白为零，橙为正", "blue negative, white zero, orange positive")
_LUMA = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in brightness (Rec. 601), as `cnnviz.data.photos.grey` has them."""


def _filters() -> dict[str, tuple[Text, Map]]:
    """Three filters over red, green and blue, each (3, 3, 3)."""
    red = np.array([2.0, -1, -1])[:, None, None] * kernels.BLUR
    return {
        "red": (Text("偏红", "reddish"), red),
        "edge": (Text("往右变亮", "brighter to the right"), _over_colours(kernels.SOBEL_X)),
        "blur": (Text("模糊的亮度", "blurred brightness"), _over_colours(kernels.BLUR)),
    }


def _over_colours(kernel: Map) -> Map:
    return _LUMA[:, None, None] * kernel


def _image() -> torch.Tensor:
    """(1, 3, 168, 160), from 0 to 1."""
    return torch.from_numpy(tower.colour().transpose(2, 0, 1) / 255.0)[None]


def _products(kernel: Map) -> Map:
    """What each of the three slices makes of its channel: (3, 166, 158)."""
    weight = torch.from_numpy(kernel)[:, None]  # (3, 1, 3, 3): each channel for itself
    return F.conv2d(_image(), weight, groups=3)[0].numpy()


def _grid(values: Map, name: Text, limit: float, cell: float = 30) -> Text:
    return in_both(
        lambda say: kernel_grid(values, title=say(name), limits=(-limit, limit), cell=cell)
    )


def _two_decimals(value: float) -> str:
    return fixed(value) if value else "0"


def three_products(context: Context) -> Figure:
    """One filter over red, green and blue: three maps, and their sum."""
    kernel = _filters()["red"][1]
    products = _products(kernel)
    total = products.sum(0)
    peak = float(np.abs(products).max())
    limit = float(np.abs(kernel).max())
    panels = []
    for index, colour in enumerate(_CHANNELS):
        channel = Text(f"{colour.zh}色通道", f"{colour.en} channel")
        piece = Text(f"核的第 {index} 片", f"slice {index} of the kernel")
        product = Text(f"第 {index} 片的结果", f"result of slice {index}")
        drawn = mosaic(products[index][None], scale=(-peak, peak))
        panels += [
            Panel(raster(tower.colour()[:, :, index], 1.125), channel),
            Panel(_grid(kernel[index], piece, limit), piece),
            Panel(picture(drawn, 1.125, step=2), product),
        ]
    drawn = mosaic(total[None], scale=(-peak, peak))
    sum_name = Text("三个结果之和：一张特征图", "their sum: one feature map")
    panels += [
        Panel(raster(tower.colour(), 1.125, photo=True), Text("照片", "the photograph")),
        Panel(
            Text("<b>Σ</b>", "<b>Σ</b>"), alt=Text("三片的结果相加", "the three results are added")
        ),
        Panel(picture(drawn, 1.125, step=2), sum_name),
    ]
    return Figure(
        alt=Text(
            "红、绿、蓝三个通道各乘以核的一片，红色为正，绿、蓝为负；三个结果相加之后，"
            "灰白的天空略低于零，红色的柱子和橙色的屋檐为正",
            "Red, green and blue channel are each convolved with a slice of the kernel, positive for "
            "red, negative for green and blue. In the sum the pale sky is a little below zero, the red columns "
            "and orange eaves are positive",
        ),
        panels=panels,
        legends=[
            scale_legend(
                drawn, "figure", Text(f"四张结果：{_SIGNS.zh}", f"the four results: {_SIGNS.en}")
            )
        ],
        columns=3,
    )


def many_filters(context: Context) -> Figure:
    """Three filters on the same photograph: three feature maps."""
    panels, legends = [], []
    for name, kernel in _filters().values():
        limit = float(np.abs(kernel).max())
        result = _products(kernel).sum(0)
        drawn = mosaic(result[None])
        drawing = in_both(
            lambda say, s=kernel, n=name, m=limit: "".join(  # type: ignore[misc]
                kernel_grid(
                    piece,
                    title=f"{say(n)}: {say(colour)}",
                    limits=(-m, m),
                    cell=32,
                    write=_two_decimals,
                )
                for piece, colour in zip(s, _CHANNELS, strict=True)
            )
        )
        panels += [
            Panel(drawing, Text(f"{name.zh}：三片", f"{name.en}: three slices")),
            Panel(picture(drawn, step=4), Text("特征图", "feature map"), alt=name),
        ]
        low, high = (significant(float(end)) for end in drawn.limits[0])
        legends.append(Legend(name, palettes.css_gradient(drawn.palette), low, high))
    return Figure(
        alt=Text(
            "三个滤波器，每个三片；同一张照片得到三张不同的特征图：偏红的地方、往右变亮的边缘、模糊的亮度",
            "Three filters of three slices each make three feature maps of one photograph: where it is "
            "reddish, edges that get brighter to the right, blurred brightness",
        ),
        panels=panels,
        legends=legends,
        columns=2,
    )


def bias(context: Context) -> Figure:
    """The reddish map after three biases and ReLU."""
    total = _products(_filters()["red"][1]).sum(0)
    peak = float(total.max())
    panels, drawn = [], None
    for value in _BIASES:
        rectified = np.maximum(total + value, 0)
        drawn = mosaic(rectified[None], scale=(0, peak))
        label = f"b = {significant(value)}"
        share = float((rectified > 0).mean())
        alt = Text(
            f"偏置 {significant(value)}，ReLU 之后 {share:.0%} 的值大于零",
            f"bias {significant(value)}: after ReLU {share:.0%} of the values are above zero",
        )
        panels.append(Panel(picture(drawn, step=4), Text(label, label), alt))
    assert drawn is not None
    return Figure(
        alt=Text(
            "同一张特征图加上三个不同的偏置，再经过 ReLU：偏置越小，亮的地方越少，最后只剩最红的柱子和屋檐",
            "One feature map plus three biases, then ReLU: the lower the bias, the fewer places stay "
            "bright, until only the reddest columns and eaves are left",
        ),
        panels=panels,
        legends=[scale_legend(drawn, "figure", Text("ReLU 之后的值", "value after ReLU"))],
    )


_BIASES = (0.0, -0.2, -0.4)


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    red = _filters()["red"][1]
    total = _products(red).sum(0)
    with_bias = F.conv2d(_image(), torch.from_numpy(red)[None])[0, 0].numpy()
    sky = np.s_[2:34, 2:34]
    row, column = np.unravel_index(total.argmax(), total.shape)
    return {
        "sum_of_products": float(np.abs(total - with_bias).max()),
        "kernel_sum": float(red.sum()),
        "sky_brightness": float((tower.colour()[sky] / 255).mean()),
        "sky": float(total[sky].mean()),
        "peak": float(total.max()),
        "peak_colour": tower.colour()[row + 1, column + 1].tolist(),
        "parameters": len(_filters()) * (red.size + 1),
        "weights": red.size,
        "biases": [significant(value) for value in _BIASES],
        "shares": [float((total + value > 0).mean()) for value in _BIASES],
    }
