"""Figures of the chapter "From a neuron to an MLP": what the weights of the first layer look like."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import mosaic
from cnnviz.inside.unit_images import by_norm, neighbour_correlation
from cnnviz.numbers import significant, thousands
from cnnviz.training.recipe import Recipe
from gen.context import Context
from gen.figure.figure import Figure, Legend, Panel, Text, Variant, picture, scale_legend

Floats = NDArray[np.float32]

_STRONGEST = 24
_SPREAD = 12  # units from the largest weights to the smallest
_WEIGHT = Text("权重：蓝为负，白为零，橙为正", "weight: blue negative, white zero, orange positive")


def _images(context: Context, step: int | None = None) -> Floats:
    """Weights of fc1 as images (512, 28, 28), after `step` steps or at the end."""
    trained = context.trained("mlp")
    weights = trained.weights if step is None else trained.snapshots[step]
    return weights["fc1.weight"].reshape(-1, 28, 28).numpy()


def _limit(context: Context) -> float:
    """The |weight| of fc1 that one in a thousand exceeds: the end of the colour scale."""
    return float(np.quantile(np.abs(_images(context)), 0.999))


def _clipped(text: Text) -> Text:
    return Text(
        f"{text.zh}。最大的千分之一超出刻度，画成两端的颜色",
        f"{text.en}. The largest thousandth lies beyond the scale and is drawn in its end colours",
    )


def first_weights(context: Context) -> Figure:
    """The weights of all 512 units of the first layer as images, in order of their norm."""
    images, limit = _images(context), _limit(context)
    order = by_norm(images)
    drawn = mosaic(images[order], columns=16, scale=(-limit, limit))
    return Figure(
        alt=Text(
            f"fc1 的 {len(images)} 个单元的权重，各画成一张 28×28 的图，按大小排序；"
            "多数像噪声，中间有笔画似的斑块",
            f"The weights of fc1's {len(images)} units, each as an image of 28×28, the largest first; "
            "most look like noise with stroke-like blobs in the middle",
        ),
        panels=[Panel(picture(drawn, step=8))],
        legends=[scale_legend(drawn, "layer", _clipped(_WEIGHT))],
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
        alike = neighbour_correlation(images)
        alt = Text(
            f"第 {step} 步的 {_STRONGEST} 个单元，相邻权重的相关系数 {alike:.2f}",
            f"{_STRONGEST} units after {step} steps; correlation of neighbouring weights {alike:.2f}",
        )
        variants.append(
            Variant(
                Text(f"{thousands(step)}", f"{thousands(step)}"),
                [Panel(picture(drawn, 3, step=6), alt=alt)],
                [scale_legend(drawn, "layer", _clipped(_WEIGHT))],
            )
        )
    return Figure(
        alt=Text(
            f"权重最大的 {_STRONGEST} 个单元从第 0 步到第 {steps[-1]} 步：先是均匀的、很淡的噪声，"
            "后来中间长出橙蓝相间的斑块",
            f"The {_STRONGEST} units with the largest weights from step 0 to {steps[-1]}: at first even "
            "and very pale noise, later orange and blue blobs in the middle",
        ),
        variants=variants,
        chosen=len(variants) - 1,
        scrub=Text("训练步数", "Training step"),
        uses=["mlp"],
    )


def start_and_learned(context: Context) -> Figure:
    """Units of every size: their random start, what training added, and the sum of both."""
    images, start = _images(context), _images(context, 0)
    kept = _decay(context.recipe("mlp")) * start
    order = by_norm(images)
    chosen = order[np.linspace(0, len(order) - 1, _SPREAD).round().astype(int)]
    limit = float(np.quantile(np.abs(images[chosen]), 0.95))
    rows = (
        (
            Text("① 开始时的噪声，经过权重衰减", "① the noise of the start, after weight decay"),
            kept,
        ),
        (Text("② 训练添上去的", "② what training added"), images - kept),
        (Text("③ 学成之后 ① + ②", "③ at the end, ① + ②"), images),
    )
    drawn = {
        label: mosaic(maps[chosen], columns=_SPREAD, scale=(-limit, limit)) for label, maps in rows
    }
    alike = [neighbour_correlation(maps[chosen]) for _, maps in rows]
    text = Text(
        f"{_WEIGHT.zh}。最大的二十分之一超出刻度，画成两端的颜色",
        f"{_WEIGHT.en}. The largest twentieth lies beyond the scale and is drawn in its end colours",
    )
    return Figure(
        alt=Text(
            f"{_SPREAD} 个单元的权重拆成两份：开始时的噪声（相邻权重的相关系数 {alike[0]:.2f}）和训练添上去的"
            f"平滑斑块（{alike[1]:.2f}），合起来是 {alike[2]:.2f}",
            f"The weights of {_SPREAD} units in two parts: the noise of the start (correlation of "
            f"neighbouring weights {alike[0]:.2f}) and the smooth blobs that training added "
            f"({alike[1]:.2f}); together {alike[2]:.2f}",
        ),
        panels=[Panel(picture(drawing, 1.9, step=4), label) for label, drawing in drawn.items()],
        legends=[scale_legend(next(iter(drawn.values())), "figure", text)],
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
        alt=Text(
            f"每个像素的权重的平均大小：训练之前各处约 {significant(float(before.mean()))}；训练之后亮过的像素平均 "
            f"{significant(float(after[~never].mean()))}，{int(never.sum())} 个从不亮的像素在边角上，没有变大",
            f"The mean size of each pixel's weights: before training about "
            f"{significant(float(before.mean()))} everywhere; after training "
            f"{significant(float(after[~never].mean()))} on average where pixels are ever lit; the "
            f"{int(never.sum())} that are never lit lie at the edge and have not grown",
        ),
        panels=[
            Panel(
                picture(mosaic(before[None], scale=(0, peak)), 7),
                Text("训练之前", "before training"),
            ),
            Panel(picture(drawn, 7), Text("训练之后", "after training")),
            Panel(
                picture(mosaic(never[None], scale=(0, 1), palette="grey"), 7),
                Text("白：从不亮的像素", "white: pixels never lit"),
            ),
        ],
        legends=[
            Legend(
                Text(
                    "前两张：512 个单元的 |权重| 的平均，共用一个刻度。第三张只有黑白",
                    "first two: the mean |weight| over the 512 units, on one scale. The third is "
                    "only black and white",
                ),
                palettes.css_gradient(drawn.palette),
                "0",
                significant(peak),
            )
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
