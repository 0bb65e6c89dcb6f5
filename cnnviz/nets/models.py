"""The networks that the site looks into. Every layer has a name; shapes are in the docstrings."""

from __future__ import annotations

from torch import Tensor, nn

PIXEL_MEAN, PIXEL_STD = 0.1307, 0.3081
"""Mean and standard deviation of the pixels of MNIST's training images, black 0 and white 1."""


class MLP(nn.Module):
    """Multilayer perceptron 784-512-512-10 with dropout 0.2.

    | layer  | output |
    |--------|--------|
    | flatten| (N, 784)|
    | fc1, relu1, dropout1 | (N, 512) |
    | fc2, relu2, dropout2 | (N, 512) |
    | output | (N, 10) logits |
    """

    def __init__(self) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(28 * 28, 512)
        self.relu1 = nn.ReLU()
        self.dropout1 = nn.Dropout(0.2)
        self.fc2 = nn.Linear(512, 512)
        self.relu2 = nn.ReLU()
        self.dropout2 = nn.Dropout(0.2)
        self.output = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.flatten(x)  # (N, 1, 28, 28) → (N, 784)
        x = self.dropout1(self.relu1(self.fc1(x)))  # (N, 512)
        x = self.dropout2(self.relu2(self.fc2(x)))  # (N, 512)
        return self.output(x)  # (N, 10)


class LeNet(nn.Module):
    """LeNet-5 in its familiar form, with ReLU and max pooling.

    After LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition" (1998), section II.B; that network used sigmoids and trainable subsampling.

    Pixels from 0 to 1 are first centred, which makes a network learn faster and better: LeCun,
    Bottou, Orr and Müller, "Efficient BackProp" (1998), section 4.3.

    | layer | output |
    |-------|--------|
    | conv1 6@5×5 padding 2, relu1 | (N, 6, 28, 28) |
    | pool1 2×2 | (N, 6, 14, 14) |
    | conv2 16@5×5, relu2 | (N, 16, 10, 10) |
    | pool2 2×2 | (N, 16, 5, 5) |
    | flatten | (N, 400) |
    | fc1, relu3 | (N, 120) |
    | fc2, relu4 | (N, 84) |
    | output | (N, 10) logits |
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.relu1 = nn.ReLU()
        self.pool1: nn.Module = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.relu2 = nn.ReLU()
        self.pool2: nn.Module = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(120, 84)
        self.relu4 = nn.ReLU()
        self.output = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = (x - PIXEL_MEAN).div(PIXEL_STD)  # (N, 1, 28, 28), centred around 0
        x = self.pool1(self.relu1(self.conv1(x)))  # (N, 6, 14, 14)
        x = self.pool2(self.relu2(self.conv2(x)))  # (N, 16, 5, 5)
        x = self.flatten(x)  # (N, 400)
        x = self.relu3(self.fc1(x))  # (N, 120)
        x = self.relu4(self.fc2(x))  # (N, 84)
        return self.output(x)  # (N, 10)


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
