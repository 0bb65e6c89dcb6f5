"""Paths from each pixel to one unit: set all weights to 1 and look at the gradient."""

import torch
from torch import nn

for depth in (1, 2, 3):
    layers = [nn.Conv2d(1, 1, 3, bias=False) for _ in range(depth)]
    for layer in layers:
        nn.init.ones_(layer.weight)
    side = 2 * depth + 1  # leaves just one unit at the top
    image = torch.zeros(1, 1, side, side, requires_grad=True)
    nn.Sequential(*layers)(image).backward()
    middle = image.grad[0, 0, depth].int().tolist()
    print(f"{depth} × 3×3, middle row:", middle)
