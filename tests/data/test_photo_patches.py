"""Patches of photographs: where they say they lie, the same every time, no pixel in both parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz.data import photo_patches
from cnnviz.data.photo_patches import HEIGHT, NAMES, SIDE
from cnnviz.errors import CnnvizError


@pytest.mark.parametrize("part", photo_patches.PARTS)
def test_patches_are_cut_from_where_they_say(part: str) -> None:
    found = photo_patches.load(part, 3, seed=5)
    assert found.images.shape == (3 * len(NAMES), 3, SIDE, SIDE)
    assert found.images.dtype == torch.uint8
    assert found.labels.bincount().tolist() == [3] * len(NAMES)
    for image, label, corner in zip(found.images, found.labels, found.corners, strict=True):
        row, column = corner.tolist()
        cut = photo_patches.shrunk(NAMES[label])[row : row + SIDE, column : column + SIDE]
        assert np.array_equal(image.permute(1, 2, 0).numpy(), cut)


def test_no_pixel_is_in_both_parts() -> None:
    covered = {}
    for part in photo_patches.PARTS:
        found = photo_patches.load(part, 400)
        covered[part] = {
            name: {column + k for column in found.corners[found.labels == index, 1].tolist()
                   for k in range(SIDE)}
            for index, name in enumerate(NAMES)
        }  # fmt: skip
    for name in NAMES:
        assert not covered["train"][name] & covered["test"][name], name
        # Both parts reach from the left edge to the right one, and meet at the border.
        border = photo_patches.columns(name, "test")[0]
        assert covered["train"][name] <= set(range(border))
        assert covered["test"][name] <= set(range(border, photo_patches.shrunk(name).shape[1]))


def test_the_seed_decides_which() -> None:
    first, again, other = (photo_patches.load("train", 5, seed) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.corners, other.corners)
    assert len(first) == 5 * len(NAMES)


def test_photographs_keep_their_shape() -> None:
    assert photo_patches.shrunk("chelsea").shape == (HEIGHT, round(451 * HEIGHT / 300), 3)


def test_unknown_part() -> None:
    with pytest.raises(CnnvizError, match="'test'"):
        photo_patches.load("tests", 1)
