"""Diagrams of a kernel that slides: input, what lies under it at some positions, output.

One generator for padding, stride, dilation and the sweep with real numbers (`sliding_kernel`), one
for which channels a convolution joins: all, some (groups), or one position at a time (1×1)
(`joined_channels`). Shapes follow PyTorch's Conv2d. All words come from the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cnnviz.drawing import palettes, svg
from cnnviz.drawing.cells import levels, palette_cell
from cnnviz.drawing.checks import Floats, matrix_of
from cnnviz.drawing.palettes import DIVERGING, GREY, Palette
from cnnviz.errors import CnnvizError
from cnnviz.numbers import alike

Position = tuple[int, int]

_COLOURS = ("2", "1", "3", "4")  # of the first, second, … position
_TOP = 24.0  # room for a label
_EDGE = 3.0  # room for a frame


def output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """How many positions a kernel has along one axis; 0 or less where it does not fit.

    >>> output_size(28, 5), output_size(28, 5, padding=2), output_size(28, 2, stride=2)
    (24, 28, 14)
    """
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def sliding_kernel(
    size: int | npt.ArrayLike,
    kernel: int | npt.ArrayLike,
    *,
    title: str,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    positions: Sequence[Position] = ((0, 0),),
    outputs: npt.ArrayLike | None = None,
    computed: int | None = None,
    labels: Sequence[str] = (),
    input_limits: tuple[float, float] = (0, 1),
    cell: float = 24,
) -> str:
    """A square input with the kernel at some positions, an arrow, and the output.

    Each position has a colour: a frame around the kernel, a tint on the pixels that it takes, and
    the same tint on its unit of the output. Padding is a dashed ring of zeros.

    Args:
        size: side of the input, or its values (H, H), which are then written into grey cells.
        kernel: side of the kernel, or its weights (k, k), which are then drawn between the two.
        positions: (row, column) of units of the output.
        outputs: values (R, R) of the output.
        computed: how many of them, row by row, are shown; by default all.
        labels: above the input, the kernel (if it has weights) and the output.
        input_limits: values of black and white.
        cell: side of a square in pixels.

    Raises:
        CnnvizError: the kernel does not fit, or has no such position; labels of another number.
    """
    values = None if isinstance(size, int) else matrix_of("size", size)
    weights = None if isinstance(kernel, int) else matrix_of("kernel", kernel)
    side, taps = (n if isinstance(n, int) else len(np.asarray(n)) for n in (size, kernel))
    units = _positions(side, taps, stride, padding, dilation, positions)
    grids = 2 if weights is None else 3
    if labels and len(labels) != grids:
        raise CnnvizError(f"{len(labels)} labels for {grids} grids; expected as many.")
    said = labels or [""] * grids
    height = (side + 2 * padding) * cell
    middle = (_TOP if labels else _EDGE) + height / 2
    parts: list[str] = []
    left, top, x = _place(parts, _EDGE, middle, height, said[0])
    parts.append(_input(values, side, padding, left, top, cell, input_limits))
    for colour, (row, column) in zip(_COLOURS, positions, strict=False):
        corner = (left + column * stride * cell, top + row * stride * cell)
        parts.append(_window(*corner, taps, dilation, cell, colour, bare=values is None))
    if weights is not None:
        x += _sign(parts, x, middle, "×")
        left, top, x = _place(parts, x, middle, taps * cell, said[1])
        parts.append(_numbers(weights, left, top, cell, DIVERGING, None))
    x += _sign(parts, x, middle, "→" if weights is None else "Σ =")
    left, top, x = _place(parts, x, middle, units * cell, said[-1])
    parts.append(_output(outputs, computed, units, left, top, cell))
    for colour, (row, column) in zip(_COLOURS, positions, strict=False):
        unit = (left + column * cell, top + row * cell)
        parts.append(_window(*unit, 1, 1, cell, colour, bare=outputs is None))
    return svg.document(x + _EDGE, middle + height / 2 + _EDGE, title, "".join(parts))


def _positions(
    side: int, taps: int, stride: int, padding: int, dilation: int, wanted: Sequence[Position]
) -> int:
    """How many positions the kernel has along a side; an error if `wanted` are not all there."""
    units = output_size(side, taps, stride, padding, dilation)
    outside = [p for p in wanted if not (0 <= p[0] < units and 0 <= p[1] < units)]
    if units < 1 or outside:
        raise CnnvizError(
            f"A kernel of {taps} (stride {stride}, padding {padding}, dilation {dilation}) has "
            f"{max(units, 0)} positions on {side} pixels; position {outside or wanted} is none."
        )
    return units


def joined_channels(
    inputs: int,
    outputs: int,
    *,
    groups: int = 1,
    kernel: int = 3,
    side: int = 5,
    title: str,
    labels: tuple[str, str] = ("", ""),
    cell: float = 9,
) -> str:
    """Input channels as small grids on the left, output channels on the right, lines between those
    that the convolution joins; on each grid the patch, or the unit, of one position.

    Args:
        inputs, outputs: number of channels, both divisible by `groups`.
        kernel: side of the kernel; the maps stay `side` wide, as with padding.
        labels: above the input and above the output.

    Raises:
        CnnvizError: channels that cannot be divided.
    """
    if inputs % groups or outputs % groups:
        raise CnnvizError(
            f"{inputs} input and {outputs} output channels in {groups} groups; both must divide."
        )
    map_side, gap = side * cell, 12.0
    tall = max(inputs, outputs) * (map_side + gap) - gap
    room = max(map_side, *(svg.text_width(label, svg.NOTE_SIZE) for label in labels))
    between = 64.0
    first = (side - kernel) // 2
    parts = []
    places: list[list[float]] = []
    for index, count in enumerate((inputs, outputs)):
        step = (tall + gap) / count
        places.append([_TOP + step * i + (step - gap - map_side) / 2 for i in range(count)])
        left = _EDGE + index * (room + between) + (room - map_side) / 2
        middle = _EDGE + index * (room + between) + room / 2
        parts.append(svg.text(middle, 9, labels[index], size=svg.NOTE_SIZE, fill=svg.var("muted")))
        per_group = count // groups
        for channel, y in enumerate(places[index]):
            colour = _COLOURS[channel // per_group % len(_COLOURS)]
            parts.append(_grid_lines(side, left, y, cell))
            taps, start = (kernel, first) if index == 0 else (1, side // 2)
            corner = (left + start * cell, y + start * cell)
            parts.append(_window(*corner, taps, 1, cell, colour, bare=True))
    x1 = _EDGE + (room + map_side) / 2 + 5
    x2 = _EDGE + room + between + (room - map_side) / 2 - 5
    before, after = ([y + map_side / 2 for y in column] for column in places)
    parts += _joins(x1, x2, before, after, groups)
    return svg.document(2 * room + between + 2 * _EDGE, _TOP + tall + _EDGE, title, "".join(parts))


def _joins(
    x1: float, x2: float, before: Sequence[float], after: Sequence[float], groups: int
) -> list[str]:
    """A line between any two channels of the same group."""
    lines = []
    for i, y1 in enumerate(before):
        for j, y2 in enumerate(after):
            group = i * groups // len(before)
            if group == j * groups // len(after):
                colour = svg.var(_COLOURS[group % len(_COLOURS)])
                line = svg.element(
                    "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=1.6
                )
                lines.append(line)
    return lines


def _input(
    values: Floats | None,
    side: int,
    padding: int,
    x: float,
    y: float,
    cell: float,
    limits: tuple[float, float],
) -> str:
    """The input with its ring of padding, whose upper left corner is at (x, y)."""
    inner = (x + padding * cell, y + padding * cell)
    ring = ""
    whole = side + 2 * padding
    if padding:
        ring = "".join(
            svg.text(x + (c + 0.5) * cell, y + (r + 0.5) * cell, "0", size=10)
            for r in range(whole)
            for c in range(whole)
            if not (padding <= r < padding + side and padding <= c < padding + side)
        )
        ring = svg.element("g", ring, fill=svg.var("muted"))
        ring += _grid_lines(whole, x, y, cell, dashed=True)
    if values is None:
        return ring + _grid_lines(side, *inner, cell) + _edge(*inner, side * cell)
    return ring + _numbers(values, *inner, cell, GREY, limits)


def _output(
    outputs: npt.ArrayLike | None,
    computed: int | None,
    units: int,
    x: float,
    y: float,
    cell: float,
) -> str:
    """The output: bare squares, and values in those that are computed."""
    lines = _grid_lines(units, x, y, cell)
    if outputs is None:
        return lines
    return lines + _numbers(matrix_of("outputs", outputs), x, y, cell, DIVERGING, None, computed)


def _numbers(
    values: Floats,
    x: float,
    y: float,
    cell: float,
    palette: Palette,
    limits: tuple[float, float] | None,
    shown: int | None = None,
) -> str:
    """The first values of (R, C), row by row, in coloured squares; scale and decimals of all."""
    largest = float(np.abs(values).max())
    write = alike(values.flat)
    colours = palettes.palette(palette)[levels(values, limits or (-largest, largest))]
    return "".join(
        palette_cell(
            x + column * cell, y + row * cell, cell, cell, colours[row, column], write(value)
        )
        for (row, column), value in list(np.ndenumerate(values))[:shown]
    )


def _edge(x: float, y: float, side: float) -> str:
    """The border of the input itself, inside its padding."""
    return svg.element(
        "rect",
        x=x,
        y=y,
        width=side,
        height=side,
        fill="none",
        stroke=svg.var("fg"),
        stroke_width=1.6,
    )


def _grid_lines(side: int, x: float, y: float, cell: float, dashed: bool = False) -> str:
    """The lines of side × side squares, as one path."""
    end = side * cell
    steps = [svg.coordinate(i * cell) for i in range(side + 1)]
    left, top, whole = svg.coordinate(x), svg.coordinate(y), svg.coordinate(end)
    lines = "".join(f"M{left} {top}m0 {s}h{whole}M{left} {top}m{s} 0v{whole}" for s in steps)
    return svg.element(
        "path",
        d=lines,
        fill="none",
        stroke=svg.var("muted"),
        stroke_width=0.8,
        stroke_opacity=0.6 if dashed else 0.9,
        stroke_dasharray="2 3" if dashed else None,
    )


def _window(
    x: float, y: float, taps: int, dilation: int, cell: float, colour: str, bare: bool
) -> str:
    """A frame around the kernel; on bare squares also a tint on those that it takes."""
    reach = (dilation * (taps - 1) + 1) * cell
    tints = ""
    if bare:
        tints = "".join(
            svg.element(
                "rect",
                x=x + column * dilation * cell,
                y=y + row * dilation * cell,
                width=cell,
                height=cell,
                fill=svg.var(colour),
                fill_opacity=0.42,
            )
            for row in range(taps)
            for column in range(taps)
        )
    frames = [("#ffffff", 6.0)] if not bare else []
    frames.append((svg.var(colour), 3.0 if not bare else 2.2))
    return tints + "".join(
        svg.element(
            "rect",
            x=x,
            y=y,
            width=reach,
            height=reach,
            rx=2,
            fill="none",
            stroke=stroke,
            stroke_width=width,
        )
        for stroke, width in frames
    )


def _place(
    parts: list[str], x: float, middle: float, width: float, label: str
) -> tuple[float, float, float]:
    """Upper left corner of a square grid, centred under its label; and where its room ends."""
    room = max(width, svg.text_width(label, svg.NOTE_SIZE))
    if label:
        muted = svg.var("muted")
        parts.append(svg.text(x + room / 2, 9, label, size=svg.NOTE_SIZE, fill=muted))
    return x + (room - width) / 2, middle - width / 2, x + room


def _sign(parts: list[str], x: float, middle: float, sign: str) -> float:
    """A sign between two grids; its room."""
    room = svg.text_width(sign, 20) + 22
    parts.append(svg.text(x + room / 2, middle, sign, size=20))
    return room
