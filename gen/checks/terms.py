"""Whether each term of the glossary is explained where its entry says, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cnnviz.words import Message, message
from gen.texts.finding import Finding, name
from gen.texts.glossary import LANGUAGES, Term, line_of_term, pattern
from gen.texts.sections import HEADING, prose, source

FILE = "glossary.yml"

_CHAPTER = re.compile(r"\A---\n(?:(?!---).*\n)*?needs:")
_ENDS = {"zh": "。", "en": "."}


def findings(docs: Path, terms: list[Term]) -> list[Finding]:
    """What is wrong with the entries; that they can be read, `gen.texts.glossary.read` has seen."""
    written = source(docs / FILE)
    return [
        Finding(f"docs/{FILE}", line_of_term(written, term.id), what)
        for term in terms
        for what in [*_meanings(term), *_places(term, docs)]
    ]


def _meanings(term: Term) -> Iterator[Message]:
    for language in LANGUAGES:
        meaning, own = term.means.get(language, ""), name(language)
        if not meaning.strip():
            yield message("terms.no meaning", term=term.id, own=own, code=language)
        elif not meaning.endswith(_ENDS[language]) or "\n" in meaning.strip():
            yield message("terms.no end", term=term.id, own=own, end=_ENDS[language])


def _places(term: Term, docs: Path) -> Iterator[Message]:
    """The page is a chapter, has the anchor, and uses the term."""
    page, _, anchor = term.page.partition("#")
    for language in LANGUAGES:
        path = docs / language / f"{page}.md"
        text = source(path) if path.exists() else ""
        shown = f"docs/{language}/{page}.md"
        if not _CHAPTER.match(text):
            yield message("terms.no chapter", term=term.id, page=page, file=shown)
        elif anchor and anchor not in {heading[2] for heading in HEADING.finditer(text)}:
            yield message("terms.no anchor", term=term.id, anchor=anchor, file=shown)
        elif not pattern(term.forms(language), language).search(prose(text)):
            yield message("terms.not used", word=term.name(language), file=shown)
