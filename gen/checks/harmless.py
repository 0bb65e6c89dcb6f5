"""What a text could run while the site is built, or in the frame around an article.

tests/test_hostile_text.py looks at what the built articles hold. This is for the rest: what MkDocs
puts into the head and the menu of pages without a look at it, and what would make the reader of
docstrings load Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from itertools import pairwise
from typing import Any

from cnnviz.errors import CnnvizError

_KEYS = {"description", "hide", "needs", "search", "template", "title"}
_TEMPLATES = {None, "unit.html"}
_DIRECTIVE = re.compile(r"::: cnnviz(?:\.\w+)+ *")


def check_frame(page: str, meta: Mapping[str, Any], title: str) -> None:
    """Title and front matter are words, and nothing else.

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


def check_directives(page: str, markdown: str) -> None:
    """Docstrings are those of the package, taken as mkdocs.yml says.

    Options of a directive of its own could name extensions, which are Python.

    Raises:
        CnnvizError: a directive with options, or for something else.
    """
    lines = [*markdown.splitlines(), ""]
    for line, after in pairwise(lines):
        if ":::" in line and (not _DIRECTIVE.fullmatch(line) or after.strip()):
            raise CnnvizError(f"{page}: ':::' stands alone, with a name of cnnviz: {line!r}.")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings([key, inner])
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
