"""One step of gradient descent on one weight of LeNet."""

import torch
from torch.nn import functional as F

from cnnviz import load, named, to_input, trained

run = trained(named("sgd-lenet-0"))
model = run.model(run.history.step[-3])  # as it was part of the way through
train = load("digits", "train")
images, labels = to_input(train.images[:512]), train.labels[:512]

loss = F.cross_entropy(model(images), labels)
gradient = torch.autograd.grad(loss, model.conv1.weight)[0].flatten()
weights = model.conv1.weight.detach().flatten()  # the same memory
i = gradient.abs().argmax()
print(f"weight {weights[i]:.4f}, loss {loss:.4f}, gradient {gradient[i]:.4f}")

weights[i] -= 2.0 * gradient[i]  # learning rate 2
loss = F.cross_entropy(model(images), labels)
print(f"weight {weights[i]:.4f}, loss {loss:.4f}")
