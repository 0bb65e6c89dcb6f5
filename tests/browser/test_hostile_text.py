"""What a text may hold, tried in Chromium: nothing runs, and no other host hears of the reader.

The same look at what is refused shows that it sees what runs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, Route

from gen.checks.allowed_html import problems
from gen.checks.html_lists import TEXT
from gen.site.parts import Parts
from gen.texts.glossary import FirstUses, Term
from gen.texts.glossary import read as read_glossary
from tests.browser.serving import REPOSITORY, SITE
from tests.hostile_html import FRAGMENTS, HARMLESS, generated
from tests.site_markdown import parser

pytestmark = pytest.mark.browser

_PLACE = "hostile/"
_HIT = "window.hits = 0; window.hit = () => { window.hits += 1 }"
# Whatever a reader could do to an element, twice: some things begin at the second look. Links to
# pages elsewhere are allowed; only their click would leave this page.
_TOUCH = """async () => {
  const events = new Set();
  for (let kind = HTMLMediaElement.prototype; kind; kind = Object.getPrototypeOf(kind)) {
    const names = Object.getOwnPropertyNames(kind).filter(name => name.startsWith('on'));
    names.forEach(name => events.add(name.slice(2)));
  }
  ['click', 'submit', 'reset'].forEach(event => events.delete(event));
  addEventListener('click', event => {
    const link = event.target.closest?.('a');
    const address = link && String(link.href?.baseVal ?? link.href);
    if (address && !address.startsWith('javascript:')) event.preventDefault();
  }, true);
  for (const element of [document.body, ...document.querySelectorAll('main *')]) {
    if (element.localName === 'details') element.open = true;
    element.focus?.();
    events.forEach(event => element.dispatchEvent(new Event(event, { bubbles: true })));
    element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  }
  await new Promise(done => setTimeout(done, 60));
}"""


class _Look:
    """A page that shows any HTML in the place of a text, and what came of it."""

    def __init__(self, tab: Page, root: str) -> None:
        self.tab, self.address = tab, f"{root}{_PLACE}"
        self.host, self.html, self.elsewhere = root, "", list[str]()
        tab.add_init_script(_HIT)
        tab.on("request", self._request)
        tab.on("dialog", lambda dialog: dialog.dismiss())
        tab.route("**/*", self._answer)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.host, "data:", "blob:")):
            self.elsewhere.append(request.url)

    def _answer(self, route: Route) -> None:
        if route.request.url.split("?")[0].split("#")[0] == self.address:
            route.fulfill(body=self.html, content_type="text/html; charset=utf-8")
        elif route.request.url.startswith(self.host):
            route.continue_()
        else:
            route.fulfill(status=204)  # there is nothing: the page stays where it is

    def at(self, html: str) -> tuple[int, list[str]]:
        """How often something ran, and requests to other hosts."""
        self.html, self.elsewhere = html, []
        self.tab.goto(self.address, wait_until="load")
        self.tab.evaluate(_TOUCH)
        return self.tab.evaluate("window.hits"), self.elsewhere


@pytest.fixture
def look(browser: Browser, root: str) -> Iterator[_Look]:
    context = browser.new_context()
    yield _Look(context.new_page(), root)
    context.close()


def _finished(fragment: str, terms: list[Term]) -> str:
    """What the build makes of it, with links and formulas."""
    parts = Parts()
    md = parser(parts)
    parts.page(uses=FirstUses(terms, "en", "x"))
    return parts.filled(md.convert(fragment))


def _bare(fragment: str) -> str:
    return f"<!doctype html><title>a</title><body><main><article>{fragment}</article></main>"


def test_what_a_text_may_hold_does_nothing(look: _Look) -> None:
    """In a page of the site, with its scripts and styles, links and formulas put in as there."""
    page = (SITE / "en" / "glossary" / "index.html").read_text("utf-8")
    page = page.replace('="../', '="../en/').replace('="../en/../', '="../')
    start = page.index(">", page.index("<article")) + 1
    before, behind = page[:start], page[page.rindex("</article>") :]
    terms = read_glossary(REPOSITORY / "docs" / "glossary.yml")
    passing = [f for f in [*HARMLESS, *generated(2000)] if not problems(f, TEXT)]
    assert len(passing) > 150
    for first in range(0, len(passing), 60):
        few = passing[first : first + 60]
        html = "\n".join(_finished(f, terms) for f in few)
        seen = look.at(f"{before}<h1>a</h1>{html}{behind}")
        assert look.tab.evaluate("document.querySelectorAll('article > *').length") >= len(few) / 2
        assert seen == (0, []), html


def test_much_of_what_is_refused_does_run_or_send(look: _Look) -> None:
    harmful = [fragment for fragment in FRAGMENTS if look.at(_bare(fragment)) != (0, [])]
    tame = [fragment for fragment in FRAGMENTS if fragment not in harmful]
    assert len(harmful) > 100, tame
