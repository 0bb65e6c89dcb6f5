"""From a figure to what is kept of it: pictures become files, all else one typed description."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnviz.figure.figure import Drawing, Figure, Panel, Picture, Sprite, Variant
from cnnviz.figure.kept import (
    Bands,
    Chapter,
    KeptDrawing,
    KeptFigure,
    KeptPicture,
    KeptVariant,
    Passport,
)
from cnnviz.files import digest, holds, write_atomically
from cnnviz.words import Library, Sentence, text_digest


def write_picture(stem: str, png: bytes, chapter: Chapter, folder: Path) -> str:
    """Write a picture of a chapter, unless it is there; its name holds the digest of its content.

    It is a PNG, or a WebP where it is large.

    Args:
        stem: how the name begins; a folder with a slash at its end: the digest is all of the name,
            and pictures that are alike are one file.

    Returns:
        The name of the file in `folder`.
    """
    content = digest([png])
    name = f"{stem}{content}" if stem.endswith("/") else f"{stem}-{content[:8]}"
    file = f"{name}.{'webp' if png[8:12] == b'WEBP' else 'png'}"
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
    library: Library,
    shared: str = "",
) -> KeptFigure:
    """A figure as it is kept; its pictures are written to files whose names hold their digest.

    Args:
        address: chapter and name.
        function: what drew it.
        chapter: what the pictures are files of.
        folder: where they are written to.
        passport: what is to be said of the weights of a network.
        library: says words that are drawn.
        shared: the folder, with a slash at its end, of pictures that other figures may have too;
            "": each figure has its own.

    Raises:
        CnnvizError: such a word is missing.
    """
    variants = figure.variants or [Variant("", figure.panels, figure.legends)]
    function = figure.drawn_by or function
    source = function.__module__.replace(".", "/") + ".py"
    line = inspect.getsourcelines(function)[1]
    chapter_name = "figures" if figure.drawn_by else address.partition("/")[0]
    scope = f"{chapter_name}.{function.__name__}"
    return KeptFigure(
        alt=figure.alt,
        layout=figure.layout,
        chosen=figure.chosen,
        scrub=figure.scrub,
        columns=figure.columns,
        notes=list(figure.notes),
        variants=[
            KeptVariant(
                variant.name,
                [_panel(p, shared or f"{address}-{i}", scope, chapter, folder, library)
                 for i, p in enumerate(variant.panels)],
                list(variant.legends),
            )
            for variant in variants
        ],
        scope=scope,
        source=f"{source}#L{line}",
        weights={name: passport(name) for name in figure.uses},
    )  # fmt: skip


def _panel(
    panel: Panel, stem: str, scope: str, chapter: Chapter, folder: Path, library: Library
) -> KeptPicture | KeptDrawing:
    content = panel.content
    if not isinstance(content, (Picture, Sprite)):
        return KeptDrawing(panel.label, panel.alt, _drawn(content, scope, chapter, library))
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


def _drawn(content: Drawing, scope: str, chapter: Chapter, library: Library) -> dict[str, str]:
    """A drawing in each language; notes which words it drew."""
    drawn = {}
    for language in library.languages:
        heard = chapter.drawn_words.setdefault(language, {})

        def hear(key: str, sentence: Sentence, heard: dict[str, str] = heard) -> None:
            heard[f"{scope}:{key}"] = text_digest(sentence)

        say = library.catalogue(language, scope, heard=hear)
        drawn[language] = content if isinstance(content, str) else content(say)
    return drawn
