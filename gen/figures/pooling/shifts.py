"""Figures of the chapter "Pooling": what survives when a digit moves, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import seed_chart
from cnnviz.figure.figure import Figure, Legend, Message, Panel, message, picture, scale_legend
from cnnviz.inside.evaluation import accuracy, shift
from cnnviz.inside.recording import record
from cnnviz.numbers import significant
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.pooling.pooling import DIGIT, KINDS, _place, halve, runs

COUNT = 400
"""Test images that are moved."""

FARTHEST = 4
LAYERS = ("relu1", "pool1", "relu2", "pool2", "relu3", "output")
_PROBED = (4000, 1000)  # training and test images of the comparison with global average pooling
_FAR = 6


def _relative(changed: Tensor, base: Tensor, labels: Tensor) -> float:
    """Size of a change, in units of the distance between two images of one class.

    Of any two images the distance would also grow as training moves the classes apart, and changes
    would look smaller though nothing but the yardstick had changed.

    Root of the mean square of both; base (N, …), changed (N, …), labels (N,).
    """
    flat = base.flatten(1).double()
    change = (changed.flatten(1).double() - flat).square().sum(1).mean()
    classes = [flat[labels == label] for label in labels.unique()]
    # The mean square distance of two random images is twice the variance.
    between = sum(2 * of.var(0, correction=0).sum() * len(of) for of in classes) / len(flat)
    return float((change / torch.as_tensor(between).clamp(min=1e-12)).sqrt())


@shared
def _changes(context: Context, name: str, step: int | None = None) -> dict[str, list[float]]:
    """Layer → relative change of its values under shifts of 0 to FARTHEST pixels.

    Before training only of 0 and 1 pixel, for that is all that is told of it.
    """
    model = context.model(name, step)
    inputs = context.inputs(name, context.test.images[:COUNT])
    labels = context.test.labels[:COUNT]
    base = record(model, inputs, layers=list(LAYERS))
    result: dict[str, list[float]] = {layer: [0.0] for layer in ("pixels", *LAYERS)}
    for pixels in range(1, FARTHEST + 1 if step is None else 2):
        moves = [shift(inputs, pixels, 0), shift(inputs, 0, pixels)]
        recorded = [record(model, moved, layers=list(LAYERS)) for moved in moves]
        for layer in LAYERS:
            found = [_relative(r[layer], base[layer], labels) for r in recorded]
            result[layer].append(float(np.mean(found)))
        result["pixels"].append(float(np.mean([_relative(m, inputs, labels) for m in moves])))
    return result


def _over_seeds(context: Context, kind: str, step: int | None = None) -> dict[str, np.ndarray]:
    """Layer → (seeds, shifts)."""
    found = [_changes(context, name, step) for name in runs(kind)]
    return {layer: np.array([f[layer] for f in found]) for layer in found[0]}


def moved_maps(context: Context) -> Figure:
    """One map before and after pooling, as the digit moves by 0, 1 and 2 pixels."""
    channel, _, _ = _place(context)
    image = context.inputs("lenet", context.examples[DIGIT : DIGIT + 1])
    batch = torch.cat([shift(image, 0, pixels) for pixels in range(3)])
    recorded = record(context.model("lenet"), batch, layers=["relu1", "pool1"])
    peak = float(recorded["relu1"][:, channel].max()) or 1.0
    panels = []
    for layer in ("relu1", "pool1"):
        for pixels, maps in enumerate(recorded[layer][:, channel].numpy()):
            drawn = mosaic(maps[None], scale=(0, peak), signed=False)
            label = message("moved right", layer=layer, pixels=pixels)
            panels.append(Panel(picture(drawn, 196 / drawn.width), label))
    exact, half = _half_steps(context)
    return Figure(
        alt=message("alt", exact=exact, half=half),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("activation"))],
        columns=3,
        uses=["lenet"],
    )


@shared
def _half_steps(context: Context) -> tuple[float, float]:
    """How far pool1 of a moved digit is from the moved pool1: by 2 pixels, and at best by 1.

    As a share of the size of the maps, over COUNT digits, away from the border.
    """
    inputs = context.inputs("lenet", context.test.images[:COUNT])
    layers = ["pool1"]
    model = context.model("lenet")
    base, one, two = (
        record(model, shift(inputs, 0, pixels), layers=layers)["pool1"] for pixels in range(3)
    )
    inner = slice(3, 12)
    size = base[..., inner, inner].square().mean().sqrt().clamp(min=1e-9)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return (a - b)[..., inner, inner].square().flatten(1).mean(1)  # (N,)

    cell = shift(base, 0, 1)
    best = torch.minimum(distance(one, base), distance(one, cell))
    return float(distance(two, cell).mean().sqrt() / size), float(best.mean().sqrt() / size)


def survives(context: Context) -> Figure:
    """How much each layer of LeNet changes as digits move."""
    found = _over_seeds(context, "lenet")
    pixels = np.arange(FARTHEST + 1)

    def draw(say: Say) -> str:
        names = {"pixels": say("pixels"), "output": "logits"}
        return charts.line_chart(
            {
                names.get(layer, layer): (pixels, found[layer].mean(0))
                for layer in ("pixels", "relu1", "pool1", "pool2", "relu3", "output")
            },
            title=say("title"),
            x_label=say("pixels moved"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, None),
            size=(640, 340),
        )

    return Figure(
        alt=message("alt", layers=[(layer, v[:, 1].mean()) for layer, v in found.items()]),
        panels=[Panel(draw)],
        legends=[Legend(message("legend"))],
        uses=runs("lenet"),
    )


def compared(context: Context) -> Figure:
    """Change under a shift of one pixel by kind of pooling, before and after training."""
    panels = []
    layers = ("relu1", "pool1", "relu2", "pool2", "output")
    for step, title in ((0, message("before")), (None, message("after"))):
        found = {kind: _over_seeds(context, kind, step) for kind in KINDS}

        def draw(say: Say, found: Any = found, title: Message = title) -> str:
            return seed_chart(
                {
                    say(f"kinds.{kind}"): [values[layer][:, 1] for layer in layers]
                    for kind, values in found.items()
                },
                ["logits" if layer == "output" else layer for layer in layers],
                title=say(title),
                y_label=say("y"),
                percent=True,
                y_limits=(0, 0.85),
                size=(640, 270),
            )

        panels.append(Panel(draw, title))
    end = [
        (message(f"kinds.{kind}"), _over_seeds(context, kind)["output"][:, 1].mean())
        for kind in KINDS
    ]
    return Figure(
        alt=message("alt", changes=end),
        panels=panels,
        layout="column",
        uses=[name for kind in KINDS for name in runs(kind)],
    )


def blurred(maps: Tensor) -> Tensor:
    """(N, C, H, W) → half the size: max of each 2×2 at stride 1, blur, then every second."""
    dense = F.max_pool2d(F.pad(maps, (0, 1, 0, 1), mode="replicate"), 2, stride=1)
    line = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = (line[:, None] * line).expand(maps.shape[1], 1, 3, 3)
    padded = F.pad(dense, (1, 1, 1, 1), mode="replicate")
    return F.conv2d(padded, kernel, stride=2, groups=maps.shape[1])


@shared
def _totals(context: Context) -> dict[str, Tensor]:
    """Way of pooling → total of each map (shifts, N, C) as digits move to the right."""
    inputs = context.inputs("lenet", context.test.images[:COUNT])
    example = context.inputs("lenet", context.examples[DIGIT : DIGIT + 1])
    batch = torch.cat([example, inputs])
    totals: dict[str, list[Tensor]] = {}
    for pixels in range(-3, 4):
        moved = shift(batch, 0, pixels)
        maps = record(context.model("lenet"), moved, layers=["relu1"])["relu1"]
        for way in ("max", "average", "every second"):
            totals.setdefault(way, []).append(halve(maps, way).sum((2, 3)))
        totals.setdefault("blurred", []).append(blurred(maps).sum((2, 3)))
    return {way: torch.stack(values) for way, values in totals.items()}


def aliasing(context: Context) -> Figure:
    """Total of a pooled map as the digit moves pixel by pixel, and the jumps of all maps."""
    found = _totals(context)
    # One channel can suit one way of pooling by luck: that of which the better of the two ways
    # that alias jumps most.
    one = {way: _jumps(t)[0] for way, t in found.items()}  # (C,)
    channel = int(torch.minimum(one["max"], one["every second"]).argmax())
    totals = {way: t[:, 0, channel] for way, t in found.items()}  # (7,)
    pixels = np.arange(-3, 4)

    def draw(say: Say) -> str:
        return charts.line_chart(
            {
                say(f"ways.{way}"): (pixels, (t / t.mean().clamp(min=1e-9)).numpy())
                for way, t in totals.items()
            },
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            size=(640, 300),
        )

    def by_channel(say: Say) -> str:
        means = {way: _jumps(t)[1:].mean(0).tolist() for way, t in found.items()}
        return charts.grouped_bar_chart(
            {say(f"ways.{way}"): values for way, values in means.items()},
            [str(index) for index in range(len(means["max"]))],
            title=say("by channel"),
            x_label=say("channel"),
            y_label=say("jump"),
            percent=True,
            size=(640, 260),
        )

    jumps = [(message(f"ways.{way}"), jump) for way, jump in _wobble(context).items()]
    return Figure(
        alt=message("alt", jumps=jumps),
        panels=[
            Panel(draw, message("one digit", channel=channel)),
            Panel(by_channel, message("by channel")),
        ],
        layout="column",
        uses=["lenet"],
    )


def _jumps(totals: Tensor) -> Tensor:
    """(shifts, N, C) → (N, C): mean difference at neighbouring positions, as a share."""
    return totals.diff(dim=0).abs().mean(0) / totals.mean(0).clamp(min=1e-9)


def _wobble(context: Context) -> dict[str, float]:
    """Mean difference of the totals at neighbouring positions, as a share of the total."""
    return {way: float(_jumps(t)[1:].mean()) for way, t in _totals(context).items()}


@shared
def _probes(context: Context) -> dict[str, list[float]]:
    """Accuracy by shift of least squares on pool2: all 400 numbers, or the mean of each map."""
    model = context.model("lenet")

    def maps(images: Tensor) -> Tensor:
        return torch.cat(
            [record(model, batch, layers=["pool2"])["pool2"] for batch in images.split(500)]
        )

    ways = {"flatten": lambda m: m.flatten(1), "global": lambda m: m.mean((2, 3))}
    learn, test = (
        (to_input(data.images[:count]), data.labels[:count])
        for data, count in zip((context.train, context.test), _PROBED, strict=True)
    )
    known = maps(learn[0])
    weights = {way: _least_squares(f(known), learn[1]) for way, f in ways.items()}
    result: dict[str, list[float]] = {way: [] for way in ways}
    for pixels in range(_FAR + 1):
        moves = [test[0]] if pixels == 0 else [shift(test[0], pixels, 0), shift(test[0], 0, pixels)]
        seen = maps(torch.cat(moves))
        labels = torch.cat([test[1]] * len(moves))
        for way, f in ways.items():
            result[way].append(accuracy(_with_one(f(seen)) @ weights[way], labels))
    return result


def _with_one(features: Tensor) -> Tensor:
    return torch.cat([features.double(), torch.ones(len(features), 1, dtype=torch.double)], 1)


def _least_squares(features: Tensor, labels: Tensor) -> Tensor:
    """Weights (F + 1, 10) that come nearest to 1 for the true class and 0 for the others."""
    a = _with_one(features)
    targets = F.one_hot(labels, 10).double()
    ridge = 0.1 * torch.eye(a.shape[1], dtype=torch.double)
    return torch.linalg.solve(a.T @ a + ridge, a.T @ targets)


def global_average(context: Context) -> Figure:
    """Accuracy under shifts: reading all positions, or only the mean of each map."""
    found = _probes(context)
    pixels = np.arange(_FAR + 1)

    def draw(say: Say) -> str:
        return charts.line_chart(
            {say(f"names.{way}"): (pixels, values) for way, values in found.items()},
            title=say("title"),
            x_label=say("pixels moved"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, 1),
            size=(640, 280),
        )

    flat, mean = found["flatten"], found["global"]
    return Figure(
        alt=message(
            "alt",
            pixels=_FAR,
            flat_start=flat[0],
            flat_end=flat[-1],
            global_start=mean[0],
            global_end=mean[-1],
        ),
        panels=[Panel(draw)],
        uses=["lenet"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    change = {
        f"{kind}{'_start' if step == 0 else ''}".replace("-", "_"): {
            layer: values.mean(0).tolist()
            for layer, values in _over_seeds(context, kind, step).items()
        }
        for kind in KINDS
        for step in (None, 0)
    }
    exact, half = _half_steps(context)
    probes = _probes(context)
    crossing = [p for p in range(_FAR + 1) if probes["global"][p] > probes["flatten"][p]]
    return {
        "count": min(COUNT, len(context.test)),
        "farthest": FARTHEST,
        "change": change,
        "long": _changes(context, "lenet"),
        "exact": exact,
        "half": half,
        "wobble": {way.replace(" ", "_"): v for way, v in _wobble(context).items()},
        "probes": probes,
        "crossing": crossing[0] if crossing else -1,
        "far": _FAR,
        "half_text": significant(half),
        "fc1_parameters": 400 * 120 + 120,
        "global_parameters": 16 * 10 + 10,
        "max_shift": context.recipe("lenet").max_shift,
    }
