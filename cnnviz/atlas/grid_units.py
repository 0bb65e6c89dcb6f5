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
from cnnviz.inside.selection import Answers, Extremes

BEST = 5
"""Classes that a unit answers most to, as its panel names them."""


def grid_facts(
    net: AtlasNet,
    layer: Layer,
    drawn: DrawnGrid,
    into: Mapping[str, Tensor],
    optimised: OptimisedFacts | None = None,
    off: OffFacts | None = None,
    units: int | None = None,
) -> GridFacts:
    """All that the page of a layer tells of its units.

    Args:
        units: only the first so many of each layer are shown, as in `drawn`; None: all.
        drawn: the files with their patches.
        into: layer → what each of its units gets from each channel before it (C, channels).
    """
    best, before = net.extremes[layer.name].first(units), net.statistics[layer.name]
    behind = nonlinearity(net, layer)
    after = net.statistics[behind.name] if behind else before
    norm, bias = _weights(layer)
    ranked, means = _by_class(after.by_class if net.labelled else None, units)
    told = _labels(net, best)
    shown = len(best.most.image)
    own = layer.scores and layer.units == len(net.classes)
    named = {*told.values(), *(c for row in ranked for c in row)}
    named |= set(range(shown)) if own else set()
    return GridFacts(
        net=net.name,
        title=net.title,
        layer=layer.name,
        kind=layer.kind,
        units=shown,
        of=layer.units,
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
        active=short(after.active[:units]),
        low=short(before.lowest[:units]),
        high=short(before.highest[:units]),
        mean=short(after.mean[:units]),
        best=ranked,
        best_mean=means,
        norm=norm[:units],
        bias=bias[:units],
        own=own,
        off=off,
        optimised=optimised,
        incoming=_facts(incoming(net, layer, into), units),
        outgoing=_facts(outgoing(net, layer, into), units),
    )


def _labels(net: AtlasNet, best: Extremes) -> dict[int, int]:
    """Image → its class, of the images with patches; empty without labels."""
    labels = net.subject.labels
    if not net.labelled or labels is None:
        return {}
    images = torch.cat([best.most.image, best.least.image], dim=1).unique().tolist()
    return {i: int(labels[i]) for i in images}


def off_facts(
    units: Sequence[int], off: Ablation, baseline: tuple[Tensor, Tensor], images: int
) -> OffFacts:
    """What changes, on average over the classes, without each of some units.

    Args:
        off: accuracy and loss by class, a row for each of `units`.
        baseline: accuracy and loss by class with nothing switched off, each (classes,).
        images: on how many it was measured.
    """
    accuracy, loss = (
        (without - whole).nanmean(1)
        for without, whole in zip((off.accuracy, off.loss), baseline, strict=True)
    )
    return OffFacts(units=list(units), loss=short(loss), accuracy=short(accuracy), images=images)


def _by_class(
    means: Tensor | None, units: int | None = None
) -> tuple[list[list[int]], list[list[float]]]:
    """The BEST classes of each unit, by its mean for them (C, classes), and those means."""
    if means is None:
        return [], []
    means = means[:units]
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


def _facts(joined: Joined | None, units: int | None) -> JoinedFacts | None:
    if joined is None:
        return None
    count = joined.layer.units
    return JoinedFacts(
        layer=joined.layer.name,
        count=count,
        shown=count if units is None else min(units, count),
        unit=joined.unit[:units].tolist(),
        weight=[short(row) for row in joined.weight[:units]],
        contribution=[short(row) for row in joined.contribution[:units]],
    )
