"""Figures of the chapter "How it learns": down the loss along a single weight of the MLP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from cnnviz.drawing import charts
from cnnviz.figure.figure import Figure, Panel, Variant, message
from cnnviz.inside.recording import record
from cnnviz.words import Say
from gen.context import Context, shared

_IMAGES = 512  # training images over which the loss is taken
_STEPS = 8  # steps of each walk
_VISIBLE = 10.0  # learning rate of the step that is drawn

Floats = NDArray[np.float64]


class _Slope(NamedTuple):
    """The loss as a function of one weight of the output layer, all others fixed."""

    step: int  # of the snapshot
    unit: int  # of the last hidden layer, from which the weight leads
    label: int  # the class to whose score it leads
    weight: float
    loss: float
    gradient: float
    weights: Floats  # (P,) along the valley, downhill to the right
    losses: Floats  # (P,)


def early_step(context: Context) -> int:
    """The snapshot of the MLP at which it has learned much and has much to learn."""
    steps = context.trained("mlp").history.step  # denser at the start
    return steps[min(len(steps) // 2 + 1, len(steps) - 1)]


@shared
def _valley(context: Context) -> tuple[_Slope, Callable[[float], tuple[float, float]]]:
    """The weight of the output layer with the steepest loss, and a function of it.

    The function gives loss and gradient at any value of this weight.
    """
    step = early_step(context)
    model = context.trained("mlp").model(step)
    labels = context.train.labels[:_IMAGES]
    images = context.inputs("mlp", context.train.images[:_IMAGES])
    hidden = record(model, images, layers=["relu2"])["relu2"]  # (N, 512)
    bias = model.get_parameter("output.bias")
    start = model.get_parameter("output.weight").detach()  # (10, 512)

    def at(weights: torch.Tensor) -> tuple[float, torch.Tensor]:
        wanted = weights.clone().requires_grad_()
        loss = F.cross_entropy(hidden @ wanted.T + bias, labels)
        return loss.item(), torch.autograd.grad(loss, wanted)[0]

    loss, gradients = at(start)
    label, unit = divmod(int(gradients.abs().argmax()), start.shape[1])

    def of(value: float) -> tuple[float, float]:
        changed = start.clone()
        changed[label, unit] = value
        loss, gradients = at(changed)
        return loss, float(gradients[label, unit])

    weight, gradient = float(start[label, unit]), float(gradients[label, unit])
    downhill = -1.0 if gradient > 0 else 1.0
    weights = np.sort(weight + downhill * np.linspace(-1.5, 3.5, 26))
    losses = np.array([of(float(value))[0] for value in weights])
    return _Slope(step, unit, label, weight, loss, gradient, weights, losses), of


def _curve(say: Say, slope: _Slope) -> dict[str, tuple[Any, Any]]:
    return {say("loss"): (slope.weights, slope.losses)}


def one_step(context: Context) -> Figure:
    """Loss over one weight, the tangent where it stands, and one step down."""
    slope, at = _valley(context)
    after = slope.weight - _VISIBLE * slope.gradient
    reached = at(after)[0]
    ends = np.array([slope.weight - 0.8, slope.weight + 0.8])
    tangent = slope.loss + slope.gradient * (ends - slope.weight)

    def draw(say: Say) -> str:
        series = _curve(say, slope)
        series[say("tangent")] = (ends, tangent)
        series[say("step")] = ([slope.weight, after], [slope.loss, reached])
        return charts.line_chart(
            series, title=say("title"), x_label=say("weight"), y_label=say("loss")
        )

    return Figure(
        alt=message(
            "alt",
            weight=slope.weight,
            loss=slope.loss,
            slope=slope.gradient,
            after=after,
            loss_after=reached,
        ),
        panels=[Panel(draw)],
        uses=["mlp"],
    )


@shared
def _walks(context: Context) -> dict[str, tuple[float, list[float], list[float]]]:
    """Descent along the valley at three rates: rate, weights and losses at each step."""
    slope, at = _valley(context)
    lowest = int(slope.losses[1:-1].argmin()) + 1
    width = float(slope.weights[1] - slope.weights[0])
    # A parabola through the floor and its neighbours: 1 / curvature leads straight to the floor.
    bend = float(slope.losses[lowest - 1] - 2 * slope.losses[lowest] + slope.losses[lowest + 1])
    right = width**2 / max(bend, 1e-4)

    def walked(rate: float) -> tuple[float, list[float], list[float]]:
        weight, places, losses = slope.weight, [], []
        for _ in range(_STEPS + 1):
            loss, gradient = at(weight)
            places.append(weight)
            losses.append(loss)
            weight -= rate * gradient
        return rate, places, losses

    # A step a little too long only leaps to and fro: the first rate with which it ends up clearly
    # worse off than it began is the one that is called too high.
    too_high = (walked(right * factor) for factor in (2.5, 3, 3.5, 4))
    high = next((walk for walk in too_high if walk[2][-1] > slope.loss + 0.01), None)
    return {
        "low": walked(right / 20),
        "right": walked(right / 2),
        "high": high or walked(right * 5),
    }


def walk(context: Context) -> Figure:
    """Eight steps along the same curve at three learning rates."""
    slope, at = _valley(context)
    variants = []
    walks = _walks(context)
    reached_by = [place for _, places, _ in walks.values() for place in places]
    wide = np.linspace(min(reached_by) - 0.3, max(reached_by) + 0.3, 31)
    curve = np.array([at(float(weight))[0] for weight in wide])
    span = [*curve, *(loss for _, _, losses in walks.values() for loss in losses)]
    for name, (rate, places, losses) in walks.items():

        def draw(say: Say, x: list[float] = places, y: list[float] = losses) -> str:
            return charts.line_chart(
                {say("loss"): (wide, curve), say("steps"): (x, y)},
                title=say("title"),
                x_label=say("weight"),
                y_label=say("loss"),
                y_limits=(min(span) - 0.02, max(span) + 0.02),
            )

        reached = message("reached", rate=rate, steps=_STEPS, loss=losses[-1])
        variants.append(Variant(message(f"rates.{name}"), [Panel(draw, reached)]))
    lows = {name: losses[-1] for name, (_, _, losses) in walks.items()}
    return Figure(
        alt=message("alt", steps=_STEPS, start=slope.loss, **lows),
        variants=variants,
        chosen=1,
        uses=["mlp"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    slope, at = _valley(context)
    after = slope.weight - _VISIBLE * slope.gradient
    return {
        "step": slope.step,
        "images": _IMAGES,
        "unit": slope.unit,
        "class": context.test.class_names[slope.label],
        "weight": slope.weight,
        "loss": slope.loss,
        "gradient": slope.gradient,
        "rate": _VISIBLE,
        "after": after,
        "loss_after": at(after)[0],
        "promised": -_VISIBLE * slope.gradient**2,
        "walks": {
            name: {"rate": rate, "end": losses[-1], "highest": max(losses[1:])}
            for name, (rate, _, losses) in _walks(context).items()
        },
        "walk_steps": _STEPS,
    }
