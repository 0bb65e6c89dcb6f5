"""What may be wrong with a sentence of a words file as it is written: the rules of the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cnnviz.words import message
from gen.chapters import figure_files
from gen.checks import typed_numbers
from gen.checks.remark import Page, Remark, Site
from gen.checks.rules import ALLOW, names_of_terms, remarks_on_words
from gen.checks.word_files import WordsFile
from gen.texts.sections import prose
from gen.texts.words import words_beside

_SPACES = re.compile(r"\S*\S {2,}\S+")


def remarks(words: WordsFile, site: Site) -> Iterator[Remark]:
    """All that the rules say of the sentences of a file; each is read by itself."""
    own = chapters(words.name) & set(site.numbers)
    known = typed_numbers.forms({chapter: site.numbers[chapter] for chapter in own})
    for entry in words.entries:
        if entry.sentence:
            page = Page(words.language, words.page, entry.text)
            for remark in [
                *remarks_on_words(page),
                *names_of_terms(page, site),
                *_spaces(page),
                *_numbers(page, known),
            ]:
                yield replace(remark, line=entry.at(remark.line))


def chapters(name: str) -> set[str]:
    """The chapters whose figures say the words of a file, such as relu and relu_dead of relu.yml."""
    return {chapter for chapter, path in figure_files().items() if words_beside(path) == name}


def _spaces(page: Page) -> Iterator[Remark]:
    """One space between words: a drawing shows two."""
    for number, line in enumerate(prose(page.markdown, value="\u2060").split("\n"), 1):
        for match in _SPACES.finditer(line):
            around = match.group().replace("\u2060", "")
            what = message("word_rules.two spaces", around=around)
            yield Remark("typography", around, number, what)


def _numbers(page: Page, known: dict[str, str]) -> Iterator[Remark]:
    """Measured numbers come from the program that says the sentence."""
    for number, line, metric in typed_numbers.typed(page.markdown, known):
        known_as = message("rules.looks measured")
        if metric:
            known_as = message("rules.in the build", metric=metric)
        allow = f"docs/{ALLOW}"
        what = message("word_rules.typed", number=number, known=known_as, allow=allow)
        yield Remark("number", number, line, what)
