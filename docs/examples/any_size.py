"""Global average pooling: pictures of any size give as many numbers as there are channels."""

import torch
from torch import nn

from cnnviz import named, trained

lenet = trained(named("lenet")).model()
first = nn.Sequential(lenet.conv1, lenet.relu1, lenet.pool1)
second = nn.Sequential(lenet.conv2, lenet.relu2, lenet.pool2)
head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))

for side in (28, 40, 224):
    x = torch.rand(1, 1, side, side)
    maps = second(first(x))
    print(*(tuple(t.shape) for t in (x, maps, head(maps))), sep=" -> ")

print("parameters of the head:", sum(p.numel() for p in head.parameters()))
try:
    lenet(torch.rand(1, 1, 40, 40))
except RuntimeError as error:
    print("LeNet on 40x40:", str(error).partition(": ")[2])
