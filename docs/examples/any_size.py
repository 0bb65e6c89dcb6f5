"""Global average pooling: pictures of any size give as many numbers as there are channels."""

import torch
from torch import nn

import cnnviz
from cnnviz.checkpoints import trained
from cnnviz.recipes import named

lenet = trained(named("lenet")).model()
convolutions = nn.Sequential(
    lenet.conv1, lenet.relu1, lenet.pool1, lenet.conv2, lenet.relu2, lenet.pool2
)
head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))

for side in (28, 40, 224):
    x = torch.rand(1, 1, side, side)
    maps = convolutions(x)
    print(tuple(x.shape), "->", tuple(maps.shape), "->", tuple(head(maps).shape))

print("parameters of the head:", sum(p.numel() for p in head.parameters()))
print("of LeNet's three layers:", 400 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10)
try:
    cnnviz.record(lenet, torch.rand(1, 1, 40, 40))
except RuntimeError as error:
    print("LeNet on 40x40:", error)
