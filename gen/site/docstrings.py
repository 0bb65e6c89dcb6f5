"""Lets the API pages show docstrings that are written for people who read the source."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_QUOTED = re.compile(r'(?<!`)"([^"\n`]*\[[^"\n`]*)"(?!`)')


def as_code(text: str) -> str:
    """Quoted names with brackets as code: "lstm[1][0]" would be a link in Markdown."""
    return _QUOTED.sub(r'`"\1"`', text)


class Docstrings(Extension):
    """Applies `as_code` to each docstring."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called by griffe for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = as_code(obj.docstring.value)
