"""Figures of the chapter "What the neurons learned": what the weights of the first layer look like."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Legend, Panel, Variant, message, picture, scale_legend
from cnnviz.inside.unit_images import by_norm, neighbour_correlation
from cnnviz.numbers import significant, thousands
from cnnviz.training.recipe import Recipe
from gen.context import Context

Floats = NDArray[np.float32]

_STRONGEST = 24
_SPREAD = 12  # units from the largest weights to the smallest


def _images(context: Context, step: int | None = None) -> Floats:
    """Weights of fc1 as images (512, 28, 28), after `step` steps or at the end."""
    trained = context.trained("mlp")
    weights = trained.weights if step is None else trained.snapshots[step]
    return weights["fc1.weight"].reshape(-1, 28, 28).numpy()


def _limit(context: Context) -> float:
    """The |weight| of fc1 that one in a thousand exceeds: the end of the colour scale."""
    return float(np.quantile(np.abs(_images(context)), 0.999))


def first_weights(context: Context) -> Figure:
    """The weights of all 512 units of the first layer as images, in order of their norm."""
    images, limit = _images(context), _limit(context)
    order = by_norm(images)
    drawn = mosaic(images[order], columns=16, scale=(-limit, limit))
    return Figure(
        alt=message("alt", units=len(images)),
        panels=[Panel(picture(drawn, 1.5, step=8))],
        legends=[scale_legend(drawn, "layer", message("clipped"))],
        uses=["mlp"],
    )


def first_weights_grow(context: Context) -> Figure:
    """The units with the largest weights at every snapshot of the training, on one scale."""
    limit = _limit(context)
    chosen = by_norm(_images(context))[:_STRONGEST]
    steps = list(context.trained("mlp").snapshots)
    variants = []
    for step in steps:
        images = _images(context, step)[chosen]
        drawn = mosaic(images, columns=8, scale=(-limit, limit))
        alike = f"{neighbour_correlation(images):.2f}"
        alt = message("snapshot", step=step, units=_STRONGEST, alike=alike)
        variants.append(
            Variant(
                thousands(step),
                [Panel(picture(drawn, 3, step=6), alt=alt)],
                [scale_legend(drawn, "layer", message("clipped"))],
            )
        )
    return Figure(
        alt=message("alt", units=_STRONGEST, last=steps[-1]),
        variants=variants,
        chosen=len(variants) - 1,
        scrub=message("scrub"),
        uses=["mlp"],
    )


def start_and_learned(context: Context) -> Figure:
    """Units of every size: their random start, what training added, and the sum of both."""
    images, start = _images(context), _images(context, 0)
    kept = _decay(context.recipe("mlp")) * start
    order = by_norm(images)
    chosen = order[np.linspace(0, len(order) - 1, _SPREAD).round().astype(int)]
    limit = float(np.quantile(np.abs(images[chosen]), 0.95))
    rows = {"start": kept, "learned": images - kept, "end": images}
    drawn = {
        name: mosaic(maps[chosen], columns=_SPREAD, scale=(-limit, limit))
        for name, maps in rows.items()
    }
    alike = {name: f"{neighbour_correlation(maps[chosen]):.2f}" for name, maps in rows.items()}
    return Figure(
        alt=message("alt", units=_SPREAD, **alike),
        panels=[
            Panel(picture(drawing, 1.9, step=4), message(f"panels.{name}"))
            for name, drawing in drawn.items()
        ],
        legends=[scale_legend(drawn["end"], "figure", message("meaning"))],
        layout="column",
        uses=["mlp"],
    )


def _mean_sizes(context: Context, step: int | None = None) -> Floats:
    """Mean |weight| of each pixel over the 512 units, (28, 28)."""
    return np.abs(_images(context, step)).mean(0)


def _never_lit(context: Context) -> NDArray[np.bool_]:
    """Pixels (28, 28) that are 0 in every training image, wherever training shifts it."""
    brightest = context.train.images.amax(0).float()  # (1, 28, 28)
    reach = context.recipe("mlp").max_shift
    return (F.max_pool2d(brightest, 2 * reach + 1, 1, reach)[0] == 0).numpy()


def border(context: Context) -> Figure:
    """How large the weights of each pixel are, and which pixels are never lit."""
    after, before = _mean_sizes(context), _mean_sizes(context, 0)
    never = _never_lit(context)
    peak = float(after.max())
    drawn = mosaic(after[None], scale=(0, peak))
    return Figure(
        alt=message(
            "alt",
            before=float(before.mean()),
            after=float(after[~never].mean()),
            never=int(never.sum()),
        ),
        panels=[
            Panel(picture(mosaic(before[None], scale=(0, peak)), 7), message("panels.before")),
            Panel(picture(drawn, 7), message("panels.after")),
            Panel(
                picture(mosaic(never[None], scale=(0, 1), palette="grey"), 7),
                message("panels.never"),
            ),
        ],
        legends=[
            Legend(message("legend"), palettes.css_gradient(drawn.palette), "0", significant(peak))
        ],
        columns=3,
        uses=["mlp"],
    )


def _decay(recipe: Recipe) -> float:
    """By what weight decay alone multiplies a weight in the whole training."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = OneCycleLR(optimizer, recipe.peak_learning_rate, total_steps=recipe.steps + 1)
    left = 1.0
    for _ in range(recipe.steps):
        left *= 1 - optimizer.param_groups[0]["lr"] * recipe.weight_decay
        optimizer.step()
        schedule.step()
    return left


def _start_share(images: Floats, kept: Floats) -> dict[str, Any]:
    """How much of the variance of weights (units, 28, 28) is what is left of their start.

    `half` counts the units of which it is more than half.
    """
    of_units = kept.var((1, 2)) / images.var((1, 2))
    return {"all": float(kept.var() / images.var()), "half": int((of_units > 0.5).sum())}


def _short_start_share(context: Context) -> float:
    """The same after a short training."""
    name = "short-mlp-0"
    trained, kept = context.trained(name), _decay(context.recipe(name))
    start, end = trained.snapshots[0]["fc1.weight"], trained.weights["fc1.weight"]
    return float((kept * start).var() / end.var())


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    images, fresh = _images(context), _images(context, 0)
    never, after, before = _never_lit(context), _mean_sizes(context), _mean_sizes(context, 0)
    decay = _decay(context.recipe("mlp"))
    moved = np.abs(images - decay * fresh)[:, never]  # (512, pixels never lit)
    some = bool(never.any())
    share = (context.train.images > 0).double().mean((0, 1)).numpy()  # (28, 28)
    return {
        "correlation": {
            "before": neighbour_correlation(fresh),
            "after": neighbour_correlation(images),
            "learned": neighbour_correlation(images - decay * fresh),
        },
        "start_share": _start_share(images, decay * fresh),
        "short_start_share": _short_start_share(context),
        "norms": {
            "largest": float(np.linalg.norm(images.reshape(len(images), -1), axis=1).max()),
            "start": float(np.linalg.norm(fresh.reshape(len(fresh), -1), axis=1).mean()),
        },
        "strongest": _STRONGEST,
        "spread": _SPREAD,
        "never_lit": int(never.sum()),
        "before": float(before.mean()),
        "lit": float(after[~never].mean()),
        "corner": float(after[never].mean()) if some else 0.0,
        "seldom": float(after[(share < 0.05) & ~never].mean()),
        "often": float(after[share > 0.3].mean()),
        "decay": decay,
        "deviation": float(moved.max()) if some else 0.0,
    }
