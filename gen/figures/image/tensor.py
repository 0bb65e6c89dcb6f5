"""Figures of the chapter "How a computer sees an image": a tensor (N, C, H, W) with its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz.data import photos
from cnnviz.drawing.pixels import tensor_drawing
from gen.context import Context
from gen.figure.figure import Figure, Legend, Panel, Text, in_both

Bytes = NDArray[np.uint8]

SIDE = 4
"""Height and width of the small images."""

MARKED = (1, 2, 3, 0)
"""The number that is looked up: image, channel, row, column."""

_PLACES = ((110, 84), (123, 147))  # top and left of both crops: a petal’s edge, and petals
_CHANNELS = (
    Text("通道 0：红", "channel 0: red"),
    Text("通道 1：绿", "channel 1: green"),
    Text("通道 2：蓝", "channel 2: blue"),
)


def _images() -> Bytes:
    """Two crops of the photograph of a dahlia, (2, SIDE, SIDE, 3)."""
    photo = photos.resize(photos.load("flower"), 213, 320)
    return np.stack([photos.crop(photo, top, left, SIDE, SIDE) for top, left in _PLACES])


def tensor(context: Context) -> Figure:
    """Two small colour images as a tensor (2, 3, 4, 4), and its numbers in memory."""
    images = _images()
    n, c, h, w = MARKED
    value = int(images[n, h, w, c])
    drawing = in_both(
        lambda say: tensor_drawing(
            images,
            MARKED,
            image_name=lambda n: say(Text(f"图 {n}", f"image {n}")),
            channel_names=[say(name) for name in _CHANNELS],
            pixels_name=say(Text("彩色像素", "the pixels")),
            memory_name=say(
                Text(
                    "内存里：先图 0 的三个通道，再图 1 的",
                    "in memory: channels of image 0, then of image 1",
                )
            ),
            title=say(Text("一个小张量的全部数字", "All numbers of a small tensor")),
        )
    )
    shape = ", ".join(map(str, (len(images), 3, SIDE, SIDE)))
    return Figure(
        alt=Text(
            f"形状为 ({shape}) 的张量：两行是两张图，三列是红、绿、蓝三个通道，每格一个数；"
            f"橙框里是 x[{n}, {c}, {h}, {w}] = {value}，下面的长条是它在内存里的位置",
            f"A tensor of shape ({shape}): two rows for two images, three columns for red, green and "
            f"blue, a number in each cell; framed in orange x[{n}, {c}, {h}, {w}] = {value}, and below, "
            "its place in memory",
        ),
        panels=[Panel(drawing)],
        legends=[
            Legend(
                Text(
                    "通道里的格子按大小从黑（0）到白（255）；橙框是同一个数在张量里和在内存里的位置",
                    "cells of a channel go from black (0) to white (255); both orange frames are the "
                    "same number, in the tensor and in memory",
                )
            )
        ],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    images = _images()
    n, c, h, w = MARKED
    shape = (len(images), 3, SIDE, SIDE)
    return {
        "shape": list(shape),
        "count": images.size,
        "marked": list(MARKED),
        "value": int(images[n, h, w, c]),
        "place": int(np.ravel_multi_index(MARKED, shape)),
    }
