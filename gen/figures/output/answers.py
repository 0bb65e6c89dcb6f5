"""Figures on the output layer: logits, temperature, and what speaks for a 3 or for an 8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import (
    GREY_LEGEND,
    Figure,
    Message,
    Panel,
    Say,
    message,
    picture,
    scale_legend,
)
from cnnviz.inside.recording import record
from gen.context import Context

ONE, OTHER = 3, 8
"""The two classes that the chapter tells apart."""

TEMPERATURES = np.geomspace(0.1, 10, 41)


def _weight(context: Context, name: str) -> Tensor:
    return context.trained("lenet").weights[f"{name}.weight"]


def _bias(context: Context, name: str) -> Tensor:
    return context.trained("lenet").weights[f"{name}.bias"]


def _between(context: Context) -> int:
    """The test image for which LeNet finds both ONE and OTHER as probable as it can."""
    labels = context.test.labels
    of_two = ((labels == ONE) | (labels == OTHER)).nonzero()[:, 0]
    probabilities = context.logits("lenet")[of_two].softmax(1)
    less_probable = probabilities[:, [ONE, OTHER]].amin(1)
    return int(of_two[less_probable.argmax()])


def temperature(context: Context) -> Figure:
    """The probabilities of the undecided digit against temperature."""
    names = context.test.class_names
    logits = context.logits("lenet")[_between(context)].double()
    curves = torch.stack([(logits / t).softmax(0) for t in TEMPERATURES.tolist()])  # (T, 10)
    order = logits.argsort(descending=True).tolist()
    shown, rest = order[:3], order[3:]

    def draw(say: Say) -> str:
        series = {names[i]: (TEMPERATURES, curves[:, i].numpy()) for i in shown}
        series[say("others")] = TEMPERATURES, curves[:, rest].sum(1).numpy()
        return charts.line_chart(
            series,
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            log_x=True,
            y_limits=(0, 1),
            markers=False,
        )

    image = context.test.images[_between(context), 0].numpy()
    return Figure(
        alt=message(
            "alt",
            coldest=TEMPERATURES[0],
            hottest=TEMPERATURES[-1],
            cold=curves[0].max(),
            hot=curves[-1].max(),
        ),
        panels=[
            Panel(
                picture(mosaic(image[None], scale=(0, 255), palette="grey"), 4),
                message("question", one=names[ONE], other=names[OTHER]),
            ),
            Panel(draw),
        ],
        legends=[GREY_LEGEND],
        layout="column",
        uses=["lenet"],
    )


def _contributions(context: Context) -> dict[str, Any]:
    """logit(OTHER) − logit(ONE) over the 84 units of fc2, for three digits: clear, torn, clear."""
    which = [context.example_indices[ONE], _between(context), context.example_indices[OTHER]]
    images = context.inputs("lenet", context.test.images[which])
    outputs = record(context.model("lenet"), images, layers=["relu4", "output"])
    rows, biases = _weight(context, "output").double(), _bias(context, "output").double()
    difference = rows[OTHER] - rows[ONE]  # (84,)
    each = outputs["relu4"].double() * difference  # (3, 84)
    bias = float(biases[OTHER] - biases[ONE])
    logits = outputs["output"].double()
    return {
        "images": context.test.images[which, 0].numpy(),
        "labels": context.test.labels[which].tolist(),
        "order": difference.argsort().tolist(),
        "each": each.numpy(),
        "bias": bias,
        "sums": (each.sum(1) + bias).tolist(),
        "recorded": (logits[:, OTHER] - logits[:, ONE]).tolist(),
    }


def _ever_active(context: Context) -> Tensor:
    """Which units of fc2 are above zero for any test image, (84,)."""
    images = context.inputs("lenet", context.test.images)
    return (record(context.model("lenet"), images, layers=["relu4"])["relu4"] > 0).any(0)


def three_or_eight(context: Context) -> Figure:
    """How much each unit of fc2 speaks for one class or the other, for three digits."""
    found = _contributions(context)
    one, other = context.test.class_names[ONE], context.test.class_names[OTHER]
    digits = [message("clear", digit=one), message("between"), message("clear", digit=other)]
    each = found["each"][:, found["order"]]  # (3, 84), from those for ONE to those for OTHER
    rows = each[:, None].repeat(20, axis=1).repeat(8, axis=2)  # a number as 20×8 pixels
    drawn = mosaic(rows, columns=1, scale="layer", signed=True, gap=3)
    images = mosaic(found["images"], columns=3, scale=(0, 255), palette="grey", gap=2)
    return Figure(
        alt=message("alt", one=one, other=other, sums=found["sums"]),
        panels=[
            Panel(picture(images, 3), message("panels.digits", digits=digits)),
            Panel(picture(drawn), message("panels.contributions")),
            Panel(lambda say: _parts_chart(say, found, digits, one, other)),
        ],
        legends=[
            GREY_LEGEND,
            scale_legend(drawn, "figure", message("meaning", one=one, other=other)),
        ],
        layout="column",
        uses=["lenet"],
    )


def _parts_chart(
    say: Say, found: dict[str, Any], digits: Sequence[Message], one: str, other: str
) -> str:
    """The strongest contributions of either side, the others together, and their sum."""
    strong = np.abs(found["each"]).max(0)
    picked = sorted(
        [*_strongest(strong, found["order"][:42]), *_strongest(strong, found["order"][42:])],
        key=found["order"].index,
    )
    rest = found["each"].sum(1) - found["each"][:, picked].sum(1)
    return charts.grouped_bar_chart(
        {
            say(digit): [*found["each"][i, picked], rest[i], found["bias"], found["sums"][i]]
            for i, digit in enumerate(digits)
        },
        [*map(str, picked), say("parts.rest"), say("parts.bias"), say("parts.sum")],
        title=say("parts.title"),
        x_label=say("parts.x"),
        y_label=say("parts.y", one=one, other=other),
    )


def _strongest(strong: np.ndarray, units: list[int]) -> list[int]:
    return sorted(units, key=lambda unit: -strong[unit])[:4]


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    found, names = _contributions(context), context.test.class_names
    logits = context.recording("lenet")["output"][ONE]
    order = logits.argsort(descending=True).tolist()
    torn = context.logits("lenet")[_between(context)].double()
    difference = _weight(context, "output")[OTHER] - _weight(context, "output")[ONE]
    ever = _ever_active(context)
    return {
        "one": names[ONE],
        "other": names[OTHER],
        "best": names[order[0]],
        "second": names[order[1]],
        "best_logit": float(logits[order[0]]),
        "second_logit": float(logits[order[1]]),
        "best_probability": float(logits.softmax(0)[order[0]]),
        "second_probability": float(logits.softmax(0)[order[1]]),
        "ratio": float((logits[order[0]] - logits[order[1]]).exp()),
        "coldest": float(TEMPERATURES[0]),
        "hottest": float(TEMPERATURES[-1]),
        "torn": {
            "label": names[int(context.test.labels[_between(context)])],
            "one": float(torn[ONE]),
            "other": float(torn[OTHER]),
            "cold": float((torn / TEMPERATURES[0]).softmax(0).max()),
            "plain": float(torn.softmax(0).max()),
            "hot": float((torn / TEMPERATURES[-1]).softmax(0).max()),
        },
        "sums": found["sums"],
        "off": max(abs(a - b) for a, b in zip(found["sums"], found["recorded"], strict=True)),
        "bias": found["bias"],
        "for_one": int(((difference < 0) & ever).sum()),
        "for_other": int(((difference > 0) & ever).sum()),
        "never": int((~ever).sum()),
        "tested": len(context.test),
        "for_one_by": (-found["each"].clip(max=0).sum(1)).tolist(),
        "for_other_by": found["each"].clip(min=0).sum(1).tolist(),
        "silent": [int((row == 0).sum()) for row in found["each"]],
        "units": found["each"].shape[1],
    }
