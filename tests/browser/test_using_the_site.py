"""What a reader does: search, change language and colours, get lost, read without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def search(tab: Page, words: str) -> list[str]:
    """The titles and excerpts that the search box answers with."""
    box = tab.locator(".md-search__input")
    box.click()
    box.fill(words)
    box.press("End")  # Material listens to keys, not to changes of the text
    results = tab.locator(".md-search-result__item")
    results.first.wait_for()
    return results.all_inner_texts()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "卷积"),
        ("", "特征图"),
        ("", "感受野"),
        ("en/", "feature map"),
        ("en/", "receptive field"),
    ],
)
def test_search_finds_the_words_of_the_field(
    tab: Page, root: str, address: str, words: str
) -> None:
    tab.goto(root + address)
    assert any(words.lower() in result.lower() for result in search(tab, words)[:3])


def test_search_says_so_when_there_is_nothing(tab: Page, root: str) -> None:
    tab.goto(root)
    box = tab.locator(".md-search__input")
    box.click()
    box.fill("zzzxqj")
    box.press("End")
    expect(tab.locator(".md-search-result__meta")).to_have_text("没有找到符合条件的结果")


def test_language_switch_there_and_back(tab: Page, root: str) -> None:
    tab.goto(root + "lenet/")
    tab.get_by_role("link", name="English").click()
    expect(tab).to_have_url(root + "en/lenet/")
    expect(tab.locator("html")).to_have_attribute("lang", "en")
    tab.get_by_role("link", name="中文").click()
    expect(tab).to_have_url(root + "lenet/")
    expect(tab.locator("html")).to_have_attribute("lang", "zh")


def test_palette_follows_the_system_until_it_is_chosen(tab: Page, root: str) -> None:
    """From automatic to light to dark and round again; the choice outlives page and language."""
    body = tab.locator("body")
    switch = tab.locator("[data-md-component=palette] label:visible")
    tab.emulate_media(color_scheme="dark")
    tab.goto(root)
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    switch.click()
    expect(body).to_have_attribute("data-md-color-scheme", "default")
    switch.click()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    tab.emulate_media(color_scheme="light")
    tab.goto(root + "en/lenet/")
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    switch.click()
    expect(body).to_have_attribute("data-md-color-scheme", "default")


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2)."""
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_of_charts_stand_out_in_both_palettes(tab: Page, root: str) -> None:
    """At least 3:1 against the page; no colour is the same in the other palette."""
    names = ["cv-paper", *(f"cnnviz-{i}" for i in range(1, 7))]
    get = "n => n.map(x => getComputedStyle(document.body).getPropertyValue('--' + x))"
    colours: dict[str, list[str]] = {}
    tab.goto(root)
    for palette in ("light", "dark"):
        scheme = "slate" if palette == "dark" else "default"
        tab.emulate_media(color_scheme="dark" if palette == "dark" else "light")
        expect(tab.locator("body")).to_have_attribute("data-md-color-scheme", scheme)
        colours[palette] = tab.evaluate(get, names)
        paper, *series = (luminance(colour) for colour in colours[palette])
        ratios = [(max(c, paper) + 0.05) / (min(c, paper) + 0.05) for c in series]
        assert min(ratios) >= 3, ratios
    assert all(a != b for a, b in zip(colours["light"], colours["dark"], strict=True))


@pytest.mark.parametrize("address", ["no-such-page/", "en/no/such/page/"])
def test_lost_readers_find_both_home_pages(tab: Page, root: str, address: str) -> None:
    answer = tab.goto(root + address)
    assert answer is not None
    assert answer.status == 404
    expect(tab.locator("h1")).to_have_text("这一页不存在")
    assert (
        tab.evaluate("getComputedStyle(document.querySelector('.cv-lost')).textAlign") == "center"
    )
    tab.locator(".md-content").get_by_role("link", name="The English home page").click()
    expect(tab).to_have_url(root + "en/")


def test_english_404_page(tab: Page, root: str) -> None:
    tab.goto(root + "en/404.html")
    expect(tab.locator("h1")).to_have_text("This page does not exist")
    tab.locator(".md-content").get_by_role("link", name="中文首页").click()
    expect(tab).to_have_url(root)


def test_keyboard_reaches_the_text_first(tab: Page, root: str) -> None:
    tab.goto(root + "lenet/")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.classList.contains('md-skip')")


def test_home_page_is_in_the_sitemap_and_every_language_has_one(tab: Page, root: str) -> None:
    for folder in ("", "en/"):
        answer = tab.request.get(f"{root}{folder}sitemap.xml")
        assert answer.ok
        assert f"/{folder}lenet/</loc>" in answer.text()


def test_pages_read_without_javascript(browser: Browser, root: str) -> None:
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": 1280, "height": 900}
    )
    tab = context.new_page()
    for address in ("", "lenet/", "en/lenet/", "shapes/", "atlas/"):
        tab.goto(root + address)
        expect(tab.locator("h1")).to_be_visible()
        assert len(tab.locator("article").inner_text()) > 200
        for figure in tab.locator("figure.fig").all()[:3]:
            expect(figure.locator("figcaption").first).to_be_visible()
        expect(tab.locator(".md-sidebar--primary a", has_text="LeNet").first).to_be_visible()
    context.close()


def test_a_scrubber_moves_by_keyboard_and_says_where_it_is(tab: Page, root: str) -> None:
    tab.goto(root + "en/learning/")
    figure = tab.locator("figure:has([data-scrub])").first
    slider = figure.get_by_role("slider")
    panels = figure.locator(".tabbed-block")
    slider.focus()
    slider.press("Home")
    expect(panels.first).to_be_visible()
    first = slider.get_attribute("aria-valuetext")
    slider.press("ArrowRight")
    expect(panels.nth(1)).to_be_visible()
    expect(panels.first).to_be_hidden()
    assert slider.get_attribute("aria-valuetext") != first
    expect(figure.locator("output")).to_have_text(str(slider.get_attribute("aria-valuetext")))


def test_without_javascript_a_scrubber_is_a_choice(browser: Browser, root: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(root + "en/learning/")
    figure = tab.locator("figure:has([data-scrub])").first
    expect(figure.locator(".tabbed-labels")).to_be_visible()
    figure.locator(".tabbed-labels > label").first.click()
    expect(figure.locator(".tabbed-block").first).to_be_visible()
    context.close()


@pytest.mark.parametrize("folder", ["", "en/"])
def test_a_term_leads_to_its_line_in_the_glossary(tab: Page, root: str, folder: str) -> None:
    tab.goto(f"{root}{folder}lenet/")
    term = tab.locator("a.term").first
    meaning = term.get_attribute("title")
    term.click()
    tab.wait_for_url(f"{root}{folder}glossary/#*")
    expect(tab.locator("dt:has(span:target) + dd")).to_have_text(str(meaning))


def test_the_index_of_the_search_waits_for_somebody_who_searches(tab: Page, root: str) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{root}en/", wait_until="networkidle")
    assert not [address for address in asked if "search_index" in address]
    with tab.expect_request("**/search_index.json"):
        tab.keyboard.press("f")  # the key that Material gives to the search
