"""Figures on the output layer: logits, temperature, and what speaks for a 3 or for an 8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.inside.recording import record
from cnnviz.numbers import significant
from gen.context import Context
from gen.figure.figure import GREY_LEGEND, Figure, Panel, Text, in_both, picture, scale_legend

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

    def draw(say: Any) -> str:
        series = {names[i]: (TEMPERATURES, curves[:, i].numpy()) for i in shown}
        series[say(Text("其余七类合计", "the other seven"))] = (
            TEMPERATURES,
            curves[:, rest].sum(1).numpy(),
        )
        return charts.line_chart(
            series,
            title=say(Text("概率随温度的变化", "Probabilities against temperature")),
            x_label=say(Text("温度 T（对数刻度）", "temperature T (logarithmic)")),
            y_label=say(Text("概率", "probability")),
            percent=True,
            log_x=True,
            y_limits=(0, 1),
            markers=False,
        )

    image = context.test.images[_between(context), 0].numpy()
    cold, hot = curves[0].max(), curves[-1].max()
    return Figure(
        alt=Text(
            f"T = {TEMPERATURES[0]:g} 时最大的概率是 {cold:.0%}，T = {TEMPERATURES[-1]:g} 时只有 "
            f"{hot:.0%}，其余七类合起来最多",
            f"At T = {TEMPERATURES[0]:g} the largest probability is {cold:.0%}; at "
            f"T = {TEMPERATURES[-1]:g} it is only {hot:.0%}, and the other seven have most",
        ),
        panels=[
            Panel(
                picture(mosaic(image[None], scale=(0, 255), palette="grey"), 4),
                Text(
                    f"是 {names[ONE]}，还是 {names[OTHER]}？",
                    f"a {names[ONE]} or an {names[OTHER]}?",
                ),
            ),
            Panel(in_both(draw)),
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


def _whose(context: Context) -> tuple[Text, Text, Text]:
    one, other = context.test.class_names[ONE], context.test.class_names[OTHER]
    return (
        Text(f"清楚的 {one}", f"a clear {one}"),
        Text("拿不准的", "the one between"),
        Text(f"清楚的 {other}", f"a clear {other}"),
    )


def three_or_eight(context: Context) -> Figure:
    """How much each unit of fc2 speaks for one class or the other, for three digits."""
    found, whose = _contributions(context), _whose(context)
    one, other = context.test.class_names[ONE], context.test.class_names[OTHER]
    each = found["each"][:, found["order"]]  # (3, 84), from those for ONE to those for OTHER
    rows = each[:, None].repeat(20, axis=1).repeat(8, axis=2)  # a number as 20×8 pixels
    drawn = mosaic(rows, columns=1, scale="layer", signed=True, gap=3)
    images = mosaic(found["images"], columns=3, scale=(0, 255), palette="grey", gap=2)
    sums = (
        "、".join(significant(s) for s in found["sums"]),
        ", ".join(significant(s) for s in found["sums"]),
    )
    return Figure(
        alt=Text(
            f"三个数字各有 84 个贡献，蓝色偏向 {one}，橙色偏向 {other}；"
            f"连同偏置，三行的总和依次是 {sums[0]}",
            f"84 contributions for each of three digits, blue speaks for {one}, orange for {other}; "
            f"with the bias they add up to {sums[1]}",
        ),
        panels=[
            Panel(
                picture(images, 3),
                Text("、".join(t.zh for t in whose), ", ".join(t.en for t in whose)),
            ),
            Panel(
                picture(drawn),
                Text(
                    "84 个单元的贡献，每行一个数字", "what the 84 units contribute, a row a digit"
                ),
            ),
            Panel(in_both(lambda say: _parts_chart(found, whose, one, other, say))),
        ],
        legends=[
            GREY_LEGEND,
            scale_legend(
                drawn,
                "figure",
                Text(
                    f"蓝色偏向 {one}，橙色偏向 {other}",
                    f"blue speaks for {one}, orange for {other}",
                ),
            ),
        ],
        layout="column",
        uses=["lenet"],
    )


def _parts_chart(
    found: dict[str, Any], whose: Sequence[Text], one: str, other: str, say: Any
) -> str:
    """The strongest contributions of either side, the others together, and their sum."""
    strong = np.abs(found["each"]).max(0)
    picked = sorted(
        [*_strongest(strong, found["order"][:42]), *_strongest(strong, found["order"][42:])],
        key=found["order"].index,
    )
    rest = found["each"].sum(1) - found["each"][:, picked].sum(1)
    groups = [str(unit) for unit in picked]
    groups += [say(Text("其余", "others")), say(Text("偏置", "bias")), say(Text("总和", "sum"))]
    return charts.grouped_bar_chart(
        {
            say(name): [*found["each"][i, picked], rest[i], found["bias"], found["sums"][i]]
            for i, name in enumerate(whose)
        },
        groups,
        title=say(Text("各单元对两个 logit 之差的贡献", "What units add to the difference")),
        x_label=say(Text("fc2 的单元（编号）", "unit of fc2 (its number)")),
        y_label=say(
            Text(f"对 logit {other} − logit {one} 的贡献", f"part of logit {other} − logit {one}")
        ),
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
        "for_one": int((difference < 0).sum()),
        "for_other": int((difference > 0).sum()),
        "for_one_by": (-found["each"].clip(max=0).sum(1)).tolist(),
        "for_other_by": found["each"].clip(min=0).sum(1).tolist(),
        "silent": [int((row == 0).sum()) for row in found["each"]],
        "units": found["each"].shape[1],
    }
