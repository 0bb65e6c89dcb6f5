"""What charts and diagrams share: theme colours, text sizes, and the outer <svg> element.

Drawings are strings to be set into a page. Their colours are CSS variables with the light theme as
fallback, so that they follow the reader's palette and still stand alone; their text is text, in
the font of the page.
"""

from __future__ import annotations

import unicodedata
from html import escape

from cnnviz.numbers import shortest

FONT_SIZE = 13.0
"""Size of ordinary text in pixels."""

NOTE_SIZE = 12.0
"""Size of ticks, notes and numbers in cells."""

_PHONE = 340.0  # pixels between the margins of a narrow phone

THEME = {
    "fg": "#20262e",
    "muted": "#656d78",
    "grid": "#dedad0",
    "1": "#0b4f9e",
    "2": "#e06000",
    "3": "#0c9c7c",
    "4": "#a86bc9",
    "5": "#7a4a00",
    "6": "#30343c",
}
"""Text, secondary text, thin lines and six colours of series; 1 is blue and 2 orange, as negative
and positive are in the diverging palette.

These are the colours of a drawing that stands alone, on a light page; a page gives its own, for
its light and its dark palette, as `--cnnviz-fg` and so on.
"""


def var(name: str) -> str:
    """The CSS value of a theme colour: `var(--cnnviz-fg, #20262e)`."""
    return f"var(--cnnviz-{name}, {THEME[name]})"


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Estimated width in pixels: Chinese characters are square, others 0.6 as wide as high."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return size * (wide + 0.6 * (len(text) - wide))


def coordinate(value: float) -> str:
    """A coordinate in hundredths of a pixel, which no eye can tell from the exact one."""
    return shortest(value).replace("−", "-")


def element(name: str, content: str = "", **attributes: str | float | None) -> str:
    """One SVG element of `content`, which is markup; attributes that are None are left out.

    Names are written with `_` for `-`, and `class_` for `class`.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            shown = value if isinstance(value, str) else coordinate(value)
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(shown)}"')
    return f"<{' '.join(parts)}>{content}</{name}>" if content else f"<{' '.join(parts)}/>"


def text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "middle",
    size: float = FONT_SIZE,
    fill: str | None = None,
    weight: str | None = None,
) -> str:
    """Text whose vertical middle is at y; `anchor` is start, middle or end."""
    # Digits and capitals are about 0.7 of the size high: half of that brings them to the middle.
    return element(
        "text",
        escape(content, quote=False),
        x=x,
        y=y + 0.35 * size,
        text_anchor=None if anchor == "start" else anchor,
        font_size=None if size == FONT_SIZE else size,
        fill=fill,
        font_weight=weight,
    )


def document(
    width: float,
    height: float,
    title: str,
    body: str,
    kind: str = "diagram",
    **attributes: str | None,
) -> str:
    """The outer element, at its own size or as narrow as the page, but not illegibly small.

    What is wider than a phone needs a box that scrolls around it.

    Args:
        width, height: of the drawing, in pixels.
        title: what the picture shows, for those who cannot see it.
        kind: the class that stylesheets know, "chart" or "diagram".
        attributes: others of the element, as in `element`.
    """
    least = f";min-width:{coordinate(0.75 * width)}px" if width > _PHONE else ""
    return element(
        "svg",
        body,
        xmlns="http://www.w3.org/2000/svg",
        class_=kind,
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        role="img",
        aria_label=title,
        font_size=FONT_SIZE,
        fill=var("fg"),
        stroke_linejoin="round",
        style=f"width:{coordinate(width)}px;max-width:100%;height:auto{least}",
        **attributes,
    )
