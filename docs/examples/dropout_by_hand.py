"""Dropout by hand: drop a fifth at random and scale up the rest, in training mode only."""

import torch
from torch import nn

torch.manual_seed(0)
p = 0.2
x = torch.ones(100_000)

keep = torch.rand(len(x)) >= p
by_hand = x * keep / (1 - p)
layer = nn.Dropout(p)  # in training mode, as every new layer is
for name, y in (("by hand", by_hand), ("PyTorch", layer(x))):
    values, zeros = y.unique().tolist(), (y == 0).float().mean()
    print(f"{name}: {values}, {zeros:.1%} dropped, mean {y.mean():.3f}")

print("evaluation mode changes nothing:", torch.equal(layer.eval()(x), x))
