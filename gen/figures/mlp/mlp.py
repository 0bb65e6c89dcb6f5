"""Figures of the chapter "From a neuron to an MLP": one unit, one layer, one network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.network_drawing import network_diagram
from cnnviz.drawing.pixels import sum_of_parts
from cnnviz.figure.figure import GREY_LEGEND, Figure, Legend, Panel, message, picture, scale_legend
from cnnviz.nets.models import parameter_count
from cnnviz.words import Say
from gen.context import Context

Floats = NDArray[np.float32]

DIGIT = 3
"""The class whose example the chapter follows, as the chapters after it do."""

LAYERS = ("fc1", "fc2", "output")
_SIDE = 28


def _weight(context: Context, layer: str) -> Floats:
    return context.trained("mlp").weights[f"{layer}.weight"].numpy()


def _weight_image(context: Context) -> Floats:
    """Weights of the unit that the chapter follows, (28, 28)."""
    return _weight(context, "fc1")[_unit(context)].reshape(_SIDE, _SIDE)


def _pixels(context: Context) -> Floats:
    """The example as the network gets it, (28, 28) from 0 to 1."""
    return context.inputs("mlp", context.examples[DIGIT : DIGIT + 1])[0, 0].numpy()


def _unit(context: Context) -> int:
    """The unit of fc1 that answers most to the example."""
    return int(context.recording("mlp")["fc1"][DIGIT].argmax())


def _parts(context: Context) -> dict[str, float]:
    """Of that unit's weighted sum: positive products, negative products, bias, recorded result."""
    unit = _unit(context)
    products = _weight_image(context).astype(np.float64) * _pixels(context)
    return {
        "positive": float(products[products > 0].sum()),
        "negative": float(products[products < 0].sum()),
        "bias": float(context.trained("mlp").weights["fc1.bias"][unit]),
        "recorded": float(context.recording("mlp")["fc1"][DIGIT, unit]),
    }


def neuron(context: Context) -> Figure:
    """One hidden unit at work: pixels, weights, products, and their sum."""
    unit = _unit(context)
    pixels, weights = _pixels(context), _weight_image(context)
    peak = float(np.abs(weights).max())
    drawn = mosaic(weights[None], scale=(-peak, peak))
    products = mosaic((weights * pixels)[None], scale=(-peak, peak))
    parts = _parts(context)

    def chain(say: Say) -> str:
        return sum_of_parts(
            [(say(f"terms.{name}"), parts[name]) for name in ("positive", "negative", "bias")],
            (say("z"), parts["recorded"]),
            (say("after"), max(parts["recorded"], 0.0)),
            title=say("title"),
        )

    return Figure(
        alt=message(
            "alt",
            unit=unit,
            digit=context.test.class_names[DIGIT],
            positive=parts["positive"],
            negative=parts["negative"],
            sum=parts["recorded"],
        ),
        panels=[
            Panel(
                picture(mosaic(pixels[None], scale=(0, 1), palette="grey"), 5.5),
                message("panels.pixels"),
            ),
            Panel(picture(drawn, 5.5), message("panels.weights")),
            Panel(picture(products, 5.5), message("panels.products")),
            Panel(chain),
        ],
        legends=[scale_legend(drawn, "figure", message("meaning"))],
        uses=["mlp"],
    )


def _answers(context: Context) -> Tensor:
    """fc1's weighted sums for all test images, (N, 512)."""
    weights = context.trained("mlp").weights
    images = context.inputs("mlp", context.test.images).flatten(1)  # (N, 784)
    return images @ weights["fc1.weight"].T + weights["fc1.bias"]


def favourites(context: Context) -> Figure:
    """The test images to which that unit answers most and least."""
    answers = _answers(context)[:, _unit(context)]
    order = answers.argsort(descending=True, stable=True)
    panels, classes = [], {}
    for end, chosen in (("largest", order[:10]), ("smallest", order[-10:].flip(0))):
        drawn = mosaic(
            context.test.images[chosen, 0].numpy(), columns=10, scale=(0, 255), palette="grey"
        )
        low, high = float(answers[chosen].min()), float(answers[chosen].max())
        panels.append(Panel(picture(drawn, 2), message(f"panels.{end}", low=low, high=high)))
        classes[end] = [context.test.class_names[context.test.labels[i]] for i in chosen]
    return Figure(
        alt=message("alt", **classes),
        panels=panels,
        legends=[GREY_LEGEND],
        layout="column",
        uses=["mlp"],
    )


def relu(context: Context) -> Figure:
    """The ReLU curve, and where the sums of the first layer lie on it."""
    x = np.linspace(-8, 4, 121)
    sums = _answers(context)[:1000].numpy()
    below = float((sums <= 0).mean())

    def curve(say: Say) -> str:
        return charts.line_chart(
            {"ReLU": (x, np.maximum(x, 0))},
            title=say("curve.title"),
            x_label=say("z"),
            y_label=say("curve.output"),
            markers=False,
            size=(640, 240),
        )

    def spread(say: Say) -> str:
        return charts.histogram(
            {say("spread.sums"): sums},
            title=say("spread.title"),
            x_label=say("z"),
            y_label=say("spread.share"),
            limits=(-8, 5.75),  # as many pixels to a unit as above, where a name needs room
            bins=55,
            percent=True,
            size=(640, 240),
        )

    images, units = sums.shape
    return Figure(
        alt=message("alt", below=below),
        panels=[
            Panel(curve, "ReLU(z) = max(0, z)"),
            Panel(spread, message("spread.label", units=units, images=images)),
        ],
        layout="column",
        uses=["mlp"],
    )


def network(context: Context) -> Figure:
    """A few units of each layer with their real weights and what they do for the example."""
    outputs = context.recording("mlp")
    logits = outputs["output"][DIGIT].numpy()
    activations = [
        _pixels(context).ravel(),
        outputs["relu1"][DIGIT].numpy(),
        outputs["relu2"][DIGIT].numpy(),
        np.maximum(logits, 0),  # a circle shows nothing below 0
    ]
    weights = [_weight(context, layer) for layer in LAYERS]
    units = _shown_units(activations[:3], weights, DIGIT)
    sizes = [weights[0].shape[1], *(matrix.shape[0] for matrix in weights)]

    def draw(say: Say) -> str:
        names = [say(f"layers.{name}") for name in ("pixels", "first", "second", "output")]
        return network_diagram(
            sizes,
            weights,
            title=say("title"),
            labels=[
                say("named", name=name, what=size) for name, size in zip(names, sizes, strict=True)
            ],
            units=units,
            activations=activations,
            size=(640, 380),
        )

    answer = context.test.class_names[int(logits.argmax())]
    return Figure(
        alt=message("alt", shape="-".join(map(str, sizes)), answer=answer),
        panels=[Panel(draw)],
        legends=[Legend(message("legend"))],
        uses=["mlp"],
    )


def _shown_units(values: list[Floats], weights: list[Floats], answer: int) -> list[list[int]]:
    """Of each layer but the last the eight units that add most to the score of a class.

    What a unit adds is its value times the weights of the lines drawn from it to that class.
    """
    added = np.eye(len(weights[-1]))[answer]  # how much the score grows with each value
    shown = [list(range(len(added)))]
    for value, weight in zip(reversed(values), reversed(weights), strict=True):
        added = added @ weight
        largest = np.argsort(-added * value, kind="stable")[:8]
        shown.insert(0, largest.tolist())
        added = np.where(np.isin(np.arange(len(added)), largest), added, 0)
    return shown


def _softmax(context: Context) -> dict[str, Any]:
    """How the logits of the digit become shares of 1."""
    names, logits = context.test.class_names, context.recording("mlp")["output"][DIGIT]  # (10,)
    return {
        "names": list(names),
        "logits": logits.tolist(),
        "powers": logits.exp().tolist(),
        "sum_of_powers": float(logits.exp().sum()),
        "shares": logits.softmax(0).tolist(),
        "largest": names[int(logits.argmax())],
        "largest_power": float(logits.exp().max()),
    }


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    trained, outputs = context.trained("mlp"), context.recording("mlp")
    evaluation = context.evaluation("mlp")
    names = context.test.class_names
    unit, parts = _unit(context), _parts(context)
    answers = _answers(context)
    own = int((context.test.labels == DIGIT).sum())
    top = answers[:, unit].topk(own).indices  # as many as there are images of that class
    counts = context.test.labels[top].bincount(minlength=len(names))
    layers = {
        layer: trained.weights[f"{layer}.weight"].numel() + trained.weights[f"{layer}.bias"].numel()
        for layer in LAYERS
    }
    return {
        "digit": names[DIGIT],
        "unit": unit,
        "first_units": answers.shape[1],
        **parts,
        "sum": parts["positive"] + parts["negative"] + parts["bias"],
        "liked": {
            "count": own,
            "own": int(counts[DIGIT]),
            "other_classes": sum(c > 0 for i, c in enumerate(counts.tolist()) if i != DIGIT),
        },
        "below_zero": float((answers[:1000] <= 0).double().mean()),
        "active": int((outputs["relu1"][DIGIT] > 0).sum()),
        "dead": int((answers <= 0).all(0).sum()),
        "layers": layers,
        "parameters": parameter_count(context.model("mlp")),
        "accuracy": evaluation.accuracy,
        "test_count": evaluation.count,
        "errors": round((1 - evaluation.accuracy) * evaluation.count),
        "softmax": _softmax(context),
    }
