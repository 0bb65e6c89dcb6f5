"""Diagrams of sliding kernels: positions as PyTorch has them, lines between joined channels."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cnnviz.drawing.sliding import joined_channels, output_size, sliding_kernel
from cnnviz.errors import CnnvizError


def test_output_size_is_pytorchs() -> None:
    for size, kernel, stride, padding, dilation in product(
        (5, 8, 11), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2)
    ):
        units = output_size(size, kernel, stride, padding, dilation)
        if size + 2 * padding < dilation * (kernel - 1) + 1:
            assert units < 1
            continue
        image = torch.empty(1, 1, size, size, device="meta")
        weight = torch.empty(1, 1, kernel, kernel, device="meta")
        result = F.conv2d(image, weight, stride=stride, padding=padding, dilation=dilation)
        assert result.shape[2:] == (units, units)


def rectangles(drawing: str, colour: str) -> list[tuple[float, ...]]:
    """x, y, width and height of every tint of a theme colour."""
    found = []
    for tag in re.findall(r"<rect [^>]*>", drawing):
        if f"--cnnviz-{colour}," in tag and "fill-opacity" in tag:
            fields = ("x", "y", "width", "height")
            found.append(tuple(float(re.search(rf'\b{f}="([^"]+)"', tag)[1]) for f in fields))  # type: ignore[index]
    return found


def test_tints_lie_where_the_kernel_does() -> None:
    """Stride 2, dilation 2 and padding 1: unit (1, 0) takes rows 2, 4, 6 and columns 0, 2, 4."""
    drawing = sliding_kernel(
        6, 3, stride=2, padding=1, dilation=2, positions=[(1, 0)], title="t", cell=10
    )
    tints = rectangles(drawing, "2")
    assert len(tints) == 9 + 1  # the last is the unit of the output
    left, top = 3, 3  # the corner of the padding
    places = [((y - top) / 10, (x - left) / 10) for x, y, _, _ in tints[:9]]
    assert places == list(product((2, 4, 6), (0, 2, 4)))
    assert all((width, height) == (10, 10) for _, _, width, height in tints)


def test_numbers_appear_as_they_are_computed() -> None:
    image = np.arange(16.0).reshape(4, 4) / 15
    outputs = np.array([[0.25, -0.5], [1, 2]])
    drawings = [
        sliding_kernel(
            image, np.eye(3), positions=[(0, 0)], outputs=outputs, computed=count, title="t"
        )
        for count in (1, 2, 4)
    ]
    assert [drawing.count("−0.50<") for drawing in drawings] == [0, 1, 1]
    assert [drawing.count(">2.00<") for drawing in drawings] == [0, 0, 1]


def test_padding_is_written_as_zeros() -> None:
    assert sliding_kernel(4, 3, padding=1, title="t").count(">0</text>") == 6 * 6 - 4 * 4


@pytest.mark.parametrize(("groups", "lines"), [(1, 16), (2, 8), (4, 4)])
def test_one_line_for_each_pair_of_joined_channels(groups: int, lines: int) -> None:
    weight = torch.empty(4, 4 // groups, 3, 3)
    assert weight.shape[0] * weight.shape[1] == lines
    assert joined_channels(4, 4, groups=groups, title="t").count("<line ") == lines


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(CnnvizError, match=r"has 0 positions on 4 pixels"):
        sliding_kernel(4, 5, title="t")
    with pytest.raises(CnnvizError, match=r"position \[\(2, 0\)\] is none"):
        sliding_kernel(4, 3, positions=[(2, 0)], title="t")
    with pytest.raises(CnnvizError, match=r"1 labels for 2 grids"):
        sliding_kernel(4, 3, labels=["input"], title="t")
    with pytest.raises(CnnvizError, match=r"both must divide"):
        joined_channels(3, 4, groups=2, title="t")
