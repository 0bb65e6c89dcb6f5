"""What generated parts of a page say: docs/<language>/words.yml, English where a language is silent.

Python names a key and gives values; the sentence, and the order of the values in it, stand in the
file of the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import TemplateError

from cnnviz.errors import CnnvizError
from gen.settings import ROOT
from gen.texts.sandbox import sandbox

FILE = "words.yml"
FALLBACK = "en"
_TEMPLATES = sandbox()


class Words:
    """The words of one language.

    Args:
        language: the name of its folder in `docs`.
        docs: the folder of all languages.

    Raises:
        CnnvizError: a file that cannot be read.
    """

    def __init__(self, language: str, docs: Path = ROOT / "docs") -> None:
        self.language = language
        self._own, self._english = _read(docs / language / FILE), _read(docs / FALLBACK / FILE)

    def __getitem__(self, key: str) -> Any:
        """What stands under a key, as it is.

        Raises:
            CnnvizError: neither this language nor English has it.
        """
        for words in (self._own, self._english):
            if key in words:
                return words[key]
        raise CnnvizError(
            f"docs/{self.language}/{FILE} has no '{key}', nor has docs/{FALLBACK}/{FILE}. "
            f"Write the line '{key}: …' into the file of each language."
        )

    def say(self, key: str, **values: object) -> str:
        """A sentence with its values put in.

        Raises:
            CnnvizError: no such key; or the sentence names a value that is not given.
        """
        try:
            return _TEMPLATES.from_string(self[key]).render(values)
        except TemplateError as error:
            raise CnnvizError(
                f"docs/{self.language}/{FILE}: '{key}' cannot be said ({error}). "
                f"It may name: {', '.join(values) or 'no value'}."
            ) from error


def _read(file: Path) -> Mapping[str, Any]:
    return _parsed(file, file.stat().st_mtime_ns) if file.is_file() else {}


@lru_cache(maxsize=32)
def _parsed(file: Path, changed: int) -> Mapping[str, Any]:
    shown = f"docs/{file.parent.name}/{file.name}"
    try:
        words = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}" if where else ""
        raise CnnvizError(
            f"{shown}{line}: this cannot be read. Write each line as 'key: \"sentence\"'."
        ) from error
    if not isinstance(words, dict) or not all(isinstance(key, str) for key in words):
        raise CnnvizError(f"{shown}: expected lines of the form 'key: \"sentence\"'.")
    return words
