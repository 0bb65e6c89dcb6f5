"""The atlas' ablation table: each unit of each net off in turn, and what that costs each class."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.figures.ablation import FIRST, Row, ablation_table, rows_of
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import charts
from cnnviz.figure.figure import Figure, Message, Panel, Variant, message
from cnnviz.inside.ablation import silenced
from cnnviz.inside.evaluation import predict
from cnnviz.words import Say
from gen.context import Context, shared
from gen.nets import atlas_net, atlas_nets

_SHARES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Of the hidden units that are switched off together."""

_DRAWS = 3
"""Random orders in which they are switched off."""

_NOTHING_HAPPENS = 1
"""Right answers of the tested ones by which a unit that goes unnoticed changes their number."""


# ---------- The table ----------


def table(context: Context) -> Figure:
    """What each class loses without each unit; the reader chooses the net and sorts."""
    nets = atlas_nets(context)
    drawn = [ablation_table(net) for net in nets]
    return Figure(
        alt=message("atlas_ablation.table.alt", nets=[one.alt for one in drawn]),
        variants=[
            Variant(net.title, one.panels, one.legends)
            for net, one in zip(nets, drawn, strict=True)
        ],
        uses=[net.name for net in nets],
        drawn_by=ablation_table,
    )


# ---------- Many at once ----------


def together(context: Context) -> Figure:
    """Accuracy while more and more hidden units are switched off at once."""
    panels, ends = [], []
    for net in atlas_nets(context):
        curves = _together(context, net)
        if not curves:
            continue
        ends.append([net.title, curves["least"][_SHARES.index(0.5)]])
        title = message("title", net=net.title)
        panels.append(Panel(partial(_chart, curves, title), title))
    if not panels:  # nets of one layer only
        panels = [Panel(lambda say: f"<p>{escape(say('nothing'))}</p>", message("nothing"))]
    return Figure(
        alt=message("alt", nets=ends),
        panels=panels,
        layout="column",
        uses=list(context.settings.atlas_nets),
    )


def _chart(curves: dict[str, list[float]], title: Message, say: Say) -> str:
    return charts.line_chart(
        {say(f"names.{key}"): (100 * np.array(_SHARES), values) for key, values in curves.items()},
        title=say(title),
        x_label=say("x"),
        y_label=say("y"),
        percent=True,
        y_limits=(0, 1),
        size=(640, 280),
    )


@shared
def _together(context: Context, net: AtlasNet) -> dict[str, list[float]]:
    """Accuracy for each of _SHARES with those that change the loss least off first, or by chance.

    Keys "least" and "random", the mean of _DRAWS orders; empty for a net of one layer.
    """
    hidden = [row for row in rows_of(net) if row.layer in _hidden(net)]
    if not hidden:
        return {}
    chance = torch.Generator().manual_seed(0)
    orders = [torch.randperm(len(hidden), generator=chance).tolist() for _ in range(_DRAWS)]
    random = [_without_more_and_more(net, [hidden[i] for i in order]) for order in orders]
    least = _without_more_and_more(net, sorted(hidden, key=lambda r: abs(r.loss[0])))
    return {"least": least, "random": np.mean(random, axis=0).tolist()}


def _without_more_and_more(net: AtlasNet, order: list[Row]) -> list[float]:
    """Accuracy on a part of the tested images without each of _SHARES of the units."""
    few, labels = net.tested[: net.limits.together], net.tested_labels[: net.limits.together]
    found = []
    for share in _SHARES:
        off: dict[str, list[int]] = {}
        for row in order[: round(share * len(order))]:
            off.setdefault(row.layer, []).append(row.unit)
        with silenced(net.model, off):
            right = predict(net.model, few).argmax(1) == labels
        found.append(float(right.double().mean()))
    return found


def _hidden(net: AtlasNet) -> list[str]:
    return [layer.name for layer in net.weighted[:-1]]


# ---------- Numbers for the text ----------


def numbers(context: Context) -> dict[str, Any]:
    """What the table says of each net and of each of its layers."""
    nets = atlas_nets(context)
    return {
        "nets": {net.name: _facts(context, net) for net in nets},
        "shares": list(_SHARES),
        "first": FIRST,
        "tested": len(nets[0].tested),
        "together": len(nets[0].tested[: nets[0].limits.together]),
        "draws": _DRAWS,
        "nothing": _NOTHING_HAPPENS,
        "relieved": _relieved(context) if "lenet" in context.settings.atlas_nets else {},
    }


def _relieved(context: Context) -> dict[str, Any]:
    """The hidden unit of LeNet without which the loss falls most, and what label smoothing says.

    Changes of the mean loss over the tested images, in thousandths: plain, as in the table, and
    with the smoothing that LeNet was trained with; and the change of its mean confidence.
    """
    net, smoothing = atlas_net(context, "lenet"), context.trained("lenet").recipe.label_smoothing
    row = min((r for r in rows_of(net) if r.layer in _hidden(net)), key=lambda r: r.loss[0])
    labels = net.tested_labels
    before = predict(net.model, net.tested)  # (N, 10)
    with silenced(net.model, {row.layer: [row.unit]}):
        after = predict(net.model, net.tested)

    def change(measure: Callable[[Tensor], Tensor]) -> float:
        return float(measure(after.double()) - measure(before.double()))

    return {
        "layer": row.layer,
        "unit": row.unit,
        "page": unit_name(row.unit, row.units),
        "loss": 1000 * change(lambda z: F.cross_entropy(z, labels)),
        "smoothed": 1000 * change(lambda z: F.cross_entropy(z, labels, label_smoothing=smoothing)),
        "confidence": change(lambda z: z.softmax(1).amax(1).mean()),
        "answers": int((before.argmax(1) != after.argmax(1)).sum()),
    }


def _facts(context: Context, net: AtlasNet) -> dict[str, Any]:
    rows = rows_of(net)
    tested, classes = len(net.tested), net.classes
    quiet = 100 * (_NOTHING_HAPPENS + 0.5) / tested  # points of accuracy
    layers: list[dict[str, Any]] = []
    for layer in net.weighted:
        own = [row for row in rows if row.layer == layer.name]
        worst = own[0]
        victim = int(np.nan_to_num(worst.loss[1:], nan=-np.inf).argmax())
        layers.append(
            {
                "name": layer.name,
                "units": len(own),
                "mean": float(np.mean([row.loss[0] for row in own])),
                "points": float(np.mean([row.points[0] for row in own])),
                "worst": worst.unit,
                "worst_page": unit_name(worst.unit, worst.units),
                "worst_loss": float(worst.loss[0]),
                "worst_points": float(worst.points[0]),
                "victim": classes[victim],
                "victim_points": float(np.nan_to_num(worst.points[1 + victim])),
                "unnoticed": sum(bool(abs(row.points[0]) < quiet) for row in own),
                "better": sum(bool(row.loss[0] < 0) for row in own),
            }
        )
    hidden = [layer for layer in layers if layer["name"] in _hidden(net)]
    curves = _together(context, net)
    accuracy, loss = (float((part.nan_to_num() @ _shares(net)).sum()) for part in net.baseline)
    dearest = max(hidden or layers, key=lambda layer: float(layer["mean"]))
    return {
        "title": net.title,
        "layers": layers,
        "units": len(rows),
        "hidden": sum(layer["units"] for layer in hidden),
        "unnoticed": sum(layer["unnoticed"] for layer in hidden),
        "better": sum(layer["better"] for layer in hidden),
        "most": max((float(row.loss[0]) for row in rows if row.layer in _hidden(net)), default=0.0),
        "accuracy": accuracy,
        "loss": loss,
        "dearest": dearest,
        "together": curves,
    }


def _shares(net: AtlasNet) -> Tensor:
    """The share of each class among the tested images, (classes,)."""
    labels = net.tested_labels
    return torch.bincount(labels, minlength=len(net.classes)).double() / len(labels)
