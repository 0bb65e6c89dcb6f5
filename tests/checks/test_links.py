"""Every link inside the built site leads somewhere: the file is there, and so is the anchor."""

import re
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from gen.settings import ROOT

SITE = ROOT / "site"


# Quicker than a parser for HTML, for some thousand pages; the build always quotes attributes.
_LINK = re.compile(r'<a\s[^>]*?\bhref="([^"]*)"')
_ID = re.compile(r'\s(?:id|name)="([^"]*)"')


@dataclass(frozen=True)
class _Page:
    # The other language's address is made by a rule, and the browser tests follow it.
    links: list[str]
    ids: set[str]


@cache
def parsed(path: Path) -> _Page:
    text = path.read_text("utf-8")
    return _Page([unescape(link) for link in _LINK.findall(text)], set(_ID.findall(text)))


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
