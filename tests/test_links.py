"""Every link inside the built site leads somewhere: the file is there, and so is the anchor."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from gen.settings import ROOT

SITE = ROOT / "site"


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := values.get(name))}
        # The other language's address is made by a rule, and the browser tests follow it.
        if tag == "a" and (href := values.get("href")):
            self.links.append(href)


@cache
def parsed(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page


def broken(path: Path) -> list[str]:
    found = []
    for href in parsed(path).links:
        address = urlsplit(href)
        if address.scheme or address.netloc or href.startswith("/"):
            continue
        target = (path.parent / unquote(address.path)).resolve() if address.path else path
        target = target / "index.html" if target.is_dir() else target
        if not target.exists():
            found.append(f"{href}: no such file")
        elif address.fragment and target.suffix == ".html":
            ids = parsed(target).ids
            if unquote(address.fragment) not in ids | {"__skip"}:
                found.append(f"{href}: no such anchor")
    return found


@pytest.mark.parametrize("folder", ["", "en"])
def test_no_link_is_broken(folder):
    pages = [p for p in (SITE / folder).rglob("*.html") if p.name != "404.html"]
    if not folder:
        pages = [p for p in pages if "en" not in p.relative_to(SITE).parts]
    assert len(pages) > 20
    assert {str(p.relative_to(SITE)): b for p in pages if (b := broken(p))} == {}
