"""The stages of ResNet-18 on the meta device: shapes and costs, no numbers, no time."""

import torch
from torchvision import models

from cnnviz import layer_costs

with torch.device("meta"):  # tensors with a shape and nothing in them
    model = models.resnet18()

costs = layer_costs(model, (3, 224, 224))
for layer in ("conv1", "maxpool", "layer1.1.conv2", "avgpool", "fc"):
    c = costs[layer]
    print(f"{layer:14} {c.shape!s:14}", end="")
    print(f"{c.parameters:9,} {c.multiplications:11,}")
print(f"parameters: {sum(c.parameters for c in costs.values()):,}")
