"""Few labelled crops of photographs: a linear head on borrowed features, and its controls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.borrowed_eyes import (
    BATCH,
    DRAWS,
    POOL,
    SIDE,
    SIZES,
    STEPS,
    TESTED,
    UNTRAINED,
    Small,
    Task,
    crops,
    features,
    from_nothing,
    linear,
    mean_colours,
    pixels,
    summary,
)
from gen.figures.photographs import LAYERS, NAME, NAMES, thumbnail

COMPARED = 10
"""Labelled crops of a photograph with which layers are compared."""

_SHOWN = 2
"""Crops of each half of a photograph that are shown."""

_SEEDS = range(3)
_FROM_NOTHING = (1, 5, 20, 50)
"""Of networks trained from nothing: seeds, and labelled crops of a photograph."""


def examples(context: Context) -> Figure:
    """Some labelled crops and some of the test, a column for each photograph."""
    task = crops(context)
    panels = []
    for name, images, each in (("left", task.pool, POOL), ("right", task.test, TESTED)):
        of = images.unflatten(0, (len(NAMES), each))[:, :_SHOWN]  # (9, 2, 3, 64, 64)
        rows = of.permute(1, 3, 0, 4, 2).numpy()  # (2, 64, 9, 64, 3)
        framed = np.pad(rows, ((0, 0), (2, 2), (0, 0), (2, 2), (0, 0)), constant_values=1)
        sheet = framed.reshape(_SHOWN * (SIDE + 4), len(NAMES) * (SIDE + 4), 3)
        drawn = thumbnail((sheet * 255).round().astype(np.uint8))
        panels.append(Panel(drawn, message(name)))
    return Figure(alt=message("alt", count=len(NAMES)), panels=panels, layout="column")


@shared
def _by_layer(context: Context, network: int | None) -> dict[str, list[float]]:
    """Layer → accuracy with COMPARED labelled crops of each photograph, for each draw."""
    task = crops(context)
    return {
        layer: linear(task, found, COMPARED)
        for layer, found in features(context, "crops", network).items()
    }


@shared
def _all_by_layer(context: Context, trained: bool) -> NDArray[np.float64]:
    """The same for the trained network, or for all untrained ones: (18 layers, runs)."""
    found = [_by_layer(context, one) for one in ([None] if trained else UNTRAINED)]
    return np.array([[run for one in found for run in one[layer]] for layer in LAYERS])


def best(context: Context, trained: bool) -> str:
    """The layer that is best with COMPARED labelled crops, on average over draws and seeds."""
    return LAYERS[int(_all_by_layer(context, trained).mean(1).argmax())]


def layers(context: Context) -> Figure:
    """Accuracy of a linear head, by the layer that it is put on."""
    places = np.arange(len(LAYERS))
    found = {key: _all_by_layer(context, key == "trained") for key in ("trained", "untrained")}

    def draw(say: Say) -> str:
        return charts.line_chart(
            {say(key): (places, _middle(runs)) for key, runs in found.items()},
            errors={say(key): np.ptp(runs, axis=1) / 2 for key, runs in found.items()},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, 1),
        )

    alt = message("alt", trained=found["trained"].mean(1).max(),
                  untrained=found["untrained"].mean(1).max())  # fmt: skip
    legend = message("legend", draws=len(DRAWS), networks=len(UNTRAINED), each=COMPARED)
    return Figure(alt=alt, panels=[Panel(draw)], legends=[Legend(legend)], uses=[NAME])


def _middle(runs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle between least and most, (rows,) of (rows, runs)."""
    return (runs.min(1) + runs.max(1)) / 2


@shared
def _curves(context: Context) -> dict[str, dict[int, list[float]]]:
    """What learns → labelled crops of a photograph → accuracy of each run."""
    task = crops(context)
    trained, untrained = best(context, True), best(context, False)
    random = [features(context, "crops", seed)[untrained] for seed in UNTRAINED]
    return {
        "trained": _runs(task, [features(context, "crops")[trained]]),
        "untrained": _runs(task, random),
        "nothing": {each: from_nothing(task, each, _SEEDS) for each in _FROM_NOTHING},
        "pixels": _runs(task, [pixels(task)]),
    }


def _runs(task: Task, found: list[tuple[Tensor, Tensor]]) -> dict[int, list[float]]:
    return {each: [run for one in found for run in linear(task, one, each)] for each in SIZES}


def curves(context: Context) -> Figure:
    """Accuracy against the number of labelled crops, for four ways to learn from them."""
    found = {
        key: (list(sizes), np.array(list(sizes.values())))  # labelled crops, (sizes, runs)
        for key, sizes in _curves(context).items()
    }

    def draw(say: Say) -> str:
        return charts.line_chart(
            {say(key): (sizes, _middle(runs)) for key, (sizes, runs) in found.items()},
            errors={say(key): np.ptp(runs, axis=1) / 2 for key, (_, runs) in found.items()},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            log_x=True,
            y_limits=(0, 1),
        )

    ends = {key: float(runs[-1].mean()) for key, (_, runs) in found.items()}
    return Figure(
        alt=message("alt", most=SIZES[-1], **ends),
        panels=[Panel(draw)],
        legends=[Legend(message("legend"))],
        uses=[NAME],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    task = crops(context)
    by_layer = {key: _all_by_layer(context, key == "trained") for key in ("trained", "untrained")}
    colour = linear(task, mean_colours(task), SIZES[-1])
    return {
        "layers": {
            key: dict(zip(LAYERS, runs.mean(1).tolist(), strict=True))
            for key, runs in by_layer.items()
        },
        "least": dict(zip(LAYERS, by_layer["trained"].min(1).tolist(), strict=True)),
        "most_untrained": float(by_layer["untrained"].max()),
        "best": {key: best(context, key == "trained") for key in ("trained", "untrained")},
        "curves": {
            key: {str(size): summary(runs) for size, runs in sizes.items()}
            for key, sizes in _curves(context).items()
        },
        "colour": summary(colour),
        "channels": {layer: found[0].shape[1] for layer, found in features(context, "crops").items()},
        "small": sum(p.numel() for p in Small(3, len(NAMES)).parameters()),
        "photographs": len(NAMES), "side": SIDE, "pool": POOL, "tested": TESTED,
        "compared": COMPARED, "draws": len(DRAWS), "networks": len(UNTRAINED),
        "seeds": len(_SEEDS), "steps": STEPS, "batch": BATCH,
    }  # fmt: skip
