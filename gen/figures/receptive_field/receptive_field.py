"""Figures of the chapter "Receptive field": what a unit can see, layer by layer."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from torch.nn import functional as F

from cnnviz.drawing import palettes, svg
from cnnviz.drawing.diagrams import kernel_grid
from cnnviz.drawing.framed import frame, framed_map
from cnnviz.drawing.mosaic import mosaic
from cnnviz.inside.receptive_field import ReceptiveField, receptive_fields
from cnnviz.nets.models import LeNet
from cnnviz.numbers import significant
from gen.context import Context
from gen.figure.figure import (
    GREY_LEGEND,
    Figure,
    Legend,
    Panel,
    Text,
    Variant,
    in_both,
    picture,
    raster,
)

Bytes = NDArray[np.uint8]

LAYERS = ("conv1", "pool1", "conv2", "pool2")
"""Layers of LeNet whose units have a place."""

DIGIT = 3
"""The class whose example the chapter looks at."""

_MARGIN = 6  # pixels around the digit, for what reaches into the padding
_ZOOM = 8
_ORANGE, _BLUE = (250, 128, 50), (74, 134, 251)
_OUTSIDE = (96, 103, 112)


@cache
def _fields() -> dict[str, ReceptiveField]:
    return receptive_fields(LeNet(), (28, 28))


def growth(context: Context) -> Figure:
    """One row of LeNet from the input up to pool2, and what two of its units see."""
    fields = [_fields()[name] for name in LAYERS]
    words = {name: Text(name, name) for name in LAYERS} | {"input": Text("输入", "input")}
    seen = Text("看见 {} 像素", "sees {} px")
    title = Text(
        "每层的一行单元，以及 pool2 的两个单元往下看见的范围：正中的看见 16 个像素，最边上的有一部分落在填充里",
        "One row of units in each layer, and what two units of pool2 see below them: the middle one "
        "sees 16 pixels, part of what the outermost one sees is padding",
    )
    return Figure(
        alt=title,
        panels=[
            Panel(
                in_both(
                    lambda say: _cones(
                        fields,
                        [say(words[name]) for name in ("input", *LAYERS)],
                        [say(seen).format(field.size[1]) for field in fields],
                        [(2, "2"), (0, "1")],
                        say(title),
                    )
                )
            )
        ],
        legends=[
            Legend(
                Text(
                    "一个圆是一个单元，画在它所看范围的正中；虚线的圆是填充的零",
                    "a circle is a unit, drawn in the middle of what it sees; dashed ones are zeros of the padding",
                )
            )
        ],
    )


def _cones(
    fields: list[ReceptiveField],
    names: list[str],
    notes: list[str],
    chosen: list[tuple[int, str]],
    title: str,
) -> str:
    """Rows of units, the input at the bottom; for (unit of the top layer, colour) what it sees."""
    step, row, left, bottom = 17.0, 62.0, 96.0, 62.0 * len(fields) + 20
    pixel = lambda position: left + position * step  # noqa: E731
    parts = []
    top = fields[-1]
    for unit, colour in chosen:
        _, begin, _, end = top.box(unit, unit)
        middle = pixel(top.start[1] + top.jump[1] * unit)
        corners = [
            (middle, bottom - row * len(fields)),
            (pixel(end), bottom),
            (pixel(begin), bottom),
        ]
        points = " ".join(f"{svg.coordinate(x)},{svg.coordinate(y)}" for x, y in corners)
        parts.append(svg.element("polygon", points=points, fill=svg.var(colour), fill_opacity=0.13))
    pixels = ReceptiveField((1, 1), (1, 1), (0.5, 0.5), top.input_size, top.input_size)
    for index, field in enumerate([pixels, *fields]):
        y = bottom - row * index
        muted = svg.var("muted")
        parts.append(svg.text(left - 44, y, names[index], anchor="end"))
        if index:
            right = pixel(top.input_size[1]) + 40
            parts.append(
                svg.text(right, y, notes[index - 1], anchor="start", size=svg.NOTE_SIZE, fill=muted)
            )
        padding = (-2, -1, top.input_size[1], top.input_size[1] + 1) if not index else ()
        for unit in (*padding, *range(field.units[1])):
            centre = field.start[1] + field.jump[1] * unit
            reach = (centre - field.size[1] / 2, centre + field.size[1] / 2)
            fill = "none"
            for which, colour in chosen:
                _, begin, _, end = top.box(which, which)
                if begin <= reach[0] and reach[1] <= end:
                    fill = svg.var(colour)
                    break
            parts.append(
                svg.element(
                    "circle",
                    cx=pixel(centre),
                    cy=y,
                    r=5.5,
                    fill=fill,
                    fill_opacity=0.35 if unit in padding else None,
                    stroke=muted,
                    stroke_dasharray="2 2" if unit in padding else None,
                )
            )
    width = pixel(top.input_size[1]) + 140
    return svg.document(width, bottom + 14, title, "".join(parts))


def boxes(context: Context) -> Figure:
    """For each layer the field of two of its units on the digit, and the units on their map."""
    recording = context.recording("lenet")
    digit = context.examples[DIGIT, 0].numpy()  # (28, 28) uint8
    frames = []
    for name in (*LAYERS, "fc1"):
        field = _fields()[name]
        maps = recording[name][DIGIT].numpy()  # (C, H, W), of fc1 (units,)
        if maps.ndim == 1:
            chosen = [((0, 0), _ORANGE)]
            shown = maps.reshape(8, -1)
            place = Text(f"{len(maps)} 个单元，没有位置", f"{len(maps)} units without a place")
        else:
            channel, row, column = np.unravel_index(maps.argmax(), maps.shape)
            chosen = [((0, 0), _BLUE), ((int(row), int(column)), _ORANGE)]
            shown = maps[channel]
            place = Text(
                f"第 {channel} 号通道，{len(shown)}×{len(shown)}",
                f"channel {channel}, {len(shown)}×{len(shown)}",
            )
        fields = [(field.box(*unit), colour) for unit, colour in chosen]
        size = field.size[0]
        name_here = Text(f"{name}（{size}×{size}）", f"{name} ({size}×{size})")
        sees = Text(
            f"{name} 的单元看见 {size}×{size} 个像素，画在数字上",
            f"units of {name} see {size}×{size} pixels, drawn on the digit",
        )
        peak = float(np.abs(shown).max()) or 1.0
        frames.append(
            Variant(
                name_here,
                [
                    Panel(raster(_on_digit(digit, fields)), Text("输入", "input"), sees),
                    Panel(raster(framed_map(shown, peak, chosen if maps.ndim > 1 else [])), place),
                ],
                [
                    GREY_LEGEND,
                    Legend(
                        Text(f"{name} 的激活值", f"activation of {name}"),
                        palettes.css_gradient(palettes.DIVERGING),
                        significant(-peak),
                        significant(peak),
                    ),
                ],
            )
        )
    sizes = "、".join(str(_fields()[name].size[0]) for name in LAYERS)
    return Figure(
        alt=Text(
            f"数字上的方框一层比一层大：conv1、pool1、conv2、pool2 的单元分别看见边长 {sizes} 的方块，"
            "fc1 看见整张图",
            "The boxes on the digit grow from layer to layer: units of conv1, pool1, conv2 and pool2 "
            f"see squares of side {sizes.replace('、', ', ')}, those of fc1 the whole image",
        ),
        variants=frames,
        chosen=2,
        scrub=Text("层", "Layer"),
        uses=["lenet"],
    )


def _on_digit(digit: Bytes, fields: list[tuple[tuple[int, int, int, int], Any]]) -> Bytes:
    """The digit within its margin, enlarged, with a frame for each (box, colour)."""
    side = len(digit) + 2 * _MARGIN
    picture = np.empty((side, side, 3), np.uint8)
    picture[:] = _OUTSIDE
    inner = slice(_MARGIN, _MARGIN + len(digit))
    picture[inner, inner] = digit[:, :, None]
    large = picture.repeat(_ZOOM, 0).repeat(_ZOOM, 1)
    for (top, left, bottom, right), colour in fields:
        up, first, down, last = ((edge + _MARGIN) * _ZOOM for edge in (top, left, bottom, right))
        frame(large, up, first, down, last, colour)
    return large


def paths(context: Context) -> Figure:
    """How many paths lead from each pixel to one unit, through one, two and three layers."""
    panels = []
    for depth, counts in enumerate(_path_counts(3), 1):
        name = Text(
            f"{depth} 层：{len(counts)}×{len(counts)}",
            f"{depth} layer{'s' if depth > 1 else ''}: {len(counts)}×{len(counts)}",
        )
        grid = in_both(
            lambda say, c=counts, t=name: kernel_grid(  # type: ignore[misc]
                c, title=say(t), palette="sequential", limits=(0, float(c.max())), cell=30
            )
        )
        panels.append(Panel(grid, name))
    most = int(_path_counts(3)[-1].max())
    return Figure(
        alt=Text(
            f"3×3 卷积叠一、二、三层，从每个像素到同一个单元的路有多少条：一层处处一条，三层正中有 {most} 条，角上仍只有一条",
            "Number of paths from each pixel to one unit through one, two and three 3×3 convolutions: "
            f"one everywhere for one layer; for three layers {most} from the middle, still one from a corner",
        ),
        panels=panels,
        legends=[
            Legend(
                Text("路的条数，每幅各用自己的刻度", "number of paths, a scale for each"),
                palettes.css_gradient(palettes.SEQUENTIAL),
                "0",
                "max",
            )
        ],
    )


def _path_counts(depth: int) -> list[NDArray[np.float64]]:
    """Numbers of paths through 1 … `depth` layers of 3×3: (3, 3), (5, 5), …"""
    ones = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    counts = [ones]
    for _ in range(depth - 1):
        counts.append(F.conv2d(counts[-1], ones, padding=2))
    return [count[0, 0].numpy() for count in counts]


@cache
def vgg_fields() -> dict[str, ReceptiveField]:
    """Receptive fields of VGG-16 on 224×224 pixels, by torchvision's names; no weights needed."""
    with torch.device("meta"):
        model = torchvision.models.vgg16()
    return receptive_fields(model, (224, 224))


def seen_share(field: ReceptiveField) -> NDArray[np.float64]:
    """For each unit (R, C) the share of its field that lies inside the image."""
    shares = np.empty(field.units)
    for row, column in np.ndindex(*field.units):
        top, left, bottom, right = field.box(row, column, clip=True)
        shares[row, column] = (bottom - top) * (right - left) / (field.size[0] * field.size[1])
    return shares


def border(context: Context) -> Figure:
    """How much of each unit's field lies inside the image: LeNet's pool2, VGG-16's last layer."""
    lenet, vgg = seen_share(_fields()["pool2"]), seen_share(vgg_fields()["features.28"])
    name = Text("LeNet 的 pool2：5×5 个单元", "LeNet, pool2: 5×5 units")
    grid = in_both(
        lambda say: kernel_grid(
            lenet,
            title=say(name),
            palette="sequential",
            limits=(0, 1),
            write=lambda share: f"{share:.0%}",
            cell=50,
        )
    )
    drawn = mosaic(vgg[None], scale=(0, 1), signed=False)
    return Figure(
        alt=Text(
            f"视野落在图内的比例。LeNet：正中 100%，四角 {lenet[0, 0]:.0%}。"
            f"VGG-16 最后一个卷积层：正中 {vgg.max():.0%}，四角 {vgg[0, 0]:.0%}",
            f"Share of the field inside the image. LeNet: 100% in the middle, {lenet[0, 0]:.0%} in the "
            f"corners. Last convolution of VGG-16: {vgg.max():.0%} in the middle, {vgg[0, 0]:.0%} in the corners",
        ),
        panels=[
            Panel(grid, name),
            Panel(
                picture(drawn, 18),
                Text("VGG-16 最后一个卷积层：14×14", "VGG-16, last convolution: 14×14"),
            ),
        ],
        legends=[
            Legend(
                Text("视野落在图内的比例", "share of the field inside the image"),
                palettes.css_gradient(palettes.SEQUENTIAL),
                "0%",
                "100%",
            )
        ],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    windows = {"conv1": (5, 1, 2), "pool1": (2, 2, 0), "conv2": (5, 1, 0), "pool2": (2, 2, 0)}
    rows = []
    for name, (kernel, stride, padding) in windows.items():
        field = _fields()[name]
        rows.append(
            {
                "name": name,
                "kernel": kernel,
                "stride": stride,
                "padding": padding,
                "size": field.size[0],
                "jump": field.jump[0],
                "start": field.start[0],
                "units": field.units[0],
            }
        )
    deep = {"conv1_2": 2, "conv2_2": 7, "conv3_3": 14, "conv4_3": 21, "conv5_3": 28}
    vgg = {name: vgg_fields()[f"features.{index}"] for name, index in deep.items()}
    lenet_shares, vgg_shares = seen_share(_fields()["pool2"]), seen_share(vgg["conv5_3"])
    return {
        "rows": rows,
        "by_name": {row["name"]: row for row in rows},
        "area": _fields()["conv2"].size[0] ** 2 / 28**2,
        "vgg": {name: field.size[0] for name, field in vgg.items()},
        "paths": [int(counts.max()) for counts in _path_counts(3)],
        "path_total": int(_path_counts(3)[-1].sum()),
        "lenet_corner": float(lenet_shares[0, 0]),
        "lenet_whole": int((lenet_shares == 1).sum()),
        "vgg_corner": float(vgg_shares[0, 0]),
        "vgg_whole": int((vgg_shares == 1).sum()),
        "vgg_units": vgg_shares.size,
        "two_3x3": {"weights": 18, "one_5x5": 25},
    }
