"""Three linear layers without an activation are one linear layer; with ReLU they are not."""

import torch
from torch import nn

torch.manual_seed(0)
layers = [nn.Linear(784, 64), nn.Linear(64, 64), nn.Linear(64, 10)]
stack = nn.Sequential(*layers).double()

weight, bias = layers[0].weight, layers[0].bias
for layer in layers[1:]:  # W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)
    weight = layer.weight @ weight
    bias = layer.weight @ bias + layer.bias
print("one matrix:", tuple(weight.shape))

x = torch.rand(1000, 784).double()
one_layer = x @ weight.T + bias
print("same:", torch.allclose(stack(x), one_layer, atol=1e-12))

first, second, third = layers
bent = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)
print("same with ReLU:", torch.allclose(bent(x), one_layer, atol=1e-2))
