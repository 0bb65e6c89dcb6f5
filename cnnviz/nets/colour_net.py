"""A small network of colour patches whose first kernels are large enough to be looked at."""

from __future__ import annotations

from torch import Tensor, nn

SIDE = 32
"""Height and width of the patches that it is made for, in pixels."""

_START = 0.25
"""The first kernels begin at this share of PyTorch's usual size: what they learn is soon larger
than the noise of their start, and can be seen."""


class ColourNet(nn.Module):
    """Four layers: three convolutions, a mean over all places, and one score a class.

    Pixels from 0 to 1 are first centred, so that mid-grey is zero, as is the padding.

    | layer | output |
    |-------|--------|
    | conv1 16@7×7 stride 2 padding 3, relu1 | (N, 16, 16, 16) |
    | pool1 2×2 | (N, 16, 8, 8) |
    | conv2 24@3×3 padding 1, relu2 | (N, 24, 8, 8) |
    | pool2 2×2 | (N, 24, 4, 4) |
    | conv3 32@3×3 padding 1, relu3 | (N, 32, 4, 4) |
    | pool3, mean of all places | (N, 32, 1, 1) |
    | flatten | (N, 32) |
    | output | (N, classes) logits |
    """

    def __init__(self, classes: int = 9) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=7, stride=2, padding=3)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(16, 24, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(24, 32, kernel_size=3, padding=1)
        self.relu3 = nn.ReLU()
        self.pool3 = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.output = nn.Linear(32, classes)
        self.conv1.weight.data.mul_(_START)

    def forward(self, x: Tensor) -> Tensor:
        x = x - 0.5  # (N, 3, 32, 32)
        x = self.pool1(self.relu1(self.conv1(x)))  # (N, 16, 8, 8)
        x = self.pool2(self.relu2(self.conv2(x)))  # (N, 24, 4, 4)
        x = self.pool3(self.relu3(self.conv3(x)))  # (N, 32, 1, 1)
        return self.output(self.flatten(x))  # (N, classes)
