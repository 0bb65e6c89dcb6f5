"""Figures of the chapter "Getting unseen images right": overfitting, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.run_charts import accuracy_along_training
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.words import Say
from gen.context import Context, shared

STEPS, BATCH, HIDDEN, RATE = 1024, 32, 100, 2e-3
SEEDS = range(3)
FEW, SOME, MANY = 500, 5000, 60_000
HELD_OUT = 2000
"""Images for validation, and as many others for testing: the last ones of the training images,
from which nothing here learns. They are drawn like those that it learns from."""

SEEN = 1000
"""Over so many of its training images a network is measured."""

DROPPED, DECAY, SHIFT = 0.5, 1.0, 2
LITTLE, SAMPLES = 100, 20
"""A small validation set has so many images; there are so many of them."""

_MARKS = [0, *(2**power for power in range(11))]  # steps after which is measured


@dataclass(frozen=True)
class Way:
    """How a network is trained: on how many images, and against overfitting by what."""

    images: int = FEW
    shifted: bool = False
    dropout: float = 0.0
    decay: float = 0.0
    guessed: bool = False  # the labels are drawn by lot


WAYS: Mapping[str, Way] = {
    "nothing": Way(),
    "decay": Way(decay=DECAY),
    "dropout": Way(dropout=DROPPED),
    "shifts": Way(shifted=True),
    "all": Way(shifted=True, dropout=DROPPED, decay=DECAY),
    "some": Way(SOME),
    "many": Way(MANY),
    "lots": Way(guessed=True),
}


@dataclass(frozen=True)
class Course:
    """What was measured after each of _MARKS, over the seeds: each (seeds, marks).

    Attributes:
        loss, accuracy: on training images, as they are; `validation_…` and `test_accuracy` on
            others.
        last: logits (N, 10) of the first seed for the images of the test, at the end.
    """

    loss: np.ndarray
    accuracy: np.ndarray
    validation_loss: np.ndarray
    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    last: Tensor


def _flat(images: Tensor) -> Tensor:
    """(N, 1, 28, 28) bytes as (N, 784) numbers from 0 to 1."""
    return to_input(images).flatten(1)


def _moved(rows: Tensor, generator: torch.Generator) -> Tensor:
    """Each image (N, 784) moved by up to SHIFT pixels along each axis; zeros come in."""
    count = len(rows)
    padded = F.pad(rows.view(count, 28, 28), (SHIFT,) * 4)
    by = torch.randint(0, 2 * SHIFT + 1, (2, count, 1, 1), generator=generator)
    row = torch.arange(28)[None, :, None] + by[0]  # (N, 28, 1)
    column = torch.arange(28)[None, None, :] + by[1]
    return padded[torch.arange(count)[:, None, None], row, column].flatten(1)


def _held_out(context: Context, test: bool) -> tuple[Tensor, Tensor]:
    """The images of the test, or of the validation before them, as rows, and their labels."""
    data, count = context.train, _held_out_count(context)
    start = len(data) - (1 if test else 2) * count
    return _flat(data.images[start:][:count]), data.labels[start:][:count]


def _held_out_count(context: Context) -> int:
    return min(HELD_OUT, len(context.train) // 4)  # of a very small data set


def _measured(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float, Tensor]:
    """Loss, accuracy and logits."""
    with torch.no_grad():
        logits = model(images)
    right = logits.argmax(1).eq(labels).double().mean()
    return float(F.cross_entropy(logits, labels)), float(right), logits


def _trained(context: Context, way: Way, seed: int) -> tuple[list[list[float]], Tensor]:
    """A row for each of _MARKS, and the logits for the images of the test at the end."""
    generator = torch.Generator().manual_seed(seed)
    most = (len(context.train) - 2 * _held_out_count(context)) // len(
        SEEDS
    )  # of a smaller data set
    count = min(way.images, most)
    first = seed * count  # each seed learns from images of its own
    images = _flat(context.train.images[first : first + count])
    labels = context.train.labels[first : first + count]
    if way.guessed:
        labels = torch.randint(0, 10, labels.shape, generator=generator)
    validation, test = _held_out(context, test=False), _held_out(context, test=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(784, HIDDEN), nn.ReLU(), nn.Dropout(way.dropout), nn.Linear(HIDDEN, 10)
        )
        optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=way.decay, fused=True)
        rows = []
        for step in range(STEPS + 1):
            if step in _MARKS:
                model.eval()
                loss, accuracy, _ = _measured(model, images[:SEEN], labels[:SEEN])
                others = _measured(model, *validation)
                _, right, last = _measured(model, *test)
                rows.append([loss, accuracy, *others[:2], right])
                model.train()
            chosen = torch.randint(len(images), (BATCH,), generator=generator)
            batch = images[chosen]
            batch = _moved(batch, generator) if way.shifted else batch
            optimiser.zero_grad()
            F.cross_entropy(model(batch), labels[chosen]).backward()
            optimiser.step()
    return rows, last


@shared
def _course(context: Context, name: str) -> Course:
    runs = [_trained(context, WAYS[name], seed) for seed in SEEDS]
    table = np.array([rows for rows, _ in runs])  # (seeds, marks, 5)
    loss, accuracy, other_loss, other_accuracy, test = np.moveaxis(table, 2, 0)
    return Course(loss, accuracy, other_loss, other_accuracy, test, runs[0][1])


def _stop(course: Course) -> np.ndarray:
    """For each seed the place in _MARKS at which the validation loss is lowest."""
    return course.validation_loss.argmin(1)


def _stopped(course: Course, values: np.ndarray) -> np.ndarray:
    """Values (seeds, marks) where training would have been stopped, (seeds,)."""
    return np.take_along_axis(values, _stop(course)[:, None], 1)[:, 0]


def sizes(context: Context) -> Figure:
    """Loss on training images and on others, with 500, 5,000 and 60,000 images."""
    panels, ends = [], []
    for name in ("nothing", "some", "many"):
        course, count = _course(context, name), WAYS[name].images
        pairs = {"seen": course.loss, "unseen": course.validation_loss}

        def draw(say: Say, pairs: dict[str, np.ndarray] = pairs, count: int = count) -> str:
            steps = [max(mark, 0.5) for mark in _MARKS]
            return charts.line_chart(
                {say(f"names.{key}"): (steps, v.mean(0)) for key, v in pairs.items()},
                errors={say(f"names.{k}"): (v.max(0) - v.min(0)) / 2 for k, v in pairs.items()},
                title=say("title", images=count),
                x_label=say("x"),
                y_label=say("y"),
                log_x=True,
                y_limits=(0, 2.5),
                size=(640, 220),
            )

        panels.append(Panel(draw, message("images", images=count)))
        ends.append([count, *(float(v[:, -1].mean()) for v in pairs.values())])
    return Figure(
        alt=message("alt", ends=ends), panels=panels, legends=[Legend(message("legend"))],
        layout="column",
    )  # fmt: skip


def by_lot(context: Context) -> Figure:
    """Accuracy on training images and on others, with true labels and with labels by lot."""
    true, lots = _course(context, "nothing"), _course(context, "lots")

    def draw(say: Say) -> str:
        lines = {
            "true seen": true.accuracy, "true unseen": true.validation_accuracy,
            "lots seen": lots.accuracy, "lots unseen": lots.validation_accuracy,
        }  # fmt: skip
        return accuracy_along_training(
            {say(f"names.{key}"): (_MARKS, values) for key, values in lines.items()},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
        )

    ends = {
        key: float(values[:, -1].mean())
        for key, values in (("seen", lots.accuracy), ("unseen", lots.validation_accuracy))
    }
    return Figure(alt=message("alt", **ends), panels=[Panel(draw)])


_COMPARED = ("nothing", "stopped", "decay", "dropout", "shifts", "all", "some", "many")


@shared
def _compared(context: Context) -> dict[str, dict[str, list[float]]]:
    """For each way to train: test accuracy and validation loss of each seed."""
    found = {}
    for name in _COMPARED:
        course = _course(context, "nothing" if name == "stopped" else name)
        measured = {"test": course.test_accuracy, "loss": course.validation_loss}
        found[name] = {
            key: (_stopped(course, v) if name == "stopped" else v[:, -1]).tolist()
            for key, v in measured.items()
        }
    return found


def remedies(context: Context) -> Figure:
    """Test accuracy and validation loss by what was done against overfitting."""
    compared = _compared(context)
    panels = []
    for key in ("test", "loss"):
        means = {name: float(np.mean(found[key])) for name, found in compared.items()}

        def draw(say: Say, key: str = key, means: dict[str, float] = means) -> str:
            return charts.bar_chart(
                {say(f"ways.{name}", images=_images(name)): v for name, v in means.items()},
                title=say(f"titles.{key}"),
                x_label=say(f"axes.{key}"),
                percent=key == "test",
                horizontal=True,
            )

        panels.append(Panel(draw, message(f"titles.{key}")))
    return Figure(
        alt=message(
            "alt",
            nothing=float(np.mean(compared["nothing"]["test"])),
            shifts=float(np.mean(compared["shifts"]["test"])),
            many=float(np.mean(compared["many"]["test"])),
        ),
        panels=panels,
        layout="column",
    )


def _images(name: str) -> int:
    return WAYS[name].images if name in WAYS else FEW


@shared
def _luck(context: Context) -> list[float]:
    """Accuracy of one network on each of SAMPLES small sets of images."""
    _, labels = _held_out(context, test=True)
    right = _course(context, "many").last.argmax(1).eq(labels).double()
    return [float(part.mean()) for part in right.split(LITTLE)][:SAMPLES]


def luck(context: Context) -> Figure:
    """One network, scored on many small sets of images."""
    scores = _luck(context)

    def draw(say: Say) -> str:
        return charts.bar_chart(
            {str(number + 1): score for number, score in enumerate(scores)},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            highlight=str(scores.index(max(scores)) + 1),
            write=lambda score: f"{100 * score:.0f}",
            size=(640, 240),
        )

    return Figure(alt=message("alt", least=min(scores), most=max(scores)), panels=[Panel(draw)])


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    compared, scores = _compared(context), _luck(context)
    sized = {name: _course(context, key) for name, key in
             (("few", "nothing"), ("some", "some"), ("many", "many"), ("lots", "lots"))}  # fmt: skip
    plain = sized["few"]
    return {
        "sizes": {
            name: {
                "images": WAYS["nothing" if name == "few" else name].images,
                "seen": float(course.accuracy[:, -1].mean()),
                "unseen": float(course.validation_accuracy[:, -1].mean()),
                "loss": float(course.loss[:, -1].mean()),
                "unseen_loss": float(course.validation_loss[:, -1].mean()),
                "gap": float((course.accuracy - course.validation_accuracy)[:, -1].mean()),
                "least_gap": float((course.accuracy - course.validation_accuracy)[:, -1].min()),
                "most_gap": float((course.accuracy - course.validation_accuracy)[:, -1].max()),
            }
            for name, course in sized.items()
        },
        "least_loss": float(plain.validation_loss.min(1).mean()),
        "stops": sorted({_MARKS[place] for place in _stop(plain)}),
        "means": {
            name: {key: float(np.mean(values)) for key, values in found.items()}
            for name, found in compared.items()
        },
        "gains": {  # of each seed, over nothing: the least and the most
            name: {
                "least": float(np.min(np.subtract(found["test"], compared["nothing"]["test"]))),
                "most": float(np.max(np.subtract(found["test"], compared["nothing"]["test"]))),
                "loss": float(np.max(np.subtract(found["loss"], compared["nothing"]["loss"]))),
            }
            for name, found in compared.items()
        },
        "luck": {
            "least": min(scores), "most": max(scores), "mean": float(np.mean(scores)),
            "images": LITTLE, "samples": len(scores),
        },
        "steps": STEPS, "batch": BATCH, "hidden": HIDDEN, "seeds": len(SEEDS),
        "passes": STEPS * BATCH / FEW, "held_out": _held_out_count(context), "whole": len(context.train),
        "dropped": DROPPED, "decay": DECAY, "shift": SHIFT, "rate": RATE, "measured": SEEN,
        "parameters": 784 * HIDDEN + HIDDEN + HIDDEN * 10 + 10,
    }  # fmt: skip
