"""The words files of the site: docs/<language>/words.yml, and one beside each page with figures.

What all figures say, and the pages of the atlas, stands in the package (cnnviz.words).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from cnnviz.words import FALLBACK, Catalogue, Sentence, package_files
from gen.chapters import figure_files
from gen.settings import ROOT

DOCS = ROOT / "docs"
FILE = "words.yml"


def languages(docs: Path) -> list[str]:
    """Languages of the site, ours first: a folder of docs is one if it has a home page."""
    found = {path.parent.name for path in docs.glob("*/index.md")}
    return [*("zh", "en"), *sorted(found - {"zh", "en"})]


class SiteWords:
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

    def catalogue(
        self,
        language: str,
        scope: str = "",
        escape: bool = False,
        heard: Callable[[str, Sentence], None] | None = None,
    ) -> Catalogue:
        """See cnnviz.words.Library; the scope of a figure begins with its chapter."""
        names = [*_beside_page(scope.partition(".")[0]), FILE]
        own, english = (
            [*(self.docs / code / name for name in names), *package_files(code)]
            for code in (language, FALLBACK)
        )
        return Catalogue(own, english, scope, escape, heard)


SITE = SiteWords()


def words(language: str, docs: Path = DOCS) -> Catalogue:
    """What generated parts of a page say."""
    return SiteWords(docs).catalogue(language)


@cache
def _beside_page(chapter: str) -> list[str]:
    """The words file of a chapter's figures, such as receptive-field.yml for receptive_field."""
    drawn_by = figure_files().get(chapter)
    return [f"{drawn_by.parent.name.replace('_', '-')}.yml"] if drawn_by else []
