"""Pages of units in the built site: what they weigh, and that they are reached and left."""

from __future__ import annotations

import gzip
import re
from random import Random

import pytest
from playwright.sync_api import Page as Tab

from tests.browser.serving import SITE, all_pages, every_page

pytestmark = pytest.mark.browser

LIGHT = 150_000  # bytes transferred
_FETCHED = re.compile(r'(?:<link[^>]+rel="stylesheet"[^>]+href|src)="([^"]+)"')
_SHEET = re.compile(r"background-image:url\(([^)]+)\)")


def transferred(page: str) -> int:
    """Bytes of a page with all that it fetches, text compressed as hosts do."""
    file = SITE / page / "index.html"
    html = file.read_text("utf-8")
    total = len(gzip.compress(html.encode()))
    for address in {*_FETCHED.findall(html), *_SHEET.findall(html)}:
        content = (file.parent / address).resolve().read_bytes()
        total += len(content if address.endswith(".png") else gzip.compress(content))
    return total


@pytest.fixture(scope="module")
def units(root: str) -> list[str]:
    """Addresses of all units of both languages."""
    visited = {page.address for page in all_pages()}
    pages = [page.address for page in every_page() if page.address not in visited]
    assert len(pages) > 2000
    return pages


def test_a_unit_is_light(units: list[str]) -> None:
    sample = Random(0).sample(units, 40)
    heavy = {page: size for page in sample if (size := transferred(page)) > LIGHT}
    assert heavy == {}


def test_random_units_on_a_phone(tab: Tab, root: str, units: list[str]) -> None:
    """Eight of them load whole, are no wider than the screen and say what they are."""
    tab.set_viewport_size({"width": 390, "height": 844})
    failed: list[str] = []
    tab.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    tab.on("console", lambda message: failed.append(message.text))
    for page in Random(1).sample(units, 8):
        tab.goto(root + page, wait_until="load")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, page
        assert len(tab.inner_text(".unit-lead")) > 40, page
        blank = tab.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)")
        assert blank == [], page
        chip = tab.locator(".net-strip [aria-current]")
        assert chip.count() == 1, page
        strip = tab.locator(".net-strip")
        assert strip.bounding_box(), page
    assert failed == []


def test_parts_of_the_sheet_are_cut_where_they_are(tab: Tab, root: str) -> None:
    """The nine strongest, the nine weakest and the optimised inputs are parts of one file."""
    tab.goto(f"{root}en/atlas/lenet/conv2/07/", wait_until="load")
    boxes = tab.evaluate(
        """() => [...document.querySelectorAll('img.crop')].map(image => ({
          src: image.src, ratio: image.clientWidth / image.clientHeight,
          natural: image.naturalWidth / image.naturalHeight,
          at: getComputedStyle(image).objectPosition,
        }))"""
    )
    assert len({box["src"] for box in boxes}) == 1
    assert [box["at"].split()[1] for box in boxes] == ["0%", "75%", "100%"]
    assert boxes[0]["ratio"] == pytest.approx(1, abs=0.02)
    assert boxes[2]["ratio"] == pytest.approx(44 / 14, abs=0.06)


def test_one_unit_leads_to_the_next_and_to_what_feeds_it(tab: Tab, root: str) -> None:
    tab.goto(f"{root}atlas/lenet/conv2/15/")
    tab.click("a[rel=next]")
    tab.wait_for_url("**/atlas/lenet/conv2/00/")
    tab.click("#links ~ .unit-tables a >> nth=0")
    tab.wait_for_url("**/atlas/lenet/conv1/*/")
    tab.click(".cv-language")
    tab.wait_for_url("**/en/atlas/lenet/conv1/*/")
    tab.click("h1 a")
    tab.wait_for_url("**/en/atlas/lenet/conv1/")
