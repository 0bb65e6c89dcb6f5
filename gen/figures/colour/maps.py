"""What kernels of the first layer make of a photograph, in colour and in grey."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Panel, Picture, Variant, message, picture
from cnnviz.inside.recording import record
from gen.context import Context, shared
from gen.figures.colour.colour import groups, stem
from gen.figures.colour_nets import in_grey
from gen.figures.own_scales import own_scales
from gen.figures.photographs import NAME, NAMES, inputs, network, thumbnail

PHOTO = "astronaut"
SHOWN = (20, 23, 7, 21, 27, 25)
"""Kernels: opponents of red and green, red and blue, green and blue; and three that see edges."""


@shared
def _maps(context: Context, grey: bool) -> Tensor:
    """The first layer's answers to the nine photographs, not yet normalised: (9, 32, 112, 112)."""
    images = in_grey(inputs(context)) if grey else inputs(context)
    with torch.no_grad():
        return record(network(context), images, layers=["stem"])["stem"]


def maps(context: Context) -> Figure:
    """Six maps of one photograph in colour, and of the same photograph in grey."""
    photo = NAMES.index(PHOTO)
    variants = []
    for key in ("colour", "grey"):
        image = inputs(context)[[photo]]
        shown = in_grey(image) if key == "grey" else image
        panels = [Panel(_small(shown), message("photo"))]
        for kernel in SHOWN:
            # The map in grey has the scale of that in colour.
            peak = float(_maps(context, False)[photo, kernel].abs().max())
            values = _maps(context, key == "grey")[photo, [kernel]].numpy()  # (1, 112, 112)
            drawn = mosaic(values, scale=(-peak, peak), signed=True)
            label = message(f"kernel {kernel}", kernel=kernel, peak=peak)
            panels.append(Panel(picture(drawn, step=4), label))
        variants.append(Variant(message(key), panels, [own_scales(message("meaning"))]))
    left = numbers(context)["left"]
    return Figure(
        alt=message("alt", opponents=left["opponents"]["most"], edges=left["edges"]["least"]),
        variants=variants,
        layout="grid",
        uses=[NAME],
    )


def _small(image: Tensor) -> Picture:
    """An image (1, 3, 224, 224) at half its size."""
    pixels = (F.avg_pool2d(image, 2)[0] * 255).round().byte().permute(1, 2, 0).numpy()
    return thumbnail(pixels)


def numbers(context: Context) -> dict[str, Any]:
    """How large the answers to the grey photographs are, against those to the coloured ones."""
    size = [_maps(context, grey).square().mean((2, 3)).sqrt() for grey in (False, True)]
    share = size[1] / size[0].clamp(min=1e-6)  # (9, 32): by photograph and kernel
    photo = NAMES.index(PHOTO)
    found = groups(stem(context))
    return {
        "left": {
            name: {
                "mean": float(share[photo, found[name]].mean()),
                "least": float(share[photo, found[name]].min()),
                "most": float(share[photo, found[name]].max()),
            }
            for name in ("opponents", "edges", "brightness")
        },
    }
