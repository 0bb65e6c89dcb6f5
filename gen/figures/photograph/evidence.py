"""What each place of the last maps adds to the answer: class activation maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Panel, message, picture, scale_legend
from gen.context import Context, shared
from gen.figures.photograph.photograph import class_word, small, top
from gen.figures.photographs import NAME, NAMES, SIDE, inputs, network, recorded

SHOWN = ("chelsea", "rocket", "coffee", "astronaut")
COVERED = 6
"""Places that are covered, of 49."""

RUNS = 24


@shared
def _maps(context: Context) -> Tensor:
    """For each photograph, what each place adds to the logit of its surest class: (9, 7, 7).

    Zhou, Khosla, Lapedriza, Oliva and Torralba, "Learning Deep Features for Discriminative
    Localization" (2016): a mean followed by a linear layer is a mean of the linear layer at each
    place, so mean + bias is the logit.
    """
    found = recorded(context)
    best = found["output"].argmax(1)  # (9,)
    weights = _output(context).weight.detach()[best]  # (9, 1280)
    return torch.einsum("nc,nchw->nhw", weights, found["head_relu"])


def _output(context: Context) -> torch.nn.Linear:
    layer = network(context).get_submodule("output")
    assert isinstance(layer, torch.nn.Linear)
    return layer


def evidence(context: Context) -> Figure:
    """Photographs beside what each of the 49 places adds to the answer."""
    chosen = [NAMES.index(name) for name in SHOWN]
    maps = _maps(context)[chosen]
    peak = float(maps.abs().max())
    panels = []
    for index, name in zip(chosen, SHOWN, strict=True):
        answer, share = top(context, name)[0]
        drawn = mosaic(_maps(context)[[index]].numpy(), scale=(-peak, peak), signed=True)
        panels.append(Panel(small(name), message("answer", name=class_word(answer), share=share)))
        panels.append(Panel(picture(drawn, 14), message("map")))
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("meaning"))],
        columns=4,
        uses=[NAME],
    )


@shared
def _covered(context: Context, photo: str) -> dict[str, list[float]]:
    """Probability of the surest class once the strongest, or random, places are covered."""
    index = NAMES.index(photo)
    image = inputs(context)[index]  # (3, 224, 224)
    best = int(recorded(context)["output"][index].argmax())
    order = _maps(context)[index].flatten().argsort(descending=True)
    generator = torch.Generator().manual_seed(0)
    choices = [order[:COVERED]]
    choices += [torch.randperm(49, generator=generator)[:COVERED] for _ in range(RUNS)]
    images = torch.stack([_without(image, places) for places in choices])
    with torch.no_grad():
        shares = network(context)(images).softmax(1)[:, best].tolist()
    return {"strongest": shares[:1], "random": shares[1:]}


def _without(image: Tensor, places: Tensor) -> Tensor:
    """The image (3, 224, 224) with some of its 7×7 squares in its mean colour."""
    side = SIDE // 7
    covered = image.clone()
    for place in places.tolist():
        row, column = (side * k for k in divmod(place, 7))
        covered[:, row : row + side, column : column + side] = image.mean((1, 2))[:, None, None]
    return covered


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    found = recorded(context)
    best = found["output"].argmax(1)
    logits = found["output"].gather(1, best[:, None])[:, 0]  # (9,)
    rebuilt = _maps(context).mean((1, 2)) + _output(context).bias.detach()[best]
    shares = found["output"].softmax(1)
    covered = {}
    for photo in ("chelsea", "rocket"):
        runs = _covered(context, photo)
        covered[photo] = {
            "whole": float(shares[NAMES.index(photo)].max()),
            "strongest": runs["strongest"][0],
            "random": float(np.mean(runs["random"])),
            "random_least": min(runs["random"]),
        }
    return {
        "off_by": float((logits - rebuilt).abs().max()),
        "places": 49,
        "covered_places": COVERED,
        "runs": RUNS,
        "covered": covered,
        "where": {name: divmod(int(_maps(context)[NAMES.index(name)].argmax()), 7)
                  for name in SHOWN},
    }  # fmt: skip
