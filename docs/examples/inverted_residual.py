"""A block of MobileNetV2, and the same block with an ordinary 3x3 convolution inside."""

import torch
from torch import nn
from torchvision.models.mobilenetv2 import InvertedResidual

from cnnviz import layer_costs

with torch.device("meta"):
    block = InvertedResidual(24, 24, stride=1, expand_ratio=6)
    plain = InvertedResidual(24, 24, stride=1, expand_ratio=6)
    plain.conv[1][0] = nn.Conv2d(144, 144, 3, padding=1, bias=False)

print("3x3 weights:", tuple(block.conv[1][0].weight.shape))
for name, model in (("depthwise", block), ("ordinary", plain)):
    costs = layer_costs(model, (24, 56, 56)).values()
    print(f"{name:9}: {sum(c.multiplications for c in costs):,}")
