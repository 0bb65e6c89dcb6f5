"""What has been rendered, as data: a chapter's figures and numbers, and its pictures as files."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cnnviz.errors import CnnvizError
from cnnviz.files import digest, holds, write_atomically
from gen.figure.figure import Figure, Legend, Panel, Picture, Sprite, Text, Variant
from gen.settings import ROOT


@dataclass
class Chapter:
    """The rendered figures and numbers of one chapter.

    Attributes:
        key: what it was made from.
        figures: name → description (see `describe`).
        numbers: name → value, for the prose.
        files: PNG file name → digest of its content.
        weights: network that it used → digest of its file.
    """

    key: str
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)


def write_picture(stem: str, png: bytes, chapter: Chapter, folder: Path) -> str:
    """Write a picture of a chapter, unless it is there; its name holds the digest of its content.

    Returns:
        The name of the file in `folder`.
    """
    content = digest([png])
    file = f"{stem}-{content[:8]}.png"
    path = folder / file
    if not holds(path, content):
        write_atomically(path, png)
    chapter.files[file] = content
    return file


def describe(
    figure: Figure,
    address: str,
    function: Callable[..., Any],
    chapter: Chapter,
    folder: Path,
    passport: Callable[[str], Mapping[str, object]],
) -> dict[str, Any]:
    """A figure as JSON; its pictures are written to files whose names hold their digest.

    Args:
        address: chapter and name.
        function: what drew it.
        chapter: what the pictures are files of.
        folder: where they are written to.
        passport: what is to be said of the weights of a network.

    Raises:
        CnnvizError: words are missing in one of the languages.
    """
    variants = figure.variants or [Variant(Text("", ""), figure.panels, figure.legends)]
    source = Path(inspect.getsourcefile(function) or "").relative_to(ROOT)
    line = inspect.getsourcelines(function)[1]
    return {
        "alt": _text(figure.alt, address),
        "layout": figure.layout,
        "chosen": figure.chosen,
        "scrub": figure.scrub,
        "columns": figure.columns,
        "notes": [_text(note, address) for note in figure.notes],
        "variants": [
            {
                "name": variant.name,
                "panels": [_panel(p, f"{address}-{i}", address, chapter, folder)
                           for i, p in enumerate(variant.panels)],
                "legends": [_legend(legend) for legend in variant.legends],
            }
            for variant in variants
        ],
        "source": f"{source.as_posix()}#L{line}",
        "weights": {name: passport(name) for name in figure.uses},
    }  # fmt: skip


def _panel(panel: Panel, stem: str, address: str, chapter: Chapter, folder: Path) -> dict[str, Any]:
    described: dict[str, Any] = {"label": panel.label, "alt": panel.alt}
    if panel.links:
        described["links"] = asdict(panel.links)
    if isinstance(panel.content, Sprite):
        described["bands"] = {"count": panel.content.count, "height": panel.content.band}
    if not isinstance(panel.content, Text):
        picture = panel.content if isinstance(panel.content, Picture) else panel.content.picture
        file = write_picture(stem, picture.png, chapter, folder)
        described |= {
            "file": file,
            "width": picture.width,
            "height": picture.height,
            "scale": picture.scale,
            "photo": picture.photo,
        }
    else:
        described["markup"] = _text(panel.content, address)
    return described


def _legend(legend: Legend) -> dict[str, Any]:
    return {
        "text": legend.text,
        "gradient": legend.gradient,
        "low": legend.low,
        "high": legend.high,
        "ends": legend.ends,
    }


def _text(text: Text, address: str) -> Text:
    if not (text.zh.strip() and text.en.strip()):
        raise CnnvizError(f"Figure '{address}' lacks words in one of the languages: {text}.")
    return text
