"""The atlas' seed twins: one recipe from five seeds, unit beside unit."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz.drawing import charts, svg
from cnnviz.drawing.mosaic import Scale, mosaic
from cnnviz.evaluation import predict
from cnnviz.patches import cut, extremes
from cnnviz.receptive_field import receptive_fields
from cnnviz.recipes import SEEDS
from cnnviz.recording import record
from cnnviz.twins import Pairs, assigned, correlations, explained
from gen.context import Context
from gen.figure import GREY_LEGEND, Figure, Legend, Panel, Text, in_both, number, scale_legend

NETS = [f"short-lenet-{seed}" for seed in SEEDS]
LAYERS = {"conv1": 300, "conv2": 300, "fc1": 2000}
"""Layer → test images on which its units are compared; every place of a map counts."""

ALIKE, UNLIKE = 0.7, 0.5
"""Correlations from which a unit counts as found again, and below which it does not."""

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


@cache
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


@cache
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
    title = Text("五个网络的 conv1，孪生的核排成一列", "conv1 of five nets, twins in one column")
    drawing = _matched(context, "conv1", tiles, (-limit, limit), 4, title, "diverging")
    drawn = mosaic(tiles[0], scale=(-limit, limit), signed=True)
    meaning = Text(
        "conv1 的权重：蓝为负，白为零，橙为正", "weights of conv1: blue negative, white 0, orange positive"
    )  # fmt: skip
    return Figure(
        alt=_matched_alt(context, "conv1"),
        panels=[Panel(drawing, alt=_matched_alt(context, "conv1"))],
        legends=[scale_legend(drawn, "figure", meaning), _written()],
        uses=NETS,
    )


def patches(context: Context) -> Figure:
    """What excites the units of conv2 most, each below its twin in the first net."""
    images = context.inputs(NETS[0], context.test.images[:_SWEPT])
    tiles = []
    for name in NETS:
        model = context.model(name)
        field = receptive_fields(model, (images.shape[2], images.shape[3]))["conv2"]
        most = extremes(model, ["conv2"], images, _PATCHES)["conv2"].most
        tiles.append(cut(images, most, field).mean((1, 2)).numpy())  # (C, h, w)
    title = Text("五个网络的 conv2，孪生的单元排成一列", "conv2 of five nets, twins in one column")
    drawing = _matched(context, "conv2", tiles, (0, 1), 2, title, "grey")
    what = Text(
        f"每格是最让这个单元激活的 {_PATCHES} 块图的平均",
        f"each tile is the mean of the {_PATCHES} patches that excite the unit most",
    )
    return Figure(
        alt=_matched_alt(context, "conv2"),
        panels=[Panel(drawing, alt=_matched_alt(context, "conv2"))],
        legends=[
            Legend(Text(f"{what.zh}；{GREY_LEGEND.text.zh}", f"{what.en}; {GREY_LEGEND.text.en}"),
                   GREY_LEGEND.gradient, GREY_LEGEND.low, GREY_LEGEND.high),
            _written(),
        ],
        uses=NETS,
    )  # fmt: skip


def _written() -> Legend:
    return Legend(
        Text(
            "第一行图下是单元的编号，其余各行是它与第一行同一列的相关系数",
            "below the first row: the unit's number; below the others: its correlation with the "
            "first of its column",
        )
    )


def _matched_alt(context: Context, layer: str) -> Text:
    rows = [pairs.correlation for pairs in _twins(context, layer)]
    every = torch.cat(rows)
    low, mean, high = (number(float(v)) for v in (every.min(), every.mean(), every.max()))
    return Text(
        f"{len(NETS)} 个种子的 {layer}，{len(rows[0])} 列孪生单元：与第一个网络的相关系数从 {low} "
        f"到 {high}，平均 {mean}",
        f"{layer} from {len(NETS)} seeds, {len(rows[0])} columns of twins: correlations with the "
        f"first net from {low} to {high}, {mean} on average",
    )


def _matched(
    context: Context,
    layer: str,
    tiles: Sequence[NDArray[np.floating[Any]]],
    scale: Scale,
    times: int,
    title: Text,
    palette: str,
) -> Text:
    """A row of tiles (C, h, w) for each net, those of the others below their twins.

    `times` is how often a pixel is repeated, so that the gap of two stays narrow.
    """
    twins = _twins(context, layer)
    columns = _order(context, layer)
    every = [list(range(len(columns))), *(pairs.partner.tolist() for pairs in twins)]
    side = 2 + times * tiles[0].shape[-1]
    wide = (656 - _LEFT) / len(columns)  # of a column
    high = wide + 16

    def draw(say: Any) -> str:
        parts = []
        for row, partners in enumerate(every):
            shown = np.stack([tiles[row][partners[unit]] for unit in columns])
            shown = shown.repeat(times, axis=1).repeat(times, axis=2)
            drawn = mosaic(shown, columns=len(columns), scale=scale, palette=palette, gap=2)
            y = row * high
            # The last tile has no gap behind it.
            picture = b64encode(drawn.png(9)).decode()
            parts.append(
                svg.element(
                    "image", x=_LEFT, y=y, width=wide * drawn.width / side,
                    height=wide * drawn.height / side, preserveAspectRatio="none",
                    href=f"data:image/png;base64,{picture}", style="image-rendering:pixelated",
                )
            )  # fmt: skip
            label = say(Text(f"种子 {SEEDS[row]}", f"seed {SEEDS[row]}"))
            parts.append(svg.text(0, y + wide / 2, label, anchor="start", size=svg.NOTE_SIZE))
            for column, unit in enumerate(columns):
                value = str(unit) if not row else _short(float(twins[row - 1].correlation[unit]))
                x = _LEFT + wide * (column + 0.5) - wide / side
                parts.append(
                    svg.text(
                        x, y + wide + 5, value, size=11, fill=svg.var("fg" if row else "muted")
                    )
                )
        return svg.document(656, high * len(every), say(title), "".join(parts))

    return in_both(draw)


_LEFT = 56


def _short(value: float) -> str:
    """
    >>> _short(0.873), _short(-0.4)
    ('.87', '−.40')
    """
    return f"{value:.2f}".replace("-", "−").replace("0.", ".")


# ---------- Law and luck ----------


def spread(context: Context) -> Figure:
    """How alike twins are, beside twins before training and pairs that nobody matched."""
    panels = []
    for name, layer in _layers(context).items():
        shown = _values(layer)
        labels = {
            "twins": Text("孪生，训练后", "twins, trained"),
            "start": Text("孪生，训练前", "twins, at the start"),
            "pairs": Text("任意两个，训练后", "any two, trained"),
        }
        title = Text(f"{name}：相关系数的分布", f"{name}: how correlations are spread")
        drawing = in_both(
            lambda say, shown=shown, labels=labels, title=title: charts.histogram(  # type: ignore[misc]
                {say(labels[key]): values for key, values in shown.items()},
                title=say(title),
                x_label=say(Text("相关系数", "correlation")),
                y_label=say(Text("占多少", "share")),
                bins=20,
                limits=(-1, 1),
                percent=True,
                size=(640, 230),
            )
        )
        panels.append(Panel(drawing, title))
    means = [number(float(_values(layer)["twins"].mean())) for layer in _layers(context).values()]
    names = list(LAYERS)
    return Figure(
        alt=Text(
            "各层孪生单元相关系数的分布，平均：" + "、".join(
                f"{n} {m}" for n, m in zip(names, means, strict=True)),
            "How the correlations of twins are spread in each layer; means: " + ", ".join(
                f"{n} {m}" for n, m in zip(names, means, strict=True)),
        ),
        panels=panels,
        layout="column",
        uses=NETS,
    )  # fmt: skip


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
    series = {
        Text("它的孪生，训练后", "its twin, trained"): [f["alone"] for f in facts.values()],
        Text("另一网络的整层，训练前", "the other net's layer, at the start"): [
            f["whole_start"] for f in facts.values()
        ],
        Text("另一网络的整层，训练后", "the other net's layer, trained"): [
            f["whole"] for f in facts.values()
        ],
    }
    title = Text("一个单元的方差能被解释多少", "How much of a unit's variance is explained")
    drawing = in_both(
        lambda say: charts.grouped_bar_chart(
            {say(label): values for label, values in series.items()},
            list(facts),
            title=say(title),
            y_label=say(Text("解释的方差", "variance explained")),
            percent=True,
            write=lambda value: f"{value:.0%}",
        )
    )
    said = [f"{name} {f['alone']:.0%} → {f['whole']:.0%}" for name, f in facts.items()]
    return Figure(
        alt=Text(
            f"一个单元的方差，由孪生解释与由另一个网络的整层解释：{'；'.join(said)}",
            "Variance of a unit that its twin explains, and that the other net's whole layer "
            f"explains: {'; '.join(said)}",
        ),
        panels=[Panel(drawing)],
        uses=NETS,
    )


@cache
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
        "patches": _PATCHES,
        "alike": ALIKE,
        "unlike": UNLIKE,
        "lowest": float(right.min()),
        "highest": float(right.max()),
        "agree": float(np.mean(agree)),
    }
