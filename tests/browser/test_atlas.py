"""The pages of layers in Chromium: the chosen input, sizes, links; without JavaScript too."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.serving import SITE

pytestmark = pytest.mark.browser

MOST = 500_000
"""Bytes of a layer's page with all its pictures, text compressed as hosts do it."""

# Each picture with bands, the band it shows (rows of the file at its top), and the text around it.
_SHOWN = """() => [...document.querySelectorAll('img[data-bands]')].map(image => {
  const share = parseFloat(getComputedStyle(image).objectPosition.split(' ')[1]) / 100;
  return [share * (Number(image.dataset.bands) - 1), Number(image.dataset.bands)];
})"""


def layer_pages() -> list[Path]:
    """The built page of every layer, in both languages."""
    found = [p for folder in (SITE, SITE / "en") for p in folder.glob("atlas/*/*/index.html")]
    return sorted(found)


def weight(page: Path) -> int:
    """Bytes that a page and all that it may ask for take."""
    text = page.read_text("utf-8")
    total = len(gzip.compress(text.encode()))
    for address in set(re.findall(r'(?:src|href)="([^"#?]+\.(?:png|css|js|svg))"', text)):
        content = (page.parent / address).resolve().read_bytes()
        total += len(content) if address.endswith(".png") else len(gzip.compress(content))
    return total


def test_pages_are_light() -> None:
    heavy = {
        page.relative_to(SITE).as_posix(): weight(page)
        for page in layer_pages()
        if weight(page) >= MOST
    }
    assert heavy == {}


def test_a_choice_moves_every_picture_and_text(tab: Page, root: str) -> None:
    tab.goto(root + "en/atlas/lenet/conv2/")
    choosers = tab.get_by_role("radiogroup", name=re.compile("inputs of the atlas"))
    expect(choosers).to_have_count(2)  # for activations and for gradients
    assert {shown for shown, _ in tab.evaluate(_SHOWN)} == {0}
    legend = tab.locator(".legend[data-ends] .legend-high").first
    note = tab.locator(".fig-notes p:visible").first
    before = legend.inner_text(), note.inner_text()

    first = choosers.first.get_by_role("radio").first
    first.focus()
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    shown = tab.evaluate(_SHOWN)
    assert len(shown) >= 4 * 3 + 2 * 2  # activations at three scales, gradients at two
    assert all(at == pytest.approx(3, abs=0.01) for at, _ in shown)
    assert (legend.inner_text(), note.inner_text()) != before
    expect(choosers.last.get_by_role("radio").nth(3)).to_be_checked()
    ends = tab.locator(".legend[data-ends]").first
    wanted = str(ends.get_attribute("data-ends")).split("|")[3].split(" ")
    expect(ends.locator(".legend-high")).to_have_text(wanted[1])


def test_the_choice_is_kept_from_layer_to_layer(tab: Page, root: str) -> None:
    tab.goto(root + "atlas/lenet/conv1/")
    tab.get_by_role("radiogroup").first.get_by_role("radio").last.check(force=True)
    last = tab.evaluate(_SHOWN)[0]
    assert last[0] == pytest.approx(last[1] - 1, abs=0.01)
    tab.locator("nav.net-strip").get_by_role("link", name="pool1").click()
    expect(tab.locator("h1")).to_contain_text("pool1")
    tab.wait_for_load_state()  # the scripts run after the heading is there
    assert all(at == pytest.approx(count - 1, abs=0.01) for at, count in tab.evaluate(_SHOWN))
    tab.evaluate("sessionStorage.clear()")


def test_the_band_that_is_seen_is_the_whole_band(tab: Page, root: str) -> None:
    """Boxes are as wide and high as one band, so that no other looks in."""
    tab.goto(root + "atlas/lenet/pool2/")
    boxes = tab.evaluate(
        """async () => {
          const images = [...document.querySelectorAll('img[data-bands]')];
          images.forEach(image => { image.loading = 'eager' });
          await Promise.all(images.map(image => image.decode()));
          return images.filter(i => i.clientWidth).map(i => [
            i.clientHeight / i.clientWidth,
            (i.naturalHeight - 2 * (i.dataset.bands - 1)) / i.dataset.bands / i.naturalWidth]);
        }"""
    )
    assert boxes
    for box, band in boxes:
        assert box == pytest.approx(band, rel=0.01)


def test_the_place_in_the_net_stays_in_sight(tab: Page, root: str) -> None:
    tab.goto(root + "atlas/lenet/conv2/")
    strip = tab.get_by_role("navigation", name="这一页在网络里的位置")
    here = strip.locator("[aria-current=page]")
    expect(here).to_contain_text("conv2")
    tab.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    expect(here).to_be_in_viewport()
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.goto(root + "atlas/lenet/output/")
    expect(strip.locator("[aria-current=page]")).to_be_in_viewport()
    tab.set_viewport_size({"width": 1280, "height": 900})


def test_tiles_lead_to_their_units(tab: Page, root: str) -> None:
    tab.goto(root + "atlas/mlp/fc1/")
    picture = tab.locator("#weights ~ figure .tiles:visible").first
    picture.hover()
    link = picture.locator(".tile-links a").nth(100)
    assert str(link.get_attribute("href")) == "../fc1/100/"
    assert (SITE / "atlas/mlp/fc1/100/index.html").is_file()
    box, whole = link.bounding_box(), picture.bounding_box()
    assert box
    assert whole
    assert box["x"] - whole["x"] == pytest.approx(whole["width"] * (100 % 16) / 16, abs=2)


def test_without_javascript_the_first_input_is_shown(browser: Browser, root: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for folder in ("", "en/"):
        page.goto(f"{root}{folder}atlas/lenet/conv1/")
        inputs = page.locator(".fig-inputs")
        expect(inputs).to_have_count(1)
        assert inputs.locator("img").count() >= 10
        assert inputs.locator("input").count() == 0
        notes = page.locator(".fig-notes")
        for index in range(notes.count()):
            expect(notes.nth(index).locator("p:visible")).to_have_count(1)
        figure = page.locator("figure:has(img[data-bands])").first
        figure.locator(".tabbed-labels > label").first.click()  # scales work by CSS alone
        expect(figure.locator(".tabbed-block").first).to_be_visible()
    context.close()
