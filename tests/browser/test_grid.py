"""The grid of a large network's layer in Chromium, opened from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import cnnviz
from cnnviz.atlas.grid_facts import units_script
from cnnviz.atlas.grid_page import grid_html
from cnnviz.words import PackageWords
from tests.atlas.test_grid_page import facts_of, photographs
from tests.browser.axe import violations
from tests.browser.serving import CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
ASSETS = Path(cnnviz.__file__).parent / "atlas/assets"
PHONE = {"width": 390, "height": 844}
UNITS = 50


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a layer of fifty units, as a file; its sheets lie two folders above."""
    root = tmp_path_factory.mktemp("atlas")
    facts = facts_of(root / "files", UNITS, classes=20, pictures=photographs(60))
    folder = root / "net" / "layer"
    folder.mkdir(parents=True)
    (folder / "units.js").write_bytes(units_script(facts))
    grid = grid_html(facts, PackageWords(), "en", files="../../files/")
    style, script = (ASSETS / "grid.css").as_uri(), (ASSETS / "grid.js").as_uri()
    colours = (ASSETS / "colours.css").as_uri()
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A layer</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{colours}"><link rel="stylesheet" href="{style}"></head>'
        '<body data-md-color-scheme="default" style="font-family:sans-serif"><main><h1>A layer</h1>'
        f'{grid}</main><script src="{script}"></script></body></html>',
        encoding="utf-8",
    )
    return (folder / "index.html").as_uri()


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport=PHONE)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    yield page
    page.close()


def panel(tab: Page):
    return tab.locator(".grid-panel")


def test_a_tile_opens_the_panel_of_its_unit(tab: Page, address: str) -> None:
    tab.goto(address)
    expect(panel(tab)).to_be_hidden()
    assert tab.evaluate("document.querySelectorAll('script[src$=\"units.js\"]').length") == 0
    tab.locator("#u-07").click()
    expect(panel(tab).locator("h3")).to_have_text("layer4.1.conv2 · 07")
    assert tab.url.endswith("#u-07")
    assert panel(tab).locator(".grid-nine > span").count() == 18
    assert tab.evaluate("document.activeElement.className") == "grid-panel"
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    blank = tab.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)")
    assert blank == []


def test_the_address_opens_the_panel_and_the_next_unit_follows(tab: Page, address: str) -> None:
    tab.goto(address + f"#u-{UNITS - 1}")
    expect(panel(tab).locator("h3")).to_contain_text("· 49")
    tab.locator(".grid-panel a[rel=next]").click()
    expect(panel(tab).locator("h3")).to_contain_text("· 00")
    tab.go_back()
    expect(panel(tab).locator("h3")).to_contain_text("· 49")


def test_by_keyboard(tab: Page, address: str) -> None:
    """One stop for all tiles; arrows move, Enter opens, Escape leads back to the tile."""
    tab.goto(address)
    tab.locator("#u-00").focus()
    for key, place in (("ArrowRight", "u-01"), ("ArrowDown", "u-07"), ("ArrowLeft", "u-06")):
        tab.keyboard.press(key)
        assert tab.evaluate("document.activeElement.id") == place
    assert tab.locator(".grid-block a[tabindex='0']").count() == 1
    tab.keyboard.press("Enter")
    expect(panel(tab).locator("h3")).to_contain_text("· 06")
    tab.keyboard.press("ArrowRight")
    expect(panel(tab).locator("h3")).to_contain_text("· 07")
    tab.keyboard.press("Escape")
    expect(panel(tab)).to_be_hidden()
    assert tab.evaluate("document.activeElement.id") == "u-07"
    assert "#" not in tab.url


def test_links_lead_to_units_of_other_layers(tab: Page, address: str) -> None:
    tab.goto(address + "#u-03")
    links = panel(tab).locator("table a")
    expect(links.first).to_have_attribute("href", "../layer4.0.conv1/#u-" + three(links))
    assert links.count() == 12
    assert panel(tab).locator("td", has_text="class <").count() > 5


def three(links) -> str:
    return links.first.inner_text().zfill(3)


def test_a_patch_is_cut_where_it_is(tab: Page, address: str) -> None:
    """The window of the second weakest patch of unit 13 lies on its row and column of the sheet."""
    tab.goto(address + "#u-13")
    expect(panel(tab).locator("h3")).to_contain_text("· 13")
    image = panel(tab).locator(".grid-nine >> nth=1").locator("img").nth(1)
    left, top, width = image.evaluate("i => [i.style.left, i.style.top, i.style.width]")
    zoom = 64 / 48
    assert float(left[:-2]) == pytest.approx(-(9 + 1) * 49 * zoom, abs=0.01)
    assert float(top[:-2]) == pytest.approx(-(13 % 12) * 49 * zoom, abs=0.01)
    assert float(width[:-2]) == pytest.approx(18 * 49 * zoom, abs=0.01)


def test_a_missing_script_is_told(tab: Page, address: str, tmp_path: Path) -> None:
    tab.route("**/units.js", lambda route: route.abort())
    tab.goto(address + "#u-01")
    expect(panel(tab).locator("[role=alert]")).to_contain_text("units.js could not be read")


def test_readable_without_javascript(chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".grid-block a").count() == UNITS
    expect(page.locator("noscript p")).to_contain_text("units.js")
    assert page.locator(".grid-block a").first.bounding_box()["width"] > 44
    context.close()


@pytest.mark.parametrize("scheme", ["default", "slate"])
def test_accessible(tab: Page, address: str, scheme: str) -> None:
    tab.goto(address + "#u-01")
    tab.evaluate(f"document.body.dataset.mdColorScheme = '{scheme}'")
    for side, name in (("background", "bg"), ("color", "fg")):
        tab.evaluate(f"document.body.style.{side} = 'var(--md-default-{name}-color)'")
    expect(panel(tab).locator("h3")).to_contain_text("· 01")
    assert violations(tab) == []
