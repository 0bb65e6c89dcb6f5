"""EfficientNet-B0 made deeper, wider, with larger images, and a little of each: drawn to scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import nn
from torchvision.models.efficientnet import EfficientNet, MBConv, _efficientnet_conf

from cnnviz.drawing import svg
from cnnviz.figure.figure import Figure, Panel, Say, message
from cnnviz.inside.costs import Cost, layer_costs
from gen.context import Context
from gen.figures.published_nets import side

Block = tuple[int, int]
"""Channels, and side of the maps, of what a block puts out."""


@dataclass(frozen=True)
class Scaled:
    """EfficientNet-B0 with factors of Tan and Le (2019), who trained each of these networks.

    Attributes:
        depth, width, resolution: how many times as many blocks, channels, pixels a side.
        quoted: its accuracy in their paper.
    """

    depth: float
    width: float
    resolution: float
    quoted: float


# Their table of scaled models; accuracies are theirs, measured on ImageNet.
WAYS = {
    "base": Scaled(1, 1, 1, 0.773),
    "depth": Scaled(4, 1, 1, 0.790),
    "width": Scaled(1, 2, 1, 0.789),
    "resolution": Scaled(1, 1, 2, 0.791),
    "all": Scaled(1.4, 1.2, 1.3, 0.811),
}


def _side(way: Scaled) -> int:
    return round(side("efficientnet") * way.resolution)


@cache
def _costs(way: Scaled) -> dict[str, Cost]:
    return layer_costs(_built(way), (3, _side(way), _side(way)))


def _multiplications(way: Scaled) -> int:
    return sum(cost.multiplications for cost in _costs(way).values())


@cache
def _built(way: Scaled) -> nn.Module:
    settings, last = _efficientnet_conf(
        "efficientnet_b0", width_mult=way.width, depth_mult=way.depth
    )
    with torch.device("meta"):
        model: nn.Module = EfficientNet(settings, dropout=0.2, last_channel=last)
    return model.eval()


def blocks(way: Scaled) -> list[Block]:
    """Of each block what it puts out, in order."""
    found, last = [], {}
    for name, cost in _costs(way).items():
        parts = name.split(".")
        if len(parts) > 3 and parts[0] == "features" and len(cost.shape) == 3:
            last[".".join(parts[:3])] = cost.shape  # of the last layer in it that makes maps
    names = {n for n, m in _built(way).named_modules() if isinstance(m, MBConv)}
    for name, shape in last.items():
        if name in names:
            found.append((shape[0], shape[1]))
    return found


def scaled(context: Context) -> Figure:
    """Five networks: each block as high as its maps and as broad as it has channels."""

    def draw(say: Say) -> str:
        rows = [(_said(say, name, way), blocks(way)) for name, way in WAYS.items()]
        return _drawn_rows(rows, say("title"))

    counts = [(message(f"ways.{name}"), len(blocks(way))) for name, way in WAYS.items()]
    return Figure(alt=message("alt", counts=counts), panels=[Panel(draw)])


def _said(say: Say, name: str, way: Scaled) -> str:
    """What stands above the drawing of a network."""
    return say(
        "first" if name == "base" else "row",
        way=say(f"ways.{name}"),
        blocks=len(blocks(way)),
        side=_side(way),
        times=_multiplications(way) / _multiplications(WAYS["base"]),
        accuracy=way.quoted,
    )


_WIDTH, _PIXEL = 460.0, 0.4


def _drawn_rows(rows: Sequence[tuple[str, Sequence[Block]]], title: str) -> str:
    """One row a network, all on one scale."""
    gap = 0.6
    longest = max((sum(c for c, _ in row), len(row)) for _, row in rows)
    channel = (_WIDTH - 4 - gap * longest[1]) / longest[0]
    parts, y = [], 0.0
    for name, row in rows:
        tall = max(pixels for _, pixels in row) * _PIXEL
        parts.append(svg.text(2, y + 12, name, anchor="start", size=svg.NOTE_SIZE))
        ground, x = y + 24 + tall, 2.0
        for channels, pixels in row:
            wide, high = channels * channel, pixels * _PIXEL
            parts.append(
                svg.element("rect", x=x, y=ground - high, width=max(wide, 0.5), height=high,
                            fill=svg.var("1"), fill_opacity=0.75)
            )  # fmt: skip
            x += wide + gap
        y = ground + 12
    return svg.document(_WIDTH, y, title, "".join(parts))


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    base = _multiplications(WAYS["base"])
    result: dict[str, Any] = {}
    for name, way in WAYS.items():
        multiplications = _multiplications(way)
        result[name] = {
            "depth": way.depth,
            "width": way.width,
            "resolution": way.resolution,
            "side": _side(way),
            "blocks": len(blocks(way)),
            "parameters": sum(cost.parameters for cost in _costs(way).values()),
            "multiplications": multiplications,
            "times": multiplications / base,
            "accuracy": way.quoted,
        }
    return result
