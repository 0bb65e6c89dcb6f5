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
from cnnviz.figure.figure import (
    GREY_LEGEND,
    Figure,
    Legend,
    Message,
    Panel,
    Variant,
    message,
    picture,
    raster,
)
from cnnviz.inside.receptive_field import ReceptiveField, receptive_fields
from cnnviz.nets.models import LeNet
from cnnviz.numbers import significant
from cnnviz.words import Say
from gen.context import Context

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

    def draw(say: Say) -> str:
        return _cones(
            fields,
            [say("input"), *LAYERS],
            [say("sees", pixels=field.size[1]) for field in fields],
            [(2, "2"), (0, "1")],
            say("alt"),
        )

    return Figure(alt=message("alt"), panels=[Panel(draw)], legends=[Legend(message("legend"))])


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
            place = message("units", count=len(maps))
        else:
            channel, row, column = np.unravel_index(maps.argmax(), maps.shape)
            chosen = [((0, 0), _BLUE), ((int(row), int(column)), _ORANGE)]
            shown = maps[channel]
            place = message("channel", channel=channel, side=len(shown))
        fields = [(field.box(*unit), colour) for unit, colour in chosen]
        size = field.size[0]
        sees = message("sees", layer=name, size=size)
        peak = float(np.abs(shown).max()) or 1.0
        frames.append(
            Variant(
                message("layer", layer=name, size=size),
                [
                    Panel(raster(_on_digit(digit, fields)), message("input"), sees),
                    Panel(raster(framed_map(shown, peak, chosen if maps.ndim > 1 else [])), place),
                ],
                [
                    GREY_LEGEND,
                    Legend(
                        message("output", layer=name),
                        palettes.css_gradient(palettes.DIVERGING),
                        significant(-peak),
                        significant(peak),
                    ),
                ],
            )
        )
    return Figure(
        alt=message("alt", sizes=[_fields()[name].size[0] for name in LAYERS]),
        variants=frames,
        chosen=2,
        scrub=message("slider"),
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
        label = message("layers", layers=depth, side=len(counts))

        def draw(say: Say, counts: NDArray[np.float64] = counts, label: Message = label) -> str:
            limits = (0, float(counts.max()))
            return kernel_grid(
                counts, title=say(label), palette="sequential", limits=limits, cell=30
            )

        panels.append(Panel(draw, label))
    return Figure(
        alt=message("alt", most=int(_path_counts(3)[-1].max())),
        panels=panels,
        legends=[
            Legend(
                message("legend"),
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

    def draw(say: Say) -> str:
        return kernel_grid(
            lenet,
            title=say("lenet"),
            palette="sequential",
            limits=(0, 1),
            write=lambda share: f"{share:.0%}",
            cell=50,
        )

    drawn = mosaic(vgg[None], scale=(0, 1), signed=False)
    return Figure(
        alt=message("alt", lenet_corner=lenet[0, 0], vgg_middle=vgg.max(), vgg_corner=vgg[0, 0]),
        panels=[Panel(draw, message("lenet")), Panel(picture(drawn, 18), message("vgg"))],
        legends=[
            Legend(
                message("legend"),
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
