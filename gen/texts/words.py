"""The words files of the site, in docs/<language>.

words.yml says what generated parts of pages say, checks.yml what checks say to whoever writes a
text; beside each page with figures stands one of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from cnnviz.files import digest
from cnnviz.words import FALLBACK, Catalogue, Sentence
from gen.chapters import figure_files
from gen.settings import ROOT

DOCS = ROOT / "docs"
FILE, CHECKS = "words.yml", "checks.yml"


def words(language: str, docs: Path = DOCS) -> Catalogue:
    """What generated parts of a page say."""
    return Catalogue([docs / language / FILE], [docs / FALLBACK / FILE])


def check_words(language: str, docs: Path = DOCS) -> Catalogue:
    """What checks and the build say of a text that wants mending."""
    return Catalogue([docs / language / CHECKS], [docs / FALLBACK / CHECKS])


def figure_words(
    language: str,
    scope: str,
    escape: bool = False,
    heard: Callable[[str, Sentence], None] | None = None,
    docs: Path = DOCS,
) -> Catalogue:
    """What a figure says: the file beside its page, then what all figures may say.

    Args:
        scope: chapter and function, as in "relu_dead.answers".
        escape, heard: as in Catalogue.
    """
    names = [*figure_files_of(scope.partition(".")[0]), FILE]
    own, english = ([docs / code / name for name in names] for code in (language, FALLBACK))
    return Catalogue(own, english, scope, escape, heard)


def text_digest(sentence: Sentence) -> str:
    """Differs for sentences that differ."""
    return digest([str(sentence.text).encode()])


@cache
def figure_files_of(chapter: str) -> list[str]:
    """The words file of a chapter's figures, such as receptive-field.yml for receptive_field."""
    drawn_by = figure_files().get(chapter)
    return [words_beside(drawn_by)] if drawn_by else []


def words_beside(drawn_by: Path) -> str:
    """The words file of what a file draws: that of the page which its folder is named after."""
    return f"{drawn_by.parent.name.replace('_', '-')}.yml"
