"""The overview of a large net: a row for each layer, folded by blocks, with branches named."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.atlas.subject import AtlasNet
from cnnviz.atlas.templating import filled
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.palettes import css_gradient
from cnnviz.drawing.sheets import webp
from cnnviz.drawing.weights import divisor
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.inside.layers import INPUT, Layer
from cnnviz.inside.recording import record
from cnnviz.numbers import times
from cnnviz.words import Say

SIDE, COLUMNS = 40, 16
"""Pixels of a map, and maps in a row of their picture."""

PHOTO = 84
"""Pixels of the longer side of the image above."""

WHOLE = 40
"""Layers that one block holds at most, if it can be divided."""


@dataclass(frozen=True)
class _Row:
    """A layer: `others` are those that feed it, if it is not the row above alone."""

    layer: Layer
    field: str
    others: Sequence[str]
    strongest: int
    place: str


@dataclass(frozen=True)
class _Block:
    """Rows of a part of the network, such as "layer1.0"; "" for rows that belong to none."""

    name: str
    rows: Sequence[_Row]


def large_overview(net: AtlasNet) -> Figure:
    """All layers of a net, each with its strongest map of one image; blocks can be unfolded."""
    maps, strongest = _strongest(net)
    blocks = _blocks(net, strongest)
    drawn = mosaic(maps, columns=COLUMNS, scale="map", signed=True, gap=0)
    colours = drawn.palette[drawn.pixels]  # (h, w, 3)
    photo = _photo(net)
    example = net.classes[int(net.labels[net.subject.example])] if net.labelled else ""

    def draw(say: Say) -> str:
        return filled(
            "overview_large.html",
            say=say,
            net=net.name,
            blocks=blocks,
            maps=_uri(webp(colours, photo=False)),
            columns=COLUMNS,
            sheet_rows=-(-len(maps) // COLUMNS),
            side=SIDE,
            example=example,
            shape=times(net.inputs.shape[1:]),
            picture=_uri(webp(photo, photo=True)),
            width=photo.shape[1],
            height=photo.shape[0],
        )

    alt = message("alt", net=net.title, layers=len(net.layers))
    return Figure(
        alt=alt,
        panels=[Panel(draw, alt=alt)],
        legends=[Legend(message("legend"), css_gradient("diverging"), "−max", "+max")],
        uses=[net.name],
        drawn_by=large_overview,
    )


def _uri(content: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(content).decode()}"


# ---------- Maps ----------


def _photo(net: AtlasNet) -> npt.NDArray[np.uint8]:
    """The image whose maps are shown, PHOTO pixels at most, as (H, W) or (H, W, 3)."""
    pixels = net.pixels[net.subject.example]  # (channels, H, W)
    if len(pixels) not in (1, 3):
        pixels = pixels.float().mean(0, keepdim=True).byte()
    shrink = min(1.0, PHOTO / max(pixels.shape[1:]))
    size = tuple(max(1, round(shrink * side)) for side in pixels.shape[1:])
    small = F.interpolate(pixels[None], size, mode="bilinear", antialias=True)[0]
    found: npt.NDArray[np.uint8] = small.permute(1, 2, 0).squeeze(2).numpy()
    return found


def _strongest(net: AtlasNet) -> tuple[npt.NDArray[np.float32], list[int]]:
    """For each layer the map of its strongest channel, (layers, SIDE, SIDE), and that channel."""
    example = net.subject.example
    keys = [layer.output_key for layer in net.layers]
    with torch.no_grad():
        outputs = record(net.model, net.inputs[example : example + 1], layers=keys)
    maps, strongest = [], []
    for layer in net.layers:
        values = layer.units_first(outputs[layer.output_key])[0].detach().cpu().float()  # (C, …)
        channel = int(values.flatten(1).amax(1).argmax()) if values.dim() > 1 else -1
        maps.append(_square(values if channel < 0 else values[channel]))
        strongest.append(channel)
    return torch.stack(maps).numpy(), strongest


def _square(values: Tensor) -> Tensor:
    """A map, or numbers folded into rows, as (SIDE, SIDE); what is smaller keeps its squares."""
    values = values.nan_to_num()
    if values.dim() != 2:
        values = values.reshape(divisor(values.numel()), -1)
    larger = max(values.shape) > SIDE
    mode = "area" if larger else "nearest"
    return F.interpolate(values[None, None], (SIDE, SIDE), mode=mode)[0, 0]


# ---------- Rows and blocks ----------


def _blocks(net: AtlasNet, strongest: Sequence[int]) -> list[_Block]:
    rows, above = [], INPUT
    for i, layer in enumerate(net.layers):
        field = net.fields.get(layer.name)
        row, column = divmod(i, COLUMNS)
        rows.append(
            _Row(
                layer,
                times(field.size) if field and len(layer.after) == 3 else "",
                [] if layer.fed_by == (above,) else list(layer.fed_by),
                strongest[i],
                f"--x:{column};--y:{row}",
            )
        )
        above = layer.name
    names = block_names([layer.name for layer in net.layers])
    pairs = zip(names, rows, strict=True)
    return [
        _Block(name, [row for _, row in group]) for name, group in groupby(pairs, lambda p: p[0])
    ]


def block_names(layers: Sequence[str]) -> list[str]:
    """For each layer the part of the network that it is shown in, "" for none.

    >>> block_names(["conv1", "layer1.0.conv1", "layer1.0.relu", "layer1.1.conv1", "layer1.1.add"])
    ['', 'layer1.0', 'layer1.0', 'layer1.1', 'layer1.1']
    """
    found = dict.fromkeys(layers, "")
    _divide("", list(layers), found)
    return [found[layer] for layer in layers]


def _divide(part: str, layers: Sequence[str], found: dict[str, str]) -> None:
    """Make a part of the network one block, or divide it into its own parts.

    The root is divided, and so is a sequence of parts, "0", "1", … of which some have parts
    themselves, and what would be too long.
    """
    depth = part.count(".") + 1 if part else 0
    children: dict[str, list[str]] = {}
    for layer in layers:
        children.setdefault(layer.split(".")[depth] if layer != part else "", []).append(layer)
    deep = any(len(own) > 1 for own in children.values())
    numbered = all(name.isdigit() for name in children)
    if part and not (deep and (numbered or len(layers) > WHOLE)):
        found |= dict.fromkeys(layers, part if len(layers) > 1 else "")
        return
    for name, own in children.items():
        if len(own) > 1:
            _divide(f"{part}.{name}" if part else name, own, found)
