"""Figures of the chapter "From fully connected to convolution": weights tied by two wishes.

A layer is to learn what a small operation does to images, from images and results. What it can
learn from how few depends on which of its weights are made equal, and which are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import (
    GREY_LEGEND,
    Figure,
    Panel,
    Variant,
    message,
    picture,
    scale_legend,
)
from cnnviz.words import Say
from gen.context import Context, shared

SIDE = 12
"""Images of 12×12 pixels: a digit at half its size, without the outermost pixels."""

PLACES = SIDE * SIDE
EDGES = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]).view(1, 1, 3, 3) / 4
"""The kernel to be found: bright at the left, dark at the right."""

COUNTS = (1, 3, 10, 30, 100, 300)
"""From so many images the weights are found."""

_SHOWN = (3, 30, 300)
_SEEDS = range(3)
_UNSEEN = 500
_NOISE = 0.05  # deviation of the noise on the results that are learned from
_PENALTY = 0.02  # of the sum of squared weights; without it, few images tell nothing
_PLACE = (5, 6)  # row and column of the unit whose weights are drawn
_EXAMPLE = 3

WAYS: Mapping[str, tuple[bool, int]] = {
    "full": (False, SIDE - 1),
    "near": (False, 1),
    "same": (True, SIDE - 1),
    "both": (True, 1),
}
"""Name → whether all places share their weights, and how far away a place looks."""


def edges(images: Tensor) -> Tensor:
    """The kernel at every place: (N, 1, 12, 12) → (N, 1, 12, 12)."""
    return F.conv2d(images, EDGES, padding=1)


def two_kernels(images: Tensor) -> Tensor:
    """Vertical edges in the left half, horizontal ones in the right: another kernel by place."""
    down = F.conv2d(images, EDGES.transpose(2, 3), padding=1)
    half = SIDE // 2
    return torch.cat([edges(images)[..., :half], down[..., half:]], dim=3)


def mirrored(images: Tensor) -> Tensor:
    """The edges, and left and right exchanged: what a place needs lies far away."""
    return edges(images).flip(3)


OPERATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "edges": edges,
    "two_kernels": two_kernels,
    "mirrored": mirrored,
}


def _small(images: Tensor) -> Tensor:
    """uint8 (N, 1, 28, 28) → numbers from 0 to 1 (N, 1, 12, 12)."""
    return F.avg_pool2d(to_input(images), 2)[..., 1:-1, 1:-1].contiguous()


def _best(inputs: Tensor, wanted: Tensor) -> Tensor:
    """Weights (K, …) for which inputs (M, K) @ weights is nearest to wanted (M, …)."""
    squares = inputs.T @ inputs + _PENALTY * torch.eye(inputs.shape[1], dtype=inputs.dtype)
    return torch.linalg.solve(squares, inputs.T @ wanted)


def learned(images: Tensor, results: Tensor, same: bool, reach: int) -> Tensor:
    """Matrices (O, 144 inputs, 144 outputs), found from images (N, 1, 12, 12) and results.

    Each of the O channels of `results` (N, O, 12, 12) is the work of one operation.
    """
    count = results.shape[1]
    if same:
        size = 2 * reach + 1
        patches = F.unfold(images, size, padding=reach).transpose(1, 2)  # (N, 144, K)
        wanted = results.flatten(2).transpose(1, 2)  # (N, 144, O)
        kernels = _best(patches.flatten(0, 1), wanted.flatten(0, 1)).T  # (O, K)
        dots = torch.eye(PLACES).view(PLACES, 1, SIDE, SIDE)
        maps = F.conv2d(dots, kernels.reshape(count, 1, size, size), padding=reach)
        return maps.flatten(2).transpose(0, 1)  # (O, 144, 144)
    pixels, wanted = images.flatten(1), results.flatten(2)  # (N, 144), (N, O, 144)
    if reach >= SIDE - 1:
        return _best(pixels, wanted.flatten(1)).view(PLACES, count, PLACES).transpose(0, 1)
    found = torch.zeros(count, PLACES, PLACES)
    places = torch.cartesian_prod(torch.arange(SIDE), torch.arange(SIDE))  # (144, 2)
    for place in range(PLACES):
        near = (places - places[place]).abs().amax(1) <= reach  # (144,)
        found[:, near, place] = _best(pixels[:, near], wanted[:, :, place]).T
    return found


def _work(images: Tensor) -> Tensor:
    """What each operation makes of images (N, 1, 12, 12), as channels (N, 3, 12, 12)."""
    return torch.cat([operation(images) for operation in OPERATIONS.values()], dim=1)


@shared
def _found(context: Context, way: str, count: int, seed: int) -> Tensor:
    """What a way finds from `count` images: a matrix for each operation (3, 144, 144)."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(context.train), (count,), generator=generator)
    images = _small(context.train.images[chosen])
    results = _work(images)
    results += _NOISE * torch.randn(results.shape, generator=generator)
    return learned(images, results, *WAYS[way])


@shared
def _errors(context: Context, way: str, count: int) -> Tensor:
    """Error on images not seen, for each seed and operation; 1 is that of answering 0 everywhere."""
    unseen = _small(context.test.images[:_UNSEEN])
    wanted = _work(unseen).flatten(2).transpose(0, 1)  # (3, N, 144)
    off = [
        (unseen.flatten(1) @ _found(context, way, count, seed) - wanted).norm(dim=(1, 2))
        for seed in _SEEDS
    ]
    return torch.stack(off) / wanted.norm(dim=(1, 2))  # (seeds, 3)


def matrix(context: Context) -> Figure:
    """A digit, what the kernel makes of it, and the convolution as a matrix."""
    image = _small(context.examples[_EXAMPLE : _EXAMPLE + 1])
    result = edges(image)
    dots = torch.eye(PLACES).view(PLACES, 1, SIDE, SIDE)
    weights = edges(dots).view(PLACES, PLACES).T  # (144 outputs, 144 inputs)
    drawn = mosaic(weights.numpy()[None], scale="layer", signed=True)
    peak = float(result.abs().max())
    seen = mosaic((image[0] * 255).numpy(), scale=(0, 255), palette="grey")
    edged = mosaic(result[0].numpy(), scale=(-peak, peak))
    return Figure(
        alt=message("alt", places=PLACES, nonzero=int((weights != 0).sum())),
        panels=[
            Panel(picture(seen, 12), message("panels.image")),
            Panel(picture(edged, 12), message("panels.result", limit=peak)),
            Panel(picture(drawn, 2), message("panels.matrix")),
        ],
        legends=[scale_legend(drawn, "layer", message("weight")), GREY_LEGEND],
        columns=3,
    )


def rows(context: Context) -> Figure:
    """The weights of one unit as each way finds them, from few images and from many."""
    row, column = _PLACE
    place = row * SIDE + column
    truth = edges(torch.eye(PLACES).view(PLACES, 1, SIDE, SIDE)).view(PLACES, PLACES)[:, place]
    peak = float(truth.abs().max())
    variants = []
    for count in _SHOWN:
        panels = []
        for way in ("truth", *WAYS):
            weights = truth if way == "truth" else _found(context, way, count, 0)[0][:, place]
            drawn = mosaic(weights.view(1, SIDE, SIDE).numpy(), scale=(-peak, peak))
            panels.append(Panel(picture(drawn, 9), message(f"ways.{way}")))
        legend = scale_legend(drawn, "figure", message("clipped"))
        variants.append(Variant(message("images", count=count), panels, [legend]))
    return Figure(
        alt=message("alt", row=row, column=column),
        variants=variants,
        chosen=1,
        columns=5,
    )


def errors(context: Context) -> Figure:
    """Error on images not seen, against the number of images, for the four ways."""
    means = {
        way: [float(_errors(context, way, count)[:, 0].mean()) for count in COUNTS] for way in WAYS
    }

    def draw(say: Say) -> str:
        return charts.line_chart(
            {say(f"ways.{way}"): (COUNTS, values) for way, values in means.items()},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            log_x=True,
            log_y=True,
        )

    ends = {way: values[-1] for way, values in means.items()}
    return Figure(alt=message("alt", most=COUNTS[-1], **ends), panels=[Panel(draw)])


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""

    def facts(way: str, count: int, operation: int = 0) -> dict[str, float]:
        off = _errors(context, way, count)[:, operation]
        return {"mean": off.mean().item(), "best": off.min().item(), "worst": off.max().item()}

    dots = torch.eye(PLACES).view(PLACES, 1, SIDE, SIDE)
    near = int((F.conv2d(dots, torch.ones(1, 1, 3, 3), padding=1) != 0).sum())
    return {
        "side": SIDE,
        "places": PLACES,
        "row": _PLACE[0],
        "column": _PLACE[1],
        "unseen": _UNSEEN,
        "seeds": len(_SEEDS),
        "noise": _NOISE,
        "weights": {"full": PLACES**2, "near": near, "same": (2 * SIDE - 1) ** 2, "both": 9},
        "errors": {way: {str(count): facts(way, count) for count in COUNTS} for way in WAYS},
        "wrong": {
            name: {way: facts(way, COUNTS[-1], operation) for way in WAYS}
            for operation, name in enumerate(OPERATIONS)
        },
        "most": COUNTS[-1],
    }
