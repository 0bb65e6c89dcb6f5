"""Figures of the chapter "ReLU and its relatives": units that never answer, and how they died."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts, palettes
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import (
    Figure,
    Legend,
    Panel,
    Say,
    Variant,
    message,
    picture,
    scale_legend,
)
from cnnviz.inside.recording import record
from cnnviz.numbers import significant, thousands
from cnnviz.training.brief import train_briefly
from gen.context import Context, shared

DIGIT = 5
COUNT = 2000
"""Test images on which a unit must never answer to count as dead."""

DIED, HEALTHY = "sgd-lenet-high-rate", "sgd-lenet-0"
MOMENTUM = 0.9  # of SGD, as in cnnviz.training.fit
LEAK = 0.01  # slope of leaky ReLU on the left
RESCUE_STEPS = 30
_LENET = ("relu1", "relu2", "relu3", "relu4")
_PER_CLASS = 16
_CEILING = 15.0  # of the loss in the chart


@shared
def _activity(context: Context, name: str, step: int | None = None) -> dict[str, Tensor]:
    """For each ReLU, the share of test images on which each unit or channel answers at all."""
    inputs = context.inputs(name, context.test.images[:COUNT])
    layers = list(_LENET if "lenet" in name else _LENET[:2])
    recorded = record(context.model(name, step), inputs, layers=layers)
    return {
        layer: (values > 0).flatten(2).any(2).double().mean(0)
        if values.ndim == 4
        else (values > 0).double().mean(0)
        for layer, values in recorded.items()
    }


def _dead(context: Context, name: str, step: int | None = None) -> dict[str, int]:
    return {layer: int((a == 0).sum()) for layer, a in _activity(context, name, step).items()}


def answers(context: Context) -> Figure:
    """Which unit of fc1 answers to which image: dead units are rows without light."""
    labels = context.test.labels.numpy()
    classes = range(len(context.test.class_names))
    chosen = [np.resize(np.flatnonzero(labels == label), _PER_CLASS) for label in classes]
    inputs = context.inputs("lenet", context.test.images[np.concatenate(chosen)])
    values = record(context.model("lenet"), inputs, layers=["relu3"])["relu3"].numpy()  # (160, 120)
    dead = _activity(context, "lenet")["relu3"].numpy() == 0  # (120,)
    values = np.where(dead, 0, values)
    shares = values / values.max(0).clip(1e-9)
    blocks = shares.reshape(len(classes), _PER_CLASS, -1)  # (10, 16, 120)
    favourite = blocks.mean(1).argmax(0)  # (120,)
    order = np.lexsort((-blocks.mean(1).max(0), np.where(dead, 99, favourite)))
    tiles = blocks[:, :, order].transpose(0, 2, 1)  # (10, 120, 16)
    drawn = mosaic(tiles, columns=len(classes), scale=(0, 1), signed=False)
    legend = Legend(message("legend"), palettes.css_gradient(drawn.palette), "0", "1")
    return Figure(
        alt=message("alt", units=len(dead), images=_PER_CLASS, dead=dead.sum()),
        panels=[Panel(picture(drawn, 4))],
        legends=[legend],
        uses=["lenet"],
    )


def death(context: Context) -> Figure:
    """The second convolution of the net that died, along the training."""
    variants = []
    steps = context.trained(DIED).history.step
    loss = context.trained(DIED).history.loss
    for step in steps:
        recorded = context.recording(DIED, step)
        counts = _dead(context, DIED, step)
        before, after = (recorded[name][DIGIT].numpy() for name in ("conv2", "relu2"))
        # A scale for each map: a few have huge values, beside which the others would look empty.
        drawn = [mosaic(maps, columns=16, scale="map", signed=True) for maps in (before, after)]
        meaning = message(
            "meaning",
            step=step,
            loss=loss[min(step, len(loss) - 1)],
            dead=counts["relu2"],
            channels=len(after),
        )
        variants.append(
            Variant(
                str(step),
                [
                    Panel(picture(drawn[0], 3.9), message("panels.before")),
                    Panel(picture(drawn[1], 3.9), message("panels.after")),
                ],
                [scale_legend(drawn[0], "map", meaning)],
            )
        )
    first, last = (_dead(context, DIED, step)["relu2"] for step in (steps[0], steps[-1]))
    return Figure(
        alt=message("alt", first=first, last=last),
        variants=variants,
        scrub=message("scrub"),
        layout="column",
        uses=[DIED],
    )


def dying(context: Context) -> Figure:
    """Loss, and the share of dead units by layer, of the net that died."""
    history = context.trained(DIED).history
    healthy = context.trained(HEALTHY).history.loss
    # One batch may lose thousands of times more; it is drawn as far as the chart goes.
    ceiling = min(_CEILING, 1.05 * max(history.loss))

    def losses(say: Say) -> str:
        # The loss of a step is that of the weights before it. The same axis as below.
        return charts.line_chart(
            {
                say(f"loss.{name}"): (
                    np.arange(len(loss)).clip(0.5),
                    np.minimum(loss, ceiling),
                )
                for name, loss in (("high rate", history.loss), ("low rate", healthy))
            },
            title=say("loss.title"),
            x_label=say("steps"),
            y_label=say("loss.y"),
            log_x=True,
            markers=False,
            y_limits=(0, ceiling),
            size=(640, 240),
        )

    shares: dict[str, list[float]] = {layer: [] for layer in _LENET}
    for step in history.step:
        for layer, active in _activity(context, DIED, step).items():
            shares[layer].append(float((active == 0).double().mean()))
    steps = [max(step, 0.5) for step in history.step]

    def dead(say: Say) -> str:
        return charts.line_chart(
            {layer: (steps, share) for layer, share in shares.items()},
            title=say("dead.title"),
            x_label=say("steps"),
            y_label=say("dead.y"),
            percent=True,
            log_x=True,
            y_limits=(0, 1.02),
            size=(640, 260),
        )

    return Figure(
        alt=message(
            "alt",
            highest=max(history.loss),
            last=history.loss[-1],
            layers=[(layer, share[-1]) for layer, share in shares.items()],
        ),
        panels=[Panel(losses, message("panels.loss")), Panel(dead, message("panels.dead"))],
        layout="column",
        uses=[DIED, HEALTHY],
    )


def _deaths(context: Context) -> dict[str, Any]:
    """When the channels of conv2 died, how large its weights are, and both in the other run."""
    steps = context.trained(DIED).history.step
    dead = [_dead(context, DIED, step)["relu2"] for step in steps]
    healthy = [_dead(context, HEALTHY, step)["relu2"] for step in steps]
    at_end = [context.trained(name).weights["conv2.weight"] for name in (DIED, HEALTHY)]
    sizes = [float(weights.square().mean().sqrt()) for weights in at_end]
    return {
        "none_until": max((s for s, d in zip(steps, dead, strict=True) if d == 0), default=0),
        "most_at": steps[int(np.argmax(dead))],
        "most": max(dead),
        "healthy_most": max(healthy),
        "weights_times": sizes[0] / max(sizes[1], 1e-9),
    }


GRADIENT_IMAGES = 500


def _fresh(context: Context, name: str, leaky: float = 0.0) -> nn.Module:
    """A copy of the network to change and to train; with `leaky`, that slope for its ReLUs."""
    model = context.trained(name).model()
    if leaky:
        for layer in _LENET:
            setattr(model, layer, nn.LeakyReLU(leaky))
    return model


def _rescued(context: Context, rate: float) -> bool:
    """Whether the loss of the dead network falls at that rate once its ReLUs are leaky."""
    model = _fresh(context, DIED, LEAK)
    losses = train_briefly(model, context.train, RESCUE_STEPS, rate, optimizer="sgd")
    return losses[-1] < losses[0]  # false, too, where the last is not a number


def _times_smaller(context: Context) -> int:
    """By how much the rate of the healthy network must shrink to rescue the dead one; 0: never."""
    rate = context.recipe(HEALTHY).peak_learning_rate
    factors = (10**power for power in range(7))
    return next((factor for factor in factors if _rescued(context, rate / factor)), 0)


def _gradients(context: Context, name: str, leaky: float = 0.0) -> dict[str, float]:
    """Largest gradient of each set of parameters over some training images."""
    model = _fresh(context, name, leaky)
    images = context.train.images[:GRADIENT_IMAGES]
    labels = context.train.labels[:GRADIENT_IMAGES]
    torch.autograd.backward(F.cross_entropy(model(to_input(images)), labels))
    result = {}
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None
        result[key] = float(parameter.grad.abs().max())
    return result


def _dead_gradient(context: Context) -> dict[str, float]:
    """Largest gradient of fc1's weights in LeNet: rows of dead units, and of the others."""
    model = context.trained("lenet").model()
    images, labels = context.test.images[:COUNT], context.test.labels[:COUNT]
    torch.autograd.backward(F.cross_entropy(model(context.inputs("lenet", images)), labels))
    parameters = dict(model.named_parameters())
    weight, outgoing = parameters["fc1.weight"], parameters["fc2.weight"]
    assert weight.grad is not None
    assert outgoing.grad is not None
    dead = _activity(context, "lenet")["relu3"] == 0
    rows = weight.grad.abs().amax(1)  # (120,)
    columns = outgoing.grad.abs().amax(0)  # (120,) what leaves each unit
    norms = weight.detach().norm(dim=1)
    return {
        "dead": float(rows[dead].max()) if dead.any() else 0.0,
        "outgoing": float(columns[dead].max()) if dead.any() else 0.0,
        "alive": float(rows[~dead].max()) if (~dead).any() else 0.0,
        "norm_dead": float(norms[dead].mean()) if dead.any() else 0.0,
        "norm_alive": float(norms[~dead].mean()) if (~dead).any() else 0.0,
    }


def _lives(context: Context) -> dict[str, int]:
    """How the dead units of LeNet's fc1 and fc2 came about over the snapshots."""
    steps = context.trained("lenet").history.step
    dead = torch.stack(
        [torch.cat([_activity(context, "lenet", s)[n] == 0 for n in _LENET[2:]]) for s in steps]
    )  # (steps, 204)
    return {
        "start": int(dead[0].sum()),
        "end": int(dead[-1].sum()),
        "both": int((dead[0] & dead[-1]).sum()),
        "most": int(dead.sum(1).max()),
        "most_step": int(steps[int(dead.sum(1).argmax())]),
        "revived": int((dead[:-1] & ~dead[1:]).sum()),
        "units": dead.shape[1],
    }


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    history = context.trained(DIED).history
    gradients = _gradients(context, DIED)
    recorded = record(context.model(DIED), context.inputs(DIED, context.test.images[:COUNT]),
                      layers=["conv2", "output"])  # fmt: skip
    answers = context.logits(DIED).argmax(1)
    sizes = {layer: len(active) for layer, active in _activity(context, "lenet").items()}
    sizes_mlp = {layer: len(active) for layer, active in _activity(context, "mlp").items()}
    return {
        "count": min(COUNT, len(context.test)),
        "lenet": _dead(context, "lenet"),
        "lenet_units": sizes,
        "mlp": _dead(context, "mlp"),
        "mlp_units": sizes_mlp,
        "died": _dead(context, DIED),
        "died_accuracy": context.evaluation(DIED).accuracy,
        "died_answers": int(answers.unique().numel()),
        "died_loss": history.loss[-1],
        "worst_loss": max(history.loss),
        "worst_step": int(np.argmax(history.loss)) + 1,
        "healthy_accuracy": context.evaluation(HEALTHY).accuracy,
        "rate": context.recipe(DIED).peak_learning_rate,
        "healthy_rate": context.recipe(HEALTHY).peak_learning_rate,
        "gradient_images": GRADIENT_IMAGES,
        "tensors": len(gradients),
        "without_gradient": sum(value == 0 for value in gradients.values()),
        "with_gradient": [key for key, value in gradients.items() if value > 0],
        "highest": float(recorded["conv2"].max()),
        "highest_text": significant(float(recorded["conv2"].max())),
        "lowest_text": thousands(float(recorded["conv2"].min())),
        "same_output": float(recorded["output"].std(0).max()),
        "gradients": gradients,
        "healthy_gradients": _gradients(context, HEALTHY),
        "leaky_gradients": _gradients(context, DIED, LEAK),
        "rescue_steps": RESCUE_STEPS,
        "times_smaller": _times_smaller(context),
        "dead_gradient": _dead_gradient(context),
        "lives": _lives(context),
        "deaths": _deaths(context),
        "momentum": MOMENTUM,
        "ceiling": _CEILING,
    }
