"""Figures of the chapter "Watching LeNet learn": the gradients of one image, layer by layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.figure.figure import Figure, Panel, Variant, message, picture
from cnnviz.inside.recording import record
from gen.context import Context, shared
from gen.figures.own_scales import own_scales

DIGIT = 3
"""The class whose example the chapter follows."""

PLAIN = "sgd-lenet-0"
"""The net whose gradients are shown: SGD, so that a step is what the formula says."""


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
    passes = {step: _both_ways(context, step) for step in _backward_steps(context)}
    first, middle, last = passes.values()
    logits = middle.values["output"][0].detach()
    conv1 = middle.value_gradients["conv1"]
    return {
        "digit": context.test.class_names[DIGIT],
        "losses": [first.loss, middle.loss, last.loss],
        "middle_step": _backward_steps(context)[1],
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
    }  # fmt: skip
