"""One step of gradient descent on one weight of the MLP."""

import torch
from torch.nn import functional as F

from cnnviz import load, named, to_input, trained

run = trained(named("mlp"))
model = run.model(run.history.step[8])  # as it was early in its training
train = load("digits", "train")
images, labels = to_input(train.images[:512]), train.labels[:512]

loss = F.cross_entropy(model(images), labels)
gradient = torch.autograd.grad(loss, model.output.weight)[0].flatten()
weights = model.output.weight.detach().flatten()  # the same memory
i = gradient.abs().argmax()
print(f"weight {weights[i]:.4f}, loss {loss:.4f}, gradient {gradient[i]:.4f}")

weights[i] -= 10 * gradient[i]  # learning rate 10
loss = F.cross_entropy(model(images), labels)
print(f"weight {weights[i]:.4f}, loss {loss:.4f}")
