"""Photographs cut into tiles: is it the parts that the network goes by, or how they lie together?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.drawing.run_charts import seed_chart
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.photograph.photograph import ANIMAL, CATS
from gen.figures.photographs import NAME, NAMES, SIDE, classes, inputs, network, thumbnail

TILES = (2, 4, 7, 8, 14)
"""Tiles a side."""

SHOWN = (4, 7)
SEEDS = range(6)


def shuffled(image: Tensor, tiles: int, seed: int) -> Tensor:
    """An image (C, H, W) cut into tiles × tiles squares, which are laid down in random order."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(tiles**2, generator=generator)
    return _laid(_cut(image, tiles)[:, order], tiles)


def mirrored(image: Tensor, tiles: int, axis: int) -> Tensor:
    """The same squares, each in its place, each mirrored: axis 1 up and down, 2 left and right.

    It has the same seams as a shuffled image; only its parts are where they were.
    """
    return _laid(_cut(image, tiles).flip(axis + 1), tiles)


def _cut(image: Tensor, tiles: int) -> Tensor:
    side = image.shape[-1] // tiles
    squares = image.unfold(1, side, side).unfold(2, side, side)  # (C, tiles, tiles, side, side)
    return squares.flatten(1, 2)  # (C, tiles², side, side)


def _laid(squares: Tensor, tiles: int) -> Tensor:
    channels, _, side, _ = squares.shape
    rows = squares.unflatten(1, (tiles, tiles)).transpose(2, 3)  # (C, tiles, side, tiles, side)
    return rows.reshape(channels, tiles * side, tiles * side)


@shared
def _shares(context: Context, photo: str, of: tuple[str, ...]) -> dict[str, list[list[float]]]:
    """Probability of some classes together: way → for each of TILES, of each run."""
    image = inputs(context)[NAMES.index(photo)]  # (3, 224, 224)
    wanted = [classes().index(name) for name in of]
    ways: dict[str, list[Callable[[Tensor, int], Tensor]]] = {
        "shuffled": [partial(shuffled, seed=seed) for seed in SEEDS],
        "mirrored": [partial(mirrored, axis=axis) for axis in (1, 2)],
    }
    found = {}
    for way, makers in ways.items():
        images = torch.stack([make(image, n) for n in TILES for make in makers])
        with torch.no_grad():
            shares = network(context)(images).softmax(1)[:, wanted].sum(1)
        found[way] = shares.view(len(TILES), len(makers)).tolist()
    return found


def _cat_shares(context: Context) -> dict[str, list[list[float]]]:
    return _shares(context, ANIMAL, CATS)


def cut(context: Context) -> Figure:
    """The cat in tiles: shuffled, and mirrored in place."""
    image = inputs(context)[NAMES.index(ANIMAL)]
    found = _cat_shares(context)
    panels = []
    for tiles in SHOWN:
        for way, drawn in (
            ("shuffled", shuffled(image, tiles, SEEDS[0])),
            ("mirrored", mirrored(image, tiles, 2)),
        ):
            run = 0 if way == "shuffled" else 1
            label = message(way, side=SIDE // tiles, share=found[way][TILES.index(tiles)][run])
            halved = torch.nn.functional.avg_pool2d(drawn, 2)  # drawn at half the size
            pixels = (halved * 255).round().byte().permute(1, 2, 0).numpy()
            panels.append(Panel(thumbnail(pixels), label))
    return Figure(alt=message("alt"), panels=panels, layout="grid", uses=[NAME])


def cat_by_tiles(context: Context) -> Figure:
    """Probability of a cat against the side of the tiles."""
    found = _cat_shares(context)

    def draw(say: Say) -> str:
        return seed_chart(
            {say(way): runs for way, runs in found.items()},
            [f"{SIDE // n}" for n in TILES],
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, 1),
        )

    result = numbers(context)
    return Figure(
        alt=message("alt", shuffled=result["shuffled"]["32"], mirrored=result["mirrored"]["32"]),
        panels=[Panel(draw)],
        legends=[Legend(message("legend", runs=len(SEEDS)))],
        uses=[NAME],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Means of the runs by way and side of the tiles, least and most by way; for coffee means."""
    found = _cat_shares(context)
    result: dict[str, Any] = {"runs": len(SEEDS), "coffee": {}}
    for way, runs in _shares(context, "coffee", ("espresso",)).items():
        result["coffee"][way] = {
            str(SIDE // n): float(np.mean(values)) for n, values in zip(TILES, runs, strict=True)
        }
    for way, runs in found.items():
        for name, of in (("", np.mean), ("_least", np.min), ("_most", np.max)):
            result[way + name] = {
                str(SIDE // n): float(of(values)) for n, values in zip(TILES, runs, strict=True)
            }
    return result
