"""Figures of the chapter "Why not an MLP": both networks under shifts and under a scramble."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.datasets import to_input
from cnnviz.drawing import charts, palettes
from cnnviz.drawing.mosaic import mosaic
from cnnviz.evaluation import predict, shift
from cnnviz.models import parameter_count
from cnnviz.recording import record
from cnnviz.training import pixel_permutation, scramble
from gen.context import Context
from gen.figure import Figure, Legend, Panel, Text, in_both, picture, scale_legend

SHIFTS = range(7)
"""Pixels by which the test digits are moved."""

SHIFTED_COUNT = 2000
"""Test digits that are moved: enough to tell the networks apart, and quick."""

STEP = 4
"""Pixels of LeNet's input from one unit of pool2 to the next: two poolings by 2."""

UNITS = 24
"""Units of the MLP's first layer that are drawn."""

_NETS = {"mlp": Text("MLP", "MLP"), "lenet": Text("LeNet", "LeNet")}
_BRIGHTNESS = Legend(
    Text("亮度，0 为黑，255 为白", "brightness, 0 is black, 255 is white"),
    palettes.css_gradient("grey"), "0", "255",
)  # fmt: skip
_WEIGHT = Text("权重：蓝为负，白为零，橙为正", "Weight: blue negative, white zero, orange positive")


def cost(context: Context) -> Figure:
    """Parameters and multiplications of both networks."""
    costs = {net: _cost(context, net) for net in _NETS}

    def draw(say: Any) -> str:
        groups = Text("参数", "parameters"), Text("每张图的乘法", "multiplications per image")
        return charts.grouped_bar_chart(
            {say(_NETS[net]): [c["parameters"], c["multiplications"]] for net, c in costs.items()},
            [say(group) for group in groups],
            title=say(Text("参数与乘法的个数", "Numbers of parameters and multiplications")),
            y_label=say(Text("个数", "count")),
            write=lambda value: f"{value:,.0f}",
        )

    mlp, lenet = costs["mlp"], costs["lenet"]
    return Figure(
        alt=Text(
            f"MLP 有 {mlp['parameters']:,} 个参数，每张图 {mlp['multiplications']:,} 次乘法；"
            f"LeNet 有 {lenet['parameters']:,} 个参数，却要 {lenet['multiplications']:,} 次乘法",
            f"The MLP has {mlp['parameters']:,} parameters and does {mlp['multiplications']:,} "
            f"multiplications per image; LeNet has {lenet['parameters']:,} parameters, yet does "
            f"{lenet['multiplications']:,} multiplications",
        ),
        panels=[Panel(in_both(draw))],
    )


def one_digit_shifted(context: Context) -> Figure:
    """One test digit, moved to the right step by step, and what both networks answer."""
    story = _story(context)
    image = context.test.images[story["index"]][None]  # (1, 1, 28, 28)
    panels = []
    for pixels in SHIFTS:
        drawn = mosaic(shift(image, 0, pixels)[0].numpy(), scale=(0, 255), palette="grey")
        mlp, lenet = (story[net][pixels]["answer"] for net in _NETS)
        alt = Text(
            f"右移 {pixels} 像素：MLP 答 {mlp}，LeNet 答 {lenet}",
            f"Moved {pixels} px to the right: the MLP says {mlp}, LeNet says {lenet}",
        )
        panels.append(Panel(picture(drawn, 3), Text(f"{pixels} px", f"{pixels} px"), alt))
    answers = {net: ", ".join(step["answer"] for step in story[net]) for net in _NETS}
    return Figure(
        alt=Text(
            f"同一个 {story['true']} 右移 0 到 {SHIFTS[-1]} 个像素。MLP 的回答依次是 {answers['mlp']}；"
            f"LeNet 的是 {answers['lenet']}",
            f"The same {story['true']} moved right by 0 to {SHIFTS[-1]} pixels. The MLP answers "
            f"{answers['mlp']}; LeNet answers {answers['lenet']}",
        ),
        panels=panels,
        legends=[_BRIGHTNESS],
        columns=len(SHIFTS),
        uses=["mlp", "lenet"],
    )


def shift_accuracy(context: Context) -> Figure:
    """Accuracy of both networks when the test digits are moved."""
    table = _shift_table(context)

    def draw(say: Any) -> str:
        series = {
            say(words): (list(SHIFTS), [row[net] for row in table]) for net, words in _NETS.items()
        }
        return charts.line_chart(
            series,
            title=say(Text("测试数字平移之后的准确率", "Accuracy on test digits that were moved")),
            x_label=say(Text("平移的像素数", "pixels moved")),
            y_label=say(Text("准确率", "accuracy")),
            percent=True,
            y_limits=(0, 1),
        )

    last = table[-1]
    return Figure(
        alt=Text(
            f"平移 0 到 {SHIFTS[-1]} 像素时，MLP 的准确率从 {table[0]['mlp']:.1%} 降到 {last['mlp']:.1%}，"
            f"LeNet 从 {table[0]['lenet']:.1%} 降到 {last['lenet']:.1%}",
            f"As the digits move from 0 to {SHIFTS[-1]} pixels, the MLP's accuracy falls from "
            f"{table[0]['mlp']:.1%} to {last['mlp']:.1%}, LeNet's from {table[0]['lenet']:.1%} to "
            f"{last['lenet']:.1%}",
        ),
        panels=[Panel(in_both(draw))],
        uses=["mlp", "lenet"],
    )


def moving_maps(context: Context) -> Figure:
    """LeNet's layers for a digit and for the same digit moved: maps move along, fc1 does not."""
    here, moved = _moved_outputs(context)
    peaks = {name: float(torch.maximum(here[name], moved[name]).max()) for name in here}
    panels = []
    for which, outputs in enumerate((here, moved)):
        row = Text("原图", "original") if not which else Text("上移之后", "moved up")
        drawings = {
            "input": picture(
                mosaic(outputs["input"].numpy(), scale=(0, 1), palette="grey"), scale=4
            ),
            "relu1": _maps(outputs["relu1"], 3, peaks["relu1"], 2),
            "pool2": _maps(outputs["pool2"], 4, peaks["pool2"], 5),
            "relu3": _maps(outputs["relu3"].reshape(1, 15, 8), 1, peaks["relu3"], 7.5),
        }
        for name, drawing in drawings.items():
            shown = Text("输入", "input") if name == "input" else Text(name, name)
            label = Text(f"{shown.zh}，{row.zh}", f"{shown.en}, {row.en}")
            panels.append(Panel(drawing, label))
    facts = _moved_facts(here, moved)
    text = Text(
        "激活值：越亮越大，每一列用同一个刻度；输入从黑（0）到白（1）",
        "activation: brighter is larger, one scale a column; the input goes from black (0) to white (1)",
    )
    return Figure(
        alt=Text(
            f"上排是原来的数字，下排是上移 {STEP} 个像素的数字。relu1 的图跟着移了 {STEP} 格，pool2 的图"
            f"跟着移了一格；relu3 的 120 个数变了，与原来的余弦相似度是 {facts['similarity']:.2f}",
            f"Top, a digit; bottom, the same digit moved up by {STEP} pixels. The maps of relu1 moved "
            f"along by {STEP} places, those of pool2 by one; the 120 numbers of relu3 changed, their "
            f"cosine similarity to the original is {facts['similarity']:.2f}",
        ),
        panels=panels,
        legends=[Legend(text, palettes.css_gradient("sequential"), "0", "max")],
        columns=4,
        uses=["lenet"],
    )


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
        legends=[_BRIGHTNESS],
    )


def scramble_errors(context: Context) -> Figure:
    """Errors of both networks with pixels in order and with pixels scrambled."""
    errors = {
        words: [1 - context.evaluation(net + suffix).accuracy for net in _NETS]
        for words, suffix in (
            (Text("像素有序", "pixels in order"), ""),
            (Text("像素打乱", "pixels scrambled"), "-scrambled"),
        )
    }

    def draw(say: Any) -> str:
        return charts.grouped_bar_chart(
            {say(words): values for words, values in errors.items()},
            [say(words) for words in _NETS.values()],
            title=say(Text("打乱像素前后的错误率", "Error rates with and without the scramble")),
            y_label=say(Text("测试错误率", "test error")),
            percent=True,
            write=lambda value: f"{value:.1%}",
            size=(520, 300),
        )

    (mlp, lenet), (mlp_scrambled, lenet_scrambled) = errors.values()
    return Figure(
        alt=Text(
            f"打乱像素之后，MLP 的错误率从 {mlp:.1%} 到 {mlp_scrambled:.1%}，LeNet 的从 {lenet:.1%} 到 "
            f"{lenet_scrambled:.1%}",
            f"With scrambled pixels the MLP's error goes from {mlp:.1%} to {mlp_scrambled:.1%}, LeNet's "
            f"from {lenet:.1%} to {lenet_scrambled:.1%}",
        ),
        panels=[Panel(in_both(draw))],
        uses=["mlp", "lenet", "mlp-scrambled", "lenet-scrambled"],
    )


def weights_put_back(context: Context) -> Figure:
    """First-layer weights of both MLPs; those learned on scrambled pixels also put back in order."""
    weights = _mlp_weights(context)
    strongest = {
        "mlp": _strongest(weights["mlp"]),
        "scrambled": _strongest(weights["scrambled"]),
        "restored": _strongest(weights["scrambled"]),  # the same units as in the row above
    }
    drawings = {name: mosaic(weights[name][units], columns=12) for name, units in strongest.items()}
    labels = {
        "mlp": Text("① 在正常的数字上训练", "① trained on digits in order"),
        "scrambled": Text("② 在打乱的数字上训练", "② trained on scrambled digits"),
        "restored": Text("③ 就是②，把像素放回原位", "③ the same as ②, pixels put back in place"),
    }
    alike = {name: _neighbour_correlation(weights[name]) for name in labels}
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


def _cost(context: Context, net: str) -> dict[str, Any]:
    """Parameters and multiplications of a network and its layers, from shapes alone."""
    layers = []
    weights, outputs = context.trained(net).weights, context.recording(net)
    for name in [key.removesuffix(".weight") for key in weights if key.endswith(".weight")]:
        weight = weights[f"{name}.weight"]
        uses = outputs[name][0, 0].numel()  # positions of a map; 1 in a fully connected layer
        layers.append(
            {
                "net": net,
                "name": name,
                "parameters": weight.numel() + weights[f"{name}.bias"].numel(),
                "multiplications": weight.numel() * uses,
                "uses": uses,
            }
        )
    return {
        "layers": layers,
        "parameters": parameter_count(context.model(net)),
        "multiplications": sum(layer["multiplications"] for layer in layers),
    }


@lru_cache(maxsize=1)
def _shift_table(context: Context) -> list[dict[str, float]]:
    """For each of SHIFTS: share of right answers, over four directions, and of whole digits.

    `mlp` and `lenet` count all digits, `mlp_whole` and `lenet_whole` only those that have lost
    no ink to the edge, whose share is `whole`.
    """
    images, labels = context.test.images[:SHIFTED_COUNT], context.test.labels[:SHIFTED_COUNT]
    ink = (images > 0).flatten(1).sum(1)  # (N,)
    table = []
    for pixels in SHIFTS:
        directions = [(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]
        moved = [shift(images, *direction) for direction in directions[: 4 if pixels else 1]]
        whole = torch.cat([(m > 0).flatten(1).sum(1) == ink for m in moved])  # (4N,)
        row = {"whole": whole.double().mean().item()}
        for net in _NETS:
            answers = torch.cat([predict(context.model(net), to_input(m)).argmax(1) for m in moved])
            right = (answers == labels.repeat(len(moved))).double()  # (4N,)
            row[net] = right.mean().item()
            row[f"{net}_whole"] = right[whole].mean().item() if whole.any() else 0.0
        table.append(row)
    return table


@lru_cache(maxsize=1)
def _story(context: Context) -> dict[str, Any]:
    """The first test digit that shows the difference, and both networks' answers to each shift.

    That is one which both read right where it is, LeNet alone after four pixels, neither after
    six, the MLP not in between either, and of which nothing leaves the frame; the first digit if
    there is none.
    """
    images, labels = context.test.images[:SHIFTED_COUNT], context.test.labels[:SHIFTED_COUNT]
    fits = (images[..., -SHIFTS[-1] :] == 0).flatten(1).all(1)  # (N,)
    right = {
        (net, pixels): predict(context.model(net), to_input(shift(images, 0, pixels))).argmax(1)
        == labels
        for net in _NETS
        for pixels in (0, 4, 5, 6)
    }
    shows = fits & right["mlp", 0]
    shows &= ~right["mlp", 4] & ~right["mlp", 5] & ~right["mlp", 6]
    shows &= right["lenet", 0] & right["lenet", 4] & ~right["lenet", 6]
    index = int(shows.double().argmax())  # 0 if there is none
    moved = torch.cat([shift(images[index][None], 0, pixels) for pixels in SHIFTS])
    names, true = context.test.class_names, int(labels[index])
    story: dict[str, Any] = {"index": index, "true": names[true]}
    for net in _NETS:
        shares = predict(context.model(net), to_input(moved)).softmax(1)  # (7, 10)
        story[net] = [
            {
                "answer": names[int(share.argmax())],
                "share": float(share.max()),
                "right": int(share.argmax()) == true,
            }
            for share in shares
        ]
    return story


def _maps(values: Tensor, columns: int, peak: float, scale: float) -> Any:
    return picture(mosaic(values.numpy(), columns=columns, scale=(0, peak)), scale)


def _moved_outputs(context: Context) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs, maps and units of LeNet for an example, and for it moved up by STEP pixels.

    The example is the first from 7 on that fits into the frame after the move.
    """
    examples = context.examples
    fits = (examples[..., :STEP, :] == 0).flatten(1).all(1).tolist()
    order = [*range(7, len(examples)), *range(7)]
    digit = next((index for index in order if fits[index]), 7)
    results = []
    for image in (examples[digit], shift(examples[digit][None], -STEP, 0)[0]):
        inputs = context.inputs("lenet", image[None])  # (1, 1, 28, 28)
        outputs = record(context.model("lenet"), inputs)
        layers = ("relu1", "pool2", "relu3", "output")
        results.append({"input": inputs[0], **{name: outputs[name][0] for name in layers}})
    return results[0], results[1]


def _moved_facts(here: dict[str, Tensor], moved: dict[str, Tensor]) -> dict[str, float]:
    """How far the layers of a moved digit are from the moved layers of the digit.

    Only where no unit sees padding: 2 pixels off the frame in relu1, one place off it in pool2.
    """
    inner1, inner2 = slice(2, -2), slice(1, -1)
    relu1 = moved["relu1"][:, 2 : -STEP - 2, inner1] - here["relu1"][:, STEP + 2 : -2, inner1]
    pool2 = moved["pool2"][:, 1:-2, inner2] - here["pool2"][:, 2:-1, inner2]
    return {
        "relu1_difference": float(relu1.abs().max()),
        "pool2_difference": float(pool2.abs().max()),
        "similarity": float(F.cosine_similarity(here["relu3"], moved["relu3"], dim=0)),
        "share_before": float(here["output"].softmax(0).max()),
        "share_after": float(moved["output"].softmax(0)[here["output"].argmax()]),
    }


def _similarities(context: Context) -> dict[str, float]:
    """Mean cosine similarity of fc1's outputs: of digits to themselves moved up, and to others.

    `moved` counts digits of which nothing leaves the frame; `same_class` all pairs of a class.
    """
    images, labels = context.test.images[:SHIFTED_COUNT], context.test.labels[:SHIFTED_COUNT]
    whole = (images[..., :STEP, :] == 0).flatten(1).all(1)  # (N,)
    here, moved = (
        F.normalize(
            record(context.model("lenet"), context.inputs("lenet", shown), layers=["relu3"])[
                "relu3"
            ]
        )
        for shown in (images, shift(images, -STEP, 0))
    )  # (N, 120) each
    pairs = (labels == labels[:, None]).fill_diagonal_(False)  # (N, N)
    return {
        "moved": float((here * moved).sum(1)[whole].mean()) if whole.any() else 0.0,
        "same_class": float((here @ here.T)[pairs].mean()),
    }


def _mlp_weights(context: Context) -> dict[str, np.ndarray]:
    """First-layer weights (512, 28, 28): of `mlp`, of `mlp-scrambled`, and those put back."""
    plain, scrambled = (
        context.trained(name).weights["fc1.weight"] for name in ("mlp", "mlp-scrambled")
    )
    restored = torch.empty_like(scrambled)
    restored[:, pixel_permutation(28 * 28)] = scrambled  # input i of the net is pixel order[i]
    named = {"mlp": plain, "scrambled": scrambled, "restored": restored}
    return {name: weight.reshape(-1, 28, 28).numpy() for name, weight in named.items()}


def _strongest(weights: np.ndarray) -> np.ndarray:
    """The UNITS units with the largest norm, the largest first."""
    norms = np.linalg.norm(weights.reshape(len(weights), -1), axis=1)
    return np.argsort(-norms, kind="stable")[:UNITS]


def _neighbour_correlation(weights: np.ndarray) -> float:
    """Correlation of each weight with the one to its right, over all units (U, 28, 28)."""
    return float(np.corrcoef(weights[..., :-1].ravel(), weights[..., 1:].ravel())[0, 1])


def _locality(context: Context) -> dict[str, int]:
    """Weights from the image to maps as large as conv1's: all to all, local, local and shared."""
    maps = context.recording("lenet")["conv1"][0].numel()  # 6·28·28
    kernels = context.trained("lenet").weights["conv1.weight"]  # (6, 1, 5, 5)
    return {
        "units": maps,
        "dense": 28 * 28 * maps,
        "local": kernels[0].numel() * maps,
        "shared": kernels.numel(),
        "patch": kernels[0].numel(),
    }


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    costs = {net: _cost(context, net) for net in _NETS}
    nets = {}
    for name in ("mlp", "lenet", "mlp-scrambled", "lenet-scrambled"):
        evaluation = context.evaluation(name)
        nets[name.replace("-", "_")] = {
            "accuracy": evaluation.accuracy,
            "errors": evaluation.count - int(evaluation.confusion.diagonal().sum()),
            "seconds": context.trained(name).history.seconds,
        }
    side, channels, hidden = 224, 3, context.trained("mlp").weights["fc1.bias"].numel()
    dense = hidden * (side * side * channels + 1)
    weights = _mlp_weights(context)
    story = _story(context)
    return {
        "costs": costs,
        "layers": [layer for net in _NETS for layer in costs[net]["layers"]],
        "locality": _locality(context),
        "photo": {
            "side": side,
            "hidden": hidden,
            "mlp": dense,
            "megabytes": dense * 4 / 1e6,
            "lenet": 6 * (5 * 5 * channels + 1),
        },
        "nets": nets,
        "test_count": len(context.test),
        "steps": context.recipe("lenet").steps,
        "max_shift": context.recipe("lenet").max_shift,
        "shifts": _shift_table(context),
        "shifted_count": min(SHIFTED_COUNT, len(context.test)),
        "story": story,
        "moved": _moved_facts(*_moved_outputs(context)),
        "similarity": _similarities(context),
        "step": STEP,
        "units": UNITS,
        "neighbours": {name: _neighbour_correlation(w) for name, w in weights.items()},
    }
