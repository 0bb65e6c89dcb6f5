"""All that the grid of a layer tells of its units, as columns, and the chapter they are kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import torch
from torch import Tensor

from cnnviz.atlas.grid import DrawnGrid, SheetFiles, draw_grids, short
from cnnviz.atlas.grid_facts import GridFacts, JoinedFacts, OffFacts, OptimisedFacts, Places
from cnnviz.atlas.subject import AtlasNet
from cnnviz.figure.kept import Chapter, Name
from cnnviz.inside.ablation import Ablation
from cnnviz.inside.layers import Layer
from cnnviz.inside.selection import Answers, Extremes

NAMED = 5
"""Classes that are told of a unit: those with its largest means."""

Links = Mapping[str, Any]
"""Of a layer: "before" and "after" are names of layers or "", "incoming" and "outgoing" for each
unit a list of [unit there, weight, contribution]."""


def draw_units(
    net: AtlasNet,
    layers: Sequence[str],
    chapter: Chapter,
    files: SheetFiles,
    *,
    links: Mapping[str, Links] | None = None,
    off: Mapping[str, OffFacts] | None = None,
    optimised: Mapping[str, OptimisedFacts] | None = None,
) -> None:
    """Draw the grids of some layers and put their facts into a chapter.

    Args:
        layers: names of layers with weights; those of one of `grid.groups` read the images once.
        links: layer → who feeds its units and whom they feed.
        off: layer → what changes without its units.
        optimised: layer → what was optimised for its units, as `grid.draw_optimised` drew it.

    Raises:
        CnnvizError: a file cannot be written.
    """
    links, off, optimised = links or {}, off or {}, optimised or {}
    best = {name: net.extremes[name] for name in layers}
    told = chapter.numbers.setdefault("grids", {})
    for name, drawn in draw_grids(net, best, files):
        facts = grid_facts(
            net, net.layer(name), best[name], drawn,
            links=links.get(name), off=off.get(name), optimised=optimised.get(name),
        )  # fmt: skip
        told[name] = msgspec.to_builtins(facts, str_keys=True)
    chapter.files |= files.files


def grids_in(chapter: Chapter) -> dict[str, GridFacts]:
    """Layer → the facts that `draw_units` put into a chapter.

    Raises:
        msgspec.ValidationError: they are of another kind.
    """
    return msgspec.convert(
        chapter.numbers.get("grids", {}), dict[Name, GridFacts], strict=False, str_keys=True
    )


def grid_facts(
    net: AtlasNet,
    layer: Layer,
    best: Extremes,
    drawn: DrawnGrid,
    *,
    links: Links | None = None,
    off: OffFacts | None = None,
    optimised: OptimisedFacts | None = None,
) -> GridFacts:
    """What the grid of a layer tells."""
    field = net.fields.get(layer.name)
    relu = next((x for x in net.after(layer) if x.kind == "relu"), None)
    before, after = net.statistics[layer.name], net.statistics[(relu or layer).name]
    own = layer.kind == "output" and layer.after[0] == len(net.classes)
    ranked = after.by_class.topk(min(NAMED, after.by_class.shape[1])) if (
        net.labelled and after.by_class is not None
    ) else None  # fmt: skip
    labels = _labels(net, best)
    named = set(labels.values()) | (set(range(len(net.classes))) if own else set())
    if ranked is not None:
        named |= set(ranked.indices.flatten().tolist())
    return GridFacts(
        net=net.name,
        title=net.title,
        layer=layer.name,
        kind=layer.kind,
        units=layer.after[0],
        spatial=len(layer.after) > 1,
        field=field.size if field else (0, 0),
        relu=relu.name if relu else "",
        images=len(net.subject.images),
        counted=before.images,
        patch=drawn.patch,
        whole=drawn.whole,
        tiles=drawn.tiles,
        sheets=drawn.sheets,
        most=_places(best.most),
        least=_places(best.least),
        labels=labels,
        classes={number: net.classes[number] for number in sorted(named)},
        active=short(after.active),
        low=short(before.lowest),
        high=short(before.highest),
        mean=short(after.mean),
        best=ranked.indices.tolist() if ranked else (),
        best_mean=[short(row) for row in ranked.values] if ranked else (),
        own=own,
        off=off,
        optimised=optimised,
        incoming=_joined(net, links, "before", "incoming"),
        outgoing=_joined(net, links, "after", "outgoing"),
        **_weights(layer),
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


def _places(answers: Answers) -> Places:
    return Places(
        image=answers.image.tolist(),
        row=answers.row.tolist(),
        column=answers.column.tolist(),
        value=[short(values) for values in answers.value],
    )


def _labels(net: AtlasNet, best: Extremes) -> dict[int, int]:
    """Image → class, of those with patches; empty where nobody knows them."""
    if not net.labelled or net.subject.labels is None:
        return {}
    images = torch.cat([best.most.image, best.least.image]).unique()
    return dict(zip(images.tolist(), net.subject.labels[images].tolist(), strict=True))


def _weights(layer: Layer) -> dict[str, Any]:
    """Norm and bias of each unit's weights."""
    if layer.weight is None:
        return {}
    norm = torch.from_numpy(layer.weight.copy()).flatten(1).norm(dim=1)
    bias = getattr(layer.module, "bias", None)
    if len(norm) != layer.after[0]:  # such as a transposed convolution, whose outputs come second
        return {}
    return {"norm": short(norm), "bias": () if bias is None else short(bias.detach().cpu())}


def _joined(net: AtlasNet, links: Links | None, key: str, side: str) -> JoinedFacts | None:
    """Who feeds the units, or whom they feed, as columns."""
    if not links or not links[key]:
        return None
    columns = [list(zip(*unit, strict=True)) or [(), (), ()] for unit in links[side]]
    unit, weight, contribution = (list(map(list, c)) for c in zip(*columns, strict=True))
    return JoinedFacts(
        layer=links[key],
        count=net.layer(links[key]).after[0],
        unit=unit,
        weight=weight,
        contribution=contribution,
    )
