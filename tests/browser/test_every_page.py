"""Every page of both languages, visited once on a phone: it loads whole and alone.

axe-core looks at one page of each kind in each view; `make audit` lets it look at every page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, Response
from playwright.sync_api import Page as Tab

from tests.browser.audit import first_visit
from tests.browser.axe import violations
from tests.browser.serving import REPOSITORY, Page, all_pages

pytestmark = pytest.mark.browser

# What is looked at on each page, in one call. Lazy pictures are fetched first.
_LOOK = """async () => {
  const all = selector => [...document.querySelectorAll(selector)];
  const start = element => element.outerHTML.slice(0, 90);
  const scrolls = element => element && element !== document.body && (
    getComputedStyle(element).overflowX !== 'visible' || scrolls(element.parentElement));
  const named = element => ['alt', 'aria-label', 'aria-labelledby', 'aria-hidden'].some(
    name => element.getAttribute(name));

  all('details').forEach(details => { details.open = true });
  const images = all('img');
  images.forEach(image => { image.loading = 'eager' });
  await Promise.all(images.map(image => image.decode().catch(() => null)));
  const ids = all('[id]').map(element => element.id);
  const tooWide = element => element.getBoundingClientRect().right > innerWidth + 1;
  return {
    lang: document.documentElement.lang,
    titles: all('h1').length,
    width: document.documentElement.scrollWidth,
    wide: all('.md-content *').filter(e => tooWide(e) && !scrolls(e.parentElement)).map(start),
    empty: images.filter(image => !image.complete || !image.naturalWidth).map(start),
    unnamed: images.filter(image => !image.hasAttribute('alt')).map(start),
    nameless: all('figure img, figure svg').filter(e => !named(e)).map(start),
    ids: ids.filter((id, index) => ids.indexOf(id) < index),
    edit: document.querySelector('a[rel=edit]')?.href ?? null,
    twin: document.querySelector('a.cv-language')?.href ?? null,
    hreflang: Object.fromEntries(all('head link[hreflang]').map(e => [e.hreflang, e.href])),
    description: document.querySelector('meta[name=description]')?.content ?? '',
  };
}"""


@dataclass
class Visit:
    """What was seen on one page at 390 pixels."""

    page: Page
    seen: dict[str, Any] = field(default_factory=dict)
    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="light", reduced_motion="reduce"
    )
    yield context
    context.close()


@pytest.fixture(scope="module")
def visits(phone: BrowserContext, root: str) -> list[Visit]:
    """Each page, visited once; the tests below ask different questions about it."""
    tab = phone.new_page()
    visit = Visit(Page("", REPOSITORY))

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visit.console.append(message.text)

    def requested(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and not request.url.startswith(root):
            visit.elsewhere.append(request.url)

    def answered(response: Response) -> None:
        if response.status >= 400:
            visit.failed.append(f"{response.status} {response.url}")

    tab.on("console", console)
    tab.on("pageerror", lambda error: visit.console.append(str(error)))
    tab.on("request", requested)

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # given up because the next page was opened
            visit.failed.append(f"{request.failure} {request.url}")

    tab.on("requestfailed", failed)
    tab.on("response", answered)

    visited = []
    for page in all_pages():
        visit = Visit(page)
        tab.goto(root + page.address, wait_until="load")
        visit.seen = tab.evaluate(_LOOK)
        visited.append(visit)
    tab.close()
    return visited


def complaints(visits: list[Visit], key: str) -> dict[str, object]:
    """The pages on which a list of complaints is not empty."""
    return {v.page.address: v.seen[key] for v in visits if v.seen[key]}


def test_both_languages_have_the_same_pages(visits: list[Visit]) -> None:
    addresses = {v.page.address for v in visits}
    assert len(addresses) >= 16
    assert {v.page.twin for v in visits} == addresses


def test_no_console_message(visits: list[Visit]) -> None:
    assert {v.page.address: v.console for v in visits if v.console} == {}


def test_every_request_is_answered(visits: list[Visit]) -> None:
    assert {v.page.address: v.failed for v in visits if v.failed} == {}


def test_no_request_to_another_host(visits: list[Visit]) -> None:
    assert {v.page.address: v.elsewhere for v in visits if v.elsewhere} == {}


def test_nothing_wider_than_a_phone(visits: list[Visit]) -> None:
    assert {v.page.address: v.seen["width"] for v in visits if v.seen["width"] > 390} == {}
    assert complaints(visits, "wide") == {}


def test_language_of_the_document(visits: list[Visit]) -> None:
    wrong = {v.page.address: v.seen["lang"] for v in visits if v.seen["lang"] != v.page.language}
    assert wrong == {}


def test_every_picture_is_there_and_described(visits: list[Visit]) -> None:
    assert complaints(visits, "empty") == {}
    assert complaints(visits, "unnamed") == {}
    assert complaints(visits, "nameless") == {}


def test_one_title_a_page(visits: list[Visit]) -> None:
    assert {v.page.address: v.seen["titles"] for v in visits if v.seen["titles"] != 1} == {}


def test_ids_are_unique(visits: list[Visit]) -> None:
    assert complaints(visits, "ids") == {}


def test_every_page_is_described(visits: list[Visit]) -> None:
    assert [v.page.address for v in visits if len(v.seen["description"]) < 20] == []


def test_switch_leads_to_the_same_page(visits: list[Visit], root: str) -> None:
    wrong = {v.page.address: v.seen["twin"] for v in visits if v.seen["twin"] != root + v.page.twin}
    assert wrong == {}


def test_alternates_are_absolute_and_mutual(visits: list[Visit]) -> None:
    """On the host's own address, whatever address this copy is served from."""
    for visit in visits:
        links = visit.seen["hreflang"]
        assert set(links) == {"zh", "en", "x-default"}, visit.page.address
        zh = visit.page.address if visit.page.language == "zh" else visit.page.twin
        assert links["en"].endswith(f"/en/{zh}")
        assert links["zh"] == links["x-default"] == links["en"].removesuffix(f"en/{zh}") + zh


def test_edit_link_leads_to_a_source_of_the_page(visits: list[Visit]) -> None:
    for visit in visits:
        address = visit.seen["edit"]
        assert address is not None, visit.page.address
        _, found, path = address.partition("/edit/main/")
        assert found, address
        assert (REPOSITORY / path).is_file(), address
        assert path.startswith((f"docs/{visit.page.language}/", "gen/", "cnnviz/")), address


@pytest.mark.parametrize(
    ("palette", "width", "addresses"),
    [
        ("light", 390, ["", "en/atlas/ablation/", "404.html"]),
        ("light", 1280, ["en/lenet/", "atlas/lenet/conv2/"]),
        ("dark", 1280, ["en/atlas/lenet/fc1/07/", "why-not-mlp/"]),
        ("dark", 390, ["en/glossary/", "en/atlas/", "mlp/"]),
    ],
)
def test_axe_finds_nothing_on_one_page_of_each_kind(
    tab: Tab, root: str, palette: Literal["light", "dark"], width: int, addresses: list[str]
) -> None:
    """The pages of one kind share their template and style: one of each, in one of the views."""
    # No colour is to be judged half way through a transition.
    tab.emulate_media(color_scheme=palette, reduced_motion="reduce")
    tab.set_viewport_size({"width": width, "height": 900})
    found = {}
    for address in addresses:
        tab.goto(root + address)
        tab.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true })")
        if wrong := violations(tab):
            found[address] = wrong
    assert found == {}, json.dumps(found, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("address", ["mlp/", "en/convolution/", "atlas/mlp/fc2/"])
def test_a_first_visit_is_light(browser: Browser, root: str, address: str) -> None:
    """With an empty cache and every picture, however far down; these are among the heaviest."""
    found = first_visit(browser, root, address)
    assert found.total < 600_000, found.size
