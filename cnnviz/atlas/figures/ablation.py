"""The ablation table as HTML: a row for each unit that is off, a column for each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.subject import AtlasNet
from cnnviz.figure.figure import Legend, Text
from cnnviz.numbers import with_minus

FIRST = 40
"""Rows of the table that are open at once."""

LOSS_STEPS = (1, 3, 10, 30, 100, 300)  # thousandths
POINT_STEPS = (0.2, 0.5, 2, 5, 20, 50)  # percentage points
"""Where the colours of the table begin, the same for all nets."""

STRENGTHS = (9, 17, 26, 36, 46, 57)
"""Percent of colour in each step, as in assets/sortable.css."""


@dataclass(frozen=True)
class Row:
    """One unit off. Changes by class, then their mean over the tested images, at index 0.

    `loss` in thousandths, `points` of accuracy, (1 + classes,) each; NaN without images.
    """

    layer: str
    unit: int
    units: int
    loss: NDArray[np.float64]
    points: NDArray[np.float64]


def rows_of(net: AtlasNet) -> list[Row]:
    """Every unit of every layer with weights, the one that costs most loss first."""
    accuracy, loss = net.baseline
    counts = torch.bincount(net.tested_labels, minlength=len(net.classes)).double()

    def with_mean(change: Tensor) -> NDArray[np.float64]:
        mean = (change.nan_to_num() @ counts) / counts.sum()
        return torch.cat([mean[:, None], change], dim=1).numpy()  # (C, 1 + classes)

    rows = []
    for layer in net.weighted:
        off = net.ablation(layer.name)
        losses = with_mean(1000 * (off.loss - loss))
        points = with_mean(100 * (off.accuracy - accuracy))
        units = len(losses)
        rows += [Row(layer.name, u, units, losses[u], points[u]) for u in range(units)]
    return sorted(rows, key=lambda row: -row.loss[0])


def table_html(net: AtlasNet, rows: Sequence[Row], names: Sequence[str], say: Any) -> str:
    """The table of a net; the radio buttons choose between loss and accuracy by CSS alone.

    Some ten thousand cells are not for every reader: the rows after the first wait in a
    <noscript>, from which assets/sortable.js takes them.
    """
    measures = {
        "loss": Text("损失的变化（千分之一）", "change of loss (thousandths)"),
        "points": Text("准确率的变化（百分点）", "change of accuracy (points)"),
    }
    radios = "".join(
        f'<label><input type="radio" name="measure-{net.name}" value="{key}"'
        f"{' checked' if key == 'loss' else ''}> {say(text)}</label>"
        for key, text in measures.items()
    )
    mean = say(Text("全部", "all"))
    heads = f'<th scope="col">{say(Text("单元", "unit"))}</th>'
    for key in measures:
        for index, name in enumerate([mean, *names]):
            sorted_by = ' aria-sort="descending"' if key == "loss" and index == 0 else ""
            first = "up" if key == "points" else "down"  # the worst
            kind = ' class="a"' if key == "points" else ""
            heads += f'<th scope="col"{kind} data-first="{first}"{sorted_by}>'
            heads += f"{escape(name)}</th>"
    bodies = ["".join(_row_html(net, row) for row in part) for part in (rows[:FIRST], rows[FIRST:])]
    caption = say(
        Text(
            f"{net.title}：每行关掉一个单元，每列一个类别",
            f"{net.title}: each row without one unit, each column a class",
        )
    )
    rest = ""
    if bodies[1]:
        others = say(Text(f"其余 {len(rows) - FIRST} 行", f"the other {len(rows) - FIRST} rows"))
        rest = (
            f"<noscript><details><summary>{others}</summary>"
            f"{_scrolling(caption, heads, bodies[1])}</details></noscript>"
        )
    words = {
        "data-hint": Text(
            "点表头排序，再点一次反过来", "press a heading to sort, again to reverse"
        ),
        "data-label": Text("只看一层", "one layer only"),
        "data-every": Text("全部各层", "all layers"),
        "data-all": Text("显示全部各行", "show all rows"),
    }
    attributes = " ".join(f'{key}="{say(text)}"' for key, text in words.items())
    order = escape(" ".join(layer.name for layer in net.weighted))
    return (
        f'<div class="ablation" {attributes} data-order="{order}"><fieldset>'
        f"<legend>{say(Text('看什么', 'Show'))}</legend>{radios}</fieldset>"
        f"{_scrolling(caption, heads, bodies[0])}{rest}</div>"
    )


def _scrolling(caption: str, heads: str, rows: str) -> str:
    return (
        f'<div class="ablation-scroll" tabindex="0" role="region" aria-label="{caption}">'
        f'<table class="sortable"><caption>{caption}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row_html(net: AtlasNet, row: Row) -> str:
    number = unit_name(row.unit, row.units)
    layer = escape(row.layer)
    cells = [cell(value, LOSS_STEPS) for value in row.loss]
    cells += [cell(value, POINT_STEPS, "a") for value in row.points]
    return (
        f'<tr><th scope="row"><a href="../{net.name}/{layer}/{number}/">{layer}/{number}</a></th>'
        f"{''.join(cells)}</tr>"
    )


def cell(value: float, steps: Sequence[float], kind: str = "") -> str:
    """
    >>> cell(12.34, LOSS_STEPS), cell(-250.0, LOSS_STEPS), cell(0.0, POINT_STEPS, "a")
    ('<td class="p3">+12.3</td>', '<td class="m5">−250</td>', '<td class="a">0</td>')
    """
    level = sum(abs(value) >= step for step in steps)
    classes = " ".join(filter(None, [kind, f"{'p' if value > 0 else 'm'}{level}" if level else ""]))
    written = f"{value:+.0f}" if abs(value) >= 99.95 else f"{value:+.1f}"
    if np.isnan(value) or not value:
        written = "0" if value == 0 else "–"
    attribute = f' class="{classes}"' if classes else ""
    return f"<td{attribute}>{with_minus(written)}</td>"


def legend() -> Legend:
    loss, points = ([f"{step:g}" for step in steps] for steps in (LOSS_STEPS, POINT_STEPS))
    return Legend(
        Text(
            "橙：变大，蓝：变小，各表相同。颜色分六级："
            f"损失从 {'、'.join(loss)} 起（千分之一），准确率从 {'、'.join(points)} 起（百分点）；"
            "没有颜色的变化更小",
            "Orange: more, blue: less, the same in all tables. The six steps of colour begin at "
            f"{', '.join(loss)} (thousandths of loss) and {', '.join(points)} (points of "
            "accuracy); what has no colour changes less",
        ),
        _gradient(),
        f"−{loss[-1]}",
        f"+{loss[-1]}",
    )


def _gradient() -> str:
    """The steps of assets/sortable.css side by side, from the strongest blue to orange."""
    steps = len(STRENGTHS)
    colours = [(1, strength) for strength in reversed(STRENGTHS)]
    colours += [(1, 0), *((2, strength) for strength in STRENGTHS)]
    stops = [
        f"color-mix(in srgb, var(--cnnviz-{hue}) {strength}%, var(--cv-paper)) "
        f"{100 * place / (2 * steps + 1):.2f}% {100 * (place + 1) / (2 * steps + 1):.2f}%"
        for place, (hue, strength) in enumerate(colours)
    ]
    return f"linear-gradient(to right, {', '.join(stops)})"
