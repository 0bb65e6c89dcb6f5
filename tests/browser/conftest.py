"""Fixtures of the browser tests: the served site and one browser for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.serving import served_site, what_is_missing


@pytest.fixture(scope="session")
def root() -> Iterator[str]:
    """The address of the Chinese home page; the English one is at `en/` below it."""
    if missing := what_is_missing():
        if os.environ.get("CI") == "true":
            pytest.fail(f"browser tests cannot run in CI: {missing}")
        pytest.skip(f"browser tests not run: {missing}")
    with served_site() as address:
        yield address


@pytest.fixture(scope="session")
def browser(root: str, chromium: Browser) -> Browser:
    return chromium


@pytest.fixture(scope="session")
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    """A window of 1280 × 900 pixels in light colours, the same for all tests (one cache)."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield context
    context.close()


@pytest.fixture
def tab(desktop: BrowserContext, root: str) -> Iterator[Page]:
    page = desktop.new_page()
    yield page
    if page.url.startswith(root):
        page.evaluate("() => localStorage.clear()")  # the palette is remembered
    page.close()
