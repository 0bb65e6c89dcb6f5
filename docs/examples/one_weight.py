"""One step of gradient descent on one weight of LeNet."""

import torch
from torch.nn import functional as F

from cnnviz.checkpoints import trained
from cnnviz.datasets import load, to_input
from cnnviz.recipes import named

run = trained(named("sgd-lenet-0"))
model = run.model(run.history.step[-3])  # as it was half-way through
train = load("digits", "train")
images, labels = to_input(train.images[:512]), train.labels[:512]
kernels = model.conv1.weight

loss = F.cross_entropy(model(images), labels)
gradient = torch.autograd.grad(loss, kernels)[0]
index = tuple(int(i) for i in (gradient.abs() == gradient.abs().max()).nonzero()[0])
print(f"weight {kernels[index]:.4f}, loss {loss:.4f}, gradient {gradient[index]:.4f}")

with torch.no_grad():
    kernels[index] -= 2.0 * gradient[index]  # learning rate 2
    loss = F.cross_entropy(model(images), labels)
print(f"weight {kernels[index]:.4f}, loss {loss:.4f}")
