"""Figures of the chapter "LeNet, layer by layer": one digit from pixels to an answer."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.diagrams import kernel_grid, tensor_blocks
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Panel, Say, message, picture, scale_legend
from cnnviz.inside.kernel_shape import ENOUGH, kernel_shape
from cnnviz.inside.recording import record
from cnnviz.nets.models import parameter_count
from cnnviz.numbers import times
from cnnviz.training.runs import SEEDS
from gen.context import Context

DIGIT = 7
"""The class whose example the chapter follows."""

ACTIVITY_COUNT = 2000
"""Test images over which zeros and dead units are counted."""

_JOURNEY = ("conv1", "relu1", "pool1"), ("conv2", "relu2", "pool2")


def _maps(context: Context, layer: str, digit: int = DIGIT) -> np.ndarray:
    """Feature maps (C, H, W) of one layer for the example of one class."""
    return context.recording("lenet")[layer][digit].numpy()


def _weight(context: Context, name: str) -> np.ndarray:
    return context.trained("lenet").weights[f"{name}.weight"].numpy()


def architecture(context: Context) -> Figure:
    """All layers as boxes, with their shapes."""
    outputs = context.recording("lenet")
    blocks = [("input", (1, 28, 28))]
    for name in ("conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "output"):
        shape = tuple(outputs[name].shape[1:])
        blocks.append((name, shape if len(shape) == 3 else (shape[0], 1, 1)))
    shapes = [times(shape) for _, shape in blocks]
    return Figure(
        alt=message("alt", shapes=shapes),
        panels=[Panel(lambda say: tensor_blocks(blocks, title=say("title")))],
    )


def conv1_filters(context: Context) -> Figure:
    """The six 5×5 kernels of the first layer, after and before training."""
    trained = _weight(context, "conv1")[:, 0]  # (6, 5, 5)
    fresh = context.trained("lenet").snapshots[0]["conv1.weight"][:, 0].numpy()
    peak = float(np.abs(trained).max())
    after = mosaic(trained, columns=6, scale=(-peak, peak))
    before = mosaic(fresh, columns=6, scale=(-peak, peak))
    named = [[index, message(f"kinds.{kind}")] for index, kind in _first_kernels(context)["named"]]
    return Figure(
        alt=message("alt", peak=peak, kernels=named),
        panels=[
            Panel(picture(after, 16), message("panels.after")),
            Panel(picture(before, 16), message("panels.before")),
        ],
        legends=[scale_legend(after, "layer", message("weight"))],
        layout="column",
        uses=["lenet"],
    )


def _largest_kernel(context: Context) -> int:
    """The kernel with the largest weight."""
    weights = _weight(context, "conv1")[:, 0]
    return int(np.abs(weights).reshape(len(weights), -1).max(1).argmax())


def conv1_kernel_numbers(context: Context) -> Figure:
    """The kernel with the largest weight, its 25 numbers written out."""
    index = _largest_kernel(context)
    kernel = _weight(context, "conv1")[index, 0]
    return Figure(
        alt=message("alt", kernel=index, largest=kernel.max(), smallest=kernel.min()),
        panels=[Panel(lambda say: kernel_grid(kernel, title=say("title", kernel=index)))],
        uses=["lenet"],
    )


def _stages(
    context: Context, layers: tuple[str, ...], columns: int, sizes: dict[str, float]
) -> Figure:
    """Maps of convolution, ReLU and pooling below one another, on one scale."""
    peak = max(float(np.abs(_maps(context, layer)).max()) for layer in layers)
    panels, drawn = [], None
    for layer in layers:
        maps = _maps(context, layer)
        drawn = mosaic(maps, columns=columns, scale=(-peak, peak), signed=True)
        label = message("named", name=layer, what=times(maps.shape))
        panels.append(Panel(picture(drawn, sizes[layer]), label))
    assert drawn is not None
    zeros = float((_maps(context, layers[1]) == 0).mean())
    digit = context.test.class_names[DIGIT]
    return Figure(
        alt=message("stages.alt", digit=digit, layers=layers, zeros=zeros),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("stages.meaning"))],
        layout="column",
        uses=["lenet"],
    )


def conv1_maps(context: Context) -> Figure:
    """The six channels of the first block."""
    return _stages(context, _JOURNEY[0], 6, {"conv1": 3.9, "relu1": 3.9, "pool1": 7.58})


def conv2_filters(context: Context) -> Figure:
    """All 16×6 slices of the second convolution's kernels."""
    weights = _weight(context, "conv2").transpose(1, 0, 2, 3)  # (6 inputs, 16 outputs, 5, 5)
    drawn = mosaic(np.ascontiguousarray(weights), scale="layer")
    return Figure(
        alt=message("alt"),
        panels=[Panel(picture(drawn, 7))],
        legends=[scale_legend(drawn, "layer", message("weight"))],
        uses=["lenet"],
    )


def conv2_maps(context: Context) -> Figure:
    """The sixteen channels of the second block."""
    return _stages(context, _JOURNEY[1], 8, {"conv2": 7.5, "relu2": 7.5, "pool2": 14})


def fc_activations(context: Context) -> Figure:
    """The two hidden fully connected layers for one example of each class."""
    panels, legends = [], []
    for layer, size in (("relu3", 5.6), ("relu4", 8)):
        values = context.recording("lenet")[layer].numpy()  # (10, units)
        drawn = mosaic(values[None], scale="layer")
        label = message("named", name=layer, what=times(values.shape))
        panels.append(Panel(picture(drawn, size), label))
        legends.append(scale_legend(drawn, "layer", message("meaning", layer=layer)))
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=legends,
        layout="column",
        uses=["lenet"],
    )


def _class_bars(say: Say, key: str, values: dict[str, float], percent: bool = False) -> str:
    """A bar for each class: upright where the names are short, else from left to right."""
    lying = max(map(len, values)) > 4
    labels = say(f"{key}.value"), say("class")
    x_label, y_label = labels if lying else labels[::-1]
    return charts.bar_chart(values, title=say(f"{key}.title"), x_label=x_label, y_label=y_label,
                            percent=percent, horizontal=lying)  # fmt: skip


def logits_to_probabilities(context: Context) -> Figure:
    """Logits of one digit, and what softmax makes of them."""
    logits = context.recording("lenet")["output"][DIGIT]  # (10,)
    names = list(context.test.class_names)
    best = int(logits.argmax())
    shares = logits.softmax(0)
    raw = dict(zip(names, logits.tolist(), strict=True))
    probabilities = dict(zip(names, shares.tolist(), strict=True))
    return Figure(
        alt=message("alt", digit=names[DIGIT], best=names[best], probability=shares[best]),
        panels=[
            Panel(partial(_class_bars, key="logits", values=raw), message("panels.logits")),
            Panel(
                partial(_class_bars, key="probabilities", values=probabilities, percent=True),
                message("panels.probabilities"),
            ),
        ],
        uses=["lenet"],
    )


def _certainty(context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Largest probability (N,) and whether the answer is right (N,), on the test split."""
    logits = context.logits("lenet")
    largest, answer = logits.softmax(1).max(1)
    return largest.numpy(), (answer == context.test.labels).numpy()


def worst_pair(counts: np.ndarray) -> tuple[int, int, int]:
    """The confusion that happens most: true class, answer, count."""
    errors = counts - np.diag(np.diag(counts))
    true, answer = np.unravel_index(errors.argmax(), errors.shape)
    return int(true), int(answer), int(errors[true, answer])


def _shapes(kernels: Tensor) -> list[str]:
    """What kernels (N, 5, 5) look like, in a word each; "none" for no simple shape."""
    return [kernel_shape(kernel).kind for kernel in kernels.numpy()]


def _first_kernels(context: Context) -> dict[str, Any]:
    """What shapes the first layer's kernels have, and how many of other nets before and after."""
    shapes = _shapes(context.trained("lenet").weights["conv1.weight"][:, 0])
    short = [context.trained(f"short-lenet-{seed}") for seed in SEEDS]
    starts = torch.cat([trained.snapshots[0]["conv1.weight"][:, 0] for trained in short])
    ends = torch.cat([trained.weights["conv1.weight"][:, 0] for trained in short])  # (30, 5, 5)
    return {
        "named": [[index, kind] for index, kind in enumerate(shapes) if kind != "none"],
        "shapeless": [index for index, kind in enumerate(shapes) if kind == "none"],
        "enough": ENOUGH,
        "starts": len(starts),
        "starts_named": sum(kind != "none" for kind in _shapes(starts)),
        "ends_named": sum(kind != "none" for kind in _shapes(ends)),
        "short_nets": len(short),
        "short_steps": short[0].recipe.steps,
        "largest": _largest_kernel(context),
    }


def _activity(context: Context) -> dict[str, dict[str, float]]:
    """Share of zeros and number of dead units of each ReLU, over `ACTIVITY_COUNT` test images."""
    images = context.inputs("lenet", context.test.images[:ACTIVITY_COUNT])
    outputs: dict[str, Tensor] = record(context.model("lenet"), images)
    result = {}
    for layer in ("relu1", "relu2", "relu3", "relu4"):
        alive = (outputs[layer] > 0).transpose(0, 1).flatten(1).any(1)  # (C,)
        zeros = (outputs[layer] == 0).double().mean().item()
        result[layer] = {"zeros": zeros, "dead": int((~alive).sum()), "units": len(alive)}
    return result


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    trained = context.trained("lenet")
    evaluation = context.evaluation("lenet")
    certainty, right = _certainty(context)
    logits = context.recording("lenet")["output"][DIGIT]
    order = logits.argsort(descending=True)
    names = context.test.class_names
    true, answer, count = worst_pair(evaluation.confusion.numpy())
    weights = trained.weights
    result: dict[str, Any] = {
        "parameters": parameter_count(context.model("lenet")),
        "layers": {
            name: int(weights[f"{name}.weight"].numel() + weights[f"{name}.bias"].numel())
            for name in ("conv1", "conv2", "fc1", "fc2", "output")
        },
        "test_accuracy": evaluation.accuracy,
        "test_count": evaluation.count,
        "errors": round((1 - evaluation.accuracy) * evaluation.count),
        "per_class": evaluation.per_class,
        "digit": names[DIGIT],
        "logits": logits.tolist(),
        "probability": float(logits.softmax(0).max()),
        "best": names[int(order[0])],
        "best_logit": float(logits[order[0]]),
        "second": names[int(order[1])],
        "second_logit": float(logits[order[1]]),
        "second_probability": float(logits.softmax(0)[order[1]]),
        "ratio": math.exp(float(logits[order[0]] - logits[order[1]])),
        "sure_right": float(certainty[right].mean()),
        "sure_wrong": float(certainty[~right].mean()) if (~right).any() else 0.0,
        "confused": {"true": names[true], "answer": names[answer], "count": count},
        "kernels": _first_kernels(context),
        "activity": _activity(context),
        "activity_count": min(ACTIVITY_COUNT, len(context.test)),
        "steps": trained.recipe.steps,
        "images_seen": trained.recipe.steps * trained.recipe.batch_size,
        "train_count": len(context.train),
        "seconds": trained.history.seconds,
        "multiplications": {"conv1": 28 * 28 * 6 * 25, "conv2": 10 * 10 * 16 * 150},
        "label_smoothing": trained.recipe.label_smoothing,
    }
    if context.real is not None:
        real = predict_real(context)
        result["real"] = {"accuracy": real.accuracy, "count": real.count}
    return result


def predict_real(context: Context) -> Any:
    """How well LeNet reads MNIST's real test digits, when DATA_DIR has them."""
    from cnnviz.inside.evaluation import evaluate, predict

    assert context.real is not None
    logits = predict(context.model("lenet"), context.inputs("lenet", context.real.images))
    return evaluate(logits, context.real.labels, context.real.class_names)
