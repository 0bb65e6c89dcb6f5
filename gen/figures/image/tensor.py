"""Figures of the chapter "How a computer sees an image": a tensor (N, C, H, W) with its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz.data import photos
from cnnviz.drawing.pixels import tensor_drawing
from cnnviz.words import Say
from gen.context import Context
from gen.figure.figure import Figure, Legend, Panel, message

Bytes = NDArray[np.uint8]

SIDE = 4
"""Height and width of the small images."""

MARKED = (1, 2, 3, 0)
"""The number that is looked up: image, channel, row, column."""

_PLACES = ((110, 84), (123, 147))  # top and left of both crops: a petal’s edge, and petals


def _images() -> Bytes:
    """Two crops of the photograph of a dahlia, (2, SIDE, SIDE, 3)."""
    photo = photos.resize(photos.load("flower"), 213, 320)
    return np.stack([photos.crop(photo, top, left, SIDE, SIDE) for top, left in _PLACES])


def tensor(context: Context) -> Figure:
    """Two small colour images as a tensor (2, 3, 4, 4), and its numbers in memory."""
    images = _images()
    n, c, h, w = MARKED
    shape = (len(images), 3, SIDE, SIDE)

    def draw(say: Say) -> str:
        return tensor_drawing(
            images,
            MARKED,
            image_name=lambda number: say("image", number=number),
            channel_names=[say(f"channels.{colour}") for colour in ("red", "green", "blue")],
            pixels_name=say("pixels"),
            memory_name=say("memory"),
            title=say("title"),
        )

    return Figure(
        alt=message(
            "alt", shape=str(shape), place=f"x[{n}, {c}, {h}, {w}]", value=images[n, h, w, c]
        ),
        panels=[Panel(draw)],
        legends=[Legend(message("legend"))],
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
