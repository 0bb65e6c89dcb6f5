"""A table of numbers as a grid of cells: confusion matrices, correlations, counts by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnviz.drawing import svg
from cnnviz.drawing.cells import levels, palette_cell, tinted_cell
from cnnviz.drawing.checks import Floats, finite
from cnnviz.drawing.palettes import DIVERGING
from cnnviz.errors import CnnvizError
from cnnviz.numbers import Write, shortest


def matrix_chart(
    values: npt.ArrayLike,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    title: str,
    row_title: str = "",
    column_title: str = "",
    write: Write | None = None,
    words: Sequence[Sequence[str]] | None = None,
    log: bool = False,
    signed: bool | None = None,
    cell: tuple[float, float] = (46, 34),
) -> str:
    """A table (R, C) of numbers in cells: the larger the number, the stronger the colour.

    Args:
        row_title, column_title: what the rows and the columns are.
        write: how a value is written; by default in at most two decimals.
        words: what stands in the cells in the place of their values, row by row.
        log: shade by log(1 + value), so that a few errors beside many hits are seen.
        signed: blue below 0 and orange above; by default if any value is negative.
        cell: width and height of a cell in pixels.

    Raises:
        CnnvizError: labels that do not fit the shape, values that are not finite, negative
            values with log or signed=False.
    """
    table, signed, shown = _checked_table(
        values, row_labels, column_labels, write or shortest, words, log, signed
    )
    shades = np.log1p(table) if log else table
    strongest = float(np.abs(shades).max()) or 1.0
    colours = DIVERGING[levels(shades, (-strongest, strongest))]  # (R, C, 3)
    width, height = cell
    widest = max(svg.text_width(label) for label in column_labels)
    slanted = widest > width
    left = max(svg.text_width(label) for label in row_labels) + 12
    titles = 24 if row_title or column_title else 0
    top = titles + 12 + (0.71 * widest if slanted else 14)
    right = left + width * len(column_labels)
    parts = []
    if titles:
        x = max(left, svg.text_width(row_title) + 24)
        parts.append(_titles(x, row_title, column_title))
        right = max(right, x + svg.text_width(column_title) + 16)
    for row, label in enumerate(row_labels):
        parts.append(svg.text(left - 8, top + (row + 0.5) * height, label, anchor="end"))
    for column, label in enumerate(column_labels):
        x = left + (column + 0.5) * width
        parts.append(_column_label(x, top, label, slanted))
        right = max(right, x + 0.71 * svg.text_width(label) + 10) if slanted else right
    for row, column in np.ndindex(table.shape):
        place = (left + column * width, top + row * height, width, height)
        word = shown[row][column]
        if signed:
            parts.append(palette_cell(*place, colours[row, column], word))
        else:
            parts.append(tinted_cell(*place, float(shades[row, column]) / strongest, word))
    return svg.document(right, top + height * len(row_labels), title, "".join(parts), "chart")


def _checked_table(
    values: npt.ArrayLike,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    write: Write,
    words: Sequence[Sequence[str]] | None,
    log: bool,
    signed: bool | None,
) -> tuple[Floats, bool, Sequence[Sequence[str]]]:
    """The table (R, C) of `matrix_chart`, whether it has a sign, and what stands in its cells."""
    table = finite("the table", values)
    if table.shape != (len(row_labels), len(column_labels)):
        raise CnnvizError(
            f"A table of shape {table.shape} with {len(row_labels)} row and {len(column_labels)} "
            "column labels; expected (R, C) and one label for each."
        )
    negative = int(np.count_nonzero(table < 0))
    signed = negative > 0 if signed is None else signed
    if negative and (log or not signed):
        raise CnnvizError(
            f"{negative} values are negative; expected none with log or signed=False."
        )
    shown = words or [[write(float(value)) for value in row] for row in table]
    if [len(row) for row in shown] != [table.shape[1]] * len(table):
        raise CnnvizError(f"words do not fit a table of shape {table.shape}; expected one a cell.")
    return table, signed, shown


def _titles(x: float, row_title: str, column_title: str) -> str:
    """What the rows and the columns are, above a table; that of the columns begins at `x`."""
    note: Any = {"anchor": "start", "size": svg.NOTE_SIZE, "fill": svg.var("muted")}
    row = svg.text(0, 10, f"{row_title} ↓", **note) if row_title else ""
    return row + (svg.text(x, 10, f"{column_title} →", **note) if column_title else "")


def _column_label(x: float, top: float, label: str, slanted: bool) -> str:
    """The name of the column whose middle is x, above the cells, which begin at `top`."""
    if not slanted:
        return svg.text(x, top - 11, label)
    turn = f"translate({svg.coordinate(x)} {svg.coordinate(top - 8)}) rotate(-45)"
    return svg.element("g", svg.text(0, 0, label, anchor="start"), transform=turn)
