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
from cnnviz.inside.evaluation import accuracy, shift
from cnnviz.inside.recording import record
from cnnviz.numbers import significant
from gen.context import Context, shared
from gen.figure.figure import Figure, Legend, Panel, Text, in_both, picture, scale_legend
from gen.figures.pooling.pooling import DIGIT, KINDS, _place, halve, runs

COUNT = 400
"""Test images that are moved."""

FARTHEST = 4
LAYERS = ("relu1", "pool1", "relu2", "pool2", "relu3", "output")
_PROBED = (4000, 1000)  # training and test images of the comparison with global average pooling
_FAR = 6
_VALUE = Text("激活值", "activation")


def _relative(changed: Tensor, base: Tensor) -> float:
    """Size of a change, in units of the distance between two different images.

    Root of the mean square of both; base (N, …), changed (N, …).
    """
    flat = base.flatten(1).double()
    change = (changed.flatten(1).double() - flat).square().sum(1).mean()
    between = 2 * flat.var(0, correction=0).sum()  # mean square distance of two random images
    return float((change / between.clamp(min=1e-12)).sqrt())


@shared
def _changes(context: Context, name: str, step: int | None = None) -> dict[str, list[float]]:
    """Layer → relative change of its values under shifts of 0 to FARTHEST pixels.

    Before training only of 0 and 1 pixel, for that is all that is told of it.
    """
    model = context.model(name, step)
    inputs = context.inputs(name, context.test.images[:COUNT])
    base = record(model, inputs, layers=list(LAYERS))
    result: dict[str, list[float]] = {layer: [0.0] for layer in ("pixels", *LAYERS)}
    for pixels in range(1, FARTHEST + 1 if step is None else 2):
        moves = [shift(inputs, pixels, 0), shift(inputs, 0, pixels)]
        recorded = [record(model, moved, layers=list(LAYERS)) for moved in moves]
        for layer in LAYERS:
            found = [_relative(r[layer], base[layer]) for r in recorded]
            result[layer].append(float(np.mean(found)))
        result["pixels"].append(float(np.mean([_relative(m, inputs) for m in moves])))
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
            label = Text(f"{layer}，右移 {pixels} 像素", f"{layer}, {pixels} px to the right")
            panels.append(Panel(picture(drawn, 196 / drawn.width), label))
    exact, half = _half_steps(context)
    return Figure(
        alt=Text(
            f"数字右移 0、1、2 像素时的 relu1 与 pool1。移 2 像素，pool1 恰好移一格（相差 {exact:.1%}）；"
            f"移 1 像素，它怎样移都对不上（相差 {half:.0%}）",
            f"relu1 and pool1 as the digit moves by 0, 1 and 2 pixels. By 2, pool1 moves by one "
            f"cell exactly (difference {exact:.1%}); by 1, no move makes it fit ({half:.0%})",
        ),
        panels=panels,
        legends=[scale_legend(drawn, "figure", _VALUE)],
        columns=3,
        uses=["lenet"],
    )  # fmt: skip


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
    names = {"pixels": Text("像素", "pixels"), "output": Text("logits", "logits")}
    drawing = in_both(
        lambda say: charts.line_chart(
            {
                say(names.get(layer, Text(layer, layer))): (pixels, found[layer].mean(0))
                for layer in ("pixels", "relu1", "pool1", "pool2", "relu3", "output")
            },
            title=say(Text("数字移动时各层的变化", "Change of each layer as digits move")),
            x_label=say(Text("移动的像素", "pixels moved")),
            y_label=say(Text("相对变化", "relative change")),
            percent=True,
            y_limits=(0, None),
            size=(640, 340),
        )
    )
    one = {layer: float(values[:, 1].mean()) for layer, values in found.items()}
    listed = "，".join(f"{layer} {value:.0%}" for layer, value in one.items())
    return Figure(
        alt=Text(
            f"移动 1 像素时的相对变化：{listed}",
            "Relative change under a shift of 1 pixel: "
            + ", ".join(f"{layer} {value:.0%}" for layer, value in one.items()),
        ),
        panels=[Panel(drawing)],
        legends=[
            Legend(Text("100%：变得像另一张随机选的图一样远。三个种子的平均",
                        "100%: as far away as another image picked at random. Mean of three seeds"))
        ],
        uses=runs("lenet"),
    )  # fmt: skip


def compared(context: Context) -> Figure:
    """Change under a shift of one pixel by kind of pooling, before and after training."""
    panels = []
    layers = ("relu1", "pool1", "relu2", "pool2", "output")
    titles = {
        0: Text("训练之前（随机权重）", "before training (random weights)"),
        None: Text("训练之后", "after training"),
    }
    for step, title in titles.items():
        found = {kind: _over_seeds(context, kind, step) for kind in KINDS}
        drawing = in_both(
            lambda say, f=found, t=title: seed_chart(  # type: ignore[misc]
                {
                    say(KINDS[kind]): [values[layer][:, 1] for layer in layers]
                    for kind, values in f.items()
                },
                ["logits" if layer == "output" else layer for layer in layers],
                title=say(t),
                y_label=say(Text("移动 1 像素的相对变化", "relative change, moved by 1 px")),
                percent=True,
                y_limits=(0, 0.75),
                size=(640, 270),
            )
        )
        panels.append(Panel(drawing, title))
    end = {kind: float(_over_seeds(context, kind)["output"][:, 1].mean()) for kind in KINDS}
    return Figure(
        alt=Text(
            "移动 1 像素时各层的变化，三种汇聚，三个种子。训练之后 logits 的变化："
            + "，".join(f"{KINDS[k].zh} {v:.0%}" for k, v in end.items()),
            "Change of each layer under a shift of one pixel, three kinds of pooling, three seeds. "
            "Of the logits after training: "
            + ", ".join(f"{KINDS[k].en} {v:.0%}" for k, v in end.items()),
        ),
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
    """Total of a pooled map as the digit moves pixel by pixel."""
    found = _totals(context)
    channel = int((found["max"][:, 0].std(0) / found["max"][:, 0].mean(0).clamp(min=1e-9)).argmax())
    totals = {way: t[:, 0, channel] for way, t in found.items()}  # (7,)
    names = {
        "max": Text("最大", "max"),
        "average": Text("平均", "average"),
        "every second": Text("隔一取一", "every second"),
        "blurred": Text("先模糊的最大", "max, blurred"),
    }
    pixels = np.arange(-3, 4)
    drawing = in_both(
        lambda say: charts.line_chart(
            {
                say(names[way]): (pixels, (t / t.mean().clamp(min=1e-9)).numpy())
                for way, t in totals.items()
            },
            title=say(Text("汇聚之后的总和随位置的变化", "Total of a pooled map by position")),
            x_label=say(Text("向右移动的像素", "pixels to the right")),
            y_label=say(Text("总和（平均为 1）", "total (mean 1)")),
            size=(640, 300),
        )
    )
    wobble = _wobble(context)
    return Figure(
        alt=Text(
            "数字每移一像素，汇聚之后的总和就上下跳一次："
            + "，".join(f"{names[w].zh} {v:.2%}" for w, v in wobble.items()),
            "With each pixel that the digit moves, the total of the pooled map goes up or down: "
            + ", ".join(f"{names[w].en} {v:.2%}" for w, v in wobble.items()),
        ),
        panels=[Panel(drawing)],
        uses=["lenet"],
    )


def _wobble(context: Context) -> dict[str, float]:
    """Mean difference of the totals at neighbouring positions, as a share of the total."""
    return {
        way: float((t.diff(dim=0).abs().mean(0) / t.mean(0).clamp(min=1e-9))[1:].mean())
        for way, t in _totals(context).items()
    }


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
    names = {
        "flatten": Text("展平：400 个数", "flattened: 400 numbers"),
        "global": Text("全局平均：16 个数", "global average: 16 numbers"),
    }
    pixels = np.arange(_FAR + 1)
    drawing = in_both(
        lambda say: charts.line_chart(
            {say(names[way]): (pixels, values) for way, values in found.items()},
            title=say(Text("展平与全局平均汇聚", "Flattened against global average pooling")),
            x_label=say(Text("移动的像素", "pixels moved")),
            y_label=say(Text("准确率", "accuracy")),
            percent=True,
            y_limits=(0, 1),
            size=(640, 280),
        )
    )
    flat, mean = found["flatten"], found["global"]
    return Figure(
        alt=Text(
            f"移动 0 到 {_FAR} 像素：展平从 {flat[0]:.0%} 降到 {flat[-1]:.0%}，"
            f"全局平均从 {mean[0]:.0%} 降到 {mean[-1]:.0%}",
            f"From 0 to {_FAR} pixels, flattened falls from {flat[0]:.0%} to {flat[-1]:.0%}, global "
            f"average from {mean[0]:.0%} to {mean[-1]:.0%}",
        ),
        panels=[Panel(drawing)],
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
