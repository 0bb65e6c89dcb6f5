"""Max and average pooling by hand, and average pooling as a convolution with stride 2."""

import torch
from torch.nn import functional as F

torch.manual_seed(0)
maps = torch.rand(6, 28, 28)

blocks = maps.reshape(6, 14, 2, 14, 2)  # 14×14 blocks of 2×2
largest = blocks.amax((2, 4))  # (6, 14, 14)
mean = blocks.mean((2, 4))
print("max:    ", torch.equal(largest, F.max_pool2d(maps, 2)))
print("average:", torch.allclose(mean, F.avg_pool2d(maps, 2)))

kernel = torch.zeros(6, 6, 2, 2)
for channel in range(6):
    kernel[channel, channel] = 1 / 4  # look at its own channel only
strided = F.conv2d(maps, kernel, stride=2)
print("average as a convolution:", torch.allclose(mean, strided))
