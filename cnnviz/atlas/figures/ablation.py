"""The ablation table of a net: a row for each unit that is off, a column for each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.subject import AtlasNet
from cnnviz.atlas.templating import filled
from cnnviz.figure.figure import Figure, Legend, Panel, message
from cnnviz.numbers import with_minus
from cnnviz.words import Say

MANY = 20
"""So many classes at most have a column."""

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

    @property
    def address(self) -> str:
        """Of the unit's page, as seen from those of its net."""
        return f"{self.layer}/{unit_name(self.unit, self.units)}"

    @property
    def cells(self) -> list[tuple[str, str]]:
        """CSS classes and number of each cell: of `loss`, then of `points` (class "a")."""
        losses = [cell(value, LOSS_STEPS) for value in self.loss.tolist()]
        return losses + [cell(value, POINT_STEPS, "a") for value in self.points.tolist()]


def rows_of(net: AtlasNet) -> list[Row]:
    """Every unit of every layer with weights, the one that costs most loss first."""
    accuracy, loss = net.baseline
    counts = torch.bincount(net.ablated[1], minlength=len(net.classes)).double()

    def with_mean(change: Tensor) -> NDArray[np.float64]:
        mean = (change.nan_to_num() @ counts) / counts.sum()
        return torch.cat([mean[:, None], change], dim=1).numpy()  # (C, 1 + classes)

    rows = []
    for layer in net.weighted:
        off = net.ablation(layer.name)
        assert off is not None, "there are rows only where there are classes"
        losses = with_mean(1000 * (off.loss - loss))
        points = with_mean(100 * (off.accuracy - accuracy))
        units = len(losses)
        rows += [Row(layer.name, u, units, losses[u], points[u]) for u in range(units)]
    return sorted(rows, key=lambda row: -row.loss[0])


def ablation_table(net: AtlasNet) -> Figure:
    """What each class loses without each unit; the reader sorts, and chooses loss or accuracy."""
    rows = rows_of(net)
    alt = message(
        "alt",
        net=net.title,
        units=len(rows),
        unit=rows[0].address,
        change=rows[0].loss[0] / 1000,
    )
    many = len(net.classes) > MANY  # then the mean over all is told alone
    shown = [(row.address, [row.cells[0], row.cells[len(row.loss)]] if many else row.cells)
             for row in rows]  # fmt: skip
    order = " ".join(layer.name for layer in net.weighted)

    def draw(say: Say) -> str:
        return filled(
            "ablation.html",
            say=say,
            net=net.name,
            title=net.title,
            order=order,
            classes=[] if many else net.classes,
            first=shown[:FIRST],
            others=shown[FIRST:],
        )

    return Figure(
        alt=alt,
        panels=[Panel(draw, alt=alt)],
        legends=[_legend()],
        uses=[net.name],
        drawn_by=ablation_table,
    )


def cell(value: float, steps: Sequence[float], kind: str = "") -> tuple[str, str]:
    """CSS classes, of its kind and of its step of colour, and the number as it is written.

    >>> cell(12.34, LOSS_STEPS), cell(-250.0, LOSS_STEPS), cell(0.0, POINT_STEPS, "a")
    (('p3', '+12.3'), ('m5', '−250'), ('a', '0'))
    """
    level = sum(abs(value) >= step for step in steps)
    classes = " ".join(filter(None, [kind, f"{'p' if value > 0 else 'm'}{level}" if level else ""]))
    if not value or isnan(value):
        return classes, "–" if value else "0"
    return classes, with_minus(f"{value:+.0f}" if abs(value) >= 99.95 else f"{value:+.1f}")


def _legend() -> Legend:
    low, high = f"−{LOSS_STEPS[-1]}", f"+{LOSS_STEPS[-1]}"
    return Legend(message("legend", loss=LOSS_STEPS, points=POINT_STEPS), _gradient(), low, high)


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
