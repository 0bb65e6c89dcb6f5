"""Figures of the chapter "A photograph through sixteen blocks": its answers, and the journey."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data import photos
from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Legend, Panel, Picture, Variant, message, picture
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.nets.models import parameter_count
from cnnviz.numbers import times
from cnnviz.words import Message
from gen.context import Context, shared
from gen.figures.photographs import (
    LAYERS,
    NAME,
    NAMES,
    SIDE,
    classes,
    network,
    recorded,
    square,
    thumbnail,
)
from gen.figures.photographs import (
    answers as probabilities,
)

ANIMAL = "chelsea"
"""The photograph that is followed: a cat."""

CATS = ("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat")
"""Kinds of house cats among the classes."""

KNOWN = ("chelsea", "coffee", "rocket", "china", "flower")
"""Photographs of things that some class is a word for: cat, espresso, missile, palace, daisy."""

SHOWN = 5
"""Maps of each block that are drawn."""

_THUMB = 96
"""Side of a small photograph in pixels."""


def class_word(name: str) -> Message:
    """A class of ImageNet in the reader's language; the key has no apostrophe."""
    return message("imagenet." + name.replace("'", ""))


def small(name: str) -> Picture:
    """A photograph as it is fed, drawn small."""
    return thumbnail(square(name, _THUMB))


def top(context: Context, photo: str, count: int = 3) -> list[tuple[str, float]]:
    """The surest answers to a photograph: class and probability."""
    best = probabilities(context)[NAMES.index(photo)].topk(count)
    names = classes()
    return [
        (names[index], share)
        for index, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def answers(context: Context) -> Figure:
    """Nine photographs with the three surest answers of each."""
    panels = []
    for photo in NAMES:
        (first, p1), (second, p2), (third, p3) = top(context, photo)
        label = message(
            "label",
            first=class_word(first),
            second=class_word(second),
            third=class_word(third),
            p1=p1,
            p2=p2,
            p3=p3,
        )
        panels.append(Panel(small(photo), label))
    first, share = top(context, ANIMAL)[0]
    return Figure(
        alt=message("alt", first=class_word(first), share=share),
        panels=panels,
        layout="grid",
        uses=[NAME],
    )


def striking(values: Tensor, photo: int, count: int = SHOWN) -> list[int]:
    """The channels whose peak on one photograph stands out most from all photographs.

    Args:
        values: (N, C, H, W), what a layer makes of all of them.

    Returns:
        `count` channels by the number of standard deviations of the channel, over all places of
        all photographs, that its peak lies above its mean; the most striking first.
    """
    over = values.transpose(0, 1).flatten(1)  # (C, N·H·W)
    mean, deviation = over.mean(1), over.std(1).clamp(min=1e-6)
    peaks = values[photo].flatten(1).amax(1)  # (C,)
    return ((peaks - mean) / deviation).topk(count).indices.tolist()


def journey(context: Context) -> Figure:
    """Some maps of every block for the cat: of the trained network, and of one with random weights."""
    photo = NAMES.index(ANIMAL)
    variants = []
    for trained in (True, False):
        found = recorded(context, trained)
        panels = [Panel(small(ANIMAL), message("photo", side=SIDE))]
        for layer in LAYERS:
            values = found[layer]  # (9, C, H, W)
            chosen = striking(values, photo)
            maps = values[photo, chosen].numpy()  # (6, H, W)
            signed = not layer.endswith("relu")
            drawn = mosaic(
                maps,
                columns=SHOWN,
                scale="layer",
                signed=signed,
                gap=2 if maps.shape[-1] > 50 else 1,
            )
            label = message(
                "layer",
                layer=layer,
                shape=times(values.shape[1:]),
                channels=chosen,
                signed=signed,
                peak=float(drawn.limits[0, 1]),
            )
            panels.append(Panel(picture(drawn, 112 // maps.shape[-1]), label))
        name = message("trained" if trained else "untrained")
        variants.append(Variant(name, panels, _legends()))
    return Figure(
        alt=message("alt", side=found[LAYERS[1]].shape[-1], last=found[LAYERS[-2]].shape[-1]),
        variants=variants,
        layout="column",
        uses=[NAME],
    )


def _legends() -> list[Legend]:
    return [
        Legend(message("signed"), palettes.css_gradient("diverging"), "−max", "+max"),
        Legend(message("bright"), palettes.css_gradient("sequential"), "0", "max"),
    ]


@shared
def brightness_seen(context: Context, trained: bool) -> dict[str, float]:
    """By layer, how well its best channel follows the brightness of a photograph.

    The largest absolute correlation of any channel's map with the photograph in grey, made as small
    as the map; the mean over the nine photographs.
    """
    grey = torch.from_numpy(np.stack([photos.grey(square(name)) for name in NAMES]))[
        :, None
    ].float()
    result = {}
    for layer in LAYERS:
        maps = recorded(context, trained)[layer]  # (9, C, H, W)
        small_grey = F.adaptive_avg_pool2d(grey, maps.shape[-1])  # (9, 1, H, W)
        result[layer] = float(_correlations(maps, small_grey).abs().amax(1).mean())
    return result


def _correlations(maps: Tensor, image: Tensor) -> Tensor:
    """Of each map (N, C, H, W) with the image (N, 1, H, W): (N, C)."""
    centred = [
        F.normalize(each.flatten(2) - each.flatten(2).mean(2, keepdim=True), dim=2)
        for each in (maps, image)
    ]  # (N, C, H·W) and (N, 1, H·W)
    return (centred[0] * centred[1]).sum(2)


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    model = network(context)
    fields = receptive_fields(model, (SIDE, SIDE))
    shapes = {layer: list(recorded(context)[layer].shape[1:]) for layer in LAYERS}
    order = [name for name in LAYERS if name.startswith("block")]
    shares = probabilities(context)  # (9, 1000)
    names = classes()
    cats = [names.index(name) for name in CATS]
    best = {photo: top(context, photo) for photo in NAMES}
    return {
        "parameters": parameter_count(model),
        "convolutions": sum(isinstance(module, nn.Conv2d) for module in model.modules()),
        "classes": len(names),
        "photographs": len(NAMES),
        "fields": {layer: fields[layer].size[0] for layer in LAYERS},
        "shapes": shapes,
        "shrinks": [b for a, b in pairwise(order) if shapes[a][1] != shapes[b][1]],
        "answers": {
            photo: [{"name": name, "share": share} for name, share in found]
            for photo, found in best.items()
        },
        "cats": float(shares[NAMES.index(ANIMAL), cats].sum()),
        "known": float(np.mean([best[photo][0][1] for photo in KNOWN])),
        "unknown": float(np.mean([best[photo][0][1] for photo in NAMES if photo not in KNOWN])),
        "astronaut_is_a_class": any("astronaut" in name for name in names),
        "brightness": {
            key: brightness_seen(context, key == "trained") for key in ("trained", "untrained")
        },
    }
