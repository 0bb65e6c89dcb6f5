"""Each term of docs/glossary.yml is explained, and used, on the page that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gen.checks.finding import Finding, name
from gen.checks.sections import line_of, prose, source
from gen.glossary import LANGUAGES, Term, pattern

FILE = "glossary.yml"


def findings(
    docs: Path, terms: list[Term], anchors: Mapping[str, Mapping[str, set[str]]]
) -> Iterator[Finding]:
    """What a term says of its page that is not so.

    Args:
        anchors: language → page → its anchors.
    """
    written = source(docs / FILE)
    for term in terms:
        line = line_of(written, max(0, written.find(f"id: {term.id}\n")))
        page, _, anchor = term.page.partition("#")
        for language in LANGUAGES:
            known = anchors[language]
            file = f"docs/{language}/{page}.md"
            word = term.name(language)
            if page not in known or (anchor and anchor not in known[page]):
                yield Finding(
                    f"docs/{FILE}",
                    line,
                    f"术语“{word}”的 page 写的是 {term.page}，{name(language)[0]}版没有这一处。怎么办："
                    "写讲解它的那一页的文件名，不带 .md，例如 pooling 或 image#tensors。",
                    f"the term '{word}' names the page {term.page}, which {name(language)[1]} has "
                    "not. What to do: name the page that explains it, without .md, such as pooling "
                    "or image#tensors.",
                )
            elif not pattern(term.forms(language), language).search(
                prose(source(docs / language / f"{page}.md"))
            ):
                yield Finding(
                    f"docs/{FILE}",
                    line,
                    f"{file} 应该讲解“{word}”，却没有用到这个词。怎么办：在那里用上它，"
                    "或者把 page 改成讲解它的那一页。",
                    f"{file} should explain '{word}' and does not use the word. What to do: use it "
                    "there, or name under page the one that does.",
                )
