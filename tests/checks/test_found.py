"""The built pages as search engines and those who share them see them."""

import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from gen.settings import ROOT
from gen.site import cards

SITE = Path(os.environ.get("CNNVIZ_SITE", ROOT / "site"))
_UNIT = re.compile(r"atlas/[^/]+/[^/]+/\d+/index.html")


def pages(folder):
    """All pages of a language, of the thousands of units the first of each layer."""
    found = []
    for path in sorted((SITE / folder).rglob("index.html")):
        name = path.relative_to(SITE / folder).as_posix()
        unit = _UNIT.fullmatch(name)
        if (folder or not name.startswith("en/")) and (
            not unit or path.parent.name.strip("0") == ""
        ):
            found.append(path)
    return found


def head(path):
    return path.read_text("utf-8").split("</head>")[0]


def meta(html, key):
    found = re.findall(rf'<meta (?:property|name)="{key}" content="([^"]*)"', html)
    assert len(found) == 1, f"{key}: {found}"
    return found[0]


@pytest.mark.parametrize("folder", ["", "en"])
def test_every_page_has_a_card_and_says_what_it_is(folder):
    found = pages(folder)
    assert len(found) > 40
    descriptions = set()
    for path in found:
        html = head(path)
        facts = json.loads(
            re.search(r'<script type="application/ld\+json">(.*?)</script>', html)[1]
        )
        assert facts["@type"] == "LearningResource"
        assert facts["url"] == meta(html, "og:url")
        assert facts["inLanguage"] == (folder or "zh")
        assert "UNIT-" not in html, path
        image = meta(html, "og:image")
        assert image == facts["image"]
        file = SITE / folder / "cards" / image.rsplit("/cards/", 1)[1]
        assert file.stat().st_size <= cards.LARGEST, file
        with Image.open(file) as picture:
            assert picture.size == (1200, 630)
        assert meta(html, "twitter:card") == "summary_large_image"
        descriptions.add(meta(html, "og:description"))
        address = path.relative_to(SITE / folder).parent.as_posix().removeprefix(".")
        twins = re.findall(r'<link rel="alternate " hreflang="([\w-]+)" href="([^"]+)"', html)
        assert [code for code, _ in twins] == ["zh", "en", "x-default"]
        for _, url in twins:
            assert url.rstrip("/").endswith(address)
    # Two pages that describe themselves alike are one to a search engine.
    assert len(descriptions) == len(found)


@pytest.mark.parametrize("folder", ["", "en"])
def test_links_of_the_feed_lead_to_the_page_of_changes(folder):
    channel = ElementTree.parse(SITE / folder / "feed.xml").getroot()[0]
    html = (SITE / folder / "changelog" / "index.html").read_text("utf-8")
    items = channel.findall("item")
    assert items
    for item in items:
        assert f'id="{item.findtext("link").split("#")[1]}"' in html
    assert 'type="application/rss+xml"' in head(SITE / folder / "index.html")


def test_robots_and_sitemaps():
    text = (SITE / "robots.txt").read_text("utf-8")
    assert "Disallow" not in text
    maps = re.findall(r"Sitemap: (\S+)", text)
    assert [url.rsplit("/", 2)[1] for url in maps][-1] == "en"
    assert all((SITE / folder / "sitemap.xml").exists() for folder in ("", "en"))
