"""The words files of the site, in docs/<language>.

words.yml says what generated parts of pages say, checks.yml what checks say to whoever writes a
text; beside each page with figures stands one of their own. What all figures say, and the pages of
the atlas, stands in the package (cnnviz.words).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cnnviz.words import FALLBACK, Catalogue, Library, package_files
from gen.chapters import figure_files
from gen.settings import ROOT

DOCS = ROOT / "docs"
FILE, CHECKS, ATLAS = "words.yml", "checks.yml", "atlas.yml"
"""What this site says of its networks in place of the package's own words."""


def languages(docs: Path) -> list[str]:
    """Languages of the site, ours first: a folder of docs is one if it has a home page."""
    found = {path.parent.name for path in docs.glob("*/index.md")}
    return [*("zh", "en"), *sorted(found - {"zh", "en"})]


class SiteWords(Library):
    """What figures and generated parts of pages say.

    Args:
        docs: the folder of all languages.
    """

    def __init__(self, docs: Path = DOCS) -> None:
        self.docs = docs

    @property
    def languages(self) -> Sequence[str]:
        """The languages of the site."""
        return languages(self.docs)

    def files(self, language: str, scope: str) -> list[Path]:
        """Of the page, of the site, of the package; the scope of a figure begins with its chapter."""
        names = [*_beside_page(scope.partition(".")[0]), FILE, ATLAS]
        return [*(self.docs / language / name for name in names), *package_files(language)]


SITE = SiteWords()


def words(language: str, docs: Path = DOCS) -> Catalogue:
    """What generated parts of a page say."""
    return SiteWords(docs).catalogue(language)


def check_words(language: str, docs: Path = DOCS) -> Catalogue:
    """What checks and the build say of a text that wants mending."""
    return Catalogue([docs / language / CHECKS], [docs / FALLBACK / CHECKS])


@cache
def _beside_page(chapter: str) -> list[str]:
    """The words file of a chapter's figures, such as receptive-field.yml for receptive_field."""
    drawn_by = figure_files().get(chapter)
    return [words_beside(drawn_by)] if drawn_by else []


def words_beside(drawn_by: Path) -> str:
    """The words file of what a file draws: that of the page which its folder is named after."""
    return f"{drawn_by.parent.name.replace('_', '-')}.yml"
