"""Figures on linear probes: what each layer still knows about the digits that LeNet misreads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.inside.probes import fit_probe
from cnnviz.inside.recording import record
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figure.figure import Figure, Legend, Panel, message

LAYERS = ("input", "pool1", "pool2", "relu3", "relu4", "output")
_LATER = (*LAYERS[1:-1], "logits")  # what all but the first are called
TRAIN_COUNT = 6000
"""Training images on which the probes are fitted."""

WORST = 12
NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫"


def _layer_names(say: Say) -> list[str]:
    return [say("pixels"), *_LATER]


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

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {say("all"): everything, say("misread"): misread},
            _layer_names(say),
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            write=lambda share: f"{100 * share:.0f}%",
        )

    return Figure(
        alt=message(
            "alt",
            pixels=everything[0],
            relu4=everything[4],
            misread_pool2=misread[2],
            misread_relu4=misread[4],
        ),
        panels=[Panel(draw)],
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

    def draw(say: Say) -> str:
        return matrix_chart(
            margins.numpy(),
            rows,
            _layer_names(say),
            title=say("title"),
            row_title=say("rows"),
            column_title=say("columns"),
            words=said,
            signed=True,
            cell=(64, 30),
        )

    kept = [int((row > 0).sum()) for row in margins.T]
    return Figure(
        alt=message("alt", errors=len(rows), **dict(zip(LAYERS, kept, strict=True))),
        panels=[Panel(draw)],
        legends=[Legend(message("legend"))],
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

    def draw(say: Say) -> str:
        names = [say("nowhere"), *_layer_names(say)]
        return charts.bar_chart(
            dict(zip(names, counts.values(), strict=True)),
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            write=lambda value: f"{value:.0f}",
        )

    names = [message("nowhere"), message("pixels"), *_LATER]
    return Figure(
        alt=message("alt", layers=list(zip(names, counts.values(), strict=True))),
        panels=[Panel(draw)],
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
