"""Figures of the chapter "Pooling": three ways to halve a map, on real maps with their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.drawing.diagrams import kernel_grid
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import seed_chart, spread
from cnnviz.inside.evaluation import accuracy, predict, shift
from cnnviz.inside.recording import record
from cnnviz.nets.models import parameter_count
from cnnviz.numbers import times
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figure.figure import Figure, Message, Panel, message, picture, scale_legend
from gen.figure.kept import Said

DIGIT = 3
"""The class whose example the chapter follows."""

PATCH = 6
"""Side of the patch whose numbers are written out."""

KINDS = ("lenet", "lenet-average", "lenet-strided")
SEEDS = range(3)
MOVED, MOVED_COUNT = 3, 1000
"""Pixels by which digits are moved for the second accuracy, and how many are."""

_WAYS = ("max", "average", "every second")


def runs(kind: str) -> list[str]:
    """Names of the short runs of a kind of pooling, one a seed."""
    return [f"short-{kind}-{seed}" for seed in SEEDS]


def halve(maps: Tensor, way: str) -> Tensor:
    """(N, C, H, W) → (N, C, H/2, W/2) in one of the ways that need no weights."""
    if way == "every second":
        return maps[..., ::2, ::2]
    return F.max_pool2d(maps, 2) if way == "max" else F.avg_pool2d(maps, 2)


@shared
def _place(context: Context) -> tuple[int, int, int]:
    """Channel of relu1 and corner (even row, even column) of the patch where most is going on."""
    maps = context.recording("lenet")["relu1"][DIGIT]  # (6, 28, 28)
    squares = maps[:, 4:24, 4:24].unfold(1, PATCH, 2).unfold(2, PATCH, 2)  # (6, 8, 8, 6, 6)
    # Many zeros beside large values: an edge runs through.
    spread_out = squares.flatten(3).std(3)
    channel, row, column = np.unravel_index(int(spread_out.argmax()), spread_out.shape)
    return int(channel), 4 + 2 * int(row), 4 + 2 * int(column)


def _block(context: Context) -> tuple[int, int]:
    """Row and column (of 3×3) of the 2×2 block on which the three ways differ most."""
    _, row, column = _place(context)
    patch = _map(context)[..., row : row + PATCH, column : column + PATCH]
    largest, mean, first = (halve(patch, way) for way in _WAYS)
    index = int(((largest - mean) * (mean - first).abs() * (largest - first)).argmax())
    return divmod(index, PATCH // 2)


def _map(context: Context) -> Tensor:
    """(1, 1, 28, 28), the map of relu1 that the chapter follows."""
    channel, _, _ = _place(context)
    return context.recording("lenet")["relu1"][DIGIT, channel][None, None]


def by_numbers(context: Context) -> Figure:
    """A patch of a real map, and what becomes of it in three ways."""
    _, row, column = _place(context)
    patch = _map(context)[..., row : row + PATCH, column : column + PATCH]
    limits = (0.0, float(patch.max()) or 1.0)
    block = _block(context)

    def grid(values: Tensor, title: Message) -> Panel:
        side = values.shape[-1] * 2 // PATCH  # 2 in the patch, 1 in what it becomes

        def draw(say: Say) -> str:
            return kernel_grid(
                values[0, 0].numpy(),
                title=say(title),
                palette="sequential",
                limits=limits,
                highlight=(block[0] * side, block[1] * side, side, side),
                write=lambda value: f"{value:.1f}",
                cell=34,
            )

        return Panel(draw, title)

    results = {way: halve(patch, way) for way in _WAYS}
    drawn = mosaic(patch[0].numpy(), scale=limits, signed=False)
    largest, mean, first = (float(result[0, 0, *block]) for result in results.values())
    return Figure(
        alt=message("alt", side=PATCH, largest=largest, mean=mean, first=first),
        panels=[
            grid(patch, message("patch", side=PATCH)),
            *(grid(result, message(f"ways.{way}")) for way, result in results.items()),
        ],
        legends=[scale_legend(drawn, "figure", message("activation"))],
        uses=["lenet"],
    )


def three_ways(context: Context) -> Figure:
    """The whole map, halved in three ways, on one scale."""
    whole = _map(context)
    peak = float(whole.max()) or 1.0
    halved = [(message(f"ways.{way}"), halve(whole, way)) for way in _WAYS]
    named: list[tuple[Said, Tensor]] = [("relu1", whole), *halved]
    panels = []
    for name, maps in named:
        drawn = mosaic(maps[0].numpy(), scale=(0, peak), signed=False)
        label = message("named", name=name, what=times(maps.shape[2:]))
        panels.append(Panel(picture(drawn, 148 / drawn.width), label))
    return Figure(
        alt=message("alt", mean=whole.mean(), means=[(way, maps.mean()) for way, maps in halved]),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("activation"))],
        uses=["lenet"],
    )


def learned(context: Context) -> Figure:
    """What a strided convolution learned in place of pooling: its kernels, its maps."""
    name = runs("lenet-strided")[0]
    weights = context.trained(name).weights["pool1.weight"].numpy()  # (6 outputs, 6 inputs, 2, 2)
    kernels = mosaic(np.ascontiguousarray(weights.transpose(1, 0, 2, 3)), scale="layer")
    recorded = context.recording(name)
    panels = [Panel(picture(kernels, 11), message("kernels"))]
    peak = max(float(recorded[layer][DIGIT].abs().max()) for layer in ("relu1", "pool1"))
    for layer, scale in (("relu1", 3.9), ("pool1", 7.58)):
        maps = recorded[layer][DIGIT].numpy()
        drawn = mosaic(maps, columns=6, scale=(-peak, peak), signed=True)
        label = message("named", name=layer, what=times(maps.shape))
        panels.append(Panel(picture(drawn, scale), label))
    own = np.abs(weights[range(6), range(6)]).mean()
    others = np.abs(weights[~np.eye(6, dtype=bool)]).mean()
    return Figure(
        alt=message("alt", own=own, others=others),
        panels=panels,
        legends=[
            scale_legend(kernels, "layer", message("meanings.weights")),
            scale_legend(drawn, "figure", message("meanings.maps")),
        ],
        layout="column",
        uses=[name],
    )


@shared
def _accuracies(context: Context) -> dict[str, dict[str, list[float]]]:
    """Kind → accuracy of each seed on the whole test split, and on moved digits."""
    result = {}
    images, labels = context.test.images[:MOVED_COUNT], context.test.labels[:MOVED_COUNT]
    for kind in KINDS:
        still = [accuracy(context.logits(name), context.test.labels) for name in runs(kind)]
        moved = []
        for name in runs(kind):
            inputs = context.inputs(name, images)
            batch = torch.cat([shift(inputs, MOVED, 0), shift(inputs, 0, MOVED)])
            moved.append(accuracy(predict(context.model(name), batch), torch.cat([labels] * 2)))
        result[kind] = {"still": still, "moved": moved}
    return result


def accuracies(context: Context) -> Figure:
    """Errors of the three kinds of pooling, one point a seed."""
    found = _accuracies(context)
    panels = []
    for which in ("still", "moved"):
        title = message(f"titles.{which}", pixels=MOVED)

        def draw(say: Say, which: str = which, title: Message = title) -> str:
            return seed_chart(
                {say(title): [[1 - a for a in found[kind][which]] for kind in KINDS]},
                [say(f"short.{kind}") for kind in KINDS],
                title=say(title),
                y_label=say("y"),
                percent=True,
                size=(330, 260),
            )

        panels.append(Panel(draw, title))
    errors = [(message(f"kinds.{k}"), 1 - np.mean(v["still"])) for k, v in found.items()]
    return Figure(
        alt=message("alt", errors=errors),
        panels=panels,
        layout="grid",
        uses=[name for kind in KINDS for name in runs(kind)],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    channel, row, column = _place(context)
    whole = _map(context)
    patch = whole[..., row : row + PATCH, column : column + PATCH]
    down, right = _block(context)
    found = _accuracies(context)
    means = {k: float(np.mean(v["still"])) for k, v in found.items()}
    spreads = [max(v["still"]) - min(v["still"]) for v in found.values()]
    moved = {k: float(np.mean(v["moved"])) for k, v in found.items()}
    weights = context.trained(runs("lenet-strided")[0]).weights
    return {
        "digit": context.test.class_names[DIGIT],
        "channel": channel,
        "four": patch[0, 0, 2 * down : 2 * down + 2, 2 * right : 2 * right + 2].flatten().tolist(),
        "halved": {w.replace(" ", "_"): float(halve(patch, w)[0, 0, down, right]) for w in _WAYS},
        "means": {"before": float(whole.mean()),
                  **{w.replace(" ", "_"): float(halve(whole, w).mean()) for w in _WAYS}},
        "accuracies": found,
        "mean": means,
        "deviation": {k: spread(v["still"])[1] for k, v in found.items()},
        "between_kinds": max(means.values()) - min(means.values()),
        "between_seeds": max(spreads),
        "moved": moved,
        "moved_clear": min(found["lenet"]["moved"]) > max(found["lenet-average"]["moved"]),
        "moved_pixels": MOVED,
        "moved_count": min(MOVED_COUNT, len(context.test)),
        "test_count": len(context.test),
        "steps": context.recipe("short-lenet-0").steps,
        "seeds": len(SEEDS),
        "strided_parameters": int(weights["pool1.weight"].numel() + weights["pool1.bias"].numel()
                                  + weights["pool2.weight"].numel() + weights["pool2.bias"].numel()),
        "lenet_parameters": parameter_count(context.model("lenet")),
        "relu1_values": int(record(context.model("lenet"), torch.zeros(1, 1, 28, 28),
                                   layers=["relu1"])["relu1"].numel()),
    }  # fmt: skip
