"""The formula of the output size against nn.Conv2d."""

import torch
from torch import nn


def output_size(n, k, s=1, p=0, d=1):
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def torch_size(n, k, s=1, p=0, d=1):
    layer = nn.Conv2d(1, 1, k, stride=s, padding=p, dilation=d)
    return layer(torch.zeros(1, 1, n, n)).shape[-1]


for options in (
    {"n": 28, "k": 5},
    {"n": 28, "k": 5, "p": 2},
    {"n": 28, "k": 3, "s": 2, "p": 1},
    {"n": 28, "k": 3, "d": 4, "p": 4},
    {"n": 224, "k": 11, "s": 4, "p": 2},
):
    by_hand, by_torch = output_size(**options), torch_size(**options)
    print(f"{by_hand:3} {by_torch:3}", by_hand == by_torch, options)
