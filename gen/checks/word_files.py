"""docs/<language>/words.yml: written by the rules of the pages, and the same keys and values in both.

A language of somebody else's may be silent where it likes: English is said in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from gen.checks.remark import Page, Remark
from gen.checks.rules import remarks_on_words
from gen.texts.finding import Finding, name
from gen.texts.sections import languages, source
from gen.texts.words import FILE

_VALUE = re.compile(r"\[\[[=%]\s*(\w+)")

Sentences = Mapping[str, tuple[int, str]]
"""Key → its line, and what is said."""


def findings(docs: Path) -> list[Finding]:
    """What is wrong with the words files of all languages; one that cannot be read is left out."""
    files = {language: sentences(docs / language / FILE) for language in languages(docs)}
    found = []
    for language, said in files.items():
        file = f"docs/{language}/{FILE}"
        found += [
            Finding(file, remark.line, remark.zh, remark.en) for remark in _remarks(language, said)
        ]
        for other, theirs in files.items():
            if {language, other} == {"zh", "en"}:
                found += _differences(file, said, other, theirs)
    return found


def sentences(file: Path) -> Sentences:
    """What a file says, with its lines."""
    root = yaml.compose(source(file)) if file.is_file() else None
    if not isinstance(root, yaml.MappingNode):
        return {}
    return {
        key.value: (value.start_mark.line + 1, value.value)
        for key, value in root.value
        if value.tag == "tag:yaml.org,2002:str"
    }


def _remarks(language: str, said: Sentences) -> list[Remark]:
    """As if the sentences were lines of a page, each where it stands in its file."""
    lines = [""] * max((line for line, _ in said.values()), default=0)
    for line, text in said.values():
        lines[line - 1] = " ".join(text.split())
    return remarks_on_words(Page(language, FILE, "\n".join(lines)))


def _differences(file: str, said: Sentences, other: str, theirs: Sentences) -> Iterator[Finding]:
    zh, en = name(other)
    for key in theirs.keys() - said.keys():
        yield Finding(
            file,
            0,
            f"缺少“{key}”，{zh}里有。怎么办：补上这一行。",
            f"'{key}' is missing, and {en} has it. What to do: add the line.",
        )
    for key in said.keys() & theirs.keys():
        line, text = said[key]
        wanted, here = (set(_VALUE.findall(t)) for t in (theirs[key][1], text))
        if lacking := sorted(wanted - here):
            yield Finding(
                file,
                line,
                f"“{key}”里没有用到 {'、'.join(lacking)}，{zh}用了。怎么办：把它放进句子里。",
                f"'{key}' does not show {', '.join(lacking)}, which {en} does. What to do: put it "
                "into the sentence.",
            )
