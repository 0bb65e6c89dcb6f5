"""Figures of the chapter "Why not an MLP": both networks on scrambled pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cnnviz.data.inputs import pixel_permutation, scramble, to_input
from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import seed_chart, spread
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.unit_images import by_norm, neighbour_correlation
from cnnviz.numbers import percent
from cnnviz.training.runs import SEEDS
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figure.figure import GREY_LEGEND, Figure, Panel, message, picture, scale_legend

UNITS = 24
"""Units of the MLP's first layer that are drawn."""

ERROR_COUNT = 5000
"""Test digits for the short runs."""

_NETS = {"mlp": "MLP", "lenet": "LeNet"}
_KINDS = {"ordered": "", "scrambled": "-scrambled"}  # what ends the names of the networks


def scrambled_digits(context: Context) -> Figure:
    """An example of each class, and the same with its pixels scrambled."""
    images = context.examples  # (10, 1, 28, 28)
    both = torch.stack([images[:, 0], scramble(images)[:, 0]])  # (2, 10, 28, 28)
    names = context.test.class_names
    return Figure(
        alt=message("alt", first=names[0], last=names[-1]),
        panels=[Panel(picture(mosaic(both.numpy(), scale=(0, 255), palette="grey"), 2.3))],
        legends=[GREY_LEGEND],
    )


def scramble_errors(context: Context) -> Figure:
    """Errors with pixels in order and scrambled: the long runs, and short ones over seeds."""
    long_runs = {
        kind: [1 - context.evaluation(net + ending).accuracy for net in _NETS]
        for kind, ending in _KINDS.items()
    }
    runs = _seed_errors(context)

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {say(f"kinds.{kind}"): errors for kind, errors in long_runs.items()},
            list(_NETS.values()),
            title=say("title"),
            y_label=say("errors"),
            percent=True,
            write=percent,
            size=(420, 280),
        )

    def draw_runs(say: Say) -> str:
        return seed_chart(
            {say(f"kinds.{kind}"): [runs[net][kind] for net in _NETS] for kind in _KINDS},
            list(_NETS.values()),
            title=say("title of seeds"),
            y_label=say("errors"),
            percent=True,
            y_limits=(0, None),
            size=(420, 300),
        )

    (mlp, lenet), (mlp_scrambled, lenet_scrambled) = long_runs.values()
    return Figure(
        alt=message(
            "alt",
            mlp=mlp,
            mlp_scrambled=mlp_scrambled,
            lenet=lenet,
            lenet_scrambled=lenet_scrambled,
            seeds=len(SEEDS),
        ),
        panels=[
            Panel(draw, message("panels.once")),
            Panel(
                draw_runs,
                message("seeds", seeds=len(SEEDS), steps=context.recipe("short-mlp-0").steps),
            ),
        ],
        layout="column",
        uses=[
            *("mlp", "lenet", "mlp-scrambled", "lenet-scrambled"),
            *(
                f"short-{net}{ending}-{seed}"
                for net in _NETS
                for ending in _KINDS.values()
                for seed in SEEDS
            ),
        ],
    )


@shared
def _seed_errors(context: Context) -> dict[str, dict[str, list[float]]]:
    """Test errors of the short runs: network → ordered or scrambled → seed."""
    images, labels = to_input(context.test.images[:ERROR_COUNT]), context.test.labels[:ERROR_COUNT]
    given = {"ordered": images, "scrambled": scramble(images)}

    def errors(net: str, kind: str) -> list[float]:
        nets = [context.model(f"short-{net}{_KINDS[kind]}-{seed}") for seed in SEEDS]
        return [1 - accuracy(predict(model, given[kind]), labels) for model in nets]

    return {net: {kind: errors(net, kind) for kind in given} for net in _NETS}


def _facts(errors: list[float]) -> dict[str, float]:
    mean, deviation = spread(errors)
    return {"mean": mean, "deviation": deviation, "best": min(errors), "worst": max(errors)}


def weights_put_back(context: Context) -> Figure:
    """First-layer weights of both MLPs; those learned on scrambled pixels also put back in order."""
    weights = _mlp_weights(context)
    strongest = {
        "mlp": by_norm(weights["mlp"])[:UNITS],
        "scrambled": by_norm(weights["scrambled"])[:UNITS],
        "restored": by_norm(weights["scrambled"])[:UNITS],  # the same units as in the row above
    }
    drawings = {name: mosaic(weights[name][units], columns=12) for name, units in strongest.items()}
    alike = {name: neighbour_correlation(weights[name]) for name in drawings}
    return Figure(
        alt=message("alt", units=UNITS, **alike),
        panels=[
            Panel(picture(drawn, 1.9), message(f"panels.{name}"))
            for name, drawn in drawings.items()
        ],
        legends=[scale_legend(drawings["mlp"], "map", message("meaning"))],
        layout="column",
        uses=["mlp", "mlp-scrambled"],
    )


def _mlp_weights(context: Context) -> dict[str, np.ndarray]:
    """First-layer weights (512, 28, 28): of `mlp`, of `mlp-scrambled`, and those put back."""
    plain, scrambled = (
        context.trained(name).weights["fc1.weight"] for name in ("mlp", "mlp-scrambled")
    )
    restored = torch.empty_like(scrambled)
    restored[:, pixel_permutation(28 * 28)] = scrambled  # input i of the net is pixel order[i]
    named = {"mlp": plain, "scrambled": scrambled, "restored": restored}
    return {name: weight.reshape(-1, 28, 28).numpy() for name, weight in named.items()}


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    weights = _mlp_weights(context)
    return {
        "units": UNITS,
        "neighbours": {name: neighbour_correlation(w) for name, w in weights.items()},
        "seeds": {
            net: {kind: _facts(errors) for kind, errors in kinds.items()}
            for net, kinds in _seed_errors(context).items()
        },
        "seed_runs": len(SEEDS),
        "seed_steps": context.recipe("short-lenet-0").steps,
    }
