"""The index of the search, and what is found by it in Chromium, from disk."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import cnnviz
from cnnviz.atlas.search import INDEX, FoundLayer, found_layer, search_script

ASSETS = Path(cnnviz.__file__).parent / "atlas/assets"
LAYERS = [
    found_layer("conv1", "convolution", "net/conv1/", 6, pages=True),
    found_layer("relu", "activation (ReLU)", "net/relu/", 0, pages=False),
    found_layer("layer1.0.conv1", "convolution", "net/layer1.0.conv1/", 512, pages=False),
    found_layer(
        "fc", "output", "net/fc/", 3, pages=False, classes=["tench", "</script>", "lynx, cat"]
    ),
]


def test_the_index_is_a_script_that_cannot_be_left():
    script = search_script(LAYERS).decode()
    told = json.loads(re.fullmatch(r"cnnvizSearch\((.*)\);\n", script)[1])
    assert [FoundLayer(*layer)[:4] for layer in told] == [layer[:4] for layer in LAYERS]
    assert "<" not in script


def test_units_without_a_place_are_not_found():
    assert LAYERS[1].unit == ""
    assert (LAYERS[2].digits, LAYERS[0].digits) == (3, 2)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("atlas")
    (root / INDEX).write_bytes(search_script(LAYERS))
    folder = root / "net" / "conv1"
    folder.mkdir(parents=True)
    (root / "net" / "layer1.0.conv1").mkdir()
    (root / "net" / "layer1.0.conv1" / "index.html").write_text("<title>found</title>")
    styles = "".join(
        f'<link rel="stylesheet" href="{(ASSETS / name).as_uri()}">'
        for name in ("colours.css", "search.css")
    )
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>x</title>{styles}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<body data-md-color-scheme="default"><header style="display:flex"><form '
        f'class="atlas-search" role="search" data-home="../../" data-index="../../{INDEX}" '
        'data-none="Nothing of that name" hidden><input type="search" aria-label="Layer or unit">'
        f'<ol class="atlas-found" hidden></ol></form></header>'
        f'<script src="{(ASSETS / "search.js").as_uri()}"></script></body></html>'
    )
    return (folder / "index.html").as_uri()


@pytest.fixture(scope="module")
def tab(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    yield page
    page.close()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("conv1", ["conv1 convolution", "layer1.0.conv1 convolution"]),
        ("conv1/5", ["conv1/05 convolution", "layer1.0.conv1/005 convolution"]),
        ("conv1/371", ["layer1.0.conv1/371 convolution"]),
        ("layer1.0.conv1 u-7", ["layer1.0.conv1/007 convolution"]),
        ("ReLU", ["relu activation (ReLU)"]),
        ("cat", ["fc/02 lynx, cat"]),
        ("</scr", ["fc/01 </script>"]),
        ("transformer", ["Nothing of that name"]),
        ("relu/0", ["Nothing of that name"]),
    ],
)
def test_what_is_found(tab: Page, address: str, typed: str, found: list[str]) -> None:
    tab.goto(address)
    tab.get_by_label("Layer or unit").fill(typed)
    expect(tab.locator(".atlas-found li")).to_have_text(found)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_enter_and_arrows_lead_there(tab: Page, address: str) -> None:
    tab.goto(address)
    field = tab.get_by_label("Layer or unit")
    tab.keyboard.press("/")
    expect(field).to_be_focused()
    field.fill("conv1")
    expect(tab.locator(".atlas-found a")).to_have_count(2)
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".atlas-found a").last).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.locator(".atlas-found")).to_be_hidden()
    field.fill("layer1.0.conv1/300")
    expect(tab.locator(".atlas-found a").first).to_contain_text("layer1.0.conv1/300")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/net/layer1.0.conv1/index.html#u-300")
