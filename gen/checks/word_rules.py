"""What may be wrong with a sentence of a words file as it is written: the rules of the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

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
            yield Remark(
                "typography",
                around,
                number,
                f"“{around}”：连着两个空格。怎么办：只留一个。",
                f"'{around}': two spaces in a row. What to do: write one.",
            )


def _numbers(page: Page, known: dict[str, str]) -> Iterator[Remark]:
    """Measured numbers come from the program that says the sentence."""
    for number, line, metric in typed_numbers.typed(page.markdown, known):
        why = (
            (f"构建里有这个数：{metric}", f"the build has this number: {metric}")
            if metric
            else ("它看上去是测出来的", "it looks measured")
        )
        yield Remark(
            "number",
            number,
            line,
            f"“{number}”是手打的数，{why[0]}。怎么办：写成 [[= 名字 | percent ]]，由说这句话的程序给出"
            f"这个值，重新训练后它才会跟着变；如果它不是测出来的，在 docs/{ALLOW} 里写明理由。",
            f"'{number}' is typed, and {why[1]}. What to do: write [[= name | percent ]] and let "
            "the program that says this give the value, so that it follows the next training; if "
            f"it was not measured, say why in docs/{ALLOW}.",
        )
