"""The zip of the whole site, opened from disk with the network off."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from gen.publish.offline import FOLDER, convert, pack
from tests.browser.serving import SITE

_PAGES = ["", "lenet/", "shapes/", "lab/", "atlas/", "atlas/lenet/conv1/", "atlas/lenet/conv2/07/"]
_PAGES += ["glossary/", "about/"]


@pytest.fixture(scope="module")
def folder(root: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the zip holds, in a folder such as people have."""
    place = tmp_path_factory.mktemp("a folder 与空格")
    convert(SITE, place / FOLDER)
    return place / FOLDER


@pytest.fixture
def disk(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    yield context
    context.close()


@pytest.fixture
def page(disk: BrowserContext) -> Page:
    return disk.new_page()


@pytest.fixture
def failed(page: Page) -> list[str]:
    """What went wrong on the page, and what it asked of anything but the disk."""
    found: list[str] = []

    def on_console(line: ConsoleMessage) -> None:
        if line.type == "error":
            found.append(line.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            found.append(request.url)

    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", on_console)
    page.on("request", on_request)
    page.on("requestfailed", lambda request: found.append(request.url))
    return found


def test_every_link_leads_to_a_file(folder: Path) -> None:
    """On disk nothing else answers: all pages, not a sample."""
    missing = set()
    for file in folder.rglob("*.html"):
        text = file.read_text("utf-8")
        for _, address in re.findall(r'\s(href|src)="([^"#?:]+)[^":]*"', text):
            target = file.parent / address
            if not target.is_file():
                missing.add(f"{file.relative_to(folder)}: {address}")
    assert sorted(missing)[:20] == []


@pytest.mark.parametrize("language", ["", "en/"])
@pytest.mark.parametrize("address", _PAGES)
def test_a_page(folder: Path, page: Page, failed: list[str], language: str, address: str) -> None:
    page.goto((folder / language / address / "index.html").as_uri())
    assert page.locator("h1").first.is_visible()
    page.evaluate("() => document.querySelectorAll('img').forEach(i => { i.loading = 'eager' })")
    page.wait_for_function("() => [...document.images].every(i => i.complete)")
    broken = page.evaluate(
        "() => [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
    )
    assert broken == []
    assert failed == []


@pytest.mark.parametrize(
    ("home", "word", "place"),
    [
        ("index.html", "感受野", "receptive-field"),
        ("en/index.html", "receptive field", "receptive-field"),
        ("en/atlas/lenet/conv2/07/index.html", "dropout", "normalisation"),
    ],
)
def test_search(
    folder: Path, page: Page, failed: list[str], home: str, word: str, place: str
) -> None:
    page.goto((folder / home).as_uri())
    page.locator("[data-md-component=search-query]").fill(word)
    page.locator("[data-md-component=search-query]").press("End")  # Material listens to keys
    result = page.locator(".md-search-result__link").first
    result.wait_for()
    links = page.locator(".md-search-result__link").evaluate_all("all => all.map(a => a.href)")
    assert all("/index.html" in link for link in links)
    assert any(f"/{place}/index.html" in link for link in links)
    result.click()
    page.wait_for_url("**/index.html?h=*")
    assert page.locator("h1").first.is_visible()
    assert failed == []


def test_from_language_to_language(folder: Path, page: Page) -> None:
    page.goto((folder / "lenet" / "index.html").as_uri())
    page.locator(".cv-language").click()
    page.wait_for_url("**/en/lenet/index.html")
    page.locator(".cv-language").click()
    page.wait_for_url(f"**/{FOLDER}/lenet/index.html")


@pytest.mark.parametrize("language", ["", "en/"])
def test_the_lab(folder: Path, page: Page, failed: list[str], language: str) -> None:
    page.goto((folder / language / "lab" / "index.html").as_uri())
    page.locator(".lab-sample").first.click()
    page.wait_for_selector(".lab-live canvas")
    assert failed == []


def test_a_tile_of_the_atlas_leads_to_its_unit(folder: Path, page: Page) -> None:
    page.goto((folder / "en/atlas/lenet/conv1/index.html").as_uri())
    page.locator(".tiles[data-layer]").first.dispatch_event("pointerenter")
    page.locator(".tile-links a").nth(3).dispatch_event("click")
    page.wait_for_url("**/conv1/03/index.html")


def test_where_to_begin_is_said_in_each_language(folder: Path) -> None:
    lines = (folder / "README.txt").read_text("utf-8").splitlines()
    homes = [re.findall(r"[\w/]+\.html", line) for line in lines]
    assert homes == [["index.html"], ["en/index.html"]]


def test_the_same_zip_each_time(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "page.html").write_text("text")
    pack(tmp_path / "a", tmp_path / "1.zip")
    pack(tmp_path / "a", tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "1.zip").namelist() == ["a/page.html"]
