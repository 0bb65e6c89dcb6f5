"""One neuron by hand, and the same number from a layer of PyTorch."""

import torch
from torch import nn

torch.manual_seed(0)
layer = nn.Linear(784, 512)  # random weights: 512 neurons, each with 784 weights and a bias
pixels = torch.rand(784)

z = layer.bias[7].item()  # neuron 7
for weight, pixel in zip(layer.weight[7], pixels, strict=True):
    z += (weight * pixel).item()
print(f"by hand     {z:+.4f}, after ReLU {max(z, 0):.4f}")

all_z = layer(pixels)  # (784,) -> (512,), all neurons at once
print(f"by PyTorch  {all_z[7]:+.4f}, after ReLU {all_z.relu()[7]:.4f}")
