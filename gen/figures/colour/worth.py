"""What colour is worth to EfficientNet-Lite0: photographs in grey, and with colours exchanged."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.figure.figure import Figure, Panel, message
from gen.context import Context, shared
from gen.figures.colour_nets import in_grey
from gen.figures.photograph.photograph import KNOWN, class_word
from gen.figures.photographs import NAME, NAMES, classes, inputs, network, thumbnail

CHANGES = ("whole", "grey", "exchanged", "mirrored")
"""Mirroring is the control: it changes no colour, and no class goes by left and right."""

_DRAWN = CHANGES[:3]


def changed(images: Tensor, change: str) -> Tensor:
    """Photographs (N, 3, H, W) in grey, with red and blue exchanged, or mirrored."""
    if change == "grey":
        return in_grey(images)
    axis = {"exchanged": 1, "mirrored": 3}.get(change)
    return images if axis is None else images.flip(axis)


@shared
def _shares(context: Context) -> dict[str, Tensor]:
    """By change: probabilities of the classes for the photographs of KNOWN, (5, 1000)."""
    chosen = inputs(context)[[NAMES.index(name) for name in KNOWN]]  # (5, 3, 224, 224)
    with torch.no_grad():
        return {change: network(context)(changed(chosen, change)).softmax(1) for change in CHANGES}


def answers(context: Context) -> Figure:
    """Photographs in three ways, each with the surest answer and what the first one has left."""
    found, names = _shares(context), classes()
    first = found["whole"].argmax(1)  # (5,)
    panels = []
    for row, photo in enumerate(KNOWN):
        image = inputs(context)[[NAMES.index(photo)]]
        for change in _DRAWN:
            small = F.adaptive_avg_pool2d(changed(image, change), 80)[0]
            pixels = (small * 255).round().byte().permute(1, 2, 0).numpy()
            share, best = found[change][row].max(0)
            label = message(
                "label",
                name=class_word(names[int(best)]),
                share=float(share),
                first=class_word(names[int(first[row])]),
                left=float(found[change][row, first[row]]),
                same=bool(best == first[row]),
            )
            panels.append(Panel(thumbnail(pixels), label))
    return Figure(
        alt=message("alt", **numbers(context)["same"]), panels=panels, columns=3, uses=[NAME]
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    found = _shares(context)
    first = found["whole"].argmax(1)
    shares = {change: each.gather(1, first[:, None])[:, 0] for change, each in found.items()}
    whole = shares["whole"]
    return {
        "photographs": len(KNOWN),
        "shares": {
            change: dict(zip(KNOWN, values.tolist(), strict=True))
            for change, values in shares.items()
        },
        "mean": {change: float(values.mean()) for change, values in shares.items()},
        "moved": {
            change: float((values - whole).abs().mean()) for change, values in shares.items()
        },
        "same": {change: int((each.argmax(1) == first).sum()) for change, each in found.items()},
        "more": {change: int((values > whole).sum()) for change, values in shares.items()},
    }
