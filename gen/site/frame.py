"""What the frame of a page needs: its other languages, its card, its facts, what is behind.

One object a build; gen.site.build calls it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from shutil import copyfile
from typing import Any

from cnnviz.files import inside, write_atomically
from gen.checks import in_step
from gen.site import cards, feed, structured
from gen.texts import languages
from gen.texts.course import Chapter

_FIGURE = re.compile(r'call figure\("([^"]+)"\)')
UNSHOWN = "lenet/conv1_maps"
"""The figure on the card of a page that has none."""


class Frame:
    """The frame of the pages of one language.

    Args:
        root: of the repository.
        code: the language.
        site: name, description and address of the site in this language.
        figures: address → description.
        source: folder of their files.
        kept: folder where cards are kept.
    """

    def __init__(
        self,
        root: Path,
        code: str,
        site: tuple[str, str, str],
        figures: cards.Figures,
        source: Path,
        kept: Path,
    ) -> None:
        self.docs, self.figures, self.source, self.kept = root / "docs", figures, source, kept
        self.name, self.description, self.url = site
        self.languages = languages.read(root)
        self.own = next(language for language in self.languages if language.code == code)
        self.untranslated = languages.untranslated(self.docs, code)
        self.behind = [b for b in in_step.behind(self.docs) if b.language == code]
        self.shown: dict[str, str] = {}
        self.cards: dict[str, Path] = {}
        self.feed = ""

    def add_page(self, page: str, markdown: str) -> None:
        """Note which figure the card of a page will show; the changes become a feed."""
        self.shown[page] = cards.figure_for(_FIGURE.findall(markdown), self.figures)
        if page == feed.PAGE:
            self.feed = feed.rss(markdown, self.name, self.description, self.own.code, self.url)

    def others(self, page: str, url: str) -> list[dict[str, str]]:
        """Links to a page in the other languages: `path` from the root of this language's site."""
        up = "/../" if self.own.folder else "/"
        return [
            {"code": other.code, "path": f"{up}{other.folder}{url}", **other.words}
            for other in languages.having(self.languages, self.docs, page)
            if other != self.own
        ]

    def alternates(self, page: str, url: str) -> list[dict[str, str]]:
        """Absolute addresses of a page in all languages that have it, for search engines."""
        root = self.url.removesuffix(self.own.folder)
        found = [
            {"code": language.code, "url": f"{root}{language.folder}{url}"}
            for language in languages.having(self.languages, self.docs, page)
        ]
        return [*found, {"code": "x-default", "url": found[0]["url"]}]

    def card(self, page: str, title: str) -> str:
        """The address of a page's card in the site; units share that of their layer."""
        page = page.removesuffix("/unit")
        name = f"cards/{page.replace('/', '-')}.png"
        if name not in self.cards:
            address = self.shown.get(page) or (UNSHOWN if UNSHOWN in self.figures else "")
            self.cards[name] = cards.card(
                title, self.name, address, self.figures, self.source, self.kept
            )
        return name

    def structured(
        self, meta: Mapping[str, Any], title: str, page: str, url: str, chapter: Chapter | None
    ) -> str:
        """The page as structured data."""
        return structured.learning_resource(
            title,
            str(meta.get("description") or self.description),
            self.own.code,
            f"{self.url}{url}",
            f"{self.url}{self.card(page, title)}",
            (self.name, self.url),
            chapter,
        )

    def with_notices(self, html: str, page: str, url: str, base: str) -> str:
        """Say what is in English for want of a translation, and which sections are behind.

        A notice stands below the heading; one for a section leads to the newer text.

        Args:
            base: from the page to the root of this language's site, without a slash at the end.
        """
        if page in self.untranslated:
            notice = f"<p>{escape(self.own.words['untranslated'])}</p>"
            notice = f'<div class="cv-behind" role="note" lang="{self.own.code}">{notice}</div>'
            return f'<div lang="{languages.FALLBACK}">{notice}{html}</div>'
        for section in (b for b in self.behind if b.page == page):
            links = " ".join(
                f'<a href="{base}{other["path"]}#{section.anchor}" lang="{other["code"]}" '
                f'hreflang="{other["code"]}">{escape(other["read_here"])}</a>'
                for other in self.others(page, url)
                if other["code"] in section.ahead
            )
            notice = (
                f'<div class="cv-behind" role="note" data-search-exclude>'
                f"<p>{escape(self.own.words['behind'])} {links}</p></div>"
            )
            # The facts of a chapter stand right below its title; the notice goes below them.
            facts = '(?:<ul class="chapter-facts".*?</ul>)?'
            heading = re.search(
                rf'<h[1-6] id="{section.anchor}">.*?</h[1-6]>{facts}', html, flags=re.S
            )
            if heading:
                html = html[: heading.end()] + notice + html[heading.end() :]
        return html

    def write(self, site: Path) -> None:
        """Write the cards, the feed and, at the root, robots.txt into the built site."""
        for name, file in self.cards.items():
            target = inside(site, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            copyfile(file, target)
        for old in set(self.kept.glob("*.png")) - set(self.cards.values()):
            old.unlink()
        if self.feed:
            write_atomically(site / "feed.xml", self.feed.encode())
        if not self.own.folder:
            folders = [language.folder for language in self.languages]
            write_atomically(site / "robots.txt", feed.robots(self.url, folders).encode())
