"""The facts of all units of a layer in columns (cnnviz.atlas.grid_facts), from a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from cnnviz.atlas.grid import DrawnGrid, field_size, short
from cnnviz.atlas.grid_facts import GridFacts, JoinedFacts, OffFacts, OptimisedFacts, Places
from cnnviz.atlas.links import Joined, incoming, outgoing
from cnnviz.atlas.sections import nonlinearity
from cnnviz.atlas.subject import AtlasNet
from cnnviz.inside.ablation import Ablation
from cnnviz.inside.layers import Layer
from cnnviz.inside.patches import Answers

BEST = 5
"""Classes that a unit answers most to, as its panel names them."""


def grid_facts(
    net: AtlasNet,
    layer: Layer,
    drawn: DrawnGrid,
    into: Mapping[str, Tensor],
    optimised: OptimisedFacts | None = None,
    off: OffFacts | None = None,
) -> GridFacts:
    """All that the page of a layer tells of its units.

    Args:
        drawn: the files with their patches.
        into: layer → what each of its units gets from each channel before it (C, channels).
    """
    best, before = net.extremes[layer.name], net.statistics[layer.name]
    behind = nonlinearity(net, layer)
    after = net.statistics[behind.name] if behind else before
    labels = net.subject.labels
    norm, bias = _weights(layer)
    ranked, means = _by_class(after.by_class if net.labelled else None)
    images = torch.cat([best.most.image, best.least.image], dim=1).unique().tolist()
    told = {i: int(labels[i]) for i in images} if net.labelled and labels is not None else {}
    own = layer.scores and layer.units == len(net.classes)
    named = {*told.values(), *(c for row in ranked for c in row)}
    named |= set(range(len(net.classes))) if own else set()
    return GridFacts(
        net=net.name,
        title=net.title,
        layer=layer.name,
        kind=layer.kind,
        units=layer.units,
        spatial=len(layer.after) > 1,
        field=field_size(net, layer.name),
        whole=drawn.whole,
        relu=behind.name if behind else "",
        images=len(net.subject.images),
        counted=len(net.counted),
        patch=drawn.patch,
        tiles=drawn.tiles,
        sheets=drawn.sheets,
        most=_places(best.most),
        least=_places(best.least),
        labels=told,
        classes={c: net.classes[c] for c in sorted(named)},
        active=short(after.active),
        low=short(before.lowest),
        high=short(before.highest),
        mean=short(after.mean),
        best=ranked,
        best_mean=means,
        norm=norm,
        bias=bias,
        own=own,
        off=off,
        optimised=optimised,
        incoming=_facts(incoming(net, layer, into)),
        outgoing=_facts(outgoing(net, layer, into)),
    )


def off_facts(units: Sequence[int], off: Ablation, baseline: tuple[Tensor, Tensor]) -> OffFacts:
    """What changes, on average over the classes, without each of some units.

    Args:
        off: accuracy and loss by class, a row for each of `units`.
        baseline: accuracy and loss by class with nothing switched off, each (classes,).
    """
    accuracy, loss = (
        (without - whole).nanmean(1)
        for without, whole in zip((off.accuracy, off.loss), baseline, strict=True)
    )
    return OffFacts(units=list(units), loss=short(loss), accuracy=short(accuracy))


def _by_class(means: Tensor | None) -> tuple[list[list[int]], list[list[float]]]:
    """The BEST classes of each unit, by its mean for them (C, classes), and those means."""
    if means is None:
        return [], []
    top = means.topk(min(BEST, means.shape[1]), dim=1)  # (C, BEST)
    return top.indices.tolist(), [short(row) for row in top.values]


def _places(answers: Answers) -> Places:
    return Places(
        image=answers.image.tolist(),
        row=answers.row.tolist(),
        column=answers.column.tolist(),
        value=[short(row) for row in answers.value],
    )


def _weights(layer: Layer) -> tuple[list[float], list[float]]:
    """The norm of each unit's weights, and its bias."""
    weight, bias = layer.weight, getattr(layer.module, "bias", None)
    if weight is None:
        return [], []
    norm = torch.from_numpy(weight.copy()).flatten(1).norm(dim=1)  # (C,)
    return short(norm), short(bias.detach().cpu()) if isinstance(bias, Tensor) else []


def _facts(joined: Joined | None) -> JoinedFacts | None:
    if joined is None:
        return None
    return JoinedFacts(
        layer=joined.layer.name,
        count=joined.layer.units,
        unit=joined.unit.tolist(),
        weight=[short(row) for row in joined.weight],
        contribution=[short(row) for row in joined.contribution],
    )
