"""Figures of the atlas: which values a layer gives, and how often each unit is above zero."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.sections import Pair, pair, shown
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import charts, svg
from cnnviz.figure.figure import Figure, Legend, Panel, Text, in_both
from cnnviz.inside.layers import KINDS, Layer

NAMED = 32
"""So many bars at most have their numbers below them."""


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
    both = [seen.first, seen.second] if seen.units is seen.first else [layer]
    layers = [x for x in both if x]
    series = {x.name: net.tested_outputs[x.name] for x in layers}
    last = series[layers[-1].name]
    active = (last > 0).transpose(0, 1).flatten(1).double().mean(1)  # (C,)
    positive, dead = float((last > 0).double().mean()), int((active == 0).sum())
    title = Text(
        f"{net.title} 的 {layer.name} 在测试图上的值的分布，纵轴是对数",
        f"How the values of {layer.name} of {net.title} are distributed over the test images, on a "
        "logarithmic axis",
    )
    part = Text("通道", "channel") if last.ndim == 4 else Text("单元", "unit")
    bars = Text(
        f"{len(active)} 个{part.zh}各有多大比例的值大于零，从多到少",
        f"How often each {part.en} of {len(active)} is above zero, most often first",
    )
    return Figure(
        alt=Text(
            f"{net.title} 的 {layers[-1].name} 在 {len(last)} 张测试图上：{positive:.1%} 的数大于零；"
            f"{len(active)} 个{part.zh}中有 {dead} 个从不大于零",
            f"{layers[-1].name} of {net.title} over {len(last)} test images: {positive:.1%} of the "
            f"numbers are above zero; {dead} of {len(active)} {part.en}s never are",
        ),
        panels=[
            Panel(in_both(lambda say: _histogram(series, seen, say, say(title))), title),
            Panel(in_both(lambda say: _bars(active, say(part), say(bars))), bars),
        ],
        legends=[
            Legend(
                Text(
                    f"下图：柱高是该{part.zh}大于零的比例；橙色的方块是从不大于零的死{part.zh}",
                    f"Below: a bar is the share of numbers above zero; orange squares are dead {part.en}s, "
                    "which never are",
                )
            )
        ],
        layout="column",
        uses=[net.name],
        drawn_by=distribution,
    )


def _histogram(
    series: dict[str, Tensor], seen: Pair, say: Callable[[Text], str], title: str
) -> str:
    names = list(series)
    if len(names) == 2 and seen.second and seen.second.kind == "relu":
        when = [Text("ReLU 之前", "before ReLU"), Text("ReLU 之后", "after ReLU")]
        names = [f"{name} · {say(text)}" for name, text in zip(names, when, strict=True)]
    return charts.histogram(
        {name: values.numpy() for name, values in zip(names, series.values(), strict=True)},
        title=title,
        x_label=say(Text("值", "value")),
        y_label=say(Text("占比", "share")),
        percent=True,
        log_y=True,
        size=(640, 260),
    )


def _bars(active: Tensor, part: str, title: str) -> str:
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
        marks.append(svg.text(left - 6, y, f"{share:.0%}", anchor="end", size=svg.NOTE_SIZE))
    bar = max(step - 2, step * 0.7)
    for place, unit in enumerate(order):
        share, x = float(active[unit]), left + place * step + (step - bar) / 2
        name = unit_name(unit, len(order))
        told = f"<title>{part} {name}: {share:.1%}</title>"
        tall = height * share
        colour, y = svg.var("1"), top + height - tall
        if share == 0:
            colour, y, tall = svg.var("2"), top + height - 5, 5.0
        marks.append(svg.element("rect", told, x=x, y=y, width=bar, height=tall, fill=colour))
        if len(order) <= NAMED:
            marks.append(svg.text(x + bar / 2, top + height + 12, name, size=11))
    foot = 22 if len(order) <= NAMED else 6
    return svg.document(left + width + 4, top + height + foot, title, "".join(marks), "chart")
