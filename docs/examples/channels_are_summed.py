"""A convolution over three channels is three convolutions, their sum and a bias."""

import torch
from torch import nn
from torch.nn import functional as F

from cnnviz import photos

photo = torch.tensor(photos.load("china") / 255, dtype=torch.float32)  # (427, 640, 3)
image = photo.permute(2, 0, 1)[None]  # (1, 3, 427, 640)

torch.manual_seed(0)
layer = nn.Conv2d(3, 8, kernel_size=3)
print("weights", tuple(layer.weight.shape), "biases", tuple(layer.bias.shape))

with torch.no_grad():
    maps = layer(image)  # (1, 8, 425, 638)
    filter5 = layer.weight[5]  # (3, 3, 3): one slice for each colour
    total = layer.bias[5]
    for colour in range(3):
        total = total + F.conv2d(image[:, colour, None], filter5[None, colour, None])
print("maps   ", tuple(maps.shape))
print("map 5 by hand is the same:", torch.allclose(total[0, 0], maps[0, 5], atol=1e-5))
