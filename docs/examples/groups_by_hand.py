"""Two groups are two convolutions side by side, and have half the weights."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.rand(1, 4, 9, 9)
for groups in (1, 2, 4):
    layer = nn.Conv2d(4, 4, 3, padding=1, groups=groups, bias=False)
    print(f"groups={groups}: weights {tuple(layer.weight.shape)}")

layer = nn.Conv2d(4, 4, 3, padding=1, groups=2, bias=False)
first = F.conv2d(x[:, :2], layer.weight[:2], padding=1)  # channels 0, 1
second = F.conv2d(x[:, 2:], layer.weight[2:], padding=1)  # channels 2, 3
together = torch.cat([first, second], dim=1)
print("same:", torch.allclose(layer(x), together, atol=1e-6))
