"""Odd networks, each with one thing that other people's networks do and ours do not.

`ZOO` maps a name to a maker of the network and the shape of its input. A tool that claims to work
for any module is tried on all of them; whoever finds a new oddity adds a network here.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Shape = tuple[int, ...]


class Residual(nn.Module):
    """A skip connection that is added in place, and a branch with a convolution of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.short = nn.Conv2d(3, 8, 1, stride=2)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.relu(self.conv1(x), inplace=True))  # (N, 8, H/2, W/2)
        y += self.short(x)
        return self.head(F.relu(y).mean((2, 3)))  # (N, 4)


class Branches(nn.Module):
    """Two branches side by side, put together along the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(1, 4, 1)
        self.right = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(inplace=True))
        self.head = nn.Conv2d(6, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([self.left(x), self.right(x)], 1)  # (N, 6, H, W)
        return self.head(y).amax((2, 3))  # (N, 3)


class Twice(nn.Module):
    """One module used twice, and one ReLU for all."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(2 * 8 * 8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv(x))
        x = self.relu(self.conv(x))
        return self.fc(torch.flatten(x, 1))


class Tuples(nn.Module):
    """Layers that return tuples and dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 6, batch_first=True)
        self.fc = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.lstm(x[:, 0])  # rows as a sequence: (N, H, W) → (N, H, 6)
        return self.fc(y[:, -1])


class Attention(nn.Module):
    """Patches as tokens that look at each other."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)  # (N, T, 8)
        seen, _ = self.attention(tokens, tokens, tokens)
        return self.head(self.norm(tokens + seen).mean(1))


def _depthwise() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=4), nn.BatchNorm2d(8), nn.Hardswish(inplace=True),
        nn.Conv2d(8, 6, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3),
    )  # fmt: skip


def _odd_convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, (1, 5), padding="same", dilation=2), nn.PReLU(),
        nn.ConvTranspose2d(3, 2, 2, stride=2), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.LazyLinear(4), nn.Flatten(), nn.LazyLinear(2),
    )  # fmt: skip


def _dotted() -> nn.Module:
    deep = nn.ModuleDict({"a": nn.Conv2d(1, 2, 3), "b": nn.ReLU()})
    return nn.Sequential(nn.Sequential(*deep.values()), nn.Flatten(), nn.Linear(2 * 36, 1))


ZOO: dict[str, tuple[Callable[[], nn.Module], Shape]] = {
    "residual": (Residual, (3, 16, 16)),
    "branches": (Branches, (1, 8, 8)),
    "twice": (Twice, (2, 8, 8)),
    "tuples": (Tuples, (1, 8, 8)),
    "attention": (Attention, (3, 16, 16)),
    "depthwise": (_depthwise, (4, 9, 9)),
    "odd-convolutions": (_odd_convolutions, (1, 8, 8)),
    "dotted": (_dotted, (1, 8, 8)),
}


def make(name: str) -> tuple[nn.Module, Tensor]:
    """A network of the zoo with fixed weights, in evaluation mode, and three inputs for it."""
    maker, shape = ZOO[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, x = maker().eval(), torch.randn(3, *shape)
        with torch.no_grad():
            model(x)  # lazy layers take their shape
    return model, x
