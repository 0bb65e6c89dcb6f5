"""Screenshots for people: python -m tests.browser.look lenet atlas/lenet/conv1 --out shots

Each page in both languages, light and dark, at 1280 and 390 pixels; the whole page, details closed.
Without a page, the home page. CNNVIZ_SITE names another built site than site/.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from tests.browser.serving import launch, served_site, what_is_missing

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.look", description=__doc__)
    parser.add_argument(
        "pages", nargs="*", default=[""], help='such as "lenet"; "" is the home page'
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--languages", nargs="+", default=["zh", "en"], choices=["zh", "en"])
    parser.add_argument("--schemes", nargs="+", default=_SCHEMES, choices=_SCHEMES)
    parser.add_argument("--widths", nargs="+", type=int, default=[1280, 390])
    choice = parser.parse_args()
    if missing := what_is_missing():
        sys.exit(f"look: {missing}")
    choice.out.mkdir(parents=True, exist_ok=True)

    with served_site() as root, sync_playwright() as playwright:
        browser = launch(playwright)
        for scheme, width in product(choice.schemes, choice.widths):
            context = browser.new_context(
                color_scheme=scheme,
                viewport={"width": width, "height": 900},
                reduced_motion="reduce",
            )
            tab = context.new_page()
            for name, language in product(choice.pages, choice.languages):
                address = name if name.endswith(".html") or not name else f"{name.strip('/')}/"
                tab.goto(root + ("en/" if language == "en" else "") + address)
                # Pictures below the fold are lazy: fetch them before the picture is taken.
                tab.evaluate(
                    """async () => {
                      const images = [...document.images];
                      images.forEach(i => { i.loading = 'eager' });
                      await Promise.all(images.map(i => i.decode().catch(() => null)));
                    }"""
                )
                label = name.strip("/").replace("/", "_") or "home"
                path = choice.out / f"{label}-{language}-{scheme}-{width}.png"
                tab.screenshot(path=path, full_page=True)
                print(path)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
