"""Figures on linear probes: what each layer still knows about the digits that LeNet misreads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.inside.probes import fit_probe
from cnnviz.inside.recording import record
from cnnviz.training.runs import SEEDS
from cnnviz.words import Say
from gen.context import Context, shared

LAYERS = ("input", "pool1", "pool2", "relu3", "relu4", "output")
_LATER = (*LAYERS[1:-1], "logits")  # what all but the first are called
TRAIN_COUNT = 6000
"""Training images on which the probes are fitted."""

UNTRAINED = [f"short-lenet-{seed}" for seed in SEEDS[:3]]
"""Networks whose starts, before any training, are the control: what probes find in any network."""

WORST = 12
NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫"


def _layer_names(say: Say) -> list[str]:
    return [say("pixels"), *_LATER]


def _features(
    context: Context, images: Tensor, name: str = "lenet", step: int | None = None
) -> dict[str, Tensor]:
    inputs = context.inputs(name, images)
    outputs = record(context.model(name, step), inputs, layers=LAYERS[1:])
    return {"input": inputs} | outputs


@shared
def _scores(context: Context, name: str = "lenet", step: int | None = None) -> Tensor:
    """What the probe of each layer says to each test image: (layers, N, classes) float64.

    `step` is that of the network's training; by default its end.
    """
    classes = len(context.test.class_names)
    known = _features(context, context.train.images[:TRAIN_COUNT], name, step)
    asked = _features(context, context.test.images, name, step)
    labels = context.train.labels[:TRAIN_COUNT]
    scores = [fit_probe(known[k], labels, classes).scores(asked[k]) for k in LAYERS]
    return torch.stack(scores)


def _untrained(context: Context) -> list[Tensor]:
    """Whether probes on networks that were never trained read each test image right, (layers, N)
    each."""
    return [_scores(context, name, 0).argmax(2) == context.test.labels for name in UNTRAINED]


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
    """What a linear probe can read off each layer: of all digits, and of those misread.

    Those misread also by probes on networks that were never trained.
    """
    right, wrong = _right(context), _wrong(context)
    everything, misread = _mean(right), _mean(right[:, wrong])
    untrained = _mean(torch.cat([one[:, wrong] for one in _untrained(context)], dim=1))

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {say("all"): everything, say("misread"): misread, say("untrained"): untrained},
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
            untrained_pool2=untrained[2],
            untrained_relu4=untrained[4],
        ),
        panels=[Panel(draw)],
        uses=["lenet", *UNTRAINED],
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


def _last_right(right: Tensor) -> dict[str, int]:
    """Of some images, (layers, N): how many probes were last right at each layer, or at none."""
    places = torch.arange(1, len(LAYERS) + 1)[:, None]
    last = (right * places).amax(0)  # (N,): 0 for none
    counts = torch.bincount(last, minlength=len(LAYERS) + 1).tolist()
    return dict(zip(("none", *LAYERS), counts, strict=True))


def last_right(context: Context) -> Figure:
    """At which layer the probe was right for the last time, over all errors.

    Beside it the same of networks that were never trained, where nothing was learned that could
    be lost.
    """
    wrong = _wrong(context)
    counts = list(_last_right(_right(context)[:, wrong]).values())
    starts = [list(_last_right(one[:, wrong]).values()) for one in _untrained(context)]
    means = [sum(of_place) / len(starts) for of_place in zip(*starts, strict=True)]

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {say("trained"): counts, say("untrained"): means},
            [say("nowhere"), *_layer_names(say)],
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            write=lambda value: f"{value:.0f}",
        )

    names = [message("nowhere"), message("pixels"), *_LATER]
    return Figure(
        alt=message(
            "alt",
            layers=list(zip(names, counts, strict=True)),
            trained=sum(counts[1:]),
            untrained=sum(means[1:]),
        ),
        panels=[Panel(draw)],
        uses=["lenet", *UNTRAINED],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    right, wrong = _right(context), _wrong(context)
    counts = _last_right(right[:, wrong])
    starts = _untrained(context)
    worst = right[:, _worst(context)].bool()
    sizes = [int(f[0].numel()) for f in _features(context, context.test.images[:1]).values()]
    agree = _scores(context)[-1].argmax(1) == context.logits("lenet").argmax(1)
    lost_in_pixels = ~right[0]
    return {
        "untrained": dict(zip(LAYERS, _mean(starts[0]), strict=True)),
        "starts": len(starts),
        "somewhere_untrained": sorted(int(one[:, wrong].any(0).sum()) for one in starts),
        "misread_untrained": dict(
            zip(LAYERS, _mean(torch.cat([one[:, wrong] for one in starts], dim=1)), strict=True)
        ),
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
            "images": worst.shape[1],
            "right": int(worst.sum()),
            "of": worst.numel(),
            "never": int((~worst.any(0)).sum()),
        },
        "agree": float(agree.double().mean()),
    }
