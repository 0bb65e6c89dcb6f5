"""A convolution over three channels is three convolutions, their sum and a bias."""

import torch
from torch import nn
from torch.nn import functional as F

from cnnviz import photos

photo = torch.tensor(photos.load("china"))  # (427, 640, 3), bytes
image = photo.permute(2, 0, 1)[None] / 255  # (1, 3, 427, 640)

torch.manual_seed(0)
layer = nn.Conv2d(3, 8, kernel_size=3)
print("weights", tuple(layer.weight.shape), "biases", tuple(layer.bias.shape))

with torch.no_grad():
    maps = layer(image)  # (1, 8, 425, 638)
    filter5 = layer.weight[5]  # (3, 3, 3): one slice for each colour
    total = layer.bias[5]
    for colour in range(3):
        channel, piece = image[:, colour], filter5[colour]
        total = total + F.conv2d(channel[None], piece[None, None])
print("maps   ", tuple(maps.shape))
same = torch.allclose(total[0, 0], maps[0, 5], atol=1e-5)
print("map 5 by hand is the same:", same)
