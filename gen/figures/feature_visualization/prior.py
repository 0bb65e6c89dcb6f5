"""The same unit with and without a prior, and with and without shifts: pictures and their strength."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from cnnviz.figure.figure import Figure, Panel, message
from gen.context import Context, shared
from gen.figures.feature_visualization import _measures as measures
from gen.figures.feature_visualization.feature_visualization import unit_name
from gen.figures.optimised_units import (
    NAME,
    bank,
    chosen,
    deviations,
    drawn,
    model_of,
    optimised,
    responses,
    seen_by,
)

MEASURED = ("block6", "block10")
"""Layers of whose first channel the table has the mean."""

SHOWN = "block10"

Parameters = Literal["pixels", "fourier"]
WAYS: dict[str, tuple[Parameters, bool, float]] = {
    "pixels": ("pixels", False, 0),
    "smooth": ("pixels", False, 0.1),
    "fourier": ("fourier", False, 0),
    "pixels_shifted": ("pixels", True, 0),
    "fourier_shifted": ("fourier", True, 0),
}
"""What is changed, whether the picture is shifted, and the weight of the penalty in deviations."""

MOVED, NOISE, TRIES = 3, 0.05, 12


@shared
def _image(context: Context, layer: str, way: str) -> Tensor:
    """The picture (3, H, W) of a layer's first channel; "crop" is the crop that it answers most."""
    unit = chosen(context)[layer][0]
    values = responses(context)[layer][:, unit]  # (270,)
    if way == "crop":
        return bank(context)[0][values.argmax()]
    parameters, shifts, penalty = WAYS[way]
    made = optimised(
        context, layer, (unit,),
        parameters=parameters, shifts=shifts, roughness=penalty * float(values.std()),
    )  # fmt: skip
    return made.images[0, 0]


@shared
def strength(context: Context, layer: str, way: str) -> dict[str, float]:
    """Deviations reached by a picture as it is, moved a little, and with a little noise.

    The means of TRIES pictures moved, and of as many with noise.
    """
    unit, image = chosen(context)[layer][0], _image(context, layer, way)
    images = torch.cat(
        [image[None], measures.moved(image, MOVED, TRIES), measures.noisy(image, NOISE, TRIES)]
    )
    seen = seen_by(model_of(context, None), images, (layer,))[layer][:, unit]  # (1 + 2 · TRIES,)
    parts = {"whole": seen[:1], "moved": seen[1 : 1 + TRIES], "noisy": seen[1 + TRIES :]}
    return {
        name: deviations(context, layer, unit, float(values.mean()))
        for name, values in parts.items()
    }


def pictures(context: Context) -> Figure:
    """One channel's best crop and its pictures, made in five ways."""
    unit = unit_name(SHOWN, chosen(context)[SHOWN][0])
    panels = []
    for way in ("crop", *WAYS):
        reached = strength(context, SHOWN, way)["whole"]
        panels.append(Panel(drawn(_image(context, SHOWN, way)), message(way, deviations=reached)))
    return Figure(alt=message("alt", unit=unit), panels=panels, columns=3, uses=[NAME])


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses: way → means over MEASURED, and the extremes."""
    found: dict[str, Any] = {"moved_by": MOVED, "noise": NOISE, "tries": TRIES, "ways": {}}
    for way in ("crop", *WAYS):
        each = [strength(context, layer, way) for layer in MEASURED]
        kept = {
            name: [values[name] / values["whole"] for values in each] for name in ("moved", "noisy")
        }
        looks = [_image(context, layer, way) for layer in MEASURED]
        found["ways"][way] = {
            "whole": float(np.mean([values["whole"] for values in each])),
            "whole_each": [values["whole"] for values in each],
            "moved": float(np.mean(kept["moved"])),
            "moved_least": min(kept["moved"]),
            "moved_most": max(kept["moved"]),
            "noisy": float(np.mean(kept["noisy"])),
            "noisy_least": min(kept["noisy"]),
            "noisy_most": max(kept["noisy"]),
            "contrast": float(np.mean([measures.contrast(image) for image in looks])),
        }
    return found
