"""The ablation table sorts, the overview lights up, both can be read without JavaScript."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

SITE = Path(os.environ.get("CNNVIZ_SITE") or Path(__file__).parents[2] / "site")


def units(tab: Page | Locator) -> list[str]:
    """The units of the open rows of the first table, from the top."""
    return tab.locator(".ablation >> nth=0 >> tbody th").all_inner_texts()


def column(tab: Page, place: int) -> list[float]:
    """The numbers of a column of the open rows of the first table."""
    cells = tab.locator(f".ablation >> nth=0 >> tbody tr > :nth-child({place + 1})")
    return [float(text.replace("−", "-")) for text in cells.all_text_contents()]


def head(tab: Page, place: int) -> Locator:
    return tab.locator(f".ablation >> nth=0 >> thead th:nth-child({place + 1})")


def test_the_table_sorts_by_any_column_and_back(tab: Page, root: str) -> None:
    tab.goto(root + "en/atlas/ablation/")
    assert column(tab, 1) == sorted(column(tab, 1), reverse=True)
    expect(head(tab, 1)).to_have_attribute("aria-sort", "descending")
    head(tab, 4).get_by_role("button").click()
    falling = column(tab, 4)
    assert falling == sorted(falling, reverse=True)
    expect(head(tab, 4)).to_have_attribute("aria-sort", "descending")
    assert head(tab, 1).get_attribute("aria-sort") is None
    head(tab, 4).get_by_role("button").press("Enter")
    rising = column(tab, 4)
    assert rising == sorted(rising)
    assert rising[0] <= falling[-1]  # of all rows, not of those that were open
    expect(head(tab, 4)).to_have_attribute("aria-sort", "ascending")


def test_the_first_column_gives_the_order_of_the_net(tab: Page, root: str) -> None:
    tab.goto(root + "en/atlas/ablation/")
    head(tab, 0).get_by_role("button").click()
    shown = units(tab)
    first = shown[0].split("/")[0]
    assert shown[0].endswith("/00")
    own = [name for name in shown if name.startswith(first + "/")]
    assert own == sorted(own) == shown[: len(own)]


def test_accuracy_sorts_by_the_greatest_loss_first(tab: Page, root: str) -> None:
    tab.goto(root + "atlas/ablation/")
    table = tab.locator(".ablation >> nth=0")
    expect(table.locator("thead th.a").first).to_be_hidden()
    table.locator("input[value=points]").check()
    expect(table.locator("thead th.a").first).to_be_visible()
    expect(head(tab, 1)).to_be_hidden()
    place = table.locator("thead th:not(.a)").count()
    head(tab, place).get_by_role("button").click()
    assert column(tab, place) == sorted(column(tab, place))


def test_one_layer_and_all_rows(tab: Page, root: str) -> None:
    tab.goto(root + "en/atlas/ablation/")
    table = tab.locator(".ablation >> nth=0")
    layers = table.locator("select option").all_inner_texts()[1:]
    table.locator("select").select_option(layers[0])
    assert {name.split("/")[0] for name in units(tab)} == {layers[0]}
    table.locator("select").select_option("")
    count = len(units(tab))
    table.locator(".ablation-all input").check()
    assert len(units(tab)) > 200 > count
    assert len(set(units(tab))) == len(units(tab))


def test_names_of_units_lead_to_their_pages(tab: Page, root: str) -> None:
    tab.goto(root + "atlas/ablation/")
    for box in tab.locator(".ablation-all input").all():
        box.evaluate("box => box.click()")  # the second is on another tab
    links = tab.locator(".ablation tbody a").evaluate_all("all => all.map(a => a.href)")
    assert len(links) == len(set(links)) > 1000
    for link in (links[0], links[50], links[-1]):
        path = SITE / link.removeprefix(root) / "index.html"
        if not path.exists() and "CNNVIZ_SITE" in os.environ:
            pytest.skip("a preview without the pages of units")
        assert path.exists(), link


def lit(tab: Page) -> list[str]:
    return tab.locator(".overview >> nth=0 >> .lit").evaluate_all(
        "all => all.map(a => a.getAttribute('aria-label'))"
    )


def test_pointing_at_a_unit_lights_up_what_it_is_joined_to(tab: Page, root: str) -> None:
    tab.goto(root + "en/atlas/")
    overview = tab.locator(".overview >> nth=0")
    rows = overview.locator(".overview-units")
    middle = rows.nth(1).get_attribute("data-layer")
    rows.nth(1).locator("a").nth(5).hover()
    shown = lit(tab)
    assert f"{middle}/05" in shown
    assert {name.split("/")[0] for name in shown} == {
        rows.nth(i).get_attribute("data-layer") for i in range(3)
    }
    assert overview.locator("svg path").count() == len(shown) - 1
    words = tab.locator(".overview-read >> nth=0")
    expect(words).to_contain_text("fed most by")
    expect(words).to_contain_text("leads most to")
    tab.locator("h1").hover()
    assert lit(tab) == []


def test_the_keyboard_moves_from_unit_to_unit(tab: Page, root: str) -> None:
    tab.goto(root + "en/atlas/")
    rows = tab.locator(".overview >> nth=0 >> .overview-units")
    rows.nth(0).locator("a").first.focus()
    tab.keyboard.press("ArrowRight")
    expect(rows.nth(0).locator("a").nth(1)).to_be_focused()
    assert rows.nth(0).locator("[tabindex='0']").count() == 1
    tab.keyboard.press("ArrowDown")
    expect(rows.nth(1).locator("a").first).to_be_focused()
    tab.keyboard.press("Escape")
    assert lit(tab) == []


def test_a_first_tap_lights_and_a_second_opens(browser: Browser, root: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    tab = context.new_page()
    tab.goto(root + "en/atlas/")
    tile = tab.locator(".overview >> nth=0 >> .overview-units >> nth=1 >> a >> nth=3")
    address = tile.get_attribute("href")
    tile.tap()
    expect(tile).to_have_class("lit own")
    assert tab.url == root + "en/atlas/"
    tile.tap()
    tab.wait_for_url(f"**/{address}")
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_without_javascript(browser: Browser, root: str, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=False
    )
    tab = context.new_page()
    tab.goto(root + "atlas/ablation/")
    table = tab.locator(".ablation >> nth=0")
    assert table.locator("button").count() == 0
    table.locator("input[value=points]").check()
    expect(table.locator("thead th.a").first).to_be_visible()
    expect(table.locator("details tbody tr").first).to_be_hidden()
    table.locator("summary").click()
    expect(table.locator("details tbody tr").first).to_be_visible()
    tab.goto(root + "atlas/")
    assert tab.locator(".overview >> nth=0 >> .overview-units a").count() > 200
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_whole_net_fits_on_one_screen(browser: Browser, root: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    tab = context.new_page()
    tab.goto(root + "atlas/")
    heights = []
    for index in range(tab.locator(".overview").count()):
        tab.locator(".fig .tabbed-labels >> nth=0 >> label").nth(index).click()
        box = tab.locator(".overview").nth(index).bounding_box()
        assert box
        heights.append(box["height"])
    assert max(heights) < 700
    context.close()


@pytest.mark.parametrize("page", ["atlas", "atlas/ablation", "atlas/twins"])
@pytest.mark.parametrize("language", ["", "en/"])
def test_transferred_size(tab: Page, root: str, page: str, language: str) -> None:
    """Everything that the page asks for, text as a server compresses it, in bytes."""
    files: set[Path] = set()

    def note(response: object) -> None:
        url = getattr(response, "url", "").split("?")[0].removeprefix(root)
        if "/search/" not in url:
            files.add(SITE / (url + "index.html" if url.endswith("/") or not url else url))

    tab.on("response", note)
    tab.goto(f"{root}{language}{page}/")
    tab.evaluate("document.querySelectorAll('img').forEach(i => { i.loading = 'eager' })")
    tab.wait_for_load_state("networkidle")
    text = {".html", ".css", ".js", ".svg", ".json"}
    content = {file: file.read_bytes() for file in files if file.is_file()}
    sizes = {
        file: len(gzip.compress(data) if file.suffix in text else data)
        for file, data in content.items()
    }
    assert sum(sizes.values()) < 500_000, sizes
