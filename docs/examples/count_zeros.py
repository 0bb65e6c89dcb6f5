"""Record a layer of an untrained LeNet and count its zeros."""

import torch

import cnnviz
from cnnviz.models import LeNet

torch.manual_seed(0)
model = LeNet()  # random weights; cnnviz.trained(cnnviz.Recipe("lenet")).model() trains one
images = torch.rand(4, 1, 28, 28)

outputs = cnnviz.record(model, images)
relu1 = outputs["relu1"]  # (4, 6, 28, 28)
print(f"{(relu1 == 0).sum()} of {relu1.numel()} values are zero")
