"""The bridge to matplotlib: a figure in our style, its margins and legend, its SVG for a page.

Widths of text are estimated here (`svg.text_width`) instead of measured by matplotlib, which has
no Chinese font at hand and would measure empty boxes: the reader's browser has one.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil, log10
from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from cnnviz.drawing import svg
from cnnviz.drawing.checks import Floats
from cnnviz.files import digest
from cnnviz.numbers import Write, shortest

Size = tuple[float, float]
Entry = tuple[str, Mapping[str, Any]]
"""A label, and how its line (or, with a facecolor, its bar) is drawn."""

_STYLE = Path(__file__).with_name("cnnviz.mplstyle")
_ROW = 20.0  # height of a row of the legend, in pixels
_SAMPLE = 24.0  # length of a line in the legend, in pixels


@contextmanager
def styled_axes(size: Size) -> Iterator[tuple[Figure, Axes]]:
    """A figure of `size` pixels with one axes, in the style of the site whatever the user's own."""
    with warnings.catch_warnings(), matplotlib.style.context(_STYLE, after_reset=True):
        # A glyph that the build's fonts lack is drawn by the reader's browser.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        figure = Figure(figsize=(size[0] / 72, size[1] / 72))
        yield figure, figure.subplots()


def set_log(axis: Axis) -> None:
    """Ticks of an axis that is logarithmic: 1, 10, 100, and 2 and 5 between where there is room.

    To be called once the data are drawn.
    """
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1,) if high / low > 300 else (1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_locator(NullLocator())


def write_percent(axis: Axis) -> None:
    """Write the ticks of an axis of shares as percentages: 0.5 → 50%, 0.000001 → 0.0001%."""

    def write(share: float, _: object) -> str:
        digits = 2 if abs(share) < 1e-12 else max(2, ceil(-log10(abs(100 * share))))
        return f"{shortest(100 * share, digits)}%"

    axis.set_major_formatter(FuncFormatter(write))


def lay_out(
    figure: Figure,
    axes: Axes,
    x_label: str,
    y_label: str,
    *,
    legend: Sequence[Entry] = (),
    top: float = 8,
    right: float = 14,
) -> None:
    """Margins that hold the labels, the labels themselves, and a legend above the axes.

    The label of y stands above its axis, upright: Chinese is not read sideways.

    Args:
        legend: entries in reading order, wrapped into as many rows as they need.
        top, right: pixels to leave for what is drawn beside the axes.
    """
    width, height = figure.get_size_inches() * 72
    rows = _wrapped([label for label, _ in legend], width)
    above = top + _ROW * len(rows) + (_ROW if y_label else 0)
    below = 26.0 + (_ROW if x_label else 0)
    axes.set_position((0.1, below / height, 0.8, 1 - (above + below) / height))
    figure.draw_without_rendering()  # chooses the ticks
    low, high = sorted(axes.get_ylim())
    ticks = [
        label.get_text()
        for label in axes.get_yticklabels()
        if low <= label.get_position()[1] <= high
    ]
    left = max((svg.text_width(tick, svg.NOTE_SIZE) for tick in ticks), default=0) + 10
    axes.set_position(
        (left / width, below / height, 1 - (left + right) / width, 1 - (above + below) / height)
    )
    note: dict[str, Any] = {"color": svg.THEME["muted"], "fontsize": svg.NOTE_SIZE}
    if y_label:
        y = height - above + top / 2 + 4
        figure.text(0, y / height, y_label, va="bottom", **note)
    if x_label:
        middle = (left + width - right) / 2
        figure.text(middle / width, 4 / height, x_label, ha="center", va="bottom", **note)
    entries = iter(legend)
    for row, labels in enumerate(rows):
        x, y = 1.0, height - _ROW * (row + 0.5)
        for label in labels:
            _, style = next(entries)
            _entry(figure, x, y, label, style)
            x += _entry_width(label)


def name_line_ends(figure: Figure, axes: Axes, ends: Sequence[tuple[float, Entry]]) -> None:
    """Name lines at the right of the axes, level with their last y where there is room."""
    width, height = figure.get_size_inches() * 72
    box = axes.get_position()
    x, floor, ceiling = box.x1 * width + 8, box.y0 * height, box.y1 * height
    wanted = [float(axes.transData.transform((1, y))[1]) for y, _ in ends]
    for y, (_, (label, style)) in zip(_spread(wanted, floor, ceiling), ends, strict=True):
        _entry(figure, x, y, label, style)


def name_width(labels: Sequence[str]) -> float:
    """Pixels that `name_line_ends` needs at the right of the axes."""
    return max(_entry_width(label) for label in labels)


def name_bars(axes: Axes, labels: Sequence[str], horizontal: bool) -> None:
    """Labels for ticks along the bars, grid lines across them, a line at zero."""
    if horizontal:
        axes.set_yticks(range(len(labels)), labels, color=svg.THEME["fg"])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color=svg.THEME["muted"], linewidth=1)
        axes.spines[["left", "bottom"]].set_visible(False)
    else:
        axes.set_xticks(range(len(labels)), labels, color=svg.THEME["fg"])
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.axhline(0, color=svg.THEME["muted"], linewidth=1)
        axes.spines[["left", "bottom"]].set_visible(False)


def write_on_bars(
    axes: Axes, places: Floats, values: Floats, write: Write, horizontal: bool
) -> None:
    """Each value beyond the end of its bar."""
    for place, value in zip(places, values, strict=True):
        away = 4 if value >= 0 else -4
        style: dict[str, Any] = {
            "textcoords": "offset pixels",
            "fontsize": svg.NOTE_SIZE,
            "annotation_clip": False,
        }
        if horizontal:
            side = "left" if value >= 0 else "right"
            style |= {"xy": (value, place), "xytext": (away, 0), "ha": side, "va": "center"}
        else:
            side = "bottom" if value >= 0 else "top"
            style |= {"xy": (place, value), "xytext": (0, away), "ha": "center", "va": side}
        axes.annotate(write(float(value)), **style)


def _entry_width(label: str) -> float:
    return _SAMPLE + 6 + svg.text_width(label) + 14


def _wrapped(labels: Sequence[str], width: float) -> list[list[str]]:
    """Labels in rows no wider than `width` pixels."""
    rows: list[list[str]] = []
    used = width
    for label in labels:
        if used + _entry_width(label) > width:
            rows.append([])
            used = 0.0
        rows[-1].append(label)
        used += _entry_width(label)
    return rows


def _entry(figure: Figure, x: float, y: float, label: str, style: Mapping[str, Any]) -> None:
    """A sample of a line or bar at (x, y) pixels from the lower left, and its name."""
    width, height = figure.get_size_inches() * 72
    if "facecolor" in style:
        place = ((x + 6) / width, (y - 6) / height)
        figure.add_artist(Rectangle(place, 18 / width, 12 / height, **style))
    else:
        ends = [x / width, (x + _SAMPLE / 2) / width, (x + _SAMPLE) / width]
        figure.add_artist(Line2D(ends, [y / height] * 3, markevery=[1], **style))
    figure.text((x + _SAMPLE + 6) / width, (y - 4.5) / height, label, va="baseline")


def _spread(wanted: Sequence[float], floor: float, ceiling: float, step: float = 17) -> list[float]:
    """Heights at least `step` apart, in the order of `wanted` and near to them."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed: list[float] = []
    for index in order:  # upwards, each at least a step above the one below
        placed.append(max([wanted[index], floor, *(y + step for y in placed[-1:])]))
    for place in reversed(range(len(placed))):  # and down again from the ceiling
        above = placed[place + 1] - step if place + 1 < len(placed) else ceiling
        placed[place] = min(placed[place], above)
    heights = dict(zip(order, placed, strict=True))
    return [heights[index] for index in range(len(wanted))]


def to_svg(figure: Figure, title: str, lines: Sequence[Entry] = ()) -> str:
    """The figure as markup for a page; see `svg.document`.

    The `lines` that have their names at the right end are listed in the attribute `data-lines`, as
    [name, number of the theme colour, dashes], for a page on which that end is out of sight.
    """
    file = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(file, format="svg", metadata=nothing)
    width, height = figure.get_size_inches() * 72
    listed = json.dumps([_line(entry) for entry in lines], ensure_ascii=False) if lines else None
    body = _clean(file.getvalue())
    return svg.document(width, height, title, body, "chart", data_lines=listed)


def _line(entry: Entry) -> list[str]:
    label, style = entry
    number = next(name for name, colour in svg.THEME.items() if colour == style["color"])
    dashes = () if style["linestyle"] == "-" else style["linestyle"][1]
    return [label, number, " ".join(svg.coordinate(d * style["linewidth"]) for d in dashes)]


def _clean(markup: str) -> str:
    """matplotlib's drawing without its outer element, global style, fonts and unused ids."""
    body = markup[markup.index("<svg") :]
    body = body[body.index(">") + 1 : body.rindex("</svg>")]
    body = re.sub(r"<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^>]+>", lambda tag: _clean_tag(tag[0]), body)
    body = re.sub(r">\s+<", "><", body.strip())
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", body)
    empty = re.compile(r"<g>\s*</g>|<defs>\s*</defs>")
    while empty.search(body):
        body = empty.sub("", body)
    # Charts share a page: their ids start with a digest of what they hold.
    prefix = f"c{digest([body.encode()], 8)}"
    for index, name in enumerate(used):
        body = re.sub(
            rf'(id="|="#|url\(#){re.escape(name)}(?=["\)])', rf"\g<1>{prefix}-{index}", body
        )
    return body


_SENTINELS = {colour: svg.var(name) for name, colour in svg.THEME.items()}


def _clean_tag(tag: str) -> str:
    """One tag with theme colours, hundredths of a pixel, and the font of the page."""
    tag = " ".join(tag.split()).replace("xlink:href", "href").replace('" />', '"/>')
    tag = re.sub(r" ?font-family: [^;\"]*;?| transform=\"rotate\(-0 [^\"]*\"", "", tag)
    tag = re.sub(r"-?\d+\.\d{3,}", lambda found: svg.coordinate(float(found[0])), tag)
    return re.sub(r"#[0-9a-f]{6}\b", lambda found: _SENTINELS.get(found[0], found[0]), tag)
