"""Diagrams: every shape where and as large as its numbers say."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from cnnviz.drawing import svg
from cnnviz.drawing.diagrams import kernel_grid, tensor_blocks, weighted_sum
from cnnviz.drawing.network_drawing import network_diagram
from cnnviz.drawing.palettes import DIVERGING, GREY, hex_colour
from cnnviz.errors import CnnvizError
from cnnviz.numbers import alike

SVG = "{http://www.w3.org/2000/svg}"


def _all(markup: str, tag: str) -> list[dict[str, str]]:
    return [node.attrib for node in ET.fromstring(markup).iter(f"{SVG}{tag}")]


def _texts(markup: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(markup).iter(f"{SVG}text")]


def test_every_diagram_has_a_name_and_no_fixed_size() -> None:
    for markup in (
        kernel_grid([[1]], title="核 <&>"),
        weighted_sum([[1]], [[1]], title="核 <&>"),
        tensor_blocks([("a", (1,))], title="核 <&>"),
        network_diagram([1, 1], title="核 <&>"),
    ):
        root = ET.fromstring(markup)
        assert root.attrib["aria-label"] == "核 <&>"
        assert root.attrib["class"] == "diagram"
        assert not {"width", "height"} & set(root.attrib)


def test_kernel_cells_have_the_colours_of_their_weights() -> None:
    """-2, 0, 1 under ±2: lowest, centre, and 1 + 254·¾ = 191.5, even 192, in the palette."""
    markup = kernel_grid([[-2, 0, 1]], title="t")
    fills = [box["fill"] for box in _all(markup, "rect")]
    assert fills == [hex_colour(DIVERGING[row]) for row in (1, 128, 192)]
    assert _texts(markup) == ["−2", "0", "1"]


def test_text_is_dark_on_light_cells_and_light_on_dark_ones() -> None:
    inks = [text["fill"] for text in _all(kernel_grid([[-2, 0, 2]], title="t"), "text")]
    assert inks == ["#ffffff", "#000000", "#ffffff"]


@pytest.mark.parametrize("palette", [DIVERGING, GREY])
def test_numbers_in_cells_can_be_read_on_every_colour(palette: np.ndarray) -> None:
    """Contrast by WCAG 2.2 of at least 4.5 to 1, as for all small text."""

    def luminance(colour: str) -> float:
        srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    values = np.arange(255.0).reshape(1, -1)
    markup = kernel_grid(values, title="t", palette=palette, limits=(0, 254))
    for box, text in zip(_all(markup, "rect"), _all(markup, "text"), strict=True):
        low, high = sorted([luminance(box["fill"]), luminance(text["fill"])])
        assert (high + 0.05) / (low + 0.05) >= 4.5, box["fill"]


def test_highlight_frames_its_part() -> None:
    frame = _all(kernel_grid(np.ones((4, 5)), title="t", cell=10, highlight=(1, 2, 2, 3)), "rect")
    last = {key: float(frame[-1][key]) for key in ("x", "y", "width", "height")}
    assert last == {"x": 3 + 20, "y": 3 + 10, "width": 30, "height": 20}


def test_weighted_sum_multiplies_and_adds() -> None:
    """(1, 2) × (3, -4) = (3, -8), sum -5."""
    markup = weighted_sum(
        [[1, 2]],
        [[3, -4]],
        title="t",
        patch_label="块",
        kernel_label="核",
        products_label="积",
        sum_label="和",
    )
    assert _texts(markup) == [
        *("块", "1", "2", "×", "核", "3", "−4", "=", "积", "3", "−8", "Σ =", "和", "−5")
    ]


def test_numbers_of_a_grid_have_the_same_decimals() -> None:
    write = alike(np.array([0.5, -0.25, 0.0]))
    assert [write(value) for value in (0.5, -0.25, 0.0, -0.001)] == ["0.50", "−0.25", "0", "0"]


def _size(points: str) -> tuple[float, float]:
    xs, ys = zip(*(map(float, point.split(",")) for point in points.split()), strict=True)
    return max(xs) - min(xs), max(ys) - min(ys)


def test_blocks_are_to_scale() -> None:
    """Maps of half the size stand half as high; twice the channels are twice as long."""
    markup = tensor_blocks([("a", (10, 28, 28)), ("b", (20, 14, 14))], title="t", height=140)
    faces = [_size(polygon["points"]) for polygon in _all(markup, "polygon")]
    assert len(faces) == 6
    assert faces[0] == pytest.approx((30, 140))
    assert faces[3] == pytest.approx((60, 70))
    assert _texts(markup)[:2] == ["a", "10×28×28"]


def test_vectors_are_bars_on_their_own_scale() -> None:
    markup = tensor_blocks([("fc", (120,)), ("output", (30, 1, 1))], title="t", height=100)
    faces = [_size(polygon["points"]) for polygon in _all(markup, "polygon")]
    assert [tall for _, tall in faces] == pytest.approx([100, 25])
    assert [text for text in _texts(markup) if text.isdigit()] == ["120", "30"]


def test_steps_stand_between_blocks() -> None:
    markup = tensor_blocks([("a", (1,)), ("b", (1,))], title="t", steps=["全连接"])
    assert "全连接" in _texts(markup)


def test_lines_of_a_network_say_sign_and_size() -> None:
    """Weights (2, -1; 0, 0): orange at full width 2.8, blue at 1.6, two at 0.4."""
    lines = _all(network_diagram([2, 2], [[[2, -1], [0, 0]]], title="t"), "line")
    assert [line["stroke-width"] for line in lines] == ["2.8", "1.6", "0.4", "0.4"]
    assert [line["stroke"] for line in lines[:2]] == [svg.var("2"), svg.var("1")]


def test_a_large_layer_is_drawn_in_part() -> None:
    """6 of 100 and 2 of 2 units: 8 circles, 12 lines, and three dots for what is left out."""
    markup = network_diagram([100, 2], [np.ones((2, 100))], title="t")
    assert len(_all(markup, "circle")) == 6 + 2 + 3
    assert len(_all(markup, "line")) == 12


def test_chosen_units_are_drawn_with_their_own_weights() -> None:
    weights = np.zeros((1, 50))
    weights[0, 7] = -3
    markup = network_diagram([50, 1], [weights], title="t", units=[[3, 7], [0]])
    assert [line["stroke-width"] for line in _all(markup, "line")] == ["0.4", "2.8"]


def test_activations_fill_circles_by_area() -> None:
    """A quarter of the largest fills a disc of half the radius; zero none."""
    markup = network_diagram([3, 1], title="t", activations=[[4, 1, 0], [0]])
    radii = [float(c["r"]) for c in _all(markup, "circle")]
    assert radii == [11, 11, 11, 5.5, 11, 11]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: kernel_grid([1, 2], title="t"), r"\(2,\); expected \(R, C\)"),
        (lambda: kernel_grid([[np.inf]], title="t"), "NaN or infinite"),
        (lambda: kernel_grid([[1]], title="t", highlight=(0, 0, 2, 1)), "outside of 1×1"),
        (lambda: weighted_sum([[1]], [[1, 2]], title="t"), r"\(1, 1\).*\(1, 2\)"),
        (lambda: tensor_blocks([], title="t"), "Nothing to draw"),
        (lambda: tensor_blocks([("a", (2, 2))], title="t"), r"'a' has shape \(2, 2\)"),
        (lambda: tensor_blocks([("a", (2,))], title="t", steps=["s"]), "1 steps between 1 blocks"),
        (lambda: network_diagram([3], title="t"), "at least two layers"),
        (lambda: network_diagram([3, 2], [np.ones((3, 2))], title="t"), r"expected \[\(2, 3\)\]"),
        (lambda: network_diagram([3, 2], title="t", units=[[0], [2]]), "indices of each layer"),
        (
            lambda: network_diagram([1, 1], title="t", activations=[[-1], [1]]),
            "nothing below 0",
        ),
    ],
)
def test_clear_errors(draw: object, message: str) -> None:
    with pytest.raises(CnnvizError, match=message):
        draw()  # type: ignore[operator]
