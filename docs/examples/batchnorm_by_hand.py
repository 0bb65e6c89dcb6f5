"""Batch normalisation by hand in both modes, with the weights of a trained network."""

import torch

import cnnviz
from cnnviz import named, to_input, trained

model = trained(named("sgd-lenet-batchnorm-0")).model()
images = to_input(cnnviz.load("digits", "test").images[:128])
norm = model.norm1
x = cnnviz.record(model, images)["conv1"]  # (128, 6, 28, 28)


def normalise(x, mean, var):
    four = (mean, var, norm.weight, norm.bias)  # each (6,)
    mean, var, gamma, beta = (v[:, None, None] for v in four)
    return gamma * (x - mean) / torch.sqrt(var + norm.eps) + beta


with torch.no_grad():
    by_hand = normalise(x, norm.running_mean, norm.running_var)  # kept
    same = torch.allclose(norm(x), by_hand, atol=1e-5)
    print("evaluation mode:", same)

    norm.train()
    by_hand = normalise(x, x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0))
    same = torch.allclose(norm(x), by_hand, atol=1e-5)
    print("training mode:  ", same)
