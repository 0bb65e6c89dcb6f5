"""Receptive fields of random small networks against what their units are seen to depend on."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.inside.receptive_field import receptive_fields
from tests.inside.test_receptive_field import seen_pixels

SIZE = (9, 11)


class Joined(nn.Module):
    """Two branches, added or concatenated, along channels or along rows."""

    def __init__(self, left: nn.Module, right: nn.Module, dim: int | None) -> None:
        super().__init__()
        self.left, self.right, self.dim = left, right, dim

    def forward(self, x: Tensor) -> Tensor:
        one, two = self.left(x), self.right(x)
        if self.dim is not None:
            return torch.cat([one, two], self.dim)[:, :2]
        return one + F.interpolate(two, one.shape[2:], mode="nearest")


def window(rng: random.Random) -> nn.Module:
    kernel, stride = (rng.randint(1, 3), rng.randint(1, 4)), (rng.randint(1, 2), rng.randint(1, 3))
    padding = tuple(rng.randint(0, (size + 1) // 2) for size in kernel)
    mode = rng.choice(["zeros", "zeros", "reflect", "replicate", "circular"])
    groups = rng.choice([1, 2])
    if rng.random() < 0.5:
        dilation = rng.choice([1, 1, 2])
        return nn.Conv2d(2, 2, kernel, stride, padding, dilation, groups, padding_mode=mode)
    if rng.random() < 0.5:
        return nn.ConvTranspose2d(2, 2, kernel, stride, groups=groups)
    half = tuple(size // 2 for size in kernel)
    pool = rng.choice([nn.MaxPool2d, nn.AvgPool2d])
    return pool(kernel, stride, half, ceil_mode=rng.random() < 0.5)


def layer(rng: random.Random) -> nn.Module:
    same = lambda size: nn.Conv2d(2, 2, size, padding=size // 2)  # noqa: E731
    makers = [
        lambda: window(rng),
        lambda: window(rng),
        lambda: nn.Upsample(scale_factor=rng.choice([1.5, 2]), mode="bilinear"),
        lambda: nn.Upsample(size=(rng.randint(1, 9), rng.randint(1, 9))),
        lambda: nn.AdaptiveAvgPool2d((rng.randint(1, 7), rng.randint(1, 7))),
        lambda: nn.Sequential(nn.PixelUnshuffle(1), nn.ReLU(inplace=True), nn.BatchNorm2d(2)),
        lambda: Joined(same(1), same(rng.choice([3, 5])), rng.choice([None, 1, 2, 3])),
        lambda: Joined(same(1), nn.Sequential(same(3), nn.AvgPool2d(2, ceil_mode=True)), None),
    ]
    return rng.choice(makers)()


def network(seed: int) -> nn.Module:
    """Some layers through which an image of SIZE fits."""
    rng, layers = random.Random(seed), [nn.Conv2d(1, 2, 1)]
    while len(layers) < 5:
        layers.append(layer(rng))
        try:
            maps = nn.Sequential(*layers).eval()(torch.zeros(1, 1, *SIZE))
            fits = maps.shape[2] * maps.shape[3] < 400
        except (RuntimeError, ValueError):
            fits = False
        if not fits:
            layers.pop()
    return nn.Sequential(*layers).eval()


@pytest.mark.parametrize("seed", range(30))
def test_every_box_is_what_the_unit_depends_on(seed: int) -> None:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = network(seed)
    fields = receptive_fields(model, SIZE)
    seen = seen_pixels(model, SIZE)
    assert list(fields) == [name for name in seen if name not in fields.unknown]
    for name, depends in seen.items():
        if name in fields.unknown:  # its units lie in the padding, all of them
            assert not depends.any()
            continue
        maps = depends.view(*SIZE, *depends.shape[1:])
        rows, columns = maps.any(1), maps.any(0)  # (H or W, units, units)
        for row in range(depends.shape[1]):
            for column in range(depends.shape[2]):
                top, left, bottom, right = fields[name].box(row, column, clip=True)
                assert (top, bottom) == ends(rows[:, row, column]), (name, row, column)
                assert (left, right) == ends(columns[:, row, column]), (name, row, column)
                if top == bottom:
                    continue
                height, width = fields[name].size
                assert bottom - top <= height
                assert right - left <= width


def ends(line: Tensor) -> tuple[int, int]:
    places = line.nonzero()
    return (int(places.min()), int(places.max()) + 1) if len(places) else (0, 0)
