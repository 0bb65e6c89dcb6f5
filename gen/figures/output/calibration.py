"""Figures on calibration: is LeNet as often right as it is sure, and what changes that?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz.data.datasets import Dataset
from cnnviz.drawing import charts
from cnnviz.inside.calibration import Reliability, fit_temperature, reliability
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.nets.models import LeNet
from cnnviz.numbers import fixed
from cnnviz.training.brief import train_briefly
from cnnviz.training.fit import fit
from cnnviz.training.runs import SHORT
from gen.context import Context, shared
from gen.figure.figure import Figure, Panel, Say, message

BINS = 10
LEAST = 25
"""Answers that an interval needs to be drawn: of fewer, the share that is right says little."""

FEW = 500
"""Images that one of the networks learns by heart."""


def _halves(context: Context) -> tuple[slice, slice]:
    """One half of the test images to fit a temperature, the other to tell what it does."""
    half = len(context.test) // 2
    return slice(0, half), slice(half, None)


@shared
def _scaled(context: Context) -> dict[str, Any]:
    """LeNet's answers on the second half, plain and at the temperature fitted on the first."""
    logits, labels = context.logits("lenet"), context.test.labels
    first, second = _halves(context)
    temperature = fit_temperature(logits[first], labels[first])
    told, truth = logits[second].double(), labels[second]
    return {
        "temperature": temperature,
        "plain": reliability(told, truth, BINS),
        "scaled": reliability(told / temperature, truth, BINS),
        "confidence": [float((told / t).softmax(1).amax(1).mean()) for t in (1, temperature)],
        "accuracy": accuracy(told, truth),
        "unchanged": bool((told.argmax(1) == (told / temperature).argmax(1)).all()),
    }


@shared
def _three(context: Context) -> dict[str, tuple[Tensor, Reliability]]:
    """Test logits and reliability of three LeNets: smoothed, not smoothed, learned by heart."""
    inputs, labels = context.inputs("lenet", context.test.images), context.test.labels
    plain = fit(
        replace(context.recipe("short-lenet-0"), label_smoothing=0.0),
        context.train,
        _first(context.test, 10),  # it only says how the training went
        progress=False,
    )
    nets = {
        "smoothed": context.model("short-lenet-0"),
        "plain": plain.model(),
        "parrot": _parrot(context)[0],
    }
    found = {}
    for name, net in nets.items():
        logits = predict(net, inputs)
        found[name] = logits, reliability(logits, labels, BINS)
    return found


@shared
def _parrot(context: Context) -> tuple[nn.Module, float]:
    """A LeNet that has seen `FEW` images over and over, and its loss on them in the end."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = LeNet()
    losses = train_briefly(net, _first(context.train, FEW), SHORT, 3e-3)
    return net, sum(losses[-20:]) / len(losses[-20:])


def _first(data: Dataset, count: int) -> Dataset:
    return replace(data, images=data.images[:count], labels=data.labels[:count], styles=())


_Line = tuple[list[float], list[float]]


def _line(found: Reliability) -> tuple[_Line, list[float]]:
    """Confidence and accuracy of the intervals with enough answers; standard errors."""
    enough = found.counts >= LEAST
    if not enough.any():  # a tiny build
        enough = found.counts == found.counts.max()
    x, y = found.confidence[enough], found.accuracy[enough]
    errors = (y * (1 - y) / found.counts[enough]).sqrt()
    return (x.tolist(), y.tolist()), errors.tolist()


def _chart(say: Say, found: dict[str, Reliability]) -> str:
    """The lines of some networks by name, and the one they would follow if they were calibrated."""
    series: dict[str, _Line] = {say("calibrated"): ([0.0, 1.0], [0.0, 1.0])}
    errors = {}
    for name, one in found.items():
        series[name], errors[name] = _line(one)
    return charts.line_chart(
        series,
        title=say("title"),
        x_label=say("x"),
        y_label=say("y"),
        errors=errors,
        percent=True,
        y_limits=(0, 1),
        size=(640, 380),
    )


def reliability_diagram(context: Context) -> Figure:
    """LeNet before and after its temperature was fitted."""
    found = _scaled(context)
    plain, scaled, temperature = found["plain"], found["scaled"], found["temperature"]
    lines = {"T = 1": plain, f"T = {fixed(temperature)}": scaled}
    return Figure(
        alt=message("alt", plain=plain.error, scaled=scaled.error, temperature=temperature),
        panels=[Panel(lambda say: _chart(say, lines))],
        uses=["lenet"],
    )


def three_networks(context: Context) -> Figure:
    """With label smoothing, without, and learned by heart."""
    found = _three(context)

    def draw(say: Say) -> str:
        return _chart(say, {say(f"nets.{key}", few=FEW): one for key, (_, one) in found.items()})

    return Figure(
        alt=message("alt", few=FEW, **{key: one.error for key, (_, one) in found.items()}),
        panels=[Panel(draw)],
        uses=["short-lenet-0"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    scaled = _scaled(context)
    smoothing = context.recipe("lenet").label_smoothing
    share = smoothing / len(context.test.class_names)
    labels = context.test.labels
    first, second = _halves(context)
    result: dict[str, Any] = {
        "half": len(labels[second]),
        "bins": BINS,
        "least": LEAST,
        "few": FEW,
        "few_loss": _parrot(context)[1],
        "steps": SHORT,
        "smoothing": smoothing,
        "temperature": scaled["temperature"],
        "accuracy": scaled["accuracy"],
        "unchanged": scaled["unchanged"],
        "confidence": scaled["confidence"][0],
        "confidence_scaled": scaled["confidence"][1],
        "last_share": float(scaled["scaled"].counts[-1] / scaled["scaled"].counts.sum()),
        "error": scaled["plain"].error,
        "error_scaled": scaled["scaled"].error,
        "target": 1 - smoothing + share,
        "other_target": share,
        "gap": math.log((1 - smoothing + share) / share),
    }
    for name, (logits, one) in _three(context).items():
        temperature = fit_temperature(logits[first], labels[first])
        result[name] = {
            "accuracy": accuracy(logits, labels),
            "confidence": float(logits.softmax(1).amax(1).mean()),
            "error": one.error,
            "temperature": temperature,
            "error_scaled": reliability(logits[second] / temperature, labels[second], BINS).error,
        }
    return result
