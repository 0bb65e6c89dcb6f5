"""The frame of the pages of an atlas that is a folder of its own. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from markupsafe import Markup

from cnnviz.atlas.templating import ASSETS, filled
from cnnviz.files import write_atomically
from cnnviz.words import Library

STYLES = (
    "colours.css", "frame.css", "figures.css", "atlas.css", "atlas-overview.css", "sortable.css",
    "unit.css", "grid.css", "search.css", "overview-large.css",
)  # fmt: skip
SCRIPTS = ("scrubber.js", "atlas.js", "atlas-overview.js", "sortable.js", "grid.js", "search.js")

_HREF = re.compile(r'(?<=\shref=")((?:[\w.-]+/)*(?:[\w.-]+|\.\.)/)((?:#[\w.-]*)?)(?=")')


@dataclass(frozen=True)
class Page:
    """A page in one language.

    Attributes:
        address: its folder within that of its language, with a slash at its end; "" for the first.
        path: names and addresses of the pages above it.
        body: HTML; links to folders end in a slash.
    """

    address: str
    title: str
    description: str
    body: str
    path: Sequence[tuple[str, str]] = ()


class Frame:
    """Writes the pages of one language.

    Args:
        out: the folder of the whole atlas.
        title: of the network.
        languages: all that the atlas has, this one too.
    """

    def __init__(
        self, out: Path, title: str, language: str, languages: Sequence[str], library: Library
    ) -> None:
        self.out, self.title, self.language = out, title, language
        self.say = library.catalogue(language, "folder")
        self.languages = [
            (code, library.catalogue(code, "folder")("language")) for code in languages
        ]

    def write(self, page: Page) -> Path:
        """Put a page into its frame and into its file.

        Raises:
            CnnvizError: the file cannot be written.
        """
        home = "../" * page.address.count("/")
        html = filled(
            "frame.html",
            page=Page(
                page.address, page.title, page.description, Markup(linked(page.body)), page.path
            ),
            language=self.language,
            languages=self.languages,
            title=self.title,
            version=cnnviz_version(),
            say=self.say,
            made=self.say("made", version=cnnviz_version()),
            home=home,
            root=f"{home}../",
            styles=STYLES,
            scripts=SCRIPTS,
        )
        file = self.out / self.language / page.address / "index.html"
        write_atomically(file, html.encode())
        return file


def linked(html: str) -> str:
    """HTML whose links to folders name the page in them: a folder on disk has no first page.

    >>> linked('<a href="../conv1/07/#x">')
    '<a href="../conv1/07/index.html#x">'
    """
    return _HREF.sub(r"\1index.html\2", html)


def write_assets(out: Path) -> None:
    """Put the looks and scripts of all pages beside them.

    Raises:
        CnnvizError: they cannot be written.
    """
    for asset in sorted(ASSETS.iterdir()):
        content = asset.read_bytes()
        target = out / "assets" / asset.name
        if not target.is_file() or target.read_bytes() != content:
            write_atomically(target, content)


def cnnviz_version() -> str:
    """Of this package, or "" where it is not installed."""
    try:
        return version("cnnviz")
    except PackageNotFoundError:
        return ""
