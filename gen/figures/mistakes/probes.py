"""Figures on linear probes: what each layer still knows about the digits that LeNet misreads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.inside.probes import fit_probe
from cnnviz.inside.recording import record
from gen.context import Context, shared
from gen.figure.figure import Figure, Legend, Panel, Text, in_both

LAYERS = ("input", "pool1", "pool2", "relu3", "relu4", "output")
TRAIN_COUNT = 6000
"""Training images on which the probes are fitted."""

WORST = 12
NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫"

_NAMES = {"input": Text("像素", "pixels"), "output": Text("logits", "logits")}


def _layer_names() -> list[Text]:
    return [_NAMES.get(layer, Text(layer, layer)) for layer in LAYERS]


def _features(context: Context, images: Tensor, step: int | None = None) -> dict[str, Tensor]:
    inputs = context.inputs("lenet", images)
    outputs = record(context.model("lenet", step), inputs, layers=LAYERS[1:])
    return {"input": inputs} | outputs


@shared
def _scores(context: Context, step: int | None = None) -> Tensor:
    """What the probe of each layer says to each test image: (layers, N, classes) float64.

    `step` is that of the network's training; by default its end.
    """
    classes = len(context.test.class_names)
    known = _features(context, context.train.images[:TRAIN_COUNT], step)
    asked = _features(context, context.test.images, step)
    labels = context.train.labels[:TRAIN_COUNT]
    scores = [fit_probe(known[k], labels, classes).scores(asked[k]) for k in LAYERS]
    return torch.stack(scores)


def _right(context: Context) -> Tensor:
    """Whether the probe of each layer reads each test image right, (layers, N)."""
    return _scores(context).argmax(2) == context.test.labels


def _wrong(context: Context) -> Tensor:
    """Which test images LeNet itself misreads, (N,)."""
    return context.logits("lenet").argmax(1) != context.test.labels


def _mean(right: Tensor) -> list[float]:
    """Share of right answers by layer; 0 where there are no images."""
    return [float(x) for x in right.double().sum(1) / max(right.shape[1], 1)]


def probe_accuracy(context: Context) -> Figure:
    """What a linear probe can read off each layer: of all digits, and of those misread."""
    right, wrong = _right(context), _wrong(context)
    everything, misread = _mean(right), _mean(right[:, wrong])

    def draw(say: Any) -> str:
        return charts.grouped_bar_chart(
            {
                say(Text("全部测试图", "all test images")): everything,
                say(Text("LeNet 最终认错的", "those that LeNet misreads")): misread,
            },
            [say(name) for name in _layer_names()],
            title=say(Text("线性探针逐层的准确率", "Accuracy of a linear probe by layer")),
            x_label=say(Text("探针看的层", "layer that the probe looks at")),
            y_label=say(Text("探针答对的比例", "read right by the probe")),
            percent=True,
            write=lambda share: f"{100 * share:.0f}%",
        )

    return Figure(
        alt=Text(
            f"探针在全部测试图上的准确率从像素的 {everything[0]:.0%} 升到 relu4 的 {everything[4]:.1%}；"
            f"在 LeNet 认错的图上，从 pool2 的 {misread[2]:.0%} 降到 relu4 的 {misread[4]:.0%}",
            f"On all test images the probe rises from {everything[0]:.0%} on pixels to "
            f"{everything[4]:.1%} on relu4; on those that LeNet misreads it falls from "
            f"{misread[2]:.0%} on pool2 to {misread[4]:.0%} on relu4",
        ),
        panels=[Panel(in_both(draw))],
        uses=["lenet"],
    )


def _worst(context: Context) -> list[int]:
    """The errors of which LeNet is most sure, in the order of the figure mistakes/most_wrong."""
    sure = context.logits("lenet").softmax(1).amax(1)
    wrong = _wrong(context).nonzero()[:, 0]
    if not len(wrong):
        wrong, sure = torch.arange(len(sure)), -sure
    return list(wrong[sure[wrong].argsort(descending=True, stable=True)][:WORST].tolist())


def left_its_class(context: Context) -> Figure:
    """For the worst errors the probe's answer at each layer."""
    indices, names, labels = _worst(context), context.test.class_names, context.test.labels
    scores = _scores(context)[:, indices].transpose(0, 1)  # (12, layers, classes)
    truth = labels[indices]
    own = scores.gather(2, truth[:, None, None].expand(-1, len(LAYERS), 1))[..., 0]
    others = scores.scatter(2, truth[:, None, None].expand(-1, len(LAYERS), 1), -torch.inf)
    margins = own - others.amax(2)  # (12, layers): above 0 where the probe is right
    said = [[names[a] for a in row] for row in scores.argmax(2).tolist()]
    final = context.logits("lenet").argmax(1)
    rows = [
        f"{mark} {names[labels[i]]} → {names[final[i]]}"
        for mark, i in zip(NUMBERS, indices, strict=False)
    ]

    def draw(say: Any) -> str:
        return matrix_chart(
            margins.numpy(),
            rows,
            [say(name) for name in _layer_names()],
            title=say(Text("探针在每一层的回答", "The probe's answer at each layer")),
            row_title=say(Text("真实类别 → LeNet 的回答", "true class → LeNet's answer")),
            column_title=say(Text("探针看的层", "the probe looks at")),
            words=said,
            signed=True,
            cell=(64, 30),
        )

    kept = [int((row > 0).sum()) for row in margins.T]
    return Figure(
        alt=Text(
            f"最有把握的 {len(rows)} 个错误：探针在像素上答对 {kept[0]} 个，在 pool1 上 {kept[1]} 个，"
            f"pool2 上 {kept[2]} 个，relu3 上 {kept[3]} 个，relu4 上 {kept[4]} 个",
            f"Of the {len(rows)} worst errors the probe reads {kept[0]} right from pixels, {kept[1]} "
            f"from pool1, {kept[2]} from pool2, {kept[3]} from relu3 and {kept[4]} from relu4",
        ),
        panels=[Panel(in_both(draw))],
        legends=[
            Legend(
                Text(
                    "格子里是探针的回答。橙色：答对，蓝色：答错；越深，真实类别领先或落后得越多",
                    "a cell holds the probe's answer. Orange: right, blue: wrong; the darker, the "
                    "further the true class is ahead or behind",
                )
            )
        ],
        uses=["lenet"],
    )


def _last_right(context: Context) -> dict[str, int]:
    """Of all errors: how many probes were last right at each layer, or at none."""
    right = _right(context)[:, _wrong(context)]  # (layers, errors)
    places = torch.arange(1, len(LAYERS) + 1)[:, None]
    last = (right * places).amax(0)  # (errors,): 0 for none
    counts = torch.bincount(last, minlength=len(LAYERS) + 1).tolist()
    return dict(zip(("none", *LAYERS), counts, strict=True))


def last_right(context: Context) -> Figure:
    """At which layer the probe was right for the last time, over all errors."""
    counts = _last_right(context)
    names = [Text("从来没有", "nowhere"), *_layer_names()]

    def draw(say: Any) -> str:
        return charts.bar_chart(
            {say(name): n for name, n in zip(names, counts.values(), strict=True)},
            title=say(Text("最后一次答对在哪一层", "Where the probe was last right")),
            x_label=say(Text("探针最后一次答对的层", "layer where the probe was last right")),
            y_label=say(Text("LeNet 认错的图的张数", "images misread by LeNet")),
            write=lambda value: f"{value:.0f}",
        )

    return Figure(
        alt=Text(
            "LeNet 认错的图里，探针最后一次答对的层："
            + "，".join(f"{n.zh} {c} 张" for n, c in zip(names, counts.values(), strict=True)),
            "Of the images that LeNet misreads, the layer where the probe was last right: "
            + ", ".join(f"{n.en} {c}" for n, c in zip(names, counts.values(), strict=True)),
        ),
        panels=[Panel(in_both(draw))],
        uses=["lenet"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    right, wrong = _right(context), _wrong(context)
    counts = _last_right(context)
    sizes = [int(f[0].numel()) for f in _features(context, context.test.images[:1]).values()]
    agree = _scores(context)[-1].argmax(1) == context.logits("lenet").argmax(1)
    untrained = _scores(context, 0).argmax(2) == context.test.labels
    lost_in_pixels = ~right[0]
    return {
        "untrained": dict(zip(LAYERS, _mean(untrained), strict=True)),
        "pixels_wrong": int(lost_in_pixels.sum()),
        "rescued": int((lost_in_pixels & ~wrong).sum()),
        "train_count": min(TRAIN_COUNT, len(context.train)),
        "accuracy": dict(zip(LAYERS, _mean(right), strict=True)),
        "misread": dict(zip(LAYERS, _mean(right[:, wrong]), strict=True)),
        "sizes": dict(zip(LAYERS, sizes, strict=True)),
        "last_right": counts,
        "errors": int(wrong.sum()),
        "somewhere": int(wrong.sum()) - counts["none"],
        "worst": {
            "images": len(_worst(context)),
            "right": int(right[:, _worst(context)].sum()),
            "of": len(LAYERS) * len(_worst(context)),
            "never": int((~right[:, _worst(context)].bool().any(0)).sum()),
        },
        "agree": float(agree.double().mean()),
    }
