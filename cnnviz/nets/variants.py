"""LeNets that differ from `cnnviz.nets.models.LeNet` in one thing each, for experiments."""

from __future__ import annotations

from torch import Tensor, nn

from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD, LeNet


class LeNetUncentred(LeNet):
    """LeNet on pixels from 0 to 1 as they are, neither centred nor scaled."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * PIXEL_STD + PIXEL_MEAN)  # undoes what LeNet does first


class LeNetBytes(LeNet):
    """LeNet on pixels from 0 to 255."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(255 * x * PIXEL_STD + PIXEL_MEAN)


class LeNetAverage(LeNet):
    """LeNet with average pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.pool1 = nn.AvgPool2d(2)
        self.pool2 = nn.AvgPool2d(2)


class LeNetStrided(LeNet):
    """LeNet whose pooling is a convolution 2×2 with stride 2, so learned (Springenberg, 2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.pool1 = nn.Conv2d(6, 6, kernel_size=2, stride=2)
        self.pool2 = nn.Conv2d(16, 16, kernel_size=2, stride=2)


class LeNetBatchNorm(LeNet):
    """LeNet with batch normalisation between convolution and ReLU (Ioffe and Szegedy, 2015).

    | layer | output |
    |-------|--------|
    | conv1, norm1, relu1 | (N, 6, 28, 28) |
    | conv2, norm2, relu2 | (N, 16, 10, 10) |
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(6)
        self.norm2 = nn.BatchNorm2d(16)

    def forward(self, x: Tensor) -> Tensor:
        x = (x - PIXEL_MEAN).div(PIXEL_STD)  # (N, 1, 28, 28), centred around 0
        x = self.pool1(self.relu1(self.norm1(self.conv1(x))))  # (N, 6, 14, 14)
        x = self.pool2(self.relu2(self.norm2(self.conv2(x))))  # (N, 16, 5, 5)
        x = self.flatten(x)  # (N, 400)
        x = self.relu3(self.fc1(x))  # (N, 120)
        x = self.relu4(self.fc2(x))  # (N, 84)
        return self.output(x)  # (N, 10)
