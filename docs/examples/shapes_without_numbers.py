"""The stages of ResNet-18 on the meta device: shapes and costs, no numbers, no time."""

import torch
from torchvision import models

from cnnviz.costs import layer_costs

with torch.device("meta"):  # tensors with a shape and nothing in them
    model = models.resnet18()

costs = layer_costs(model, (3, 224, 224))
for layer in ("conv1", "maxpool", "layer1.1.conv2", "layer4.1.conv2", "avgpool", "fc"):
    cost = costs[layer]
    print(f"{layer:15} {cost.shape!s:14} {cost.parameters:9,} {cost.multiplications:11,}")
print(f"parameters in all: {sum(cost.parameters for cost in costs.values()):,}")
