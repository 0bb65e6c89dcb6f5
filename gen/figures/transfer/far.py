"""The same borrowed features on tasks that are far from photographs."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import GREY_LEGEND, Figure, Panel, message, picture
from gen.context import Context, shared
from gen.figures.borrowed_eyes import (
    TASKS,
    digits,
    eyes,
    from_nothing,
    linear,
    looked_at,
    pixels,
    summary,
)

FEW, MANY = 5, 50
"""Labelled images a class."""

_SEEDS = range(3)
_LAYERS = ("block2", "block5", "block8", "block11")


def examples(context: Context) -> Figure:
    """The digits, and the same with all pixels in one random order."""
    panels = []
    for name in ("digits", "scrambled"):
        task = digits(context, scrambled=name == "scrambled")
        chosen = task.drawn(1, seed=0)
        drawn = mosaic(task.pool[chosen, 0].numpy(), columns=len(chosen), scale=(0, 1),
                       palette="grey", gap=2)  # fmt: skip
        panels.append(Panel(picture(drawn, 2), message(name)))
    return Figure(alt=message("alt"), panels=panels, legends=[GREY_LEGEND], layout="column")


@shared
def _maps(context: Context, task: str, seed: int | None) -> dict[str, tuple[Tensor, Tensor]]:
    """What `eyes` with some seed make of a task: layer of _LAYERS → (N, C, H, W), pool and test."""
    model, given = eyes(context, seed), TASKS[task](context)
    pool = looked_at(model, given.pool, _LAYERS, lambda maps: maps)
    test = looked_at(model, given.test, _LAYERS, lambda maps: maps)
    return {layer: (pool[layer], test[layer]) for layer in _LAYERS}


@shared
def _measured(context: Context, task: str, each: int) -> dict[str, list[float]]:
    """Accuracies of runs with `each` labelled images a class: way → runs.

    Of several layers, each way has the one that is best on average.
    """
    given = TASKS[task](context)
    results = {
        "pixels": linear(given, pixels(given), each, _SEEDS),
        "nothing": from_nothing(given, each, _SEEDS),
    }
    for name, seed in (("trained", None), ("untrained", 0)):
        found = _maps(context, task, seed).values()
        means = [(pool.mean((2, 3)), test.mean((2, 3))) for pool, test in found]
        places = [(pool.flatten(1), test.flatten(1)) for pool, test in found]
        for way, views in (("means", means), ("places", places)):
            runs = [linear(given, view, each, _SEEDS) for view in views]
            results[f"{name}_{way}"] = max(runs, key=np.mean)
    return results


def numbers(context: Context) -> dict[str, Any]:
    """Task → "few" or "many" labelled images → way → mean, least and most."""
    result: dict[str, Any] = {
        "few": FEW, "many": MANY, "layers": len(_LAYERS), "seeds": len(_SEEDS)
    }  # fmt: skip
    for task in ("digits", "scrambled"):
        result[task] = {
            size: {way: summary(runs) for way, runs in _measured(context, task, each).items()}
            for size, each in (("few", FEW), ("many", MANY))
        }
    return result
