"""The atlas' seed twins: one recipe from five seeds, unit beside unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import Scale, mosaic
from cnnviz.figure.figure import GREY_LEGEND, Figure, Legend, Message, Panel, message, scale_legend
from cnnviz.inside.evaluation import predict
from cnnviz.inside.patches import cut, extremes
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.recording import record
from cnnviz.inside.twins import Pairs, assigned, correlations, explained, pair
from cnnviz.numbers import percent
from cnnviz.training.runs import SEEDS
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.matched_rows import Row, decimals, matched_rows

NETS = [f"short-lenet-{seed}" for seed in SEEDS]
LAYERS = {"conv1": 300, "conv2": 300, "fc1": 2000}
"""Layer → test images on which its units are compared; every place of a map counts."""

ALIKE, UNLIKE = 0.7, 0.5
"""Correlations from which a unit counts as found again, and below which it does not."""

_SOME = 20  # units of fc1
_PATCHES = 9
_SWEPT = 2000  # test images in which patches are looked for


@dataclass(frozen=True)
class _Layer:
    """Correlations of all units of one layer in all nets, trained and at their start.

    Attributes:
        trained, start: (S, C, S, C), between the units of one net and those of another.
        own: (S, C), of each trained unit with what it was at its start.
    """

    trained: Tensor
    start: Tensor
    own: Tensor


@shared
def _layers(context: Context) -> dict[str, _Layer]:
    images = context.inputs(NETS[0], context.test.images[: max(LAYERS.values())])

    def recorded(model: nn.Module) -> dict[str, Tensor]:
        return record(model, images, layers=list(LAYERS))

    trained = [recorded(context.model(name)) for name in NETS]
    start = [recorded(context.model(name, 0)) for name in NETS]
    found = {}
    for layer, count in LAYERS.items():
        ends = [output[layer][:count] for output in trained]
        starts = [output[layer][:count] for output in start]
        units = ends[0].shape[1]
        every = torch.cat([*ends, *starts], dim=1)  # (N, 2·S·C, …)
        matrix = correlations(every, every).unflatten(1, (-1, units)).unflatten(0, (-1, units))
        nets = torch.arange(len(NETS))
        own = matrix.diagonal(dim1=1, dim2=3)[nets, nets + len(NETS)]  # (S, C)
        found[layer] = _Layer(
            matrix[: len(NETS), :, : len(NETS)], matrix[len(NETS) :, :, len(NETS) :], own
        )
    return found


def _others() -> list[tuple[int, int]]:
    """Each net with each other, both ways."""
    count = len(NETS)
    return [(i, j) for i in range(count) for j in range(count) if i != j]


@shared
def _twins(context: Context, layer: str) -> list[Pairs]:
    """The twins of the units of the first net in each of the others."""
    matrix = _layers(context)[layer].trained
    return [assigned(matrix[0, :, other]) for other in range(1, len(NETS))]


def _order(context: Context, layer: str) -> list[int]:
    """Units of the first net, the one that is found again best first."""
    means = torch.stack([pairs.correlation for pairs in _twins(context, layer)]).mean(0)  # (C,)
    order: list[int] = means.argsort(descending=True, stable=True).tolist()
    return order


# ---------- Unit beside unit ----------


def kernels(context: Context) -> Figure:
    """The kernels of conv1 of all nets, each below its twin in the first."""
    tiles = [context.trained(name).weights["conv1.weight"][:, 0].numpy() for name in NETS]
    limit = max(float(np.abs(row).max()) for row in tiles)
    drawing = _matched(context, "conv1", tiles, (-limit, limit), "diverging")
    drawn = mosaic(tiles[0], scale=(-limit, limit), signed=True)
    alt = _matched_alt(context, "conv1")
    return Figure(
        alt=alt,
        panels=[Panel(drawing, alt=alt)],
        legends=[scale_legend(drawn, "figure", message("meaning")), Legend(message("written"))],
        uses=NETS,
    )


def patches(context: Context) -> Figure:
    """What excites the units of conv2 most, each below its twin in the first net."""
    images = context.inputs(NETS[0], context.test.images[:_SWEPT])
    size = images.shape[2], images.shape[3]
    field = receptive_fields(context.model(NETS[0]), size)["conv2"]
    tiles = []
    for name in NETS:
        most = extremes(context.model(name), ["conv2"], images, _PATCHES)["conv2"].most
        tiles.append(cut(images, most, field).mean((1, 2)).numpy())  # (C, h, w)
    drawing = _matched(context, "conv2", tiles, (0, 1), "grey")
    alt = _matched_alt(context, "conv2")
    return Figure(
        alt=alt,
        panels=[Panel(drawing, alt=alt)],
        legends=[
            Legend(
                message("legend", patches=_PATCHES),
                GREY_LEGEND.gradient,
                GREY_LEGEND.low,
                GREY_LEGEND.high,
            ),
            Legend(message("written")),
        ],
        uses=NETS,
    )


def _matched_alt(context: Context, layer: str) -> Message:
    every = torch.stack([pairs.correlation for pairs in _twins(context, layer)])  # (S − 1, C)
    return message(
        "matched",
        layer=layer,
        seeds=len(NETS),
        units=every.shape[1],
        low=every.min(),
        mean=every.mean(),
        high=every.max(),
    )


def _matched(
    context: Context,
    layer: str,
    tiles: Sequence[NDArray[np.floating[Any]]],
    scale: Scale,
    palette: str,
) -> Callable[[Say], str]:
    """A row of tiles (C, h, w) for each net, those of the others below their twins."""
    twins, order = _twins(context, layer), _order(context, layer)
    rows = [Row(message("seed", seed=SEEDS[0]), tiles[0][order], [str(u) for u in order])]
    for seed, shown, pairs in zip(SEEDS[1:], tiles[1:], twins, strict=True):
        values = [decimals(float(pairs.correlation[unit])) for unit in order]
        rows.append(Row(message("seed", seed=seed), shown[pairs.partner[order].numpy()], values))
    return matched_rows(
        rows, scale, palette, message("matched title", layer=layer, seeds=len(NETS))
    )


# ---------- Law and luck ----------


def spread(context: Context) -> Figure:
    """How alike twins are, beside twins before training and pairs that nobody matched."""
    panels, means = [], []
    for name, layer in _layers(context).items():
        values = _values(layer)
        title = message("title", layer=name)
        panels.append(Panel(partial(_histogram, values, title), title))
        means.append([name, values["twins"].mean()])
    return Figure(
        alt=message("alt", layers=means),
        panels=panels,
        layout="column",
        uses=NETS,
    )


def _histogram(values: Mapping[str, NDArray[np.floating[Any]]], title: Message, say: Say) -> str:
    return charts.histogram(
        {say(f"names.{key}"): own for key, own in values.items()},
        title=say(title),
        x_label=say("x"),
        y_label=say("y"),
        bins=20,
        limits=(-1, 1),
        percent=True,
        size=(640, 230),
    )


def _values(layer: _Layer) -> dict[str, NDArray[np.floating[Any]]]:
    """Correlations of twins, of twins at the start, and of any two units of two nets."""

    def matched(matrix: Tensor) -> NDArray[np.floating[Any]]:
        return torch.cat([assigned(matrix[i, :, j]).correlation for i, j in _others()]).numpy()

    pairs = torch.cat([layer.trained[i, :, j].flatten() for i, j in _others() if i < j])
    return {
        "twins": matched(layer.trained),
        "start": matched(layer.start),
        "pairs": pairs.numpy(),
    }


def together(context: Context) -> Figure:
    """How much of a unit its twin explains, and how much all units of the other net do."""
    facts = _facts(context)

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {
                say(f"names.{key}"): [f[key] for f in facts.values()]
                for key in ("alone", "whole_start", "whole")
            },
            list(facts),
            title=say("title"),
            y_label=say("y"),
            percent=True,
            write=partial(percent, digits=0),
        )

    shares = [[name, f["alone"], f["whole"]] for name, f in facts.items()]
    return Figure(
        alt=message("alt", layers=shares),
        panels=[Panel(draw)],
        uses=NETS,
    )


@shared
def _facts(context: Context) -> dict[str, dict[str, Any]]:
    """For each layer what the text tells of it."""
    found = {}
    for name, layer in _layers(context).items():
        values = _values(layer)

        def whole(matrix: Tensor) -> float:
            shares = [explained(matrix[i, :, j], matrix[j, :, j]) for i, j in _others()]
            return float(torch.stack(shares).mean())

        first = torch.stack([pairs.correlation for pairs in _twins(context, name)])  # (S − 1, C)
        found[name] = {
            "units": first.shape[1],
            "images": min(LAYERS[name], len(context.test.images)),
            "twins": float(values["twins"].mean()),
            "start": float(values["start"].mean()),
            "pairs": float(values["pairs"].mean()),
            "own": float(layer.own.mean()),
            "alone": float(np.square(values["twins"]).mean()),
            "whole": whole(layer.trained),
            "whole_start": whole(layer.start),
            "best": float(first.mean(0).max()),
            "worst": float(first.mean(0).min()),
            "always": int((first.min(0).values > ALIKE).sum()),
            "never": int((first.max(0).values < UNLIKE).sum()),
        }
    return found


def _by_class(context: Context) -> dict[str, float]:
    """How much of a unit of fc1 the class explains: the units found again best, and worst."""
    count = LAYERS["fc1"]
    images = context.inputs(NETS[0], context.test.images[:count])
    labels = context.test.labels[:count]
    values = record(context.model(NETS[0]), images, layers=["fc1"])["fc1"].double()  # (N, C)
    members = F.one_hot(labels).double()  # (N, classes)
    means = (members.T @ values) / members.sum(0)[:, None].clamp(min=1)  # (classes, C)
    share = means[labels].var(0) / values.var(0).clamp(min=1e-12)  # (C,)
    order = _order(context, "fc1")
    return {
        "best": float(share[order[:_SOME]].mean()),
        "worst": float(share[order[-_SOME:]].mean()),
        "silent": int((values[:, order[-_SOME:]] <= 0).all(0).sum()),
    }


def _through_relu(context: Context) -> dict[str, list[float]]:
    """Mean correlation of twins of the first two nets, before and after ReLU."""
    images = context.inputs(NETS[0], context.test.images[:500])
    first, second = (record(context.model(n), images, layers=list(LAYERS)) for n in NETS[:2])
    return {
        layer: [
            float(pair(change(first[layer]), change(second[layer])).correlation.mean())
            for change in (torch.clone, torch.relu)
        ]
        for layer in LAYERS
    }


def _conv1_through_relu(context: Context) -> dict[str, float]:
    """The least and the most that ReLU changes the correlation of twins in conv1, of all pairs."""
    images = context.inputs(NETS[0], context.test.images[:500])
    outputs = [record(context.model(n), images, layers=["conv1"])["conv1"] for n in NETS]
    changes = [
        float(pair(first.relu(), second.relu()).correlation.mean())
        - float(pair(first, second).correlation.mean())
        for first, second in combinations(outputs, 2)
    ]
    return {"least": min(changes), "most": max(changes), "pairs": len(changes)}


def _own_after_all(context: Context) -> float:
    """Correlation of conv1 of the long run with its own start, on average."""
    images = context.inputs("lenet", context.test.images[: LAYERS["conv1"]])
    end, start = (
        record(context.model("lenet", step), images, layers=["conv1"])["conv1"]
        for step in (None, 0)
    )
    return float(correlations(end, start).diagonal().mean())


def numbers(context: Context) -> dict[str, Any]:
    """How alike the five nets are, unit by unit, layer by layer, answer by answer."""
    images = context.inputs(NETS[0], context.test.images[:_SWEPT])
    answers = torch.stack([predict(context.model(name), images).argmax(1) for name in NETS])
    labels = context.test.labels[: len(images)]
    right = answers.eq(labels).double().mean(1)  # (S,)
    agree = [float(answers[i].eq(answers[j]).double().mean()) for i, j in _others()]
    return {
        "layers": _facts(context),
        "seeds": len(NETS),
        "steps": context.trained(NETS[0]).recipe.steps,
        "long_steps": context.recipe("lenet").steps,
        "long_own": _own_after_all(context),
        "patches": _PATCHES,
        "some": _SOME,
        "by_class": _by_class(context),
        "through_relu": _through_relu(context),
        "conv1_through_relu": _conv1_through_relu(context),
        "alike": ALIKE,
        "unlike": UNLIKE,
        "lowest": float(right.min()),
        "highest": float(right.max()),
        "agree": float(np.mean(agree)),
    }
