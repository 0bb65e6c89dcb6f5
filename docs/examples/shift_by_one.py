"""The same signal, moved by one: what three ways of halving make of it."""

import torch
from torch.nn import functional as F


def blurred_max(x):
    x = F.max_pool1d(F.pad(x, (0, 1)), 2, stride=1)
    blur = torch.tensor([[[0.25, 0.5, 0.25]]])
    return F.conv1d(F.pad(x, (1, 1)), blur, stride=2)


signal = torch.tensor([[[0.0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0]]])
moved = signal.roll(1, dims=2)
ways = {
    "max": lambda x: F.max_pool1d(x, 2),
    "average": lambda x: F.avg_pool1d(x, 2),
    "max, blurred": blurred_max,
}
for name, halve in ways.items():
    for x in (signal, moved):
        y = halve(x).flatten()
        print(f"{name:12} {y.tolist()}  total {y.sum():g}")
