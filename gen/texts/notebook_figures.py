"""Figures as a notebook holds them: the chosen variant, with labels and legends in Markdown.

Pictures become attachments of the cell. JupyterLab shows no SVG that is attached, so drawings stand
in the text, as images with a data address.
"""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from cnnviz.figure.kept import KeptFigure, KeptPicture, Legend
from cnnviz.words import FALLBACK, Catalogue, Library

Attachments = dict[str, dict[str, str]]


class Shown(NamedTuple):
    """Markdown of a figure without its caption, and the pictures that it names."""

    markdown: str
    attachments: Attachments


def shown(
    address: str, figure: KeptFigure, language: str, figures_dir: Path, library: Library
) -> Shown:
    """A figure of a chapter as `<chapter>/<function>`, whose files are in `figures_dir`."""
    say = library.catalogue(language, figure.scope)
    parts: list[str] = []
    attachments: Attachments = {}
    if len(figure.variants) > 1:
        parts.append(f"**{_literal(say.said(figure.shown.name))}**")
    for number, panel in enumerate(figure.shown.panels):
        if panel.label and say.said(panel.label):
            parts.append(_literal(say.said(panel.label)))
        alt = say.said(panel.alt or panel.label or figure.alt)
        if isinstance(panel, KeptPicture):
            name = f"{address.replace('/', '-')}-{number}.png"
            attachments[name] = {"image/png": _enlarged(panel, figures_dir)}
            parts.append(f"![{_literal(alt)}](attachment:{name})")
        else:
            parts.append(_drawing(panel.markup.get(language) or panel.markup[FALLBACK], alt))
    parts += [_legend(legend, say) for legend in figure.shown.legends]
    return Shown("\n\n".join(filter(None, parts)), attachments)


def _enlarged(panel: KeptPicture, figures_dir: Path) -> str:
    """A picture, of a sprite its first band, at a whole factor: Markdown says no size."""
    with Image.open(figures_dir / panel.file) as picture:
        width, height = panel.seen
        factor = max(1, round(panel.scale))
        seen = picture.crop((0, 0, width, height))
        large = seen.resize((width * factor, height * factor), Image.Resampling.NEAREST)
        content = BytesIO()
        large.save(content, "PNG", optimize=True)
    return b64encode(content.getvalue()).decode()


def _drawing(markup: str, alt: str) -> str:
    """Each SVG as an image; a table as it is; what needs the scripts of the page is left out."""
    drawings = re.findall(r"<svg.*?</svg>", markup, re.S)
    if drawings:
        return "\n".join(_svg(drawing, alt) for drawing in drawings)
    return " ".join(markup.split()) if markup.startswith(("<table", "<b>")) else ""


def _svg(drawing: str, alt: str) -> str:
    """An image that needs no style sheet: dark on white, in the page's light colours."""
    head, rest = drawing.split(">", 1)
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)
    assert size  # every drawing has one
    head = re.sub(r' style="[^"]*"', "", head)
    head += (
        f' width="{size[1]}" height="{size[2]}" font-family="sans-serif" style="background:#fff"'
    )
    alone = re.sub(r"var\(--[\w-]+, *([^()]+)\)", r"\1", f"{head}>{rest}")
    data = b64encode(alone.encode()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def _legend(legend: Legend, say: Catalogue) -> str:
    ends = f"{legend.low} … {legend.high}" if legend.gradient else ""
    return _literal(" ".join(filter(None, [ends and f"[{ends}]", say.said(legend.text)])))


def _literal(text: str) -> str:
    """Words in which Markdown finds no marks."""
    return re.sub(r"([\\`*_\[\]<$])", r"\\\1", " ".join(text.split()))
