"""Figures of the chapter "How it learns": the loss, its gradients, and kernels as they form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.drawing import charts, palettes
from cnnviz.drawing.chain import Stage, chain
from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.figure.figure import Figure, Legend, Panel, Variant, message, picture
from cnnviz.inside.recording import record
from cnnviz.numbers import significant
from cnnviz.words import Message, Say
from gen.context import Context, shared

DIGIT = 3
"""The class whose example the chapter follows."""

PLAIN = "sgd-lenet-0"
"""The net on whose loss the chapter walks: plain SGD, so that a step is what the formula says."""

_IMAGES = 512  # training images over which the loss is taken
_STEPS = 8  # steps of each walk
_VISIBLE = 2.0  # learning rate of the step that is drawn

Floats = NDArray[np.float64]


class _Slope(NamedTuple):
    """The loss as a function of one weight of conv1, all others fixed."""

    step: int  # of the snapshot
    kernel: int
    row: int
    column: int
    weight: float
    loss: float
    gradient: float
    weights: Floats  # (P,) along the valley, downhill to the right
    losses: Floats  # (P,)


@shared
def _valley(context: Context) -> tuple[_Slope, Any]:
    """The weight of conv1 with the steepest loss, half-way through; and a function of it.

    The function gives loss and gradient at any value of this weight.
    """
    trained = context.trained(PLAIN)
    step = trained.history.step[-3]
    model = trained.model(step)
    images = context.inputs(PLAIN, context.train.images[:_IMAGES])
    labels = context.train.labels[:_IMAGES]
    kernel = model.get_parameter("conv1.weight")

    def at(value: float | None = None) -> tuple[float, Tensor]:
        if value is not None:
            with torch.no_grad():
                kernel.view(-1)[index] = value
        loss = F.cross_entropy(model(images), labels)
        return loss.item(), torch.autograd.grad(loss, kernel)[0].flatten()

    index = 0
    loss, gradients = at()
    index = int(gradients.abs().argmax())
    weight, gradient = float(kernel.detach().view(-1)[index]), float(gradients[index])
    downhill = -1.0 if gradient > 0 else 1.0
    weights = np.sort(weight + downhill * np.linspace(-1.5, 3.5, 26))
    losses = np.array([at(float(value))[0] for value in weights])
    kernel_index, row, column = np.unravel_index(index, (6, 5, 5))
    slope = _Slope(step, int(kernel_index), int(row), int(column), weight, loss, gradient,
                   weights, losses)  # fmt: skip

    def of(value: float) -> tuple[float, float]:
        loss, gradients = at(value)
        return loss, float(gradients[index])

    return slope, of


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
        uses=[PLAIN],
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
        uses=[PLAIN],
    )


TINY = {"x": 2.0, "w": 0.5, "b": -0.2, "v": 1.5, "t": 2.0}
"""The tiny network of the chapter: v · relu(w·x + b) should be t."""


TWO = {"x": 2.0, "w1": 0.5, "w2": 0.25, "v1": 1.5, "v2": -1.0, "t": 2.0}
"""Two units side by side: v1 · relu(w1·x) + v2 · relu(w2·x) should be t."""


def _two_units() -> dict[str, float]:
    """What comes back to x by way of each of the two units, and what autograd has for x."""
    x = torch.tensor(TWO["x"], dtype=torch.float64, requires_grad=True)
    h1, h2 = F.relu(TWO["w1"] * x), F.relu(TWO["w2"] * x)
    z = TWO["v1"] * h1 + TWO["v2"] * h2
    loss = (z - TWO["t"]) ** 2
    dx, dz = (float(g) for g in torch.autograd.grad(loss, (x, z)))
    paths = {"first": dz * TWO["v1"] * TWO["w1"], "second": dz * TWO["v2"] * TWO["w2"]}
    return {**TWO, "h1": h1.item(), "h2": h2.item(), "z": z.item(), "dz": dz, "dx": dx} | paths


def _tiny(values: dict[str, float] = TINY) -> dict[str, float]:
    """Values and gradients of the tiny network, as autograd has them."""
    w, b, v = (torch.tensor(values[k], dtype=torch.float64, requires_grad=True) for k in "wbv")
    a = w * values["x"] + b
    h = F.relu(a)
    z = v * h
    loss = (z - values["t"]) ** 2
    names = ("w", "b", "v", "a", "h", "z")
    found = torch.autograd.grad(loss, (w, b, v, a, h, z))
    gradients = {f"d{name}": float(g) for name, g in zip(names, found, strict=True)}
    return {**values, "a": a.item(), "h": h.item(), "z": z.item(), "loss": loss.item()} | gradients


def backward(context: Context) -> Figure:
    """A network of two weights: values down, gradients up."""
    n = _tiny()
    show = significant
    stages = [
        Stage("x", n["x"]),
        Stage("a = w·x + b", n["a"], n["da"], "× 1 (a > 0)",
              [("w", n["w"], n["dw"], f"{show(n['da'])} × {show(n['x'])}"),
               ("b", n["b"], n["db"], f"{show(n['da'])} × 1")]),
        Stage("h = ReLU(a)", n["h"], n["dh"], f"× v = {show(n['v'])}"),
        Stage("z = v·h", n["z"], n["dz"], "2(z − t)",
              [("v", n["v"], n["dv"], f"{show(n['dz'])} × {show(n['h'])}")]),
        Stage("L = (z − t)²", n["loss"], 1.0),
    ]  # fmt: skip

    def draw(say: Say) -> str:
        headings = [say(f"headings.{key}") for key in ("forward", "backward", "parameters")]
        return chain(stages, headings, title=say("title"))

    return Figure(alt=message("alt", **n), panels=[Panel(draw)])


class _Pass(NamedTuple):
    """One digit forward and back through the net of one snapshot."""

    values: dict[str, Tensor]
    value_gradients: dict[str, Tensor]
    weight_gradients: dict[str, Tensor]
    model: nn.Module
    loss: float


@shared
def _both_ways(context: Context, step: int) -> _Pass:
    model = context.trained(PLAIN).model(step)
    image = context.inputs(PLAIN, context.examples[DIGIT : DIGIT + 1])
    values = record(model, image, functional=False, gradients=True)
    loss = F.cross_entropy(values["output"], torch.tensor([DIGIT]))
    wanted = dict(model.named_parameters())
    found = torch.autograd.grad(loss, [*values.values(), *wanted.values()])
    by_value = dict(zip(values, found[: len(values)], strict=True))
    by_weight = dict(zip(wanted, found[len(values) :], strict=True))
    return _Pass(values, by_value, by_weight, model, loss.item())


def _backward_steps(context: Context) -> list[int]:
    steps = context.trained(PLAIN).history.step
    return [steps[0], steps[-4], steps[-1]]


def gradients(context: Context) -> Figure:
    """Weights, activations and the gradients of both, side by side, at three moments."""
    kinds = ("weights", "weight gradient", "activations", "activation gradient")
    kinds_of_output = (*kinds[:2], "logits", "logit gradient")
    variants, losses = [], []
    legend = own_scales(message("meaning"))
    for step in _backward_steps(context):
        both = _both_ways(context, step)
        losses.append(both.loss)
        panels = []
        for layer, scales in (("conv1", (9, 9, 1.88, 1.88)), ("conv2", (1.7, 1.7, 3.77, 3.77)),
                              ("output", (1.92, 1.92, 16, 16))):  # fmt: skip
            weight = both.model.get_parameter(f"{layer}.weight")
            arrays = (weight, both.weight_gradients[f"{layer}.weight"],
                      both.values[layer], both.value_gradients[layer])  # fmt: skip
            shown = kinds_of_output if layer == "output" else kinds
            for place, (array, kind, scale) in enumerate(zip(arrays, shown, scales, strict=True)):
                drawn = _tile(array.detach(), place >= 2)
                named, limit = message(f"kinds.{kind}"), float(drawn.limits[0, 1])
                label = message("label", layer=layer, kind=named, limit=limit)
                panels.append(Panel(picture(drawn, scale), label))
        variants.append(Variant(message("moment", step=step), panels, [legend]))
    first, middle, last = losses
    digit = context.test.class_names[DIGIT]
    return Figure(
        alt=message("alt", digit=digit, first=first, middle=middle, last=last),
        variants=variants,
        chosen=1,
        columns=4,
        uses=[PLAIN],
    )


def own_scales(meaning: Message) -> Legend:
    """The legend of signed pictures whose scales are their own and written above them."""
    return Legend(meaning, palettes.css_gradient("diverging"), "−max", "+max")


def _tile(array: Tensor, activation: bool) -> Mosaic:
    """Weights or activations of a layer as a block about as wide as high, signed, one scale."""
    if array.ndim == 2:
        wide = array.repeat_interleave(4 if not activation else 1, dim=0)
        return mosaic(wide.numpy()[None], scale="layer", signed=True)
    if activation:  # (1, C, H, W)
        columns = 3 if array.shape[1] == 6 else 4
        return mosaic(array[0].numpy(), columns=columns, scale="layer", signed=True)
    if array.shape[1] == 1:  # conv1 (6, 1, 5, 5)
        return mosaic(array[:, 0].numpy(), columns=3, scale="layer", signed=True)
    slices = array.transpose(0, 1).numpy()  # (6, 16, 5, 5)
    return mosaic(np.ascontiguousarray(slices), scale="layer", signed=True)


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    slope, at = _valley(context)
    after = slope.weight - _VISIBLE * slope.gradient
    passes = {step: _both_ways(context, step) for step in _backward_steps(context)}
    first, middle, last = passes.values()
    logits = middle.values["output"][0].detach()
    conv1 = middle.value_gradients["conv1"]
    tiny = _tiny()
    after_tiny = {
        rate: _tiny(TINY | {k: tiny[k] - rate * tiny[f"d{k}"] for k in "wbv"})
        for rate in (0.02, 0.1)
    }
    return {
        "digit": context.test.class_names[DIGIT],
        "valley": {
            "step": slope.step,
            "images": _IMAGES,
            "kernel": slope.kernel,
            "row": slope.row,
            "column": slope.column,
            "weight": slope.weight,
            "loss": slope.loss,
            "gradient": slope.gradient,
            "rate": _VISIBLE,
            "after": after,
            "loss_after": at(after)[0],
            "promised": -_VISIBLE * slope.gradient**2,
        },
        "walks": {name: {"rate": rate, "end": losses[-1], "highest": max(losses[1:])}
                  for name, (rate, _, losses) in _walks(context).items()},
        "walk_steps": _STEPS,
        "tiny": tiny,
        "two": _two_units(),
        "tiny_after": {"small": after_tiny[0.02]["loss"], "large": after_tiny[0.1]["loss"]},
        "tiny_dead": _tiny(TINY | {"b": -1.5}),
        "losses": [first.loss, middle.loss, last.loss],
        "middle_step": _backward_steps(context)[1],
        "conv1_gradient_sizes": [float(p.weight_gradients["conv1.weight"].norm())
                                 for p in passes.values()],
        "probability": float(logits.softmax(0)[DIGIT]),
        "output_gradient": float(middle.value_gradients["output"][0, DIGIT]),
        "gradient_off_by": float((middle.value_gradients["output"][0]
                                  - logits.softmax(0) + F.one_hot(torch.tensor(DIGIT), len(logits))
                                  ).abs().max()),
        "output_gradient_sum": float(middle.value_gradients["output"].sum().abs()),
        "conv1_touched": float((conv1 != 0).float().mean()),
        "first_loss": context.trained("lenet").history.loss[0],
        "chance_loss": float(np.log(len(context.test.class_names))),
        "plain_steps": context.recipe(PLAIN).steps,
        "parameters": sum(p.numel() for p in first.model.parameters()),
    }  # fmt: skip
