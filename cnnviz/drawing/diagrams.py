"""Diagrams as SVG strings: networks, blocks of feature maps, kernels with their numbers.

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
from cnnviz.drawing.checks import Floats, finite, matrix_of
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


def network_diagram(
    sizes: Sequence[int],
    weights: Sequence[npt.ArrayLike] = (),
    *,
    title: str,
    labels: Sequence[str] = (),
    units: Sequence[Sequence[int]] | None = None,
    activations: Sequence[npt.ArrayLike] | None = None,
    shown: int = 6,
    size: tuple[float, float] = (640, 340),
) -> str:
    """A multilayer perceptron: a column of circles for each layer, a line for each weight.

    Blue lines are negative weights and orange ones positive; the larger a weight among all of its
    layer that are drawn, the wider and stronger its line. Of a large layer a few units are drawn,
    with ⋮ where others are left out.

    Args:
        sizes: number of units in each layer, inputs first.
        weights: for each layer after the first its weights (units, units before); without them
            the lines are all alike.
        labels: what stands below each column.
        units: which units of each layer are drawn; by default `shown` evenly spaced ones.
        activations: values (units,) of each layer, 0 or above: full circles are the largest.
        size: width and height in pixels.

    Raises:
        CnnvizError: fewer than two layers, shapes that do not fit `sizes`, units that are not
            there, values that are not finite.
    """
    matrices = _weights(sizes, weights)
    chosen = _chosen(sizes, units, shown)
    width, height = size
    below = 30.0 if labels else 4.0
    columns = np.linspace(44, width - 44, len(sizes))
    places = [_column(len(picked), height - below) for picked in chosen]
    radius = min(11.0, (height - below) / (2.6 * max(len(picked) for picked in chosen) + 1))
    parts = []
    for index, matrix in enumerate(matrices):
        drawn = matrix[np.ix_(chosen[index + 1], chosen[index])]  # (units after, units before)
        largest = float(np.abs(drawn).max()) or 1.0
        for (after, before), value in np.ndenumerate(drawn):
            share = abs(float(value)) / largest
            parts.append(
                svg.element(
                    "line",
                    x1=columns[index] + radius,
                    y1=places[index][before],
                    x2=columns[index + 1] - radius,
                    y2=places[index + 1][after],
                    stroke=svg.var("muted" if not weights else "2" if value > 0 else "1"),
                    stroke_width=0.4 + 2.4 * share if weights else 0.7,
                    stroke_opacity=0.1 + 0.85 * share if weights else 0.5,
                )
            )
    for index, (x, picked) in enumerate(zip(columns, chosen, strict=True)):
        values = None if activations is None else _activation(sizes[index], activations[index])
        for y, unit in zip(places[index], picked, strict=True):
            parts.append(_unit(x, y, radius, None if values is None else values[unit]))
        parts.append(_dots(x, places[index], picked, sizes[index]))
        if labels:
            parts.append(svg.text(x, height - 10, labels[index], fill=svg.var("muted")))
    return svg.document(width, height, title, "".join(parts))


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


def _weights(sizes: Sequence[int], weights: Sequence[npt.ArrayLike]) -> list[Floats]:
    """A matrix (units, units before) for each layer after the first; of ones if none are given."""
    if len(sizes) < 2 or min(sizes) < 1:
        raise CnnvizError(f"sizes={list(sizes)}; expected at least two layers of 1 unit or more.")
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    if not weights:
        return [np.ones(shape) for shape in shapes]
    matrices = [matrix_of("weights", matrix) for matrix in weights]
    if [matrix.shape for matrix in matrices] != shapes:
        raise CnnvizError(
            f"Weights of shapes {[matrix.shape for matrix in matrices]} for layers of "
            f"{list(sizes)} units; expected {shapes}."
        )
    return matrices


def _chosen(
    sizes: Sequence[int], units: Sequence[Sequence[int]] | None, shown: int
) -> list[list[int]]:
    """Indices of the units to draw in each layer."""
    if units is None:
        return [
            np.rint(np.linspace(0, size - 1, min(size, shown))).astype(int).tolist()
            for size in sizes
        ]
    chosen = [sorted(picked) for picked in units]
    fits = len(chosen) == len(sizes) and all(
        picked and picked[0] >= 0 and picked[-1] < size
        for picked, size in zip(chosen, sizes, strict=True)
    )
    if not fits:
        raise CnnvizError(
            f"units={units} for layers of {list(sizes)}; expected some indices of each layer."
        )
    return chosen


def _activation(size: int, values: npt.ArrayLike) -> Floats:
    """Activations (size,) as shares of the largest."""
    array = finite("activations", values)
    if array.shape != (size,) or array.min() < 0:
        raise CnnvizError(
            f"Activations of shape {array.shape} from {array.min():g}; expected ({size},) "
            "and nothing below 0."
        )
    return array / (array.max() or 1)


def _column(count: int, height: float) -> list[float]:
    """Heights of the centres of `count` units, the outer ones half a step from the edge."""
    step = min(height / count, 46.0)
    return [height / 2 + (index - (count - 1) / 2) * step for index in range(count)]


def _unit(x: float, y: float, radius: float, share: float | None) -> str:
    """A circle; with an activation it holds a disc whose area is the share of the largest."""
    ring = svg.element(
        "circle",
        cx=x,
        cy=y,
        r=radius,
        fill="none",
        stroke=svg.var("fg"),
        stroke_width=1.5,
    )
    if not share:
        return ring
    return ring + svg.element("circle", cx=x, cy=y, r=radius * share**0.5, fill=svg.var("fg"))


def _dots(x: float, places: list[float], picked: list[int], size: int) -> str:
    """⋮ between neighbours that are not neighbours in the layer, at most once: in the middle."""
    gaps = [index for index in range(len(picked) - 1) if picked[index + 1] > picked[index] + 1]
    if not gaps:
        return ""
    middle = min(gaps, key=lambda index: abs(index - (len(picked) - 2) / 2))
    y = (places[middle] + places[middle + 1]) / 2
    return "".join(svg.element("circle", cx=x, cy=y + offset, r=1.4) for offset in (-4.5, 0.0, 4.5))
