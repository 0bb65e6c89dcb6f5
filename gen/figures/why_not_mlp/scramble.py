"""Figures of the chapter "Why not an MLP": both networks on scrambled pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cnnviz.data.inputs import pixel_permutation, scramble, to_input
from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import seed_chart, spread
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.unit_images import by_norm, neighbour_correlation
from cnnviz.training.runs import SEEDS
from gen.context import Context, shared
from gen.figure.figure import GREY_LEGEND, Figure, Panel, Text, in_both, picture, scale_legend

UNITS = 24
"""Units of the MLP's first layer that are drawn."""

ERROR_COUNT = 5000
"""Test digits for the short runs."""

_NETS = {"mlp": Text("MLP", "MLP"), "lenet": Text("LeNet", "LeNet")}
_WEIGHT = Text("权重：蓝为负，白为零，橙为正", "Weight: blue negative, white zero, orange positive")

_KINDS = {
    "": Text("像素有序", "pixels in order"),
    "-scrambled": Text("像素打乱", "pixels scrambled"),
}
_ERROR = Text("测试错误率", "test error")


def scrambled_digits(context: Context) -> Figure:
    """An example of each class, and the same with its pixels scrambled."""
    images = context.examples  # (10, 1, 28, 28)
    both = torch.stack([images[:, 0], scramble(images)[:, 0]])  # (2, 10, 28, 28)
    names = context.test.class_names
    return Figure(
        alt=Text(
            f"上排是 {names[0]} 到 {names[-1]} 各一张；下排是同样的图，像素按同一个固定的次序打乱，看上去全是雪花点",
            f"Top, one image each of {names[0]} to {names[-1]}; bottom, the same images with their pixels "
            "in one fixed random order, which looks like snow",
        ),
        panels=[Panel(picture(mosaic(both.numpy(), scale=(0, 255), palette="grey"), 2.3))],
        legends=[GREY_LEGEND],
    )


def scramble_errors(context: Context) -> Figure:
    """Errors with pixels in order and scrambled: the long runs, and short ones over seeds."""
    long_runs = {
        kind: [1 - context.evaluation(net + kind).accuracy for net in _NETS] for kind in _KINDS
    }
    runs = _seed_errors(context)

    def draw(say: Any) -> str:
        return charts.grouped_bar_chart(
            {say(words): long_runs[kind] for kind, words in _KINDS.items()},
            [say(words) for words in _NETS.values()],
            title=say(Text("打乱像素前后的错误率", "Error rates with and without the scramble")),
            y_label=say(_ERROR),
            percent=True,
            write=lambda value: f"{value:.1%}",
            size=(420, 280),
        )

    def draw_runs(say: Any) -> str:
        return seed_chart(
            {
                say(words): [runs[net]["scrambled" if kind else "ordered"] for net in _NETS]
                for kind, words in _KINDS.items()
            },
            [say(words) for words in _NETS.values()],
            title=say(Text("五个种子的错误率", "Error rates over seeds")),
            y_label=say(_ERROR),
            percent=True,
            y_limits=(0, None),
            size=(420, 300),
        )

    steps = context.recipe("short-mlp-0").steps
    return Figure(
        alt=_scrambled_alt(long_runs),
        panels=[
            Panel(
                in_both(draw),
                Text("① 本站的网络，各训练一次", "① the networks of this site, trained once each"),
            ),
            Panel(
                in_both(draw_runs),
                Text(
                    f"② {len(SEEDS)} 个种子，各训练 {steps} 步：每点一个网络，横线为平均，色块为一个标准差",
                    f"② {len(SEEDS)} seeds, {steps} steps each: a point is a network, the line the mean, "
                    "the box one standard deviation",
                ),
            ),
        ],
        layout="column",
        uses=[
            *("mlp", "lenet", "mlp-scrambled", "lenet-scrambled"),
            *(f"short-{net}{kind}-{seed}" for net in _NETS for kind in _KINDS for seed in SEEDS),
        ],
    )


def _scrambled_alt(long_runs: dict[str, list[float]]) -> Text:
    (mlp, lenet), (mlp_scrambled, lenet_scrambled) = long_runs.values()
    return Text(
        f"打乱像素之后，MLP 的错误率从 {mlp:.1%} 到 {mlp_scrambled:.1%}，LeNet 的从 {lenet:.1%} 到 "
        f"{lenet_scrambled:.1%}；{len(SEEDS)} 个种子的短训练都是如此",
        f"With scrambled pixels the MLP's error goes from {mlp:.1%} to {mlp_scrambled:.1%}, LeNet's "
        f"from {lenet:.1%} to {lenet_scrambled:.1%}; short runs with {len(SEEDS)} seeds agree",
    )


@shared
def _seed_errors(context: Context) -> dict[str, dict[str, list[float]]]:
    """Test errors of the short runs: network → ordered or scrambled → seed."""
    images, labels = to_input(context.test.images[:ERROR_COUNT]), context.test.labels[:ERROR_COUNT]
    given = {"": images, "-scrambled": scramble(images)}
    return {
        net: {
            "scrambled" if kind else "ordered": [
                1 - accuracy(predict(context.model(f"short-{net}{kind}-{seed}"), x), labels)
                for seed in SEEDS
            ]
            for kind, x in given.items()
        }
        for net in _NETS
    }


def _facts(errors: list[float]) -> dict[str, float]:
    mean, deviation = spread(errors)
    return {"mean": mean, "deviation": deviation, "best": min(errors), "worst": max(errors)}


def weights_put_back(context: Context) -> Figure:
    """First-layer weights of both MLPs; those learned on scrambled pixels also put back in order."""
    weights = _mlp_weights(context)
    strongest = {
        "mlp": by_norm(weights["mlp"])[:UNITS],
        "scrambled": by_norm(weights["scrambled"])[:UNITS],
        "restored": by_norm(weights["scrambled"])[:UNITS],  # the same units as in the row above
    }
    drawings = {name: mosaic(weights[name][units], columns=12) for name, units in strongest.items()}
    labels = {
        "mlp": Text("① 在正常的数字上训练", "① trained on digits in order"),
        "scrambled": Text("② 在打乱的数字上训练", "② trained on scrambled digits"),
        "restored": Text("③ 就是②，把像素放回原位", "③ the same as ②, pixels put back in place"),
    }
    alike = {name: neighbour_correlation(weights[name]) for name in labels}
    return Figure(
        alt=Text(
            f"MLP 第一层的 {UNITS} 个单元。①能看出笔画和弧线；②全是杂点；把②的像素放回原位得到③，"
            f"又是同样的笔画和弧线。相邻权重的相关系数依次是 {alike['mlp']:.2f}、"
            f"{alike['scrambled']:.2f}、{alike['restored']:.2f}",
            f"{UNITS} units of the MLP's first layer. ① shows strokes and arcs; ② is noise; with the pixels "
            f"of ② put back, ③ shows strokes and arcs again. Correlation of neighbouring weights: "
            f"{alike['mlp']:.2f}, {alike['scrambled']:.2f}, {alike['restored']:.2f}",
        ),
        panels=[Panel(picture(drawings[name], 1.9), labels[name]) for name in labels],
        legends=[scale_legend(drawings["mlp"], "map", _WEIGHT)],
        layout="column",
        uses=["mlp", "mlp-scrambled"],
    )


def _mlp_weights(context: Context) -> dict[str, np.ndarray]:
    """First-layer weights (512, 28, 28): of `mlp`, of `mlp-scrambled`, and those put back."""
    plain, scrambled = (
        context.trained(name).weights["fc1.weight"] for name in ("mlp", "mlp-scrambled")
    )
    restored = torch.empty_like(scrambled)
    restored[:, pixel_permutation(28 * 28)] = scrambled  # input i of the net is pixel order[i]
    named = {"mlp": plain, "scrambled": scrambled, "restored": restored}
    return {name: weight.reshape(-1, 28, 28).numpy() for name, weight in named.items()}


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    weights = _mlp_weights(context)
    return {
        "units": UNITS,
        "neighbours": {name: neighbour_correlation(w) for name, w in weights.items()},
        "seeds": {
            net: {kind: _facts(errors) for kind, errors in kinds.items()}
            for net, kinds in _seed_errors(context).items()
        },
        "seed_runs": len(SEEDS),
        "seed_steps": context.recipe("short-lenet-0").steps,
    }
