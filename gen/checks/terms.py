"""Whether each term of the glossary is explained where its entry says, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

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
        Finding(f"docs/{FILE}", line_of_term(written, term.id), *said)
        for term in terms
        for said in [*_meanings(term), *_places(term, docs)]
    ]


def _meanings(term: Term) -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        meaning, (zh, en) = term.means.get(language, ""), name(language)
        if not meaning.strip():
            yield (
                f"术语 {term.id} 的 means 缺{zh}。怎么办：加一行 {language}: 一句话；不会{zh}的话，"
                "在拉取请求里说一声，会有人补上。",
                f"the term {term.id} says in no {en} what it means. What to do: add a line "
                f"'{language}: one sentence' to `means`; if you do not write {en}, say so in the "
                "pull request, and somebody will.",
            )
        elif not meaning.endswith(_ENDS[language]) or "\n" in meaning.strip():
            yield (
                f"术语 {term.id} 的 means，{zh}的一句没有以 {_ENDS[language]} 结尾，或者不止一行。"
                "怎么办：写成一行，以它结尾。",
                f"what the term {term.id} means in {en} is not one line that ends in "
                f"{_ENDS[language]} . What to do: write it so.",
            )


def _places(term: Term, docs: Path) -> Iterator[tuple[str, str]]:
    """The page is a chapter, has the anchor, and uses the term."""
    page, _, anchor = term.page.partition("#")
    for language in LANGUAGES:
        path = docs / language / f"{page}.md"
        text = source(path) if path.exists() else ""
        shown = f"docs/{language}/{page}.md"
        if not _CHAPTER.match(text):
            yield (
                f"术语 {term.id} 的 page 写着 {page}，而 {shown} 不是一章。怎么办：写讲解它的那一章的"
                "文件名，不带 .md。",
                f"the term {term.id} is said to be explained on '{page}', and {shown} is no "
                "chapter. What to do: write the file name of the chapter, without .md.",
            )
        elif anchor and anchor not in {heading[2] for heading in HEADING.finditer(text)}:
            yield (
                f"术语 {term.id} 的 page 写着 #{anchor}，而 {shown} 没有这个锚点。怎么办：照抄那一节"
                "标题后面的锚点，或者只写页名。",
                f"the term {term.id} is said to be explained at #{anchor}, which {shown} lacks. "
                "What to do: copy the anchor behind a heading there, or name the page alone.",
            )
        elif not pattern(term.forms(language), language).search(prose(text)):
            word = term.name(language)
            yield (
                f"{shown} 应当讲解“{word}”，却没有用这个词。怎么办：在那一章的正文里用上它，或者把 "
                "page 改成用它的那一章。",
                f"{shown} should explain '{word}', and does not use the word. What to do: use it "
                "in the text of that chapter, or name another in `page`.",
            )
