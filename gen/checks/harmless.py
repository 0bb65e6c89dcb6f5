"""What texts could bring in beside their Markdown: front matter, titles, snippets, kinds of files.

gen/checks/allowed_html.py looks at what Markdown makes of a text. This is for the rest: what MkDocs
puts into the head and the menu of pages without a look at it, and files that are no texts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

from cnnviz.errors import CnnvizError
from cnnviz.words import message
from gen.texts.finding import Finding
from gen.texts.sections import line_of

_KEYS = {"description", "hide", "needs", "search", "template", "title"}
_TEMPLATES = {None, "unit.html"}
_SNIPPET = re.compile(r"-+8<-+")


def check_frame(page: str, meta: Mapping[str, Any], title: str, menu: Iterable[str] = ()) -> None:
    """Title and front matter are words, and nothing else.

    Args:
        menu: the headings as the table of contents shows them, as HTML. An attribute of a heading,
            `data-toc-label`, puts other words there.

    Raises:
        CnnvizError: an unknown key, or markup in a value.
    """
    if unknown := set(meta) - _KEYS:
        raise CnnvizError(
            f"{page}: the front matter has no place for {', '.join(map(str, unknown))}; "
            f"known: {', '.join(sorted(_KEYS))}."
        )
    if meta.get("template") not in _TEMPLATES:
        raise CnnvizError(f"{page}: no text chooses its own template.")
    for words in _strings([title, meta]):
        # The theme turns "&lt;" back into "<" in the title of the window.
        if set('<>"') & set(unescape(words)):
            raise CnnvizError(f"{page}: no markup in a title or in the front matter: {words!r}.")
    for words in menu:
        if "<" in words:
            raise CnnvizError(f"{page}: no markup in the words of a menu: {words!r}.")


def check_snippets(page: str, markdown: str, language: str) -> None:
    """Nothing is taken from another file but programs, which `example` shows.

    Raises:
        CnnvizError: a line that includes a file, as other sites write it.
    """
    if found := _SNIPPET.search(markdown):
        what = message("harmless.inserted file", found=found[0])
        finding = Finding(page, line_of(markdown, found.start()), what)
        raise CnnvizError(finding.text(language))


def no_plain_files(docs: Path) -> list[Finding]:
    """What lies below docs and is neither a folder nor a plain file.

    A link may lead to any file of the machine that builds, and would put it on a page.
    """
    found = []
    for folder, folders, files in os.walk(docs):
        for path in (Path(folder, name) for name in sorted([*folders, *files])):
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                file = f"docs/{path.relative_to(docs).as_posix()}"
                found.append(Finding(file, 0, message("harmless.no plain file")))
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings([key, inner])
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
