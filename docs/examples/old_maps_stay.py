"""A block of DenseNet keeps the maps that it was given; a block of ResNet adds to them."""

import torch
from torchvision import models

torch.manual_seed(0)
x = torch.rand(1, 64, 14, 14)
with torch.no_grad():
    dense = models.densenet121().eval().features.denseblock1(x)
    added = models.resnet18().eval().layer1(x)

print("DenseNet:", tuple(dense.shape))
print("first 64 maps are the input:", torch.equal(dense[:, :64], x))
print("ResNet:  ", tuple(added.shape))
print("maps are the input:         ", torch.equal(added, x))
