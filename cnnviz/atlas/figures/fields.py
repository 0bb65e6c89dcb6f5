"""Figures of the atlas: what two units of a map see of the input."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz.atlas.sections import shown
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing.framed import frame, framed_map
from cnnviz.figure.figure import GREY_LEGEND, Figure, Legend, Panel, message, raster
from cnnviz.inside.layers import Layer
from cnnviz.inside.receptive_field import ReceptiveField
from cnnviz.numbers import significant, times

Bytes = NDArray[np.uint8]

_SIDE = 300  # pixels of a picture, about
_ORANGE, _BLUE = (250, 128, 50), (74, 134, 251)
_OUTSIDE = (96, 103, 112)


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`<net>_<layer>_field` for each layer with maps."""
    return {
        f"{net.name}_{layer.name}_field": field(net, layer)
        for layer in net.layers
        if "field" in shown(net, layer)
    }


def field(net: AtlasNet, layer: Layer) -> Figure:
    """Two units of a layer, and what they see of the first input."""
    own = net.field(layer)
    assert own is not None, "asked for only where it is known"
    rows, columns = own.units
    units = [((rows // 2, columns // 2), _ORANGE), ((0, 0), _BLUE)]
    maps = net.outputs[layer.name][0].numpy()  # (C, H, W)
    channel = int(np.abs(maps).reshape(len(maps), -1).max(1).argmax())
    peak = float(np.abs(maps[channel]).max()) or 1.0
    sees = message(
        "sees",
        layer=layer.name,
        size=times(own.size),
        steps=sorted(set(own.jump)),
        inside=_inside(own, 0, 0),
    )
    activation = Legend(
        message("activation", layer=layer.name),
        palettes.css_gradient(palettes.DIVERGING),
        significant(-peak),
        significant(peak),
    )
    pixels = net.pixels[0].permute(1, 2, 0).numpy()  # (H, W, 1 or 3)
    return Figure(
        alt=message("named", name=net.title, what=sees),
        panels=[
            Panel(
                raster(framed_map(maps[channel], peak, units)),
                message("map", layer=layer.name, channel=channel),
                message("units"),
            ),
            Panel(raster(_on_input(pixels, own, units)), message("input"), sees),
        ],
        legends=[activation, GREY_LEGEND] if pixels.shape[2] == 1 else [activation],
        uses=[net.name],
        drawn_by=field,
    )


def _inside(field: ReceptiveField, row: int, column: int) -> float:
    """Share of what a unit sees that lies inside the image."""
    top, left, bottom, right = field.box(row, column, clip=True)
    return (bottom - top) * (right - left) / (field.size[0] * field.size[1])


def _on_input(
    image: Bytes, field: ReceptiveField, units: list[tuple[tuple[int, int], Any]]
) -> Bytes:
    """The image with room for what reaches beyond it, and a frame for each unit's field.

    Args:
        image: (H, W, 1), grey, or (H, W, 3).
    """
    boxes = [(field.box(*unit), colour) for unit, colour in units]
    height, width = image.shape[:2]
    margin = max(0, *(max(-b[0], -b[1], b[2] - height, b[3] - width) for b, _ in boxes)) + 1
    canvas = np.empty((height + 2 * margin, width + 2 * margin, 3), np.uint8)
    canvas[:] = _OUTSIDE
    canvas[margin : margin + height, margin : margin + width] = image
    zoom = max(1, _SIDE // max(canvas.shape))
    large = canvas.repeat(zoom, 0).repeat(zoom, 1)
    for box, colour in boxes:
        top, left, bottom, right = ((edge + margin) * zoom for edge in box)
        frame(large, top, left, bottom, right, colour)
    return large
