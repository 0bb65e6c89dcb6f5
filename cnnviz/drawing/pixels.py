"""Drawings of pixels and strokes for the chapter on images: arrays in, SVG strings out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz.drawing import svg
from cnnviz.drawing.palettes import oklab
from cnnviz.numbers import shortest

Bytes = NDArray[np.uint8]


def strip(
    pixels: Bytes,
    row: int,
    column: int,
    *,
    row_name: Callable[[int], str],
    apart: str,
    title: str,
) -> str:
    """An image (28, 28) as one row of 784 bars, and below it four of its rows enlarged.

    The pixel at `row`, `column` and the one below it are framed and joined by a bracket.

    Args:
        row_name: what a row is called.
        apart: what stands at the bracket.
        title: accessible name.
    """
    side = len(pixels)
    zoom, height, top, low = 7, 34.0, 22.0, 106.0
    start = min(max(row - 1, 0), side - 4)  # the first of the four rows
    muted = svg.var("muted")
    parts = []
    for r in (0, 4, 8, 12, 16, 20, 24):
        parts.append(svg.text(r * side + 1, 8, row_name(r), anchor="start", size=11, fill=muted))
        parts.append(_line(r * side + 0.5, 16, r * side + 0.5, top, muted))
    parts.append(_bars(pixels.ravel(), 0, top, 1, height))
    left, right = start * side, (start + 4) * side  # what is enlarged
    parts.append(_line(left, top + height, 0, low, muted))
    parts.append(_line(right, top + height, side * side, low, muted))
    parts.append(_bars(pixels[start : start + 4].ravel(), 0, low, zoom, height))
    for r in range(4):
        x = r * side * zoom
        if r:
            parts.append(_line(x, low - 6, x, low + height + 6, svg.var("fg")))
        name = row_name(start + r)
        parts.append(svg.text(x + 14 * zoom, low + height + 34, name, size=12, fill=muted))
    ends = [((row - start + i) * side + column) * zoom for i in (0, 1)]
    for x in ends:
        parts.append(
            svg.element(
                "rect",
                x=x,
                y=low - 1.5,
                width=zoom,
                height=height + 3,
                fill="none",
                stroke=svg.var("2"),
                stroke_width=2.5,
            )
        )
    y = low + height + 12
    a, b = (svg.coordinate(x + zoom / 2) for x in ends)
    bracket = f"M{a} {svg.coordinate(y - 7)}V{svg.coordinate(y)}H{b}V{svg.coordinate(y - 7)}"
    parts.append(svg.element("path", d=bracket, fill="none", stroke=svg.var("2"), stroke_width=1.5))
    parts.append(svg.text(sum(ends) / 2 + zoom / 2, y + 10, apart, size=12, fill=svg.var("2")))
    return svg.document(side * side, low + height + 44, title, "".join(parts))


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return svg.element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour)


def _bars(values: Bytes, x: float, y: float, width: float, height: float) -> str:
    """Values side by side as bars of their grey on black."""
    bars = [svg.element("rect", x=x, y=y, width=width * len(values), height=height, fill="#000000")]
    for index, value in enumerate(values.tolist()):
        if value:
            grey = f"#{value:02x}{value:02x}{value:02x}"
            left = x + index * width
            bars.append(svg.element("rect", x=left, y=y, width=width, height=height, fill=grey))
    # Antialiasing leaves seams between wide bars, and without it narrow ones may vanish.
    return svg.element("g", "".join(bars), shape_rendering="crispEdges" if width > 1 else None)


def colour_cells(pixels: Bytes, title: str) -> str:
    """Pixels (R, C, 3) as cells of their colour with their three numbers below one another."""
    width, height = 56.0, 62.0
    parts = []
    for row, column in np.ndindex(*pixels.shape[:2]):
        colour = pixels[row, column]
        ink = "#101418" if oklab(colour)[0] > 0.57 else "#ffffff"
        fill = "#" + "".join(f"{int(value):02x}" for value in colour)
        x, y = column * width, row * height
        parts.append(svg.element("rect", x=x, y=y, width=width, height=height, fill=fill))
        for line, value in enumerate(colour):
            place = (x + width / 2, y + height / 2 + 17 * (line - 1))
            parts.append(svg.text(*place, str(value), fill=ink))
    return svg.document(width * pixels.shape[1], height * pixels.shape[0], title, "".join(parts))


def strokes_drawing(strokes: Sequence[NDArray[np.float32]], title: str) -> str:
    """Strokes (P, 2), 100 units high, as lines; a dot where each starts."""
    side = 112.0
    points = np.concatenate(strokes)
    middle = (points.min(0) + points.max(0)) / 2
    scale = min(0.8, (side - 14) / float((points.max(0) - points.min(0)).max()))
    parts = []
    for stroke in strokes:
        placed = (stroke - middle) * scale + side / 2
        path = " ".join(f"{svg.coordinate(float(x))},{svg.coordinate(float(y))}" for x, y in placed)
        parts.append(
            svg.element(
                "polyline",
                points=path,
                fill="none",
                stroke=svg.var("1"),
                stroke_width=3,
                stroke_linecap="round",
            )
        )
        start_x, start_y = placed[0].tolist()
        parts.append(svg.element("circle", cx=start_x, cy=start_y, r=4, fill=svg.var("2")))
    return svg.document(side, side, title, "".join(parts))


def sum_of_parts(
    terms: Sequence[tuple[str, float]],
    total: tuple[str, float],
    result: tuple[str, float],
    *,
    title: str,
) -> str:
    """Boxes: terms joined by +, = their total, and → what becomes of it; names above them."""
    boxes = [*terms, total, result]
    signs = ["+"] * (len(terms) - 1) + ["=", "→"]
    x, top, height, gap = 1.0, 24.0, 36.0, 26.0
    parts = []
    for index, (name, value) in enumerate(boxes):
        width = max(svg.text_width(name, svg.NOTE_SIZE), 64.0)
        middle = x + width / 2
        parts.append(
            svg.text(middle, 10, name, size=svg.NOTE_SIZE, fill=svg.var("muted")),
        )
        parts.append(
            svg.element(
                "rect",
                x=middle - 32,
                y=top,
                width=64.0,
                height=height,
                rx=4,
                fill="none",
                stroke=svg.var("2" if value > 0 else "1" if value < 0 else "muted"),
                stroke_width=1.5,
            )
        )
        parts.append(svg.text(middle, top + height / 2, shortest(value), size=15, weight="bold"))
        x += width
        if index < len(signs):
            parts.append(svg.text(x + gap / 2, top + height / 2, signs[index], size=17))
            x += gap
    return svg.document(x + 1, top + height + 2, title, "".join(parts))


def tensor_drawing(
    images: Bytes,
    marked: tuple[int, int, int, int],
    *,
    image_name: Callable[[int], str],
    channel_names: Sequence[str],
    pixels_name: str,
    memory_name: str,
    title: str,
) -> str:
    """A small tensor with all its numbers: a row for each image, a column for each channel.

    Args:
        images: (N, H, W, 3); each is also drawn in its colours, at the left.
        marked: n, c, h, w of the number that is framed, here and in the strip of memory below.
        image_name: what image n is called.
        channel_names: what stands above the channels.
        pixels_name, memory_name: what stands above the coloured images and above the strip.
        title: accessible name.
    """
    count, height, width, channels = images.shape
    cell, gap, left, top = 35.0, 22.0, 64.0, 26.0
    across, down = width * cell + gap, height * cell + gap
    parts = []
    for column, name in enumerate((pixels_name, *channel_names)):
        x = left + column * across + width * cell / 2
        parts.append(svg.text(x, 10, name, size=svg.NOTE_SIZE, fill=svg.var("muted")))
    for n in range(count):
        y0 = top + n * down
        parts.append(svg.text(0, y0 + height * cell / 2, image_name(n), anchor="start"))
        parts += _tensor_cells(images[n], left, y0, cell, across)
    n, c, h, w = marked
    frame: dict[str, Any] = {"fill": "none", "stroke": svg.var("2"), "stroke_width": 3}
    x, y = left + (c + 1) * across + w * cell, top + n * down + h * cell
    parts.append(svg.element("rect", x=x, y=y, width=cell, height=cell, **frame))

    total = count * channels * height * width
    step = (4 * across - gap) / total
    y = top + count * down + 22
    parts.append(
        svg.text(left, y - 14, memory_name, anchor="start", size=12, fill=svg.var("muted"))
    )
    flat = images.transpose(0, 3, 1, 2).ravel()
    parts.append(_bars(flat, left, y, step, 26))
    for block in range(1, count * channels):
        at = left + block * height * width * step
        parts.append(_line(at, y - 4, at, y + 30, svg.var("muted")))
    place = int(np.ravel_multi_index(marked, (count, channels, height, width)))
    at = left + place * step
    parts.append(svg.element("rect", x=at - 1, y=y - 3, width=step + 2, height=32, **frame))
    parts.append(svg.text(at + step / 2, y + 42, str(place), size=12, fill=svg.var("2")))
    return svg.document(left + 4 * across - gap + 2, y + 52, title, "".join(parts))


def _tensor_cells(image: Bytes, left: float, top: float, cell: float, across: float) -> list[str]:
    """An image (H, W, C) in its colours, and right of it each channel in grey with its numbers."""
    height, width, channels = image.shape
    parts = []
    for row, column in np.ndindex(height, width):
        x, y = left + column * cell, top + row * cell
        colour = "#" + "".join(f"{int(v):02x}" for v in image[row, column])
        parts.append(svg.element("rect", x=x, y=y, width=cell, height=cell, fill=colour))
        for c in range(channels):
            value = int(image[row, column, c])
            at = x + (c + 1) * across
            grey = f"#{value:02x}{value:02x}{value:02x}"
            ink = "#101418" if value > 127 else "#ffffff"
            parts.append(svg.element("rect", x=at, y=y, width=cell, height=cell, fill=grey))
            middle = (at + cell / 2, y + cell / 2)
            parts.append(svg.text(*middle, str(value), size=12, fill=ink))
    return parts
