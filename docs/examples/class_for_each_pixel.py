"""No flattening: the answer is a map again, and a transposed convolution enlarges it."""

import torch
from torch import nn

torch.manual_seed(0)
maps = torch.rand(1, 16, 5, 5)  # what LeNet's pool2 puts out
enlarge = nn.ConvTranspose2d(16, 3, kernel_size=4, stride=4)  # random weights
scores = enlarge(maps)
print("maps", tuple(maps.shape), "→ scores of 3 classes", tuple(scores.shape))
print("a class for each pixel:", tuple(scores.argmax(1).shape))
