"""Figures of the chapter "Many channels": in colour, several filters, bias."""

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
from cnnviz.figure.figure import (
    Drawing,
    Figure,
    Legend,
    Message,
    Panel,
    message,
    picture,
    raster,
    scale_legend,
)
from cnnviz.numbers import fixed, significant
from cnnviz.words import Say
from gen.context import Context
from gen.figures import tower

Map = NDArray[np.float64]

_COLOURS = ("red", "green", "blue")
_LUMA = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in brightness (Rec. 601), as `cnnviz.data.photos.grey` has them."""


def _filters() -> dict[str, Map]:
    """Three filters over red, green and blue, each (3, 3, 3)."""
    return {
        "red": np.array([2.0, -1, -1])[:, None, None] * kernels.BLUR,
        "edge": _over_colours(kernels.SOBEL_X),
        "blur": _over_colours(kernels.BLUR),
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


def _grid(values: Map, name: Message, limit: float) -> Drawing:
    return lambda say: kernel_grid(values, title=say(name), limits=(-limit, limit), cell=30)


def _two_decimals(value: float) -> str:
    return fixed(value) if value else "0"


def three_products(context: Context) -> Figure:
    """One filter over red, green and blue: three maps, and their sum."""
    kernel = _filters()["red"]
    products = _products(kernel)
    total = products.sum(0)
    peak = float(np.abs(products).max())
    limit = float(np.abs(kernel).max())
    panels = []
    for index, colour in enumerate(_COLOURS):
        piece = message("panels.slice", index=index)
        drawn = mosaic(products[index][None], scale=(-peak, peak))
        panels += [
            Panel(raster(tower.colour()[:, :, index], 1.125), message(f"channels.{colour}")),
            Panel(_grid(kernel[index], piece, limit), piece),
            Panel(picture(drawn, 1.125, step=2), message("panels.result", index=index)),
        ]
    drawn = mosaic(total[None], scale=(-peak, peak))
    panels += [
        Panel(raster(tower.colour(), 1.125, photo=True), message("panels.photo")),
        Panel("<b>Σ</b>", alt=message("panels.added")),
        Panel(picture(drawn, 1.125, step=2), message("panels.sum")),
    ]
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("meaning"))],
        columns=3,
    )


def many_filters(context: Context) -> Figure:
    """Three filters on the same photograph: three feature maps."""
    panels, legends = [], []
    for key, kernel in _filters().items():
        name = message(f"filters.{key}")
        drawn = mosaic(_products(kernel).sum(0)[None])
        panels += [
            Panel(_slices(kernel, name), message("slices", filter=name)),
            Panel(picture(drawn, step=4), message("map"), alt=name),
        ]
        low, high = (significant(float(end)) for end in drawn.limits[0])
        legends.append(Legend(name, palettes.css_gradient(drawn.palette), low, high))
    return Figure(alt=message("alt"), panels=panels, legends=legends, columns=2)


def _slices(kernel: Map, name: Message) -> Drawing:
    """The three slices of a filter side by side."""
    limit = float(np.abs(kernel).max())

    def draw(say: Say) -> str:
        return "".join(
            kernel_grid(
                piece,
                title=say("title", filter=name, colour=say(f"colours.{colour}")),
                limits=(-limit, limit),
                cell=32,
                write=_two_decimals,
            )
            for piece, colour in zip(kernel, _COLOURS, strict=True)
        )

    return draw


def bias(context: Context) -> Figure:
    """The reddish map after three biases and ReLU."""
    total = _products(_filters()["red"]).sum(0)
    peak = float(total.max())
    panels, drawn = [], None
    for value in _BIASES:
        rectified = np.maximum(total + value, 0)
        drawn = mosaic(rectified[None], scale=(0, peak))
        alt = message("map", bias=value, share=(rectified > 0).mean())
        panels.append(Panel(picture(drawn, step=4), f"b = {significant(value)}", alt))
    assert drawn is not None
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("meaning"))],
    )


_BIASES = (0.0, -0.2, -0.4)


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    red = _filters()["red"]
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
