"""The lab's page as a reader uses it: draw, look, ask, change, send; by mouse, finger and keys."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from itertools import cycle
from typing import Any, Literal, cast

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.drawn_digits import DIGITS, Stroke, moved
from tests.browser.serving import SITE

pytestmark = pytest.mark.browser

WAYS = {
    "upright": (1.0, 0.0, 0.0, 0.0),
    "small and aside": (0.55, 0.1, -5.0, 3.0),
    "leaning": (0.85, 0.3, 1.0, 0.0),
}
"""How a digit is written: size, lean, place."""

VIEWS = [("en/", 1280, "dark"), ("", 390, "light")]


def opened(
    browser: Browser,
    root: str,
    language: str = "",
    width: int = 1280,
    scheme: str = "light",
    **more: Any,
) -> Page:
    """The lab, ready, in a window of its own; `complaints` of its console are kept on the page."""
    context = browser.new_context(
        viewport={"width": width, "height": 900 if width > 600 else 844},
        color_scheme=cast(Literal["light", "dark"], scheme),
        reduced_motion="reduce",
        **more,
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.goto(f"{root}{language}lab/")
    page.locator(".lab-ready").wait_for()
    page.complaints = complaints  # type: ignore[attr-defined]
    return page


@pytest.fixture(scope="module")
def window(browser: Browser, root: str) -> Iterator[Page]:
    """One window for most tests, whose cache has the weights."""
    page = opened(browser, root, "en/")
    yield page
    page.context.close()


@pytest.fixture
def lab(window: Page, root: str) -> Iterator[Page]:
    """The English lab as a reader finds it, on a desktop; nothing may complain."""
    window.goto("about:blank")
    window.goto(f"{root}en/lab/")
    window.locator(".lab-ready").wait_for()
    yield window
    complaints = window.complaints  # type: ignore[attr-defined]
    assert complaints == []


def draw(page: Page, strokes: list[Stroke]) -> None:
    """With the mouse, on an empty pad."""
    page.locator(".lab-buttons button").nth(1).click()
    box = page.locator(".lab-pad").bounding_box()
    assert box
    for stroke in strokes:
        places = [
            (box["x"] + x * box["width"] / 28, box["y"] + y * box["height"] / 28) for x, y in stroke
        ]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()


def answer(page: Page) -> str:
    return page.locator(".lab-best").first.inner_text()


def tile(page: Page, layer: str, channel: int = 0) -> Locator:
    return page.locator(f".lab-network > .lab-layers [data-layer={layer}] .lab-map").nth(channel)


def press(
    page: Page, layer: str, channel: int, row: int, column: int, rows: int, columns: int
) -> None:
    """The value of a map at that place."""
    map_ = tile(page, layer, channel)
    box = map_.bounding_box()
    assert box
    place = ((column + 0.5) * box["width"] / columns, (row + 0.5) * box["height"] / rows)
    map_.click(position={"x": place[0], "y": place[1]})


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("=", "").strip())


def value(page: Page) -> float:
    return number(page.locator(".lab-value").inner_text())


# ---------- Draw ----------


def test_digits_drawn_by_mouse_are_read(lab: Page) -> None:
    wrong = {}
    one_of_each = list(DIGITS.items())[1::2]
    assert {name[0] for name, _ in one_of_each} == set("0123456789")
    for (name, strokes), way in zip(one_of_each, cycle(WAYS), strict=False):
        draw(lab, moved(strokes, *WAYS[way]))
        if answer(lab) != name[0]:
            wrong[f"{name}, {way}"] = answer(lab)
    assert wrong == {}


def test_every_style_is_read_in_every_way(lab: Page) -> None:
    """As above, but the strokes go straight to the centring: there are many."""
    many = [
        (f"{name}, {way}", moved(strokes, *numbers))
        for name, strokes in DIGITS.items()
        for way, numbers in WAYS.items()
    ]
    answers = lab.evaluate(
        """async (many) => {
          const { load, forward, centreStrokes } = cnnvizLab;
          const network = await load('lenet');
          return many.map((strokes) => forward(network, centreStrokes(strokes).pixels).prediction);
        }""",
        [strokes for _, strokes in many],
    )
    wrong = {name: got for (name, _), got in zip(many, answers, strict=True) if str(got) != name[0]}
    assert wrong == {}


def test_digit_drawn_by_finger_is_read_and_nothing_scrolls(browser: Browser, root: str) -> None:
    page = opened(browser, root, "", 390, has_touch=True, is_mobile=True)
    page.locator(".lab-buttons button").nth(1).tap()
    pad = page.locator(".lab-pad")
    pad.evaluate("pad => pad.scrollIntoView({ block: 'center' })")
    box = pad.bounding_box()
    assert box
    before = page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)
    for stroke in DIGITS["3 round"]:
        places = [
            {"x": box["x"] + x * box["width"] / 28, "y": box["y"] + y * box["height"] / 28}
            for x, y in stroke
        ]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
        for place in places[1:]:
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert answer(page) == "3"
    assert page.evaluate("scrollY") == before
    tile(page, "pool2", 3).evaluate(
        "map => map.scrollIntoView({ block: 'center', behavior: 'instant' })"
    )
    heading = page.locator(".lab-ask h2")
    for _ in range(5):  # a tap on a page that is still scrolling only stops it
        page.wait_for_timeout(300)
        tile(page, "pool2", 3).tap()
        page.wait_for_timeout(300)
        if heading.text_content():
            break
    expect(heading).to_contain_text("pool2，通道 3")
    sheet, maps = page.locator(".lab-ask").bounding_box(), tile(page, "pool2", 3).bounding_box()
    assert sheet
    assert maps
    assert maps["y"] + maps["height"] <= sheet["y"] + 1  # the sheet does not cover what was pressed
    assert sheet["y"] + sheet["height"] <= 845
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_digit_drawn_by_keyboard_is_read(lab: Page) -> None:
    pad, status = lab.locator(".lab-pad"), lab.locator(".lab-status")
    pad.focus()
    lab.keyboard.press("Delete")
    expect(status).to_contain_text("The pad is empty")
    for key, times in (("ArrowUp", 9), ("ArrowLeft", 6), (" ", 1), ("ArrowRight", 11)):
        for _ in range(times):
            lab.keyboard.press(key)
    for _ in range(6):  # down, and to the left
        for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft"):
            lab.keyboard.press(key)
    lab.keyboard.press(" ")
    expect(status).to_have_text("row 23, column 13, pen up")
    assert answer(lab) == "7"
    lab.keyboard.press("Backspace")
    expect(lab.locator(".lab-note", has_text="The pad is empty")).to_be_visible()
    lab.keyboard.press("Backspace")  # and back to the example that lay there
    assert answer(lab) == "7"
    expect(lab.locator(".lab-note", has_text="already as the network wants it")).to_be_visible()


def test_what_becomes_of_a_drawing_is_shown(lab: Page) -> None:
    draw(lab, [[(4, 6), (4, 26), (12, 26)]])
    steps = lab.locator(".lab-steps figcaption")
    expect(steps.nth(0)).to_contain_text("8.0×20.0")
    expect(steps.nth(1)).to_contain_text("20×20")
    expect(steps.nth(2)).to_contain_text("28×28")
    lab.get_by_role("button", name="One pixel to the left").click()
    lab.get_by_role("button", name="One pixel up").click()
    expect(
        lab.locator(".lab-note", has_text="Moved by −1 to the right and −1 down.")
    ).to_be_visible()


def handwriting(background: int, ink: int) -> bytes:
    """A picture of a 7, 90 × 120 pixels."""
    pixels = np.full((120, 90), background, np.uint8)
    pixels[20:30, 20:70] = ink
    for row in range(30, 105):
        middle = 66 - (row - 30) // 3
        pixels[row, middle - 6 : middle + 6] = ink
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_pictures_are_opened_pasted_and_dropped(lab: Page) -> None:
    dark_on_light, light_on_dark = handwriting(240, 30), handwriting(0, 255)
    draw(lab, DIGITS["3 round"])
    lab.locator("input[type=file]").set_input_files(
        {"name": "seven.png", "mimeType": "image/png", "buffer": dark_on_light}
    )
    expect(lab.locator(".lab-note", has_text="it was inverted")).to_be_visible()
    expect(lab.locator(".lab-best").first).to_have_text("7")
    for event in ("paste", "drop"):
        draw(lab, DIGITS["3 round"])
        assert answer(lab) == "3"
        lab.evaluate(
            """([type, data]) => {
              const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
              const transfer = new DataTransfer();
              transfer.items.add(new File([bytes], 'seven.png', { type: 'image/png' }));
              const event = type === 'paste'
                ? new ClipboardEvent(type, { clipboardData: transfer, bubbles: true })
                : new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
              document.querySelector('.lab-pad').dispatchEvent(event);
            }""",
            [event, b64encode(light_on_dark).decode()],
        )
        expect(lab.locator(".lab-best").first).to_have_text("7")
    lab.locator("input[type=file]").set_input_files(
        {"name": "no.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    expect(lab.get_by_text("not a picture that can be opened").first).to_be_visible()


def test_any_image_of_the_test_set_is_loaded(lab: Page) -> None:
    from cnnviz.data import datasets

    test = datasets.load("digits", "test")
    chosen = len(test.images) - 3
    lab.get_by_label("Number of the test image").fill(str(chosen))
    lab.get_by_label("Number of the test image").press("Enter")
    label = test.class_names[int(test.labels[chosen])]
    expect(lab.get_by_text(f"Test image {chosen}; its true class is {label}").first).to_be_visible()
    expected = test.images[chosen, 0].numpy()
    shown = lab.evaluate(
        """() => [...document.querySelector('[data-layer=pixels] canvas')
             .getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"""
    )
    assert np.abs(np.reshape(shown, (28, 28)) - expected.astype(int)).max() <= 1  # 255 levels


# ---------- Ask ----------


@pytest.mark.parametrize(
    ("layer", "channel", "row", "column", "side", "groups"),
    [("conv1", 2, 0, 13, 28, 1), ("conv1", 5, 14, 14, 28, 1), ("conv2", 7, 4, 5, 10, 6)],
)
def test_written_terms_add_up_to_the_value(
    lab: Page, layer: str, channel: int, row: int, column: int, side: int, groups: int
) -> None:
    press(lab, layer, channel, row, column, side, side)
    products, sums = 0.0, []
    for group in range(groups):
        if groups > 1:
            lab.locator(".lab-chips button").nth(group).click()
        cells = lab.locator(".lab-patch > *").all_inner_texts()
        assert len(cells) == 25
        rows = [
            [number(line.replace("×", "").replace("padding", "0")) for line in c.split()]
            for c in cells
        ]
        for entry, weight, product in rows:
            assert entry * weight == pytest.approx(product, abs=1e-4)
        sums.append(sum(product for *_, product in rows))
        products += sums[-1]
    formula = lab.locator(".lab-ask .lab-formula").inner_text().replace("−", "-")
    parts, result = formula.split("=")
    *written, bias = [
        float(part.replace(" ", "")) for part in re.findall(r"[-+]? ?\d+\.\d+", parts)
    ]
    assert written == pytest.approx(sums, abs=1e-4)
    assert products + bias == pytest.approx(value(lab), abs=1e-4)
    assert float(result) == pytest.approx(value(lab), abs=1e-4)
    exact = lab.evaluate(
        """async ([layer, channel, row, column]) => {
          const { load, forward, layerOf, indexOf } = cnnvizLab;
          const network = await load('lenet');
          const pixels = [...document.querySelector('[data-layer=pixels] canvas')
            .getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
          return forward(network, pixels.map((one) => one / 255)).values[layer][
            indexOf(layerOf(network, layer), { channel, row, column })];
        }""",
        [layer, channel, row, column],
    )
    assert exact == pytest.approx(value(lab), abs=0.02)  # read from the screen's 255 levels


@pytest.mark.parametrize("layer", ["fc1", "fc2", "output"])
def test_listed_terms_add_up_to_the_value(lab: Page, layer: str) -> None:
    tile(lab, layer).click(position={"x": 30, "y": 8})
    if layer == "fc1":
        sums = [number(text) for text in lab.locator(".lab-chips button span").all_inner_texts()]
        assert len(sums) == 16
        bias = number(lab.locator(".lab-ask .lab-bias").inner_text().replace(" ", ""))
        assert sum(sums) + bias == pytest.approx(
            value(lab), abs=16 * 0.005
        )  # two decimals on chips
        written = lab.locator(".lab-ask .lab-formula").inner_text().replace("−", "-").split("=")[0]
        numbers = [float(part.replace(" ", "")) for part in re.findall(r"[-+]? ?\d+\.\d+", written)]
        assert sum(numbers) == pytest.approx(value(lab), abs=1e-4)
        return
    lab.locator(".lab-ask details summary").click()
    lines = lab.locator(".lab-terms button span").all_inner_texts()
    products = [number(line.split("=")[1]) for line in lines]
    assert len(products) == {"fc2": 120, "output": 84}[layer]
    bias = lab.locator(".lab-ask .lab-formula").inner_text().replace("−", "-")
    numbers = [
        float(p.replace(" ", "")) for p in re.findall(r"[-+]? ?\d+\.\d+", bias.split("=")[0])
    ]
    assert sum(numbers) == pytest.approx(value(lab), abs=1e-4)
    assert sum(products) + numbers[-1] == pytest.approx(value(lab), abs=1e-4)


def test_a_logit_is_followed_to_a_pixel_term_by_term(lab: Page) -> None:
    tile(lab, "output").click(position={"x": 30, "y": 8})
    seen = []
    for _ in range(20):
        title = lab.locator(".lab-ask h2").inner_text()
        seen.append(title.split(",")[0].split(" of")[0])
        terms = lab.locator(
            ".lab-ask .lab-terms button, .lab-ask .lab-patch button:enabled, .lab-sum > .lab-wide"
        )
        if not terms.count():
            break
        winner = lab.locator(".lab-patch .lab-winner")
        (winner if winner.count() else terms.first).click()
    down = [
        "logit",
        "relu4",
        "fc2",
        "relu3",
        "fc1",
        "pool2",
        "relu2",
        "conv2",
        "pool1",
        "relu1",
        "conv1",
    ]
    assert seen == [*down, "centred", "input"]
    expect(lab.locator(".lab-sum")).to_contain_text("a pixel of the image with brightness")
    assert lab.locator(".lab-trail > *").count() == len(seen)
    lab.locator(".lab-trail button").nth(7).click()
    expect(lab.locator(".lab-ask h2")).to_contain_text("conv2")
    tile(lab, "probabilities").click(position={"x": 30, "y": 8})
    lab.get_by_role("button", name="Follow the largest term to a pixel").click()
    expect(lab.locator(".lab-ask h2")).to_contain_text("input")


def test_what_a_value_sees_lights_up(lab: Page) -> None:
    box = tile(lab, "pool2", 5).bounding_box()
    assert box
    tile(lab, "pool2", 5).hover(position={"x": box["width"] / 2, "y": box["height"] / 2})

    def lit(which: str) -> dict[str, list[list[int]]]:
        """Layer → frames as rows and columns of its maps."""
        found: dict[str, list[list[int]]] = lab.evaluate(
            """(which) => {
              const frame = (mark) => {
                const { width, height } = mark.parentElement.querySelector('canvas');
                const part = (side, whole) =>
                  Math.round(parseFloat(mark.style[side]) / 100 * whole);
                return [
                  part('top', height), part('height', height),
                  part('left', width), part('width', width),
                ];
              };
              const layers = [...document.querySelectorAll('.lab-layer')];
              return Object.fromEntries(layers.map((layer) => {
                const marks = [...layer.querySelectorAll(which)].filter((mark) => !mark.hidden);
                return [layer.dataset.layer, marks.map(frame)];
              }).filter(([, marks]) => marks.length));
            }""",
            which,
        )
        return found

    frames = lit(".lab-hover")
    assert frames == lit(".lab-pin")  # the arithmetic follows the mouse until something is pressed
    assert frames["pool2"] == [[2, 1, 2, 1]]
    assert frames["relu2"] == frames["conv2"] == [[4, 2, 4, 2]]
    assert frames["pool1"] == [[4, 6, 4, 6]] * 6
    assert frames["relu1"] == frames["conv1"] == [[8, 12, 8, 12]] * 6
    assert frames["pixels"] == [[6, 16, 6, 16]]
    assert set(frames) == {
        "pool2",
        "relu2",
        "conv2",
        "pool1",
        "relu1",
        "conv1",
        "centred",
        "pixels",
    }
    press(lab, "conv2", 0, 0, 0, 10, 10)
    tile(lab, "relu1", 2).hover()
    expect(lab.locator(".lab-ask h2")).to_contain_text("conv2, channel 0, row 0, column 0")
    assert lit(".lab-pin")["pixels"] == [[0, 12, 0, 12]]  # two more lie in the padding


def test_values_are_walked_over_and_announced_by_keyboard(lab: Page) -> None:
    lab.locator("[data-layer=conv2] .lab-maps").focus()
    status = lab.locator(".lab-status")
    lab.keyboard.press("ArrowRight")
    expect(status).to_contain_text("conv2, channel 0, row 5, column 5:")
    for key in ("PageDown", "ArrowDown", "ArrowLeft"):
        lab.keyboard.press(key)
    expect(status).to_contain_text("conv2, channel 1, row 6, column 4:")
    before = answer(lab), lab.locator(".lab-verdict").first.inner_text()
    lab.keyboard.press("x")
    expect(status).to_contain_text("conv2 1 is off. LeNet says")
    assert lab.locator("[data-layer=conv2] .lab-off").count() == 1
    lab.keyboard.press("x")
    expect(status).to_contain_text("conv2 1 is on.")
    assert (answer(lab), lab.locator(".lab-verdict").first.inner_text()) == before
    lab.keyboard.press("Escape")
    expect(lab.locator(".lab-ask h2")).to_be_hidden()
    expect(lab.locator("[data-layer=conv2] .lab-maps")).to_be_focused()


# ---------- Change, and send it ----------


def logits(page: Page) -> list[str]:
    return (
        page.locator(".lab-network > .lab-layers [data-layer=output] .lab-answers")
        .inner_text()
        .split()
    )


def test_kernels_biases_and_channels_are_changed_and_come_back(lab: Page) -> None:
    original = logits(lab)
    press(lab, "conv1", 3, 10, 10, 28, 28)
    lab.get_by_role("button", name="Edit the kernel’s numbers").click()
    lab.get_by_label("weight 12").fill("3")
    edited = logits(lab)
    assert edited != original
    assert lab.locator(".lab-patch b").nth(12).inner_text() != "0.000000"
    lab.get_by_role("spinbutton", name="bias").fill("-2")
    assert logits(lab) != edited
    expect(lab.locator(".lab-changed")).to_contain_text("Numbers edited: 2; switched off: 0.")
    lab.get_by_role("button", name="Switch channel 3 off").click()
    off = logits(lab)
    assert off != edited
    assert value(lab) == 0
    expect(lab.get_by_text("answers 0, whatever the sum")).to_be_visible()

    lab.wait_for_timeout(500)  # the address follows when the hand rests
    copy = lab.context.new_page()
    copy.goto(lab.url)
    copy.locator(".lab-ready").wait_for()
    assert logits(copy) == off
    expect(copy.locator(".lab-ask h2")).to_have_text("conv1, channel 3, row 10, column 10")
    expect(copy.locator(".lab-changed")).to_contain_text("Numbers edited: 2; switched off: 1.")
    assert copy.locator("a.cv-language").get_attribute("href") is not None
    copy.wait_for_timeout(500)
    copy.locator("a.cv-language").click()
    copy.locator(".lab-ready").wait_for()
    assert logits(copy) == off
    expect(copy.locator(".lab-ask h2")).to_have_text("conv1，通道 3，第 10 行第 10 列")
    copy.close()

    lab.get_by_role("button", name="Undo all changes").last.click()
    expect(lab.locator(".lab-changed")).to_be_hidden()
    assert logits(lab) == original


def test_an_address_that_leads_to_a_heading_is_left_alone(lab: Page, root: str) -> None:
    lab.goto("about:blank")
    lab.goto(f"{root}en/lab/#exercises")
    lab.locator(".lab-ready").wait_for()
    lab.wait_for_timeout(500)
    assert lab.url.endswith("#exercises")
    expect(lab.get_by_role("button", name="Undo", exact=True)).to_be_disabled()


def test_buttons_of_the_text_set_the_lab_up(lab: Page) -> None:
    shows = lab.get_by_role("button", name="Show me")
    assert shows.count() == 4
    shows.nth(0).click()
    expect(lab.locator(".lab-beside")).to_be_visible()
    expect(lab.locator(".lab-note", has_text="Moved by 4 to the right")).to_be_visible()
    shows.nth(1).click()
    expect(lab.locator(".lab-ask h2")).to_have_text("probability of 7")
    expect(tile(lab, "probabilities")).to_be_in_viewport()
    expect(lab.locator(".lab-note", has_text="Moved by")).to_be_hidden()
    shows.nth(2).click()
    expect(lab.locator(".lab-channels")).to_be_in_viewport()
    shows.nth(3).click()
    expect(lab.locator(".lab-snapshots output")).to_contain_text("step 0,")
    expect(lab.locator(".lab-pad")).to_be_in_viewport()


@pytest.mark.parametrize(
    "hash_",
    [
        "#draw=AAA&at=lenet.conv9.1.2.3",
        "#draw=!!&at=lenet.conv1.99.0.0",
        "#at=mlp.conv1.0.0.0&off=conv1.77_nowhere.1_conv2.x&edit=conv1*weight*999999*1_x",
        "#draw=%F0%9F&weights=lenet-77777",
    ],
)
def test_a_bad_link_does_no_harm(lab: Page, root: str, hash_: str) -> None:
    lab.goto("about:blank")
    lab.goto(f"{root}en/lab/{hash_}")
    lab.locator(".lab-ready").wait_for()
    assert len(logits(lab)) == 20
    expect(lab.locator(".lab-changed")).to_be_hidden()
    lab.complaints[:] = [c for c in lab.complaints if "404" not in c]  # type: ignore[attr-defined]


def test_snapshots_and_random_weights(lab: Page) -> None:
    trained = logits(lab)
    slider = lab.get_by_role("slider", name="Weights after how many steps of training")
    slider.focus()
    lab.keyboard.press("Home")
    expect(lab.locator(".lab-snapshots output")).to_contain_text("step 0,")
    expect(lab.locator(".lab-status")).to_contain_text("LeNet says")
    start = logits(lab)
    assert start != trained
    lab.get_by_role("button", name="New random weights").click()
    expect(lab.locator(".lab-snapshots output")).to_contain_text("never trained")
    assert logits(lab) not in (start, trained)
    slider.focus()
    lab.keyboard.press("Home")
    lab.keyboard.press("End")
    expect(lab.locator(".lab-snapshots output")).not_to_contain_text("step 0,")
    expect.soft(lab.locator(".lab-best").first).to_have_text("7")
    assert logits(lab) == trained


def test_mlp_beside_lenet(lab: Page) -> None:
    lab.get_by_label("Put the MLP beside it").check()
    beside = lab.locator(".lab-beside")
    expect(beside.locator(".lab-layer")).to_have_count(7)
    expect(lab.locator(".lab-answer").nth(1)).to_contain_text("MLP")
    beside.locator("[data-layer=fc1] .lab-map").click(position={"x": 40, "y": 20})
    expect(lab.locator(".lab-ask figure.lab-products")).to_be_visible()
    numbers = [
        float(part.replace(" ", ""))
        for part in re.findall(
            r"[-+]? ?\d+\.\d+",
            lab.locator(".lab-ask .lab-formula").inner_text().replace("−", "-").split("=")[0],
        )
    ]
    assert sum(numbers) == pytest.approx(value(lab), abs=1e-4)
    lab.get_by_role("button", name="Follow the largest term to a pixel").click()
    expect(lab.locator(".lab-ask h2")).to_contain_text("input")
    lab.get_by_label("Put the MLP beside it").uncheck()
    expect(beside).to_be_hidden()


def test_why_this_class_adds_up_and_agrees_with_the_switch(lab: Page) -> None:
    lab.locator(".lab-why > summary").click()
    formula = lab.locator(".lab-why .lab-formula")
    expect(formula).to_contain_text("=")
    written = formula.inner_text().replace("−", "-")
    shown, rest, bias, total = (float(x) for x in re.findall(r"-?\d+\.\d{5}", written))
    assert shown + rest + bias == pytest.approx(total, abs=1e-4)
    lab.get_by_text("The other units").click()
    lines = lab.locator(".lab-why .lab-parts button span").all_inner_texts()
    assert len(lines) == 84
    parts = [number(line.split(":")[1]) for line in lines]
    assert sum(parts) == pytest.approx(total - bias, abs=0.05)  # 84 times three decimals
    best = answer(lab)
    before = float(
        lab.locator(".lab-why h3").first.inner_text().split()[5].rstrip(":").replace("−", "-")
    )
    assert before == pytest.approx(total, abs=1e-3)
    channel = lab.locator(".lab-channels button").nth(6)
    fall = number(channel.locator("span").last.inner_text().split(":")[1].replace("+", ""))
    lab.get_by_label("Which class").select_option(label=best)
    channel.click()
    after = float(
        lab.locator(".lab-why h3").first.inner_text().split()[5].rstrip(":").replace("−", "-")
    )
    assert after - before == pytest.approx(fall, abs=0.006)
    expect(channel).to_have_attribute("aria-pressed", "true")
    lab.get_by_role("button", name="Input gradient").click()
    expect(lab.locator(".lab-gradient canvas")).to_be_visible()


# ---------- Everywhere ----------


@pytest.mark.parametrize(("language", "width", "scheme"), VIEWS)
def test_whole_page_in_every_view(
    browser: Browser, root: str, language: str, width: int, scheme: str
) -> None:
    page = opened(browser, root, language, width, scheme)
    draw(page, DIGITS["7 barred"])
    assert answer(page) == "7"
    page.locator(".lab-why > summary").click()
    page.locator(".lab-choice input").check()
    expect(page.locator(".lab-beside .lab-layer")).to_have_count(7)
    page.locator("[data-layer=conv2] .lab-maps").first.focus()
    page.keyboard.press("PageDown")
    expect(page.locator(".lab-patch > button")).to_have_count(25)
    page.get_by_role("button", name=re.compile("^(Edit the kernel|改卷积核)")).click()
    page.get_by_role("button", name=re.compile("^(Input gradient|输入梯度)$")).click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """() => [...document.querySelectorAll('.lab :is(button, select, input)')]
          .filter((one) => one.type !== 'checkbox')  // its label is large enough
          .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
          .filter(([, box]) => box.height && box.height < 43.5).map(([html]) => html)"""
    )
    assert small == []
    wide = page.evaluate(
        """() => [...document.querySelectorAll('.lab *')].filter((one) =>
          one.getBoundingClientRect().right > innerWidth + 1
          && !one.closest('.lab-trail, .lab-status'))
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_works_from_disk(browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((SITE / "lab" / "index.html").as_uri())
    page.locator(".lab-ready").wait_for()
    draw(page, DIGITS["4 open"])
    assert answer(page) == "4"
    page.wait_for_timeout(500)
    assert "#draw=" in page.url
    page.get_by_role("slider").first.press("Home")
    expect(page.locator(".lab-snapshots output")).to_contain_text("第 0 步")
    expect(page.locator(".lab-status")).to_contain_text("LeNet 认为")
    assert [error for error in errors if "search_index" not in error] == []  # Material's own
    context.close()


def test_worked_example_without_javascript(browser: Browser, root: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{root}en/lab/")
    expect(page.locator(".lab-static")).to_be_visible()
    expect(page.locator("#fig-lab-one_value")).to_be_visible()
    assert page.locator(".lab-static table tbody tr").count() >= 13
    context.close()
