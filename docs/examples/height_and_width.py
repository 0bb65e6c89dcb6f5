"""A kernel, stride and padding for height and width apart, and an even kernel."""

import torch
from torch import nn
from torch.nn import functional as F

x = torch.rand(1, 1, 28, 20)  # height 28, width 20
conv = nn.Conv2d(1, 1, kernel_size=(3, 5), stride=(2, 1), padding=(1, 2))
print("height and width apart:", tuple(conv(x).shape[2:]))

even = nn.Conv2d(1, 1, kernel_size=4)
for before, after in (1, 1), (2, 2), (1, 2):
    padded = F.pad(x, (before, after, before, after))  # left, right, top, bottom
    size = tuple(even(padded).shape[2:])
    print(f"4x4 kernel, padding {before} and {after}: {size}")
