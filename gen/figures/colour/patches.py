"""A small network trained on patches of photographs: its kernels grow, and what they become."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.data import photo_patches
from cnnviz.drawing.mosaic import colour_mosaic
from cnnviz.drawing.run_charts import seed_chart
from cnnviz.figure.figure import Figure, Legend, Panel, Picture, Variant, message
from cnnviz.inside import kernel_colour as parts
from cnnviz.nets.models import parameter_count
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.colour.colour import OPPONENT, in_colour
from gen.figures.colour_nets import (
    BATCH,
    MOMENTS,
    SEEDS,
    STEPS,
    TESTED,
    TRAINED,
    WAYS,
    accuracy,
    fed,
    network,
    patches,
    right_by_mean,
    trained,
)
from gen.figures.photographs import NAMES, thumbnail

PHOTO = "flower"
"""Whose two parts are drawn."""

_EACH = 2
"""Patches of each photograph that are drawn of a part."""

_LARGER = 6
_FED = ("colour", "without_mean", "grey")


def data(context: Context) -> Figure:
    """A photograph cut into its two parts, and some patches of all nine."""
    pixels = photo_patches.shrunk(PHOTO).copy()
    border = photo_patches.columns(PHOTO, "train")[1]
    pixels[:, border - 1 : border + 1] = 255
    panels = [Panel(thumbnail(pixels), message("photo"))]
    for part in photo_patches.PARTS:
        panels.append(Panel(_some(patches(context, part).images), message(part)))
    return Figure(alt=message("alt", classes=len(NAMES)), panels=panels, layout="column")


def _some(images: Tensor) -> Picture:
    """The first patches of each photograph, (N, 3, 32, 32), a column for each."""
    each = len(images) // len(NAMES)
    chosen = images.view(len(NAMES), each, *images.shape[1:])[:, :_EACH].transpose(0, 1)
    drawn = colour_mosaic(chosen.flatten(0, 1).numpy(), columns=len(NAMES), scale=(0, 255), gap=2)
    return Picture(drawn.png(level=9), drawn.width, drawn.height, photo=True)


def growing(context: Context) -> Figure:
    """The first kernels from the start to the end, with true labels and with labels by lot."""
    runs = {way: trained(context, way) for way in ("colour", "lots")}
    variants = []
    for step in MOMENTS:
        panels = []
        for way, run in runs.items():
            now = run.kernels(step)
            longer = float(now.norm() / run.kernels(0).norm())
            label = message(way, accuracy=accuracy(context, way, step=step), longer=longer)
            panels.append(Panel(in_colour(now, columns=8, scale=_LARGER), label))
        variants.append(Variant(message("step", step=step), panels, [Legend(message("colours"))]))
    right, lots = (accuracy(context, way) for way in runs)
    return Figure(
        alt=message("alt", frames=len(MOMENTS), right=right, lots=lots),
        variants=variants,
        chosen=len(variants) - 1,
        scrub=message("scrub"),
        layout="column",
    )


def tasks(context: Context) -> Figure:
    """The same kernels after training on patches in colour, without their mean, and in grey."""
    panels = []
    for way in _FED:
        label = message(way, accuracy=accuracy(context, way))
        drawn = in_colour(trained(context, way).kernels(), columns=8, scale=_LARGER)
        panels.append(Panel(drawn, label))
    return Figure(
        alt=message("alt"), panels=panels, legends=[Legend(message("colours"))], layout="column"
    )


def accuracies(context: Context) -> Figure:
    """Accuracy on unseen patches of each way and seed, beside the nearest mean colour."""
    found = {way: [accuracy(context, way, seed) for seed in SEEDS] for way in WAYS}
    simple = by_mean(context)

    def draw(say: Say) -> str:
        ways = [*_FED, "lots"]
        return seed_chart(
            {
                say("network"): [found[way] for way in ways],
                say("mean"): [[simple[way]] for way in ways],
            },
            [say(f"ways.{way}") for way in ways],
            title=say("title"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, 1),
        )

    return Figure(
        alt=message(
            "alt", colour=float(np.mean(found["colour"])), grey=float(np.mean(found["grey"]))
        ),
        panels=[Panel(draw)],
        legends=[Legend(message("legend", seeds=len(SEEDS)))],
    )


@shared
def by_mean(context: Context) -> dict[str, float]:
    """By way: how often the nearest mean colour alone is right."""
    seen, unseen = patches(context, "train"), patches(context, "test")
    result = {}
    for way, told in WAYS.items():
        labels = seen.labels
        if told.by_lot:
            labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]
        inputs = [fed(context, part, way) for part in photo_patches.PARTS]
        result[way] = right_by_mean(inputs[0], labels, inputs[1], unseen.labels)
    return result


def _pooled(part: Tensor, whole: Tensor) -> float:
    """Share of the energy of all kernels together."""
    return float(part.square().sum() / whole.square().sum())


def _measured(kernels: Tensor) -> dict[str, float]:
    """What all kernels (N, 3, H, W) together are made of, and how many of them are opponents."""
    share = parts.energy_share(parts.achromatic(kernels), kernels)
    return {
        "slow": _pooled(parts.slow(kernels), kernels),
        "level": _pooled(parts.level(kernels), kernels),
        "bright": _pooled(parts.achromatic(kernels), kernels),
        "opponents": float((share < OPPONENT).double().mean()),
    }


def _windows(context: Context, way: str) -> Tensor:
    """Windows of 7×7 in every fifth patch as conv1 sees them, centred: (N, 3, 7, 7)."""
    seen = fed(context, "train", way)[::5] - 0.5
    found = F.unfold(seen, 7, stride=5)  # (patches, 147, 36 places)
    return found.transpose(1, 2).reshape(-1, 3, 7, 7)


def _over_seeds(context: Context, way: str) -> dict[str, dict[str, float]]:
    """What is measured of the networks of a way: mean, least and most over the seeds."""
    rows = []
    for seed in SEEDS:
        run = trained(context, way, seed)
        start, end = run.kernels(0), run.kernels()
        row = {
            "accuracy": accuracy(context, way, seed),
            "moved": float((end - start).norm() / start.norm()),
        }
        row |= _measured(end)
        row |= {f"added_{name}": value for name, value in _measured(end - start).items()}
        rows.append(row)
    return {
        name: {
            "mean": float(np.mean([row[name] for row in rows])),
            "least": min(row[name] for row in rows),
            "most": max(row[name] for row in rows),
        }
        for name in rows[0]
    }


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    starts = torch.cat([trained(context, "colour", seed).kernels(0) for seed in SEEDS])
    return {
        "ways": {way: _over_seeds(context, way) for way in WAYS},
        "start": _measured(starts),
        "windows": {way: _measured(_windows(context, way)) for way in _FED},
        "by_mean": by_mean(context),
        "steps": STEPS,
        "batch": BATCH,
        "seeds": len(SEEDS),
        "photographs": len(NAMES),
        "side": photo_patches.SIDE,
        "height": photo_patches.HEIGHT,
        "left": photo_patches.LEARNED,
        "trained": TRAINED * len(NAMES),
        "tested": TESTED * len(NAMES),
        "kernels": len(starts) // len(SEEDS),
        "parameters": parameter_count(network(context)),
    }
