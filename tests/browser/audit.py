"""Every page of the built site as a strict visitor would judge it: `make audit`

For each page: what a first visit transfers (text compressed, as hosts send it; pictures below the
fold included), requests to other hosts, console messages, and what axe-core finds in light and dark
at 1280 and 390 pixels. Of the thousands of units one a layer is visited, in all views; `--units`
visits every one, each in one of the views in turn. `--part 1/2` takes every second page.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Response, sync_playwright
from playwright.sync_api import Page as Tab
from tqdm import tqdm

from tests.browser.axe import violations
from tests.browser.serving import all_pages, every_page, launch, served_site, what_is_missing

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
VIEWS = tuple(product(_SCHEMES, (1280, 390)))
_COMPRESSED = ("text/", "javascript", "json", "xml", "svg")
_LOAD_ALL = """async () => {
  document.querySelectorAll('details').forEach(details => { details.open = true });
  const images = [...document.images];
  images.forEach(image => { image.loading = 'eager' });
  await Promise.all(images.map(image => image.decode().catch(() => null)));
}"""


@dataclass
class Found:
    """What was found on one page.

    Attributes:
        size: bytes of a first visit, by kind of file.
        elsewhere: requests to other hosts.
        console: messages of the console.
        axe: violations, with the view in which they stand.
    """

    address: str
    size: dict[str, int] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.size.values())


def sent(response: Response) -> tuple[str, int]:
    """The kind of a response and its bytes on the way: text compressed, as any host does it."""
    kind = response.headers.get("content-type", "").split(";")[0]
    body = response.body()
    if any(part in kind for part in _COMPRESSED):
        body = gzip.compress(body, 6)
    return kind.split("/")[-1], len(body)


def first_visit(browser: Browser, root: str, address: str) -> Found:
    """The page with an empty cache, and all its pictures."""
    found = Found(address)
    answered: list[Response] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()

    def keep(response: Response) -> None:
        answered.append(response)

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.console.append(message.text)

    tab.on("console", console)
    tab.on("response", keep)
    tab.goto(root + address, wait_until="networkidle")
    tab.evaluate(_LOAD_ALL)
    tab.wait_for_load_state("networkidle")
    for response in answered:
        if response.url.startswith(("data:", "blob:")):
            continue
        if not response.url.startswith(root):
            found.elsewhere.append(response.url)
        kind, size = sent(response)
        found.size[kind] = found.size.get(kind, 0) + size
    context.close()
    return found


def look(tab: Tab, root: str, found: Found, view: tuple[str, int]) -> None:
    """Let axe-core look at the page in one view."""
    tab.goto(root + found.address)
    tab.evaluate(_LOAD_ALL)
    found.axe += [f"{view[0]} {view[1]}: {wrong}" for wrong in violations(tab)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.audit", description=__doc__)
    parser.add_argument("--units", action="store_true", help="every unit, each in one view")
    parser.add_argument("--part", default="1/1", help="such as 2/2: every second page")
    parser.add_argument("--out", type=Path, help="JSON file for all that was found")
    choice = parser.parse_args()
    if missing := what_is_missing():
        sys.exit(f"audit: {missing}")
    part, parts = map(int, choice.part.split("/"))
    one_of_a_kind = {page.address for page in all_pages()}
    addresses = [page.address for page in every_page()]
    addresses = [a for a in addresses if (a in one_of_a_kind) != choice.units][part - 1 :: parts]

    results = []
    with served_site() as root, sync_playwright() as playwright:
        browser = launch(playwright)
        tabs = [
            browser.new_context(
                color_scheme=scheme,
                viewport={"width": width, "height": 900},
                reduced_motion="reduce",
            ).new_page()
            for scheme, width in VIEWS
        ]
        for number, address in enumerate(tqdm(addresses, unit=" pages", mininterval=10)):
            found = first_visit(browser, root, address)
            # In step with the parts, so that each part sees all views.
            views = [number % len(VIEWS)] if choice.units else range(len(VIEWS))
            for view in views:
                look(tabs[view], root, found, VIEWS[view])
            results.append(found)
            for wrong in [*found.axe, *found.console, *found.elsewhere]:
                tqdm.write(f"{address or '(home)'}: {wrong}")
        browser.close()
    if choice.out:
        choice.out.write_text(json.dumps([asdict(found) for found in results], indent=1))
    results.sort(key=lambda found: -found.total)
    for found in results[:10]:
        kinds = ", ".join(
            f"{kind} {size // 1000}"
            for kind, size in sorted(found.size.items(), key=lambda item: -item[1])
        )
        print(f"{found.total / 1000:6.0f} kB  {found.address or '(home)'}  ({kinds})")
    wrong = [f for f in results if f.axe or f.console or f.elsewhere or f.total >= 600_000]
    print(f"{len(results)} pages, {len(wrong)} with something wrong or 600 kB and more")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
