"""Ten neurons, one for each digit, trained without a hidden layer and without an optimiser."""

import torch
from torch.nn import functional as F

from cnnviz import load, to_input

train, test = load("digits", "train"), load("digits", "test")
x = to_input(train.images[:3000]).flatten(1)  # (3000, 784)
y = train.labels[:3000]
x_test = to_input(test.images).flatten(1)

weights = torch.zeros(10, 784, requires_grad=True)
bias = torch.zeros(10, requires_grad=True)
for step in range(101):
    loss = F.cross_entropy(x @ weights.T + bias, y)
    if step in (0, 1, 10, 100):
        right = (x_test @ weights.T + bias).argmax(1) == test.labels
        print(f"step {step:3}: loss {loss:.2f}, right {right.double().mean():.0%}")
    loss.backward()  # derivatives for every weight and bias
    for parameter in (weights, bias):
        parameter.data -= 0.5 * parameter.grad  # a little downhill
        parameter.grad = None
