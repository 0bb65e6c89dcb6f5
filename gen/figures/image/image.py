"""Figures of the chapter "How a computer sees an image": digits and a photograph as numbers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from cnnviz.data import digits, photos
from cnnviz.data.catalogue import SPREAD
from cnnviz.data.digit_templates import STYLES
from cnnviz.data.inputs import to_input
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.pixels import colour_cells, strip, strokes_drawing
from cnnviz.figure.figure import (
    GREY_LEGEND,
    Drawing,
    Figure,
    Legend,
    Panel,
    Picture,
    message,
    picture,
    raster,
)
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.training.brief import train_briefly
from cnnviz.words import Say
from gen.context import Context, shared

Bytes = NDArray[np.uint8]

DIGIT = 3
"""The class whose example the chapter follows."""

SIDE = 28
SAMPLES = 11
"""Training images of each class that are shown."""

SIDES = (28, 14, 7, 4)
"""Sides in pixels at which that digit is shown."""

_LEARNED_UNITS, _LEARNED_STEPS = 128, 600  # of the networks that compare resolutions
_CHANNELS = ("red", "green", "blue")
_FLOWER = (75, 120, 70, 70)  # top, left, height, width in the reduced photograph
_LEAVES = (50, 240, 70, 70)
_EDGE = (109, 82, 5, 8)  # where a petal meets the background
_STEPS = ("blended", "bent", "inked", "centred")
_SHOWN = ((3, 0, 4), (7, 3, 1), (4, 0, 2))  # digit, index of its style, seed


def _digit(context: Context) -> Bytes:
    """The example that the chapter follows, (28, 28)."""
    pixels: Bytes = context.examples[DIGIT, 0].numpy()
    return pixels


def _grey(pixels: Bytes, scale: float, columns: int | None = None) -> Picture:
    """Bytes (H, W) or (N, H, W) as a picture."""
    maps = pixels if pixels.ndim > 2 else pixels[None]
    return picture(mosaic(maps, columns=columns, scale=(0, 255), palette="grey"), scale)


def digit_as_numbers(context: Context) -> Figure:
    """A digit as a picture, and below it all of its numbers."""
    pixels = _digit(context)
    name = context.test.class_names[DIGIT]
    columns = "".join(f"<th>{column}</th>" for column in range(SIDE))
    rows = "".join(
        f"<tr><th>{row}</th>{''.join(_cell(int(value)) for value in values)}</tr>"
        for row, values in enumerate(pixels)
    )
    table = f'<table class="pixels-numbers"><tr><td style="background:none"></td>{columns}</tr>{rows}</table>'
    return Figure(
        alt=message("alt", digit=name, zeros=(pixels == 0).sum(), largest=pixels.max()),
        panels=[
            Panel(_grey(pixels, 8), message("picture"), message("picture alt", digit=name)),
            Panel(table, message("numbers"), message("numbers alt", digit=name)),
        ],
        legends=[GREY_LEGEND],
        layout="column",
    )


def _cell(value: int) -> str:
    kind = "" if value else ' class="zero"'
    return f'<td{kind} style="--v:{value}">{value}</td>'


def _neighbours(pixels: Bytes) -> tuple[int, int]:
    """Row and column of the brightest pair of pixels above one another (the upper one)."""
    pairs = np.minimum(pixels[:-1], pixels[1:]).astype(int)
    row, column = np.unravel_index(pairs.argmax(), pairs.shape)
    return int(row), int(column)


def flattened(context: Context) -> Figure:
    """The rows of the digit one after another, 784 numbers in a line, four of the rows enlarged."""
    pixels = _digit(context)
    row, column = _neighbours(pixels)
    first = SIDE * row + column

    def draw(say: Say) -> str:
        return strip(
            pixels,
            row,
            column,
            row_name=lambda r: say("row", row=r),
            apart=say("apart", places=SIDE),
            title=say("title"),
        )

    return Figure(
        alt=message("alt", first=first, second=first + SIDE),
        panels=[Panel(draw)],
        legends=[GREY_LEGEND],
    )


@cache
def _flower() -> Bytes:
    """The photograph of a dahlia at half size, (213, 320, 3)."""
    return photos.resize(photos.load("flower"), 213, 320)


def _part_means(part: tuple[int, int, int, int]) -> dict[str, float]:
    """Mean of each channel over a part of the photograph."""
    means = photos.crop(_flower(), *part).reshape(-1, 3).mean(0)
    return dict(zip(_CHANNELS, means.tolist(), strict=True))


def channels(context: Context) -> Figure:
    """A colour photograph, and its three channels as grey pictures."""
    photo = _flower()
    framed = photo.copy()
    around = (_EDGE[0] - 1, _EDGE[1] - 1, _EDGE[2] + 2, _EDGE[3] + 2)
    for top, left, height, width in (_FLOWER, _LEAVES, around):
        framed[top : top + height, [left, left + width - 1]] = 255
        framed[[top, top + height - 1], left : left + width] = 255
    panels = [Panel(raster(framed, photo=True), message("photo"))]
    for index, name in enumerate(_CHANNELS):
        panels.append(Panel(raster(photo[:, :, index], photo=True), message(name)))
    flower = _part_means(_FLOWER)
    return Figure(
        alt=message("alt", red=flower["red"], blue=flower["blue"]),
        panels=panels,
        legends=[Legend(message("legend"), GREY_LEGEND.gradient, "0", "255")],
        columns=2,
    )


def colour_numbers(context: Context) -> Figure:
    """A few pixels at the edge of the flower, each with its three numbers."""
    part = photos.crop(_flower(), *_EDGE)
    rows, columns = part.shape[:2]
    return Figure(
        alt=message(
            "alt",
            rows=rows,
            columns=columns,
            first=part[0, 0].tolist(),
            last=part[-1, -1].tolist(),
        ),
        panels=[Panel(lambda say: colour_cells(part, say("title")))],
        legends=[Legend(message("legend"))],
    )


def _reduced(images: torch.Tensor, side: int) -> torch.Tensor:
    """uint8 (N, 1, 28, 28) → float (N, 1, side, side), each pixel the mean of a square."""
    return F.avg_pool2d(images.float(), SIDE // side)


def _nearest(context: Context, side: int) -> float:
    """Share of 1,000 test images whose nearest of 2,000 training images is of their class."""
    known = _reduced(context.train.images[:2000], side).flatten(1)  # (2000, side²)
    asked = _reduced(context.test.images[:1000], side).flatten(1)  # (1000, side²)
    nearest = torch.cdist(asked, known).argmin(1)  # (1000,)
    right = context.train.labels[:2000][nearest] == context.test.labels[:1000]
    return right.double().mean().item()


@shared
def _learned(context: Context, side: int, enlarged: bool = False) -> float:
    """Accuracy on the test images of a small MLP trained on pixels averaged to that side.

    Args:
        enlarged: each mean is repeated for all pixels that it was taken of, so that the network
            has as many inputs and weights as that of the whole image.
    """
    again = nn.Upsample(scale_factor=SIDE // side) if enlarged else nn.Identity()
    inputs = SIDE**2 if enlarged else side**2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.AvgPool2d(SIDE // side), again, nn.Flatten(),
            nn.Linear(inputs, _LEARNED_UNITS), nn.ReLU(), nn.Linear(_LEARNED_UNITS, 10),
        )  # fmt: skip
    train_briefly(model, context.train, _LEARNED_STEPS, 3e-3)
    return accuracy(predict(model, to_input(context.test.images)), context.test.labels)


def resolution(context: Context) -> Figure:
    """The same digit with fewer and fewer pixels."""
    panels = []
    for side in SIDES:
        small = _reduced(context.examples[DIGIT : DIGIT + 1], side)[0, 0]  # (side, side)
        pixels = small.round().numpy().astype(np.uint8)
        panels.append(Panel(_grey(pixels, 140 / side), f"{side}×{side} = {side * side}"))
    return Figure(
        alt=message("alt", digit=context.test.class_names[DIGIT], sides=SIDES),
        panels=panels,
        legends=[GREY_LEGEND],
        columns=len(SIDES),
    )


def _class_means(context: Context) -> torch.Tensor:
    """Mean image of each class of the training images, float (classes, 28, 28)."""
    images, labels = context.train.images[:, 0], context.train.labels
    classes = range(len(context.train.class_names))
    return torch.stack([images[labels == label].float().mean(0) for label in classes])


def class_means(context: Context) -> Figure:
    """The average of all training images of each class."""
    means = _class_means(context).numpy()
    names = context.train.class_names
    drawn = mosaic(means, columns=5, scale=(0, 255), palette="grey")
    sharpest = int(means.max((1, 2)).argmax())
    return Figure(
        alt=message("alt", name=names[sharpest], largest=means[sharpest].max()),
        panels=[Panel(picture(drawn, 4))],
        legends=[GREY_LEGEND],
    )


def made_steps(context: Context) -> Figure:
    """Three digits on their way from strokes to an image."""
    panels = []
    for digit, style, seed in _SHOWN:
        names = digits.style_names()[digit]
        example = digits.example(digit, names[style % len(names)], seed)
        contents = [
            _strokes(example.blended, digit, "blended"),
            _strokes(example.warped, digit, "bent"),
            _grey(example.ink, 5.6),
            _grey(example.image, 4),
        ]
        for step, content in zip(_STEPS, contents, strict=True):
            name = message(f"steps.{step}")
            alt = message("named", name=digit, what=name)
            panels.append(Panel(content, name if digit == _SHOWN[0][0] else None, alt))
    return Figure(
        alt=message("alt", digits=[digit for digit, _, _ in _SHOWN]),
        panels=panels,
        legends=[GREY_LEGEND],
        columns=len(_STEPS),
    )


def _strokes(strokes: list[NDArray[np.float32]], digit: int, step: str) -> Drawing:
    return lambda say: strokes_drawing(
        strokes, say("title", digit=digit, step=say(f"steps.{step}"))
    )


def made_styles(context: Context) -> Figure:
    """One made digit of every style."""
    panels = []
    for digit, names in digits.style_names().items():
        images = np.stack([digits.example(digit, name, 0).image for name in names])
        label = message("styles", digit=digit, count=len(names))
        panels.append(Panel(_grey(images, 2, columns=len(names)), label))
    return Figure(
        alt=message("alt", count=sum(map(len, digits.style_names().values()))),
        panels=panels,
        legends=[GREY_LEGEND],
    )


def samples(context: Context) -> Figure:
    """Some training images of each class."""
    images, labels = context.train.images, context.train.labels
    names = context.train.class_names
    rows = [images[labels == label][:SAMPLES, 0] for label in range(len(names))]
    shown = torch.stack(rows).numpy()  # (10, 12, 28, 28)
    drawn = mosaic(shown, scale=(0, 255), palette="grey")
    return Figure(
        alt=message("alt", names=names, count=shown.shape[1]),
        panels=[Panel(picture(drawn, 2))],
        legends=[GREY_LEGEND],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    pixels = _digit(context)
    row, column = _neighbours(pixels)
    means = _class_means(context)
    names = context.train.class_names
    distance = torch.cdist(to_input(context.test.images).flatten(1), means.flatten(1) / 255)
    nearest_mean = (distance.argmin(1) == context.test.labels).double().mean().item()
    flower = _flower()
    styles = digits.style_names()
    return {
        "digit": names[DIGIT],
        "zeros": int((pixels == 0).sum()),
        "zero_share": float((context.train.images == 0).double().mean()),
        "brightest": int(pixels.max()),
        "row": row,
        "column": column,
        "place": SIDE * row + column,
        "place_below": SIDE * (row + 1) + column,
        "photo": {"height": flower.shape[0], "width": flower.shape[1], "values": flower.size},
        "flower": _part_means(_FLOWER),
        "leaves": _part_means(_LEAVES),
        "nearest": {str(side): _nearest(context, side) for side in SIDES},
        "learned": {str(side): _learned(context, side) for side in SIDES},
        "enlarged": {str(side): _learned(context, side, enlarged=True) for side in SIDES[1:]},
        "learned_units": _LEARNED_UNITS,
        "learned_steps": _LEARNED_STEPS,
        "nearest_count": min(1000, len(context.test)),
        "nearest_mean": nearest_mean,
        "samples": SAMPLES,
        "exaggerated": SPREAD["train"] - 1,
        "train_count": len(context.train),
        "test_count": len(context.test),
        "styles": sum(map(len, styles.values())),
        "styles_of_seven": len(styles[7]),
        "template_count": sum(len(style.templates) for style in STYLES),
    }
