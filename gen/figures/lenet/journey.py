"""Figures of the chapter "LeNet, layer by layer": the whole journey at once, and two inputs."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.drawing import charts, palettes
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.figure.figure import (
    GREY_LEGEND,
    Figure,
    Legend,
    Message,
    Panel,
    Say,
    message,
    picture,
    scale_legend,
)
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.probes import fit_probe
from cnnviz.inside.recording import record
from cnnviz.numbers import Write, fixed, percent, significant, times, whole_percent
from cnnviz.training.runs import SEEDS
from gen.context import Context, shared
from gen.figures.lenet.lenet import DIGIT

_STAGES = {
    "conv1": ("convolution", 6, 3.9),
    "relu1": ("relu", 6, 3.9),
    "pool1": ("pooling", 6, 7.5),
    "conv2": ("convolution", 8, 7.5),
    "relu2": ("relu", 8, 7.5),
    "pool2": ("pooling", 8, 14),
    "flatten": ("flatten", 1, 1.65),
    "fc1": ("fully connected", 1, 5.5),
    "relu3": ("relu", 1, 5.5),
    "fc2": ("fully connected", 1, 7.8),
    "relu4": ("relu", 1, 7.8),
}
"""Layer → what it does (a key), maps a row, scale of the picture."""

_SIGNED = ("conv1", "conv2", "fc1", "fc2")
_CLOTHES = (2, 4)  # pullover and coat, the pair of the exercise in "Dive into Deep Learning"
_TESTED = 2000  # test images that are read with black and white exchanged
_COMPARED = 200  # test images of each class whose activations are compared
_TOLD = 1000  # training images of each class by which a classifier learns to tell them apart
_LAYERS = ["pool1", "pool2", "relu3", "relu4"]
_UNTRAINED = [f"short-lenet-{seed}" for seed in SEEDS[:3]]  # the starts of these


def journey(context: Context) -> Figure:
    """Every map of every layer for one image, from pixels to probabilities."""
    outputs = context.recording("lenet")
    image = mosaic(context.examples[DIGIT].numpy(), scale=(0, 255), palette="grey")
    panels = [Panel(picture(image, 5), message("input"))]
    legends = {"grey": GREY_LEGEND}
    for layer, (does, columns, scale) in _STAGES.items():
        values = outputs[layer][DIGIT].numpy()
        shape = times(values.shape)
        if values.ndim == 1:  # a strip, thick enough to be seen
            values = values[None, None].repeat(max(1, round(30 / scale)), axis=1)
        signed = layer in _SIGNED
        drawn = mosaic(values, columns=columns, scale="layer", signed=signed)
        label = message(
            "layer",
            layer=layer,
            shape=shape,
            does=message(f"does.{does}"),
            signed=signed,
            top=drawn.limits[0, 1],
        )
        panels.append(Panel(picture(drawn, scale), label))
        legends.setdefault("signed" if signed else "bright", _own_scale(drawn, signed))
    names = list(context.test.class_names)
    logits = outputs["output"][DIGIT]
    panels += _answer(logits, names)
    shares = logits.softmax(0)
    best = int(shares.argmax())
    return Figure(
        alt=message("alt", digit=names[DIGIT], best=names[best], probability=shares[best]),
        panels=panels,
        legends=[
            legends["grey"],
            legends["signed"],
            legends["bright"],
            Legend(message("legends.shares")),
        ],
        layout="column",
        uses=["lenet"],
    )


def _own_scale(drawn: Mosaic, signed: bool) -> Legend:
    """What the colours of layers mean that each have a scale of their own."""
    gradient = palettes.css_gradient(drawn.palette)
    if signed:
        return Legend(message("legends.signed"), gradient, "−max", "+max")
    return Legend(message("legends.bright"), gradient, "0", "max")


def _answer(logits: Tensor, names: list[str]) -> list[Panel]:
    """Ten logits and ten probabilities as numbers in cells."""
    rows: list[tuple[str, Tensor, Write]] = [
        ("logits", logits, lambda value: significant(round(value, 1))),
        ("probabilities", logits.softmax(0), partial(percent, digits=0)),
    ]
    panels = []
    for key, values, write in rows:
        title = message(f"answer.{key}")

        def draw(
            say: Say, title: Message = title, values: Tensor = values, write: Write = write
        ) -> str:
            return matrix_chart(
                values.numpy()[None], [""], names, title=say(title), write=write, cell=(32.5, 34)
            )

        panels.append(Panel(draw, title))
    return panels


def _pair(context: Context) -> tuple[int, int]:
    """Two classes to compare: sweaters and coats, or the pair that is confused most."""
    if context.settings.dataset == "fashion-mnist":
        return _CLOTHES
    counts = context.evaluation("lenet").confusion.numpy()
    errors = counts + counts.T
    np.fill_diagonal(errors, -1)
    first, second = np.unravel_index(errors.argmax(), errors.shape)
    return int(min(first, second)), int(max(first, second))


def two_inputs(context: Context) -> Figure:
    """Activations of the first and the second layer for images of two classes."""
    outputs, pair = context.recording("lenet"), _pair(context)
    names = [context.test.class_names[label] for label in pair]
    panels = []
    for label, name in zip(pair, names, strict=True):
        drawn = mosaic(context.examples[label].numpy(), scale=(0, 255), palette="grey")
        panels.append(Panel(picture(drawn, 4), message("input", name=name)))
    legends = [GREY_LEGEND]
    for layer, columns, scale in (("relu1", 3, 3.7), ("relu2", 4, 7.4)):
        peak = float(outputs[layer][list(pair)].max())
        ends = (0.0, peak if peak > 0 else 1.0)
        for label, name in zip(pair, names, strict=True):
            drawn = mosaic(outputs[layer][label].numpy(), columns=columns, scale=ends)
            panels.append(Panel(picture(drawn, scale), message("named", name=layer, what=name)))
        meaning = message("meaning", layer=layer)
        legend = scale_legend(drawn, "layer", meaning)
        legends.append(Legend(meaning, legend.gradient, legend.low, legend.high))
    channel, means = _most_different(context)
    return Figure(
        alt=message(
            "alt",
            left=names[0],
            right=names[1],
            channel=channel,
            left_mean=means[0],
            right_mean=means[1],
        ),
        panels=panels,
        legends=legends,
        columns=2,
        uses=["lenet"],
    )


def _most_different(context: Context) -> tuple[int, list[float]]:
    """The channel of relu2 whose mean differs most between the two images, and both means."""
    means = context.recording("lenet")["relu2"][list(_pair(context))].mean((2, 3))  # (2, 16)
    channel = int((means[0] - means[1]).abs().argmax())
    return channel, means[:, channel].tolist()


def _of_class(context: Context, label: int) -> Tensor:
    return context.test.images[context.test.labels == label][:_COMPARED]


@shared
def _compared(
    context: Context, name: str = "lenet", step: int | None = None
) -> dict[str, dict[str, float]]:
    """Mean cosine similarity of two images of one class and of two classes, in each layer."""
    images = [_of_class(context, label) for label in _pair(context)]
    both = torch.cat(images)
    outputs = {"input": context.inputs("lenet", both)}
    outputs |= record(context.model(name, step), outputs["input"], layers=_LAYERS)
    first = torch.arange(len(both)) < len(images[0])
    same = (first[:, None] == first) & ~torch.eye(len(both), dtype=torch.bool)
    other = first[:, None] != first
    found = {}
    for layer, values in outputs.items():
        unit = F.normalize(values.flatten(1), dim=1)
        alike = unit @ unit.T  # (N, N)
        found[layer] = {"same": alike[same].mean().item(), "other": alike[other].mean().item()}
    return found


def alike(context: Context) -> Figure:
    """Two images of one class and of two classes: how similar they are, layer by layer."""
    compared = _compared(context)
    first, second = (context.test.class_names[label] for label in _pair(context))

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {
                say("same"): [values["same"] for values in compared.values()],
                say("other", first=first, second=second): [
                    values["other"] for values in compared.values()
                ],
            },
            [say("input") if layer == "input" else layer for layer in compared],
            title=say("title"),
            y_label=say("y"),
            write=fixed,
            size=(470, 280),
        )

    start, end = compared["input"], compared["relu4"]
    return Figure(
        alt=message(
            "alt",
            first=first,
            second=second,
            same_at_start=start["same"],
            other_at_start=start["other"],
            same_at_end=end["same"],
            other_at_end=end["other"],
        ),
        panels=[Panel(draw)],
        uses=["lenet"],
    )


@shared
def _told_apart(context: Context, name: str, step: int | None = None) -> dict[str, float]:
    """Share of the test images of the two classes that a linear classifier tells apart, by layer.

    It is fitted to each layer's output for training images of these classes.
    """
    second = _pair(context)[1]

    def recorded(images: Tensor, labels: Tensor, most: int) -> tuple[dict[str, Tensor], Tensor]:
        chosen = torch.cat([(labels == label).nonzero()[:most, 0] for label in _pair(context)])
        inputs = context.inputs("lenet", images[chosen])
        outputs = {"input": inputs} | record(context.model(name, step), inputs, layers=_LAYERS)
        return outputs, (labels[chosen] == second).long()

    known, answers = recorded(context.train.images, context.train.labels, _TOLD)
    asked, truth = recorded(context.test.images, context.test.labels, len(context.test))
    return {
        layer: accuracy(fit_probe(values, answers, 2).scores(asked[layer]), truth)
        for layer, values in known.items()
    }


def _untrained(context: Context) -> dict[str, float]:
    """The same of networks that were never trained, on average."""
    found = [_told_apart(context, name, 0) for name in _UNTRAINED]
    return {layer: float(np.mean([one[layer] for one in found])) for layer in found[0]}


def told_apart(context: Context) -> Figure:
    """How well one weighted sum tells the two classes apart, layer by layer."""
    trained, untrained = _told_apart(context, "lenet"), _untrained(context)
    first, second = (context.test.class_names[label] for label in _pair(context))

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {
                say("trained"): list(trained.values()),
                say("untrained"): list(untrained.values()),
            },
            [say("input") if layer == "input" else layer for layer in trained],
            title=say("title", first=first, second=second),
            y_label=say("y"),
            percent=True,
            write=whole_percent,
            size=(520, 280),
        )

    return Figure(
        alt=message(
            "alt",
            first=first,
            second=second,
            start=trained["input"],
            pooled=trained["pool2"],
            end=trained["relu4"],
            untrained=untrained["relu4"],
        ),
        panels=[Panel(draw)],
        uses=["lenet", *_UNTRAINED],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    outputs, pair = context.recording("lenet"), _pair(context)
    channel, means = _most_different(context)
    inverted = context.inputs("lenet", 255 - context.test.images[:_TESTED])
    values = [outputs[layer][DIGIT].numel() for layer in ("conv1", "pool1", "conv2", "pool2")]
    return {
        "values": dict(zip(("conv1", "pool1", "conv2", "pool2"), values, strict=True)),
        "maps": sum(len(outputs[layer][DIGIT]) for layer in
                    ("conv1", "relu1", "pool1", "conv2", "relu2", "pool2")),
        "first": context.test.class_names[pair[0]],
        "second": context.test.class_names[pair[1]],
        "channel": channel,
        "channel_row": channel // 4 + 1,
        "channel_column": channel % 4 + 1,
        "channel_first": means[0],
        "channel_second": means[1],
        "alike": _compared(context),
        "alike_untrained": max(
            values["same"] - values["other"]
            for name in _UNTRAINED
            for values in _compared(context, name, 0).values()
        ),
        "told": _told_apart(context, "lenet"),
        "told_untrained": _untrained(context),
        "told_by": 2 * _TOLD,
        "untrained": len(_UNTRAINED),
        "inverted": accuracy(predict(context.model("lenet"), inverted), context.test.labels[:_TESTED]),
        "upright": accuracy(context.logits("lenet")[:_TESTED], context.test.labels[:_TESTED]),
        "compared": _COMPARED,
    }  # fmt: skip
