"""A 1×1 convolution is the same small fully connected layer at every pixel."""

import torch
from torch import nn

torch.manual_seed(0)
image = torch.rand(1, 3, 20, 30)
pointwise = nn.Conv2d(3, 8, kernel_size=1)

linear = nn.Linear(3, 8)
linear.weight.data = pointwise.weight.data[:, :, 0, 0]  # (8, 3, 1, 1) -> (8, 3)
linear.bias.data = pointwise.bias.data

pixels = image.permute(0, 2, 3, 1)  # (1, 20, 30, 3): a pixel is three numbers
by_linear = linear(pixels).permute(0, 3, 1, 2)
print(tuple(pointwise(image).shape))
print("same:", torch.allclose(pointwise(image), by_linear, atol=1e-6))
