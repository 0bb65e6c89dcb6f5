"""Figures of the chapter "A class for each pixel": small networks that segment scenes made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data.datasets import Dataset
from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts, palettes
from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.figure.figure import (
    GREY_LEGEND,
    Figure,
    Legend,
    Panel,
    message,
    picture,
    scale_legend,
)
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.recording import record
from cnnviz.training.brief import train_briefly
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.scenes import CLASSES, NOISE, RADIUS, SIDE, THICK, scenes, steps_to_border

STEPS, BATCH, RATE = 300, 8, 0.015
SEEDS = range(3)
TRAINED, TESTED = 1000, 400
"""Scenes to learn from, and others to be tested on."""

FAR = 5
"""Pixels so far from the border, or farther, are measured together."""

SHOWN = (0, 1, 2, 3, 4)
"""Scenes of the test that are drawn; the maps are those of the first."""

_COLOURS = np.array([[224, 224, 220], [11, 79, 158], [224, 96, 0], [176, 0, 32]], np.uint8)
"""Of the classes, and of what is wrong."""

_WRONG = len(CLASSES)


class Segmenter(nn.Module):
    """Images (N, 1, 28, 28) between 0 and 1 → scores of each class for each pixel (N, 3, 28, 28).

    The way through the small maps (`deep`) and the skip connection past them (`skip`) meet in
    front of the last layer, where they are added; so the skip has no parameters.
    """

    def __init__(self, deep: bool = True, skip: bool = True) -> None:
        super().__init__()
        self.deep, self.skip = deep, skip
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.conv3 = nn.Conv2d(16, 16, 3, padding=1)
        self.up1 = nn.ConvTranspose2d(16, 16, 2, stride=2)
        self.up2 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.scores = nn.Conv2d(8, len(CLASSES), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of each class for each pixel."""
        early = self.conv1((images - 0.4) / 0.25)  # (N, 8, 28, 28)
        if not self.deep:
            return self.scores(early.relu())
        maps = F.max_pool2d(early.relu(), 2)  # (N, 8, 14, 14)
        maps = F.max_pool2d(self.conv2(maps).relu(), 2)  # (N, 16, 7, 7)
        maps = self.conv3(maps).relu()  # (N, 16, 7, 7)
        maps = self.up1(maps).relu()  # (N, 16, 14, 14)
        late = self.up2(maps)  # (N, 8, 28, 28)
        if self.skip:
            late = late + early
        return self.scores(late.relu())


@dataclass(frozen=True)
class Way:
    """Which parts a network has, and whether its convolutions learn."""

    deep: bool = True
    skip: bool = True
    encoder_learns: bool = True


WAYS: Mapping[str, Way] = {
    "early": Way(deep=False),
    "untrained": Way(encoder_learns=False),
    "plain": Way(skip=False),
    "skip": Way(),
}


@shared
def _scenes(context: Context, split: str) -> Dataset:
    if split == "train":
        return scenes(split, TRAINED, seed=1)
    return scenes(split, TESTED, seed=2)


@shared
def _trained(context: Context, name: str, seed: int) -> Segmenter:
    way = WAYS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Segmenter(way.deep, way.skip)
    if not way.encoder_learns:
        for layer in (model.conv1, model.conv2, model.conv3):
            layer.requires_grad_(False)
    train_briefly(model, _scenes(context, "train"), STEPS, RATE, batch_size=BATCH, seed=seed)
    return model


@shared
def _answers(context: Context, name: str, seed: int) -> Tensor:
    """The class of the highest score for each pixel of the test, (N, 28, 28)."""
    model, images = _trained(context, name, seed), to_input(_scenes(context, "test").images)
    with torch.no_grad():
        scores = model(images)  # (N, 3, 28, 28)
    return scores.argmax(1)


def _ious(answers: Tensor, labels: Tensor) -> list[float]:
    """Of each class: pixels in both over pixels in at least one."""
    found = []
    for kind in range(len(CLASSES)):
        answered, true = answers == kind, labels == kind
        found.append(float((answered & true).sum() / (answered | true).sum()))
    return found


def _measured(answers: Tensor, labels: Tensor) -> dict[str, Any]:
    """How well pixels (N, H, W) are answered."""
    ious = _ious(answers, labels)
    objects = (answers > 0) & (labels > 0)
    return {
        "accuracy": float((answers == labels).double().mean()),
        "iou": float(np.mean(ious)),
        "of_class": ious,
        # Object or background mistaken for the other; and of what both say is an object, the kind.
        "where": float(((answers > 0) != (labels > 0)).double().mean()),
        "which": float((answers != labels)[objects].double().mean()) if objects.any() else 0.0,
    }


@shared
def _measures(context: Context, name: str) -> list[dict[str, Any]]:
    """Of each seed."""
    labels = _scenes(context, "test").labels
    return [_measured(_answers(context, name, seed), labels) for seed in SEEDS]


@shared
def _by_distance(context: Context, name: str) -> np.ndarray:
    """Share of pixels at each distance from the border of the objects at which objects and
    background are mistaken for each other, (seeds, FAR)."""
    objects = (_scenes(context, "test").labels > 0).long()
    steps = steps_to_border(objects, FAR)
    rows = []
    for seed in SEEDS:
        wrong = (_answers(context, name, seed) > 0) != (objects > 0)
        rows.append([float(wrong[steps == step].double().mean()) for step in range(1, FAR + 1)])
    return np.array(rows)


def _class_maps(maps: Tensor, columns: int) -> Mosaic:
    """Classes (N, H, W), each in its colour."""
    palette = np.zeros((256, 3), np.uint8)
    palette[1 : len(_COLOURS) + 1] = _COLOURS
    return mosaic(maps.numpy(), columns=columns, scale=(0, 254), palette=palette, gap=2)


def _legend(key: str, *kinds: int) -> Legend:
    """Colours side by side, in the order in which the words name them."""
    share = 100 / len(kinds)
    stops = ", ".join(
        f"{palettes.hex_colour(_COLOURS[kind])} {share * place:.1f}% {share * (place + 1):.1f}%"
        for place, kind in enumerate(kinds)
    )
    return Legend(message(key), f"linear-gradient(to right, {stops})")


def answers(context: Context) -> Figure:
    """Unseen scenes, the truth, and what is answered without and with the skip connection."""
    test, chosen = _scenes(context, "test"), list(SHOWN)
    labels = test.labels[chosen]
    inputs = mosaic(test.images[chosen, 0].numpy(), columns=len(chosen), scale=(0, 255),
                    palette="grey", gap=2)  # fmt: skip
    panels = [
        Panel(picture(inputs, 4), message("input")),
        Panel(picture(_class_maps(labels, len(chosen)), 4), message("truth")),
    ]
    shares = {}
    for name in ("plain", "skip"):
        answered = _answers(context, name, 0)[chosen]
        wrong = (answered != labels) * _WRONG
        both = torch.cat([answered, wrong])  # (2N, 28, 28)
        panels.append(Panel(picture(_class_maps(both, len(chosen)), 4), message(name)))
        shares[name] = float((wrong > 0).double().mean())
    return Figure(
        alt=message("alt", **shares),
        panels=panels,
        legends=[GREY_LEGEND, _legend("classes", 0, 1, 2), _legend("wrong", 0, _WRONG)],
        layout="column",
    )


_MAPS = {"conv1": (8, 2), "conv3": (16, 4), "up1": (8, 4), "up2": (8, 2), "scores": (3, 4)}
"""Layer → maps a row, scale of the picture."""


def journey(context: Context) -> Figure:
    """The maps of the network with the skip connection for one unseen scene."""
    test, first = _scenes(context, "test"), SHOWN[0]
    image = test.images[[first]]
    found = record(_trained(context, "skip", 0), to_input(image), layers=list(_MAPS))
    drawn = mosaic(image[0].numpy(), scale=(0, 255), palette="grey")
    panels = [Panel(picture(drawn, 4), message("input"))]
    for layer, (columns, scale) in _MAPS.items():
        maps = found[layer][0]  # (C, H, W)
        drawn = mosaic(maps.numpy(), columns=columns, scale="layer", signed=True, gap=2)
        label = message(f"layers.{layer}", count=len(maps), side=maps.shape[-1],
                        top=drawn.limits[0, 1])  # fmt: skip
        panels.append(Panel(picture(drawn, scale), label))
    answered = _answers(context, "skip", 0)[[first]]
    panels.append(Panel(picture(_class_maps(answered, 1), 4), message("answer")))
    signed = scale_legend(drawn, "map", message("meaning"))
    return Figure(
        alt=message("alt", smallest=found["conv3"].shape[-1], side=SIDE),
        panels=panels,
        legends=[GREY_LEGEND, Legend(message("signed"), signed.gradient, signed.low, signed.high),
                 _legend("classes", 0, 1, 2)],
        layout="column",
    )  # fmt: skip


def distance(context: Context) -> Figure:
    """Objects and background mistaken for each other, by how far the border is."""
    found = {name: _by_distance(context, name) for name in ("plain", "skip", "early")}

    def draw(say: Say) -> str:
        steps = list(range(1, FAR + 1))
        return charts.line_chart(
            {say(f"names.{name}"): (steps, rows.mean(0)) for name, rows in found.items()},
            errors={say(f"names.{name}"): np.ptp(rows, axis=0) / 2 for name, rows in found.items()},
            title=say("title"),
            x_label=say("x", far=FAR),
            y_label=say("y"),
            percent=True,
            size=(640, 260),
        )

    ends = {name: float(rows.mean(0)[0]) for name, rows in found.items()}
    return Figure(
        alt=message("alt", **ends), panels=[Panel(draw)], legends=[Legend(message("legend"))]
    )


def _summary(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Mean, least and most over the seeds; of `of_class` the means."""
    summary: dict[str, dict[str, Any]] = {}
    for key in ("accuracy", "iou", "where", "which"):
        values = [one[key] for one in found]
        summary[key] = {"mean": float(np.mean(values)), "least": min(values), "most": max(values)}
    summary["of_class"] = {
        name: float(np.mean([one["of_class"][kind] for one in found]))
        for kind, name in enumerate(CLASSES)
    }
    return summary


def _field(model: Segmenter) -> int:
    """Pixels across that one place of the smallest maps has seen."""
    return receptive_fields(model, (SIDE, SIDE))["conv3"].size[0]


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    labels = _scenes(context, "test").labels
    model = _trained(context, "skip", 0)
    objects = (labels > 0).long()
    beside = steps_to_border(objects, FAR) == 1
    wrong = [(_answers(context, "plain", seed) > 0) != (objects > 0) for seed in SEEDS]
    return {
        "ways": {name: _summary(_measures(context, name)) for name in WAYS},
        "background": _measured(torch.zeros_like(labels), labels),
        "beside": {
            "pixels": float(beside.double().mean()),
            "errors": [float(beside[one].double().mean()) for one in wrong],
            **{name: _by_distance(context, name)[:, 0].tolist() for name in WAYS},
        },
        "shares": [float((labels == kind).double().mean()) for kind in range(len(CLASSES))],
        "parameters": {
            "skip": sum(p.numel() for p in model.parameters()),
            "plain": sum(p.numel() for p in _trained(context, "plain", 0).parameters()),
        },
        "shown": {
            name: float((_answers(context, name, 0) != labels)[list(SHOWN)].double().mean())
            for name in ("plain", "skip")
        },
        "field": _field(model),
        "steps": STEPS, "batch": BATCH, "seeds": len(SEEDS), "side": SIDE,
        "trained": TRAINED, "tested": TESTED, "noise": NOISE, "radius": list(RADIUS),
        "thick": THICK,
    }  # fmt: skip
