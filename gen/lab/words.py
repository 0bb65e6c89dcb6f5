"""The words of the lab's buttons and messages: from docs/<language>/lab.yml to its script.

The script is the same in all languages; beside it a page has the words of its own language, as a
script that leaves them where lab/messages.js looks for them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.words import FALLBACK, Catalogue, read, shown
from gen.texts.words import DOCS

FILE, BLOCK = "lab.yml", "messages"
SCRIPT = "assets/lab/words.js"
"""Where the site of each language keeps its own."""
_VALUE = re.compile(r"\[\[=\s*(\w+)\s*\]\]")


def messages(language: str, docs: Path = DOCS) -> dict[str, str]:
    """Key → sentence, in English where a language is silent; `{name}` stands for a value.

    Raises:
        CnnvizError: a sentence asks for more than values that the lab gives.
    """
    english = docs / FALLBACK / FILE
    say = Catalogue([docs / language / FILE], [english], BLOCK)
    said = {}
    for name, text in read(english).items():
        block, _, key = name.partition(".")
        if block != BLOCK:
            continue
        sentence = say.find(key)
        if "[[%" in str(sentence.text):
            raise CnnvizError(
                f"{shown(sentence.file)}: '{sentence.key}' holds [[% … %]], and the lab puts in "
                "just values. Write it with [[= name ]] alone."
            )
        said[key] = say(key, **{value: f"{{{value}}}" for value in _VALUE.findall(str(text))})
    return said


def words_script(language: str, docs: Path = DOCS) -> str:
    """The script of a language."""
    return f"globalThis.cnnvizWords = {json.dumps(messages(language, docs), ensure_ascii=False)};\n"
