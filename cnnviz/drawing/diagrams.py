"""Diagrams as SVG strings: blocks of feature maps, kernels with their numbers.

Written by hand rather than by matplotlib: a few shapes, to scale, that follow the reader's palette
(`cnnviz.drawing.svg`). All words come from the caller; every diagram has a `title`, its accessible
name, which is not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cnnviz.drawing import palettes, svg
from cnnviz.drawing.cells import number_grid
from cnnviz.drawing.checks import Floats, matrix_of
from cnnviz.drawing.palettes import DIVERGING, Palette
from cnnviz.errors import CnnvizError
from cnnviz.numbers import Write, alike

Limits = tuple[float, float]


def kernel_grid(
    values: npt.ArrayLike,
    *,
    title: str,
    palette: str | Palette = "diverging",
    limits: Limits | None = None,
    highlight: tuple[int, int, int, int] | None = None,
    write: Write | None = None,
    cell: float = 40,
) -> str:
    """A kernel or a patch of an image (R, C) as squares with numbers.

    Args:
        palette: name or array: diverging for weights, "grey" for brightness.
        limits: values at the ends of the palette; by default ±the largest absolute value, for
            another palette than diverging 0 to the largest.
        highlight: first row, first column, rows and columns of a part to be framed.
        write: how a value is written; by default with the decimals needed, at most two.
        cell: side of a square in pixels.

    Raises:
        CnnvizError: not two axes, values that are not finite, a highlight that lies outside.
    """
    grid = matrix_of("values", values)
    rows, columns = grid.shape
    edge = 3.0  # room for the frame
    body = _grid(grid, edge, edge, cell, palette, limits, write)
    if highlight:
        row, column, height, width = highlight
        if not (0 <= row < row + height <= rows and 0 <= column < column + width <= columns):
            raise CnnvizError(
                f"highlight={highlight} lies outside of {rows}×{columns} values; expected "
                "(row, column, rows, columns) within."
            )
        place = (edge + column * cell, edge + row * cell, width * cell, height * cell)
        # Orange on white stands out from every grey and from both ends of the diverging palette.
        body += _frame(*place, "#ffffff", 6) + _frame(*place, svg.var("2"), 3)
    return svg.document(columns * cell + 2 * edge, rows * cell + 2 * edge, title, body)


def weighted_sum(
    patch: npt.ArrayLike,
    kernel: npt.ArrayLike,
    *,
    title: str,
    patch_label: str = "",
    kernel_label: str = "",
    products_label: str = "",
    sum_label: str = "",
    patch_palette: str | Palette = "grey",
    patch_limits: Limits | None = None,
    write: Write | None = None,
    cell: float = 44,
) -> str:
    """One step of a convolution: patch × kernel = products, and their sum.

    Args:
        patch, kernel: (R, C) both.
        patch_label, kernel_label, products_label, sum_label: what stands above each part.
        patch_palette: "grey" for brightness, where 0 is black; "diverging" for signed maps.
        patch_limits: as `limits` of `kernel_grid`; an image from 0 to 1 wants (0, 1).
        write, cell: as in `kernel_grid`.

    Raises:
        CnnvizError: shapes that differ, values that are not finite.
    """
    left, right = matrix_of("patch", patch), matrix_of("kernel", kernel)
    if left.shape != right.shape:
        raise CnnvizError(
            f"A patch of shape {left.shape} and a kernel of shape {right.shape} were given; "
            "expected the same shape."
        )
    products = left * right
    total = (write or alike(products.flat))(float(products.sum()))
    rows, columns = left.shape
    width, height = columns * cell, rows * cell
    top = 26.0
    middle = top + height / 2
    parts = []
    x = 1.0
    for grid, label, sign, palette, limits in (
        (left, patch_label, "×", patch_palette, patch_limits),
        (right, kernel_label, "=", DIVERGING, None),
        (products, products_label, "Σ =", DIVERGING, None),
    ):
        room = max(width, svg.text_width(label))
        inset = (room - width) / 2
        parts.append(svg.text(x + room / 2, 10, label, fill=svg.var("muted")))
        parts.append(_grid(grid, x + inset, top, cell, palette, limits, write))
        space = svg.text_width(sign, 20) + 22
        parts.append(svg.text(x + room + space / 2, middle, sign, size=20))
        x += room + space
    box = max(svg.text_width(total, 18) + 20, cell, svg.text_width(sum_label))
    parts.append(svg.text(x + box / 2, 10, sum_label, fill=svg.var("muted")))
    parts.append(_frame(x + 1, middle - 20, box - 2, 40, svg.var("fg"), 2))
    parts.append(svg.text(x + box / 2, middle, total, size=18, weight="bold"))
    return svg.document(x + box + 1, top + height + 1, title, "".join(parts))


def tensor_blocks(
    blocks: Sequence[tuple[str, Sequence[int]]],
    *,
    title: str,
    steps: Sequence[str] = (),
    height: float = 150,
    channel: float | None = None,
) -> str:
    """Outputs of layers as boxes to scale, from left to right, with name and shape below.

    The front of a box is as high as the maps, its slanted side as wide, its length grows with the
    number of channels. Vectors are bars, on a scale of their own: the longest is `height` high.

    Args:
        blocks: (name, (C, H, W)) or (name, (C,)); (C, 1, 1) is drawn as a vector.
        steps: what leads from each block to the next, written between them; one fewer than blocks.
        height: of the largest maps, in pixels.
        channel: length of a channel, in pixels; by default as long as fits, 3 at most.

    Raises:
        CnnvizError: no blocks, another number of axes, sizes below 1, a wrong number of steps.
    """
    shapes = [_shape(name, shape) for name, shape in blocks]
    if steps and len(steps) != len(blocks) - 1:
        raise CnnvizError(
            f"{len(steps)} steps between {len(blocks)} blocks; expected {len(blocks) - 1}."
        )
    if not shapes:
        raise CnnvizError("Nothing to draw: no blocks were given.")
    pixel = height / max((max(h, w) for _, h, w in shapes if h * w > 1), default=1)
    unit = height / max((c for c, h, w in shapes if h * w == 1), default=1)
    most = max((c for c, h, w in shapes if h * w > 1), default=1)
    channel = min(3.0, 110 / most) if channel is None else channel
    ground = height * (1 + _SLANT) + 8  # where the lower edges stand
    parts = []
    x = 6.0
    for index, ((name, _), (channels, rows, columns)) in enumerate(
        zip(blocks, shapes, strict=True)
    ):
        if rows * columns == 1:
            length, tall, deep = 9.0, max(unit * channels, 3), 0.0
            shown = f"{channels}"
        else:
            length, tall, deep = max(channel * channels, 3), pixel * rows, pixel * columns * _SLANT
            shown = f"{channels}×{rows}×{columns}"
        label = max(svg.text_width(name), svg.text_width(shown, svg.NOTE_SIZE))
        room = max(length + deep, label)
        left = x + (room - length - deep) / 2
        parts.append(_box(left, ground, length, tall, deep))
        parts.append(svg.text(x + room / 2, ground + 18, name))
        muted = svg.var("muted")
        parts.append(svg.text(x + room / 2, ground + 37, shown, size=svg.NOTE_SIZE, fill=muted))
        x += room
        if index < len(blocks) - 1:
            step = steps[index] if steps else ""
            space = max(30.0, svg.text_width(step, svg.NOTE_SIZE) + 14)
            parts.append(_arrow(x + 6, x + space - 6, ground - 10))
            parts.append(svg.text(x + space / 2, ground - 24, step, size=svg.NOTE_SIZE, fill=muted))
            x += space
    return svg.document(x + 6, ground + 48, title, "".join(parts))


_SLANT = 0.35  # how long a receding edge is drawn, as a share of its length


def _grid(
    values: Floats,
    x: float,
    y: float,
    cell: float,
    palette: str | Palette,
    limits: Limits | None,
    write: Write | None,
) -> str:
    palette = palettes.palette(palette)
    if limits is None:
        largest = float(np.abs(values).max())
        limits = (-largest if palette is DIVERGING else 0.0, largest)
    return number_grid(values, x, y, cell, palette, limits, write or alike(values.flat))


def _frame(x: float, y: float, width: float, height: float, colour: str, stroke: float) -> str:
    return svg.element(
        "rect",
        x=x,
        y=y,
        width=width,
        height=height,
        rx=3,
        fill="none",
        stroke=colour,
        stroke_width=stroke,
    )


def _shape(name: str, shape: Sequence[int]) -> tuple[int, int, int]:
    """(C, H, W) of a block."""
    if len(shape) not in (1, 3) or min(shape) < 1:
        raise CnnvizError(
            f"'{name}' has shape {tuple(shape)}; expected (C, H, W) or (C,), all at least 1."
        )
    channels, rows, columns = (*shape, 1, 1)[:3]
    return int(channels), int(rows), int(columns)


def _box(x: float, ground: float, length: float, tall: float, deep: float) -> str:
    """A box with its lower left front edge at (x, ground), receding to the upper right."""
    right, top = x + length, ground - tall
    faces = [((x, ground), (right, ground), (right, top), (x, top), 0.35)]
    if deep:
        far, high = right + deep, top - deep
        faces.append(((x, top), (right, top), (far, high), (x + deep, high), 0.2))
        faces.append(((right, ground), (far, ground - deep), (far, high), (right, top), 0.5))
    return "".join(
        svg.element(
            "polygon",
            points=" ".join(f"{svg.coordinate(px)},{svg.coordinate(py)}" for px, py in corners),
            fill=svg.var("1"),
            fill_opacity=opacity,
            stroke=svg.var("1"),
        )
        for *corners, opacity in faces
    )


def _arrow(start: float, end: float, y: float) -> str:
    path = f"M{svg.coordinate(start)} {svg.coordinate(y)}H{svg.coordinate(end)}m-5-4 5 4-5 4"
    return svg.element("path", d=path, fill="none", stroke=svg.var("muted"), stroke_width=1.5)
