"""From a figure to what is kept of it: pictures become files, all else one typed description."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnviz.errors import CnnvizError
from cnnviz.files import digest, holds, write_atomically
from gen.figure.figure import Figure, Panel, Sprite, Text, Variant
from gen.figure.kept import (
    Bands,
    Chapter,
    KeptDrawing,
    KeptFigure,
    KeptPicture,
    KeptVariant,
    Passport,
)
from gen.settings import ROOT


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
    passport: Callable[[str], Passport],
) -> KeptFigure:
    """A figure as it is kept; its pictures are written to files whose names hold their digest.

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
    return KeptFigure(
        alt=_text(figure.alt, address),
        layout=figure.layout,
        chosen=figure.chosen,
        scrub=figure.scrub,
        columns=figure.columns,
        notes=[_text(note, address) for note in figure.notes],
        variants=[
            KeptVariant(
                variant.name,
                [_panel(p, f"{address}-{i}", address, chapter, folder)
                 for i, p in enumerate(variant.panels)],
                list(variant.legends),
            )
            for variant in variants
        ],
        source=f"{source.as_posix()}#L{line}",
        weights={name: passport(name) for name in figure.uses},
    )  # fmt: skip


def _panel(
    panel: Panel, stem: str, address: str, chapter: Chapter, folder: Path
) -> KeptPicture | KeptDrawing:
    content = panel.content
    if isinstance(content, Text):
        return KeptDrawing(panel.label, panel.alt, _text(content, address))
    bands = Bands(content.count, content.band) if isinstance(content, Sprite) else None
    picture = content.picture if isinstance(content, Sprite) else content
    return KeptPicture(
        panel.label,
        panel.alt,
        file=write_picture(stem, picture.png, chapter, folder),
        width=picture.width,
        height=picture.height,
        scale=picture.scale,
        photo=picture.photo,
        bands=bands,
        links=panel.links,
    )


def _text(text: Text, address: str) -> Text:
    if not (text.zh.strip() and text.en.strip()):
        raise CnnvizError(f"Figure '{address}' lacks words in one of the languages: {text}.")
    return text
