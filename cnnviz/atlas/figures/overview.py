"""The overview of a net: every unit on one screen, and which units feed which."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.figures.images import class_of
from cnnviz.atlas.sections import nonlinearity
from cnnviz.atlas.seen import seen
from cnnviz.atlas.subject import AtlasNet
from cnnviz.atlas.templating import filled
from cnnviz.drawing.mosaic import image_png, mosaic
from cnnviz.drawing.palettes import css_gradient
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.inside.contributions import contributions
from cnnviz.inside.layers import Layer
from cnnviz.inside.statistics import EXTREMES
from cnnviz.numbers import times
from cnnviz.words import Say

MANY = 20
"""So many classes at most the tile of a unit tells apart."""

LINKS = 4
"""Units that a unit is joined to on demand, before it and after it."""

PATCHES = EXTREMES
"""Parts of images whose mean stands for a unit of a convolution."""

_INPUT_HEIGHT = 42  # pixels on the page


def net_overview(net: AtlasNet) -> Figure:
    """Every unit of a net, layer below layer; assets/atlas-overview.js draws the lines between."""
    tiles = {layer.name: _tiles(net, layer) for layer in net.weighted}
    rows = _rows(net, tiles)
    example = net.subject.example
    pixels = net.pixels[example]  # (1 or 3, H, W)

    def draw(say: Say) -> str:
        return filled(
            "overview.html",
            say=say,
            net=net.name,
            example=class_of(net, example),
            picture=_uri(_png(pixels)),
            height=_INPUT_HEIGHT,
            width=round(_INPUT_HEIGHT * pixels.shape[2] / pixels.shape[1]),
            shape=times(net.inputs.shape[1:]),
            rows=rows,
        )

    layers = [[layer.name, layer.units] for layer in net.weighted]
    alt = message("alt", net=net.title, layers=layers)
    return Figure(
        alt=alt,
        panels=[Panel(draw, alt=alt)],
        legends=_legends(net, {t.kind for t in tiles.values()}),
        uses=[net.name],
        drawn_by=net_overview,
    )


def _png(pixels: Tensor) -> bytes:
    """Of uint8 (1 or 3, H, W)."""
    return image_png(pixels.permute(1, 2, 0).squeeze(2).numpy(), 9)


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


# ---------- Thumbnails ----------


@dataclass(frozen=True)
class _Tiles:
    """The thumbnails of a layer, side by side in one PNG, and the size of each in pixels.

    `kind` is "kernel", "patch" or "profile".
    """

    kind: str
    png: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        return _uri(self.png)


def _tiles(net: AtlasNet, layer: Layer) -> _Tiles:
    """A kernel over one channel as it is; units of a vector by classes; others by what they like.

    Of many classes, or of none, a tile has no room.
    """
    units, kernels = layer.units, layer.kernels
    size = next((size for most, size in ((8, 52), (24, 36), (64, 26)) if units <= most), 16)
    if kernels is not None and kernels.ndim == 4 and kernels.shape[1] == 1:
        drawn = mosaic(kernels[:, 0], columns=units, scale="layer", signed=True, gap=0)
        return _Tiles("kernel", drawn.png(9), size, size)
    means = _by_class(net, layer) if len(layer.shape) == 1 else None  # (C, classes)
    if means is None or len(net.classes) > MANY:
        most = net.statistics[layer.name].most
        patches = seen(net, layer, net.counted, most).mean(1)  # (C, 1 or 3, h, w)
        strip = torch.cat(list(patches), dim=2)  # (1 or 3, h, C·w)
        return _Tiles("patch", _png((255 * strip).round().byte()), size, size)
    rows = F.pad(means, (0, means.shape[1] % 2)).unflatten(1, (2, -1)).numpy()  # (C, 2, …)
    drawn = mosaic(rows, columns=units, scale="map", gap=0)
    cell = next((cell for most, cell in ((16, 8), (130, 5)) if units <= most), 3)
    return _Tiles("profile", drawn.png(9), cell * rows.shape[2], cell * 2)


def _by_class(net: AtlasNet, layer: Layer) -> Tensor | None:
    """Mean activation (C, classes) of each unit over the counted images of each class."""
    return net.statistics[(nonlinearity(net, layer) or layer).name].by_class


def silent_units(net: AtlasNet, layer: Layer) -> list[int]:
    """Units that never rise above zero, in a layer behind which a ReLU makes that zero."""
    after = nonlinearity(net, layer)
    if after is None or not after.rectifies:
        return []
    silent: list[int] = (net.statistics[after.name].active == 0).nonzero()[:, 0].tolist()
    return silent


# ---------- Links between units ----------


def contributed(net: AtlasNet) -> dict[str, Tensor]:
    """Layer → what each unit of the layer before contributes to each of its units, (C, before).

    Only layers whose channels are the units of the layer before.
    """
    found = contributions(net.model, net.weighted, net.counted)
    return {
        layer.name: found[layer.name]
        for layer in net.weighted
        if layer.name in found
        and (before := net.weighted_before(layer))
        and found[layer.name].shape[1] == before.after[0]
    }


def strongest(matrix: Tensor) -> list[list[list[int]]]:
    """[column, percent] of the largest entries by size in each row, the largest first.

    Percent of the row's largest.
    """
    largest = matrix.abs().amax(1, keepdim=True).clamp(min=1e-12)
    percent = (100 * matrix / largest).round().int()  # (C, D)
    order = matrix.abs().sort(dim=1, descending=True, stable=True).indices[:, :LINKS]
    pairs = torch.stack([order.int(), percent.gather(1, order)], dim=2)  # (C, LINKS, 2)
    return [[pair for pair in row if pair[1]] for row in pairs.tolist()]


# ---------- Rows and legends ----------


@dataclass(frozen=True)
class _Row:
    """A layer with weights, as templates/overview.html shows it.

    Attributes:
        later: names of what follows, up to the next layer with weights.
        units: number in its address, class if it is one, whether it is silent.
        feeders, fed: what each unit is joined to, as JSON; None where nobody knows.
        before, after: the layers of these, "" where there is none.
        sources: what feeds it, if that is not what lies behind the row above.
    """

    layer: Layer
    shape: str
    later: Sequence[str]
    units: Sequence[tuple[str, str, bool]]
    tiles: _Tiles
    feeders: str | None
    fed: str | None
    before: str
    after: str
    sources: Sequence[str]


def _rows(net: AtlasNet, tiles: Mapping[str, _Tiles]) -> list[_Row]:
    into = contributed(net)
    rows: list[_Row] = []
    for layer in net.weighted:
        count, silent = layer.units, set(silent_units(net, layer))
        named = layer.scores and count == len(net.classes) <= MANY
        feeder, follower = net.weighted_before(layer), net.weighted_after(layer)
        above = rows[-1].layer if rows else None
        rows.append(
            _Row(
                layer,
                times(layer.after),
                [after.name for after in net.after(layer)],
                [(unit_name(u, count), net.classes[u] if named else "", u in silent)
                 for u in range(count)],
                tiles[layer.name],
                _links(into[layer.name]) if layer.name in into else None,
                _links(into[follower.name].T) if follower and follower.name in into else None,
                feeder.name if feeder else "",
                follower.name if follower else "",
                [name for name in layer.fed_by if name] if feeder is not above else [],
            )
        )  # fmt: skip
    return rows


def _links(matrix: Tensor) -> str:
    return json.dumps(strongest(matrix), separators=(",", ":"))


def _legends(net: AtlasNet, kinds: set[str]) -> list[Legend]:
    """What the thumbnails show, and the lines."""
    legends = []
    if "kernel" in kinds:
        legends.append(Legend(message("legends.kernel"), css_gradient("diverging"), "−max", "+max"))
    if "patch" in kinds:
        said = message("legends.patch", patches=PATCHES)
        grey = net.pixels.shape[1] == 1
        ends = ("linear-gradient(to right, #000, #fff)", "0", "255") if grey else ()
        legends.append(Legend(said, *ends))
    if "profile" in kinds:
        said = message("legends.profile", half=-(-len(net.classes) // 2))
        legends.append(Legend(said, css_gradient("sequential"), "0", "max"))
    return [*legends, Legend(message("legends.lines", links=LINKS))]
