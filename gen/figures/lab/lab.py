"""The lab: digits to begin with, and a worked example for readers without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torch.nn import functional

from cnnviz.drawing.diagrams import weighted_sum
from cnnviz.drawing.mosaic import mosaic
from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD
from cnnviz.words import Say
from gen.context import Context
from gen.figure.figure import GREY_LEGEND, Figure, Legend, Panel, message, picture
from gen.lab.samples import pack_pixels

DIGIT = 7
"""The class whose example is worked through; the lab begins with it too."""

_LINEAR = {"output": "relu4", "fc2": "relu3", "fc1": "pool2"}
_BLOCKS = (("pool2", "relu2", "conv2", "pool1", 0), ("pool1", "relu1", "conv1", "centred", 2))


class Step(NamedTuple):
    """One value on the way from a logit down to a pixel.

    Attributes:
        layer: where it is, at `place`: (unit,) or (channel, row, column).
        terms: how many values of the layer below it was made from.
    """

    layer: str
    place: tuple[int, ...]
    value: float
    terms: int


def one_value(context: Context) -> Figure:
    """The largest value of conv1 for one digit: its patch, its kernel, their products and sum."""
    channel, row, column = _largest(context)
    patch, kernel, bias = _patch(context, row, column), *_kernel(context, channel)
    value = float((patch * kernel).sum() + bias)
    image = mosaic(context.examples[DIGIT].numpy(), scale=(0, 255), palette="grey")

    def draw(say: Say) -> str:
        return weighted_sum(
            patch,
            kernel,
            patch_palette="diverging",
            patch_label=say("patch"),
            kernel_label=say("kernel", channel=channel),
            products_label=say("products"),
            sum_label=say("sum"),
            title=say("title"),
            cell=34,
        )

    written = f"{value - bias:.4f} {'+' if bias >= 0 else '−'} {abs(bias):.4f} = {value:.4f}"
    return Figure(
        alt=message(
            "alt",
            digit=context.test.class_names[DIGIT],
            channel=channel,
            row=row,
            column=column,
            formula=written,
        ),
        panels=[Panel(picture(image, 4), message("input")), Panel(draw)],
        legends=[GREY_LEGEND, Legend(message("legend"))],
        layout="column",
        uses=["lenet"],
    )


def _largest(context: Context) -> tuple[int, int, int]:
    """Channel, row and column of the largest value of conv1 whose patch lies in the image."""
    maps = context.recording("lenet")["conv1"][DIGIT][:, 2:-2, 2:-2].numpy()
    channel, row, column = np.unravel_index(maps.argmax(), maps.shape)
    return int(channel), int(row) + 2, int(column) + 2


def _patch(context: Context, row: int, column: int) -> np.ndarray:
    """What the first layer sees around a pixel: (5, 5), centred."""
    pixels = context.examples[DIGIT, 0].double().numpy() / 255
    around: np.ndarray = pixels[row - 2 : row + 3, column - 2 : column + 3]
    return (around - PIXEL_MEAN) / PIXEL_STD


def _kernel(context: Context, channel: int) -> tuple[np.ndarray, float]:
    weights = context.trained("lenet").weights
    return (
        weights["conv1.weight"][channel, 0].double().numpy(),
        float(weights["conv1.bias"][channel]),
    )


# ---------- From a logit to a pixel ----------


def trail(context: Context) -> list[Step]:
    """From the winning logit by the largest term of each sum, of either sign, down to a pixel."""
    outputs = {name: value[DIGIT].double() for name, value in context.recording("lenet").items()}
    outputs["pixels"] = context.examples[DIGIT].double() / 255  # (1, 28, 28)
    outputs["centred"] = (outputs["pixels"] - PIXEL_MEAN) / PIXEL_STD
    weights = {k: v.double() for k, v in context.trained("lenet").weights.items()}
    steps = []

    def reach(layer: str, at: Sequence[int], terms: int) -> None:
        steps.append(Step(layer, tuple(at), float(outputs[layer][tuple(at)]), terms))

    place = [int(outputs["output"].argmax())]
    for layer, below in _LINEAR.items():
        reach(layer, place, outputs[below].numel())
        weight = weights[f"{layer}.weight"][place[0]].view_as(outputs[below])
        place = _strongest(weight, outputs[below])
        if below != "pool2":
            reach(below, place, 1)
    for pool, relu, conv, image, padding in _BLOCKS:
        reach(pool, place, 4)
        channel, row, column = place[0], 2 * place[1], 2 * place[2]
        window = outputs[relu][channel, row : row + 2, column : column + 2]
        down, right = divmod(int(window.flatten().argmax()), 2)
        place = [channel, row + down, column + right]
        reach(relu, place, 1)
        kernel = weights[f"{conv}.weight"][channel]  # (inputs, 5, 5)
        reach(conv, place, kernel.numel())
        padded = functional.pad(outputs[image], (padding,) * 4)
        patch = padded[:, place[1] : place[1] + 5, place[2] : place[2] + 5]
        below_channel, i, j = _strongest(kernel, patch)
        place = [below_channel, place[1] + i - padding, place[2] + j - padding]
    reach("centred", place, 1)
    reach("pixels", place, 0)
    return steps


def _strongest(weights: Tensor, values: Tensor) -> list[int]:
    """Where weight × value is largest in size; never in the padding, whose values are 0."""
    products = (weights * values).abs()
    return [int(i) for i in np.unravel_index(int(products.argmax()), products.shape)]


# ---------- Digits to load ----------


def numbers(context: Context) -> dict[str, Any]:
    """The digits to load, and the way from a logit to a pixel."""
    test, misread = (
        context.test,
        set(
            (context.logits("lenet").argmax(1) != context.test.labels).nonzero().flatten().tolist()
        ),
    )
    return {
        "samples": [
            {
                "label": int(test.labels[index]),
                "index": index,
                "misread": index in misread,
                "pixels": pack_pixels(test.images[index]),
            }
            for index in [*context.example_indices, *context.misread_indices]
        ],
        "digit": test.class_names[DIGIT],
        "trail": [
            {
                "layer": step.layer,
                "place": ", ".join(map(str, step.place)),
                "value": step.value,
                "terms": step.terms,
            }
            for step in trail(context)
        ],
        "values": sum(value[0].numel() for value in context.recording("lenet").values()),
        "accuracy": context.evaluation("lenet").accuracy,
    }
