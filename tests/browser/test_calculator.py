"""The calculator of the chapter on shapes, in Chromium, against PyTorch's nn.Conv2d."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import nn

pytestmark = pytest.mark.browser

Settings = dict[str, int]

RESULTS = ("side", "parameters", "multiplications")

# Writes each of many settings into the form and reads what the reader would see.
_TRY_ALL = """
many => {
  const box = document.querySelector(".shape-calculator");
  return many.map((settings) => {
    for (const [name, value] of Object.entries(settings)) {
      box.querySelector(`[name=${name}]`).value = value;
    }
    box.querySelector("input").dispatchEvent(new Event("input", { bubbles: true }));
    const text = (name) => box.querySelector(`[data-result=${name}]`).textContent;
    return [text("side"), text("parameters"), text("multiplications"), text("message")];
  });
}
"""


def settings() -> list[Settings]:
    names = ("size", "inputs", "outputs", "kernel", "stride", "padding", "dilation", "groups")
    many = product(
        (1, 5, 28, 31), (1, 4, 6), (4, 6), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2, 3), (1, 2, 4)
    )
    return [dict(zip(names, values, strict=True)) for values in many]


def by_torch(setting: Settings) -> tuple[str, str, str] | None:
    """Output, parameters and multiplications as the page writes them; None where torch refuses."""
    options = {name: setting[name] for name in ("stride", "padding", "dilation", "groups")}
    try:
        layer = nn.Conv2d(
            setting["inputs"], setting["outputs"], setting["kernel"], device="meta", **options
        )
        image = torch.empty(1, setting["inputs"], setting["size"], setting["size"], device="meta")
        channels, height, width = layer(image).shape[1:]
    except (RuntimeError, ValueError):
        return None
    parameters = sum(p.numel() for p in layer.parameters())
    multiplications = layer.weight.numel() * height * width
    return f"{channels}×{height}×{width}", f"{parameters:,}", f"{multiplications:,}"


@pytest.fixture(params=["", "en/"])
def calculator(tab: Page, root: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    tab.goto(f"{root}{request.param}shapes/")
    expect(tab.locator(".shape-calculator")).to_be_visible()
    return tab


def test_it_says_what_torch_says(calculator: Page) -> None:
    # The English page runs the same script: there, some settings are enough.
    many = settings()[:: 20 if "/en/" in calculator.url else 1]
    told: list[list[str]] = calculator.evaluate(_TRY_ALL, many)
    refused = 0
    for setting, (*results, message) in zip(many, told, strict=True):
        expected = by_torch(setting)
        if expected is None:
            refused += 1
            assert results == ["—"] * 3, setting
            assert message, setting
        else:
            assert tuple(results) == expected, setting
    assert 0 < refused < len(many)


def test_keyboard_and_reasons(calculator: Page) -> None:
    box = calculator.locator(".shape-calculator")
    size, kernel = box.locator("[name=size]"), box.locator("[name=kernel]")
    side, message = (box.locator(f"[data-result={name}]") for name in ("side", "message"))
    live = box.locator("output")
    assert live.get_attribute("aria-live") == "polite"

    size.focus()
    calculator.keyboard.press("ArrowUp")  # 28 → 29
    expect(side).to_have_text("6×29×29")
    for _ in range(3):
        calculator.keyboard.press("Tab")
    assert kernel.evaluate("field => field === document.activeElement")
    calculator.keyboard.press("Control+A")
    calculator.keyboard.type("31")
    expect(side).to_have_text("6×3×3")

    box.locator("[name=padding]").fill("0")
    expect(message).to_contain_text("31")  # the kernel's reach …
    expect(message).to_contain_text("29")  # … and the room for it
    expect(kernel).to_have_attribute("aria-invalid", "true")
    kernel.fill("")
    expect(message).to_contain_text("1")
    expect(kernel).to_have_attribute("aria-invalid", "true")
    kernel.fill("5")
    expect(message).to_have_text("")
    expect(kernel).not_to_have_attribute("aria-invalid", "true")
    box.locator("[name=groups]").fill("4")
    expect(message).to_contain_text("4")
    expect(box.locator("[name=outputs]")).to_have_attribute("aria-invalid", "true")


def test_presets_agree_with_the_table(calculator: Page) -> None:
    """What the buttons give stands in the table that readers without JavaScript have."""
    table = calculator.locator(".settings-table tbody").inner_text()
    buttons: list[Any] = calculator.locator("[data-preset]").all()
    assert len(buttons) >= 5
    for button in buttons:
        button.click()
        preset = json.loads(button.get_attribute("data-preset"))
        expected = by_torch(preset)
        assert expected is not None
        for name, value in zip(RESULTS, expected, strict=True):
            expect(calculator.locator(f"[data-result={name}]")).to_have_text(value)
        assert expected[1] in table
        assert expected[2] in table


def test_without_javascript_the_table_is_enough(browser: Browser, root: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for address in ("shapes/", "en/shapes/"):
        page.goto(root + address)
        expect(page.locator(".shape-calculator")).to_be_hidden()
        assert page.locator(".settings-table tbody tr").count() >= 8
    context.close()
