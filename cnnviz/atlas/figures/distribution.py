"""Figures of the atlas: which values a layer gives, and how often each unit is above zero."""

from __future__ import annotations

from html import escape

from torch import Tensor

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.sections import Pair, function_of, pair, shown
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import charts, svg
from cnnviz.figure.figure import Figure, Legend, Panel, Say, message
from cnnviz.inside.layers import KINDS, Layer
from cnnviz.inside.statistics import LayerStatistics
from cnnviz.inside.tally import alike
from cnnviz.numbers import percent

NAMED = 32
"""So many bars at most have their numbers below them."""

BINS = 64
"""So many intervals at most a histogram has; more than half of them are needed."""


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`<net>_<layer>_distribution` where a layer does not share another's."""
    made = {}
    for layer in net.layers:
        own, silent = f"{net.name}_{layer.name}_distribution", KINDS[layer.kind].silent
        if not silent and shown(net, layer)["distribution"].endswith(f"/{own}"):
            made[own] = distribution(net, layer)
    return made


def distribution(net: AtlasNet, layer: Layer) -> Figure:
    """Which values a layer gives over the counted images, and how often each unit is above zero."""
    seen = pair(net, layer)
    both = [seen.first, seen.second] if seen.units and seen.units is seen.first else [layer]
    layers = [x for x in both if x]
    series = {x.name: net.statistics[x.name] for x in layers}
    last = series[layers[-1].name]
    active, dead = last.above, int((last.active == 0).sum())  # (C,)
    channels = len(layers[-1].shape) > 1  # of units otherwise
    title = message("histogram.title", net=net.title, layer=layer.name)
    bars = message("bars.title", units=len(active), channels=channels)
    return Figure(
        alt=message(
            "alt",
            net=net.title,
            layer=layers[-1].name,
            images=last.images,
            positive=last.positive,
            units=len(active),
            dead=dead,
            channels=channels,
        ),
        panels=[
            Panel(lambda say: _histogram(series, seen, say, say(title)), title),
            Panel(lambda say: _bars(active, channels, say, say(bars)), bars),
        ],
        legends=[Legend(message("legend", channels=channels))],
        layout="column",
        uses=[net.name],
        drawn_by=distribution,
    )


def _histogram(series: dict[str, LayerStatistics], seen: Pair, say: Say, title: str) -> str:
    names = list(series)
    if len(names) == 2 and seen.second and seen.activated and not seen.between:
        said = {"function": function_of(seen.second)}
        before, after = names
        names = [
            say("histogram.before", layer=before, **said),
            say("histogram.after", layer=after, **said),
        ]
    tallies = alike([statistics.histogram for statistics in series.values()], BINS)
    return charts.counted_histogram(
        {
            name: (tally.counts.numpy(), tally.edges.numpy())
            for name, tally in zip(names, tallies, strict=True)
        },
        title=title,
        x_label=say("histogram.value"),
        y_label=say("histogram.share"),
        percent=True,
        log_y=True,
        size=(640, 260),
    )


def _bars(active: Tensor, channels: bool, say: Say, title: str) -> str:
    """One bar a unit, sorted; its number and share appear under the pointer."""
    order = active.argsort(descending=True, stable=True).tolist()
    left, top, width, height = 44.0, 10.0, 590.0, 110.0
    step = width / len(order)
    marks = []
    for share in (0.0, 0.5, 1.0):
        y = top + height * (1 - share)
        marks.append(
            svg.element("line", x1=left, x2=left + width, y1=y, y2=y, stroke=svg.var("grid"))
        )
        marks.append(svg.text(left - 6, y, percent(share, 0), anchor="end", size=svg.NOTE_SIZE))
    bar = max(step - 2, step * 0.7)
    for place, unit in enumerate(order):
        share, x = float(active[unit]), left + place * step + (step - bar) / 2
        name = unit_name(unit, len(order))
        said = say("bars.unit", name=name, share=share, channels=channels)
        told = svg.element("title", escape(said, quote=False))
        tall = height * share
        colour, y = svg.var("1"), top + height - tall
        if share == 0:
            colour, y, tall = svg.var("2"), top + height - 5, 5.0
        marks.append(svg.element("rect", told, x=x, y=y, width=bar, height=tall, fill=colour))
        if len(order) <= NAMED:
            marks.append(svg.text(x + bar / 2, top + height + 12, name, size=11))
    foot = 22 if len(order) <= NAMED else 6
    return svg.document(left + width + 4, top + height + foot, title, "".join(marks), "chart")
