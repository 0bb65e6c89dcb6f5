"""What the chapter on colour computes, on cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gen.figures.colour.colour import by_chance, groups
from gen.figures.colour.worth import CHANGES, changed
from gen.figures.colour_nets import in_grey, right_by_mean, without_mean


def _kernel(colour: tuple[float, float, float], pattern: Tensor) -> Tensor:
    return torch.tensor(colour)[:, None, None] * pattern  # (3, 3, 3)


def test_kernels_are_sorted_by_what_they_answer() -> None:
    flat, edge = torch.ones(3, 3), torch.tensor([[1.0, 0, -1]] * 3)
    kernels = torch.stack([
        _kernel((1, 1, 1), flat),  # brightness
        _kernel((0, 0, 0), flat),  # nothing
        _kernel((1, 1, 1), edge),  # an edge of brightness
        _kernel((1, -1, 0), flat),  # red against green
        _kernel((0, 1, 0), edge),  # an edge of green
        _kernel((1, -1, 0), edge),  # colours compared across an edge: an opponent first of all
        _kernel((0, 1, 0), flat + edge),  # brightness and edge
    ])  # fmt: skip
    found = groups(kernels)
    assert sorted(found["opponents"]) == [3, 5]
    assert found["edges"] == [4, 2]  # the least brightness first
    assert found["brightness"] == [6, 0]
    assert found["nothing"] == [1]


def test_axes_by_chance() -> None:
    """As many as of angles drawn by lot."""
    angles = np.random.default_rng(0).uniform(0, 2 * math.pi, 100_000)
    turned = angles[:, None] + np.array([0, 2, 4]) * math.pi / 3
    nearest = np.abs(math.sqrt(2 / 3) * np.cos(turned)).min(1)
    for nearness in (0.05, 0.17, 0.3):
        assert by_chance(nearness) == pytest.approx((nearest < nearness).mean(), abs=0.01)


def test_nearest_mean_colour() -> None:
    """Red and blue are told by their mean; dark red is nearer to red, whatever its pattern."""
    seen = torch.zeros(2, 3, 2, 2)
    seen[0, 0], seen[1, 2] = 1, 1
    unseen = torch.zeros(2, 3, 2, 2)
    unseen[0, 0], unseen[1, 2, 0] = 0.7, 1.6
    labels = torch.tensor([4, 6])
    assert right_by_mean(seen, labels, unseen, torch.tensor([4, 6])) == 1
    assert right_by_mean(seen, labels, unseen, torch.tensor([4, 4])) == 0.5


def test_what_networks_are_fed() -> None:
    images = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    shifted = without_mean(images)
    assert torch.allclose(shifted.mean((2, 3)), torch.full((3, 3), 0.5), atol=1e-6)
    assert torch.allclose(shifted.std((2, 3)), images.std((2, 3)), atol=1e-6)
    grey = in_grey(images)
    assert grey.shape == images.shape
    assert torch.allclose(grey[:, 1], images[:, 0] * 0.299 + images[:, 1] * 0.587
                          + images[:, 2] * 0.114)  # fmt: skip
    assert torch.equal(grey[:, 0], grey[:, 2])


def test_changes_of_photographs() -> None:
    image = torch.arange(12.0).view(1, 3, 2, 2)
    found = {change: changed(image, change) for change in CHANGES}
    assert torch.equal(found["whole"], image)
    assert found["exchanged"][0, :, 0, 0].tolist() == [8, 4, 0]
    assert found["mirrored"][0, 0].tolist() == [[1, 0], [3, 2]]
    assert torch.equal(found["grey"], in_grey(image))
