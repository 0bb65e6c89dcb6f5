"""Batch normalisation by hand in both modes, with the weights of a trained network."""

import torch

import cnnviz
from cnnviz.checkpoints import trained
from cnnviz.datasets import to_input
from cnnviz.recipes import named

model = trained(named("sgd-lenet-batchnorm-0")).model()
images = to_input(cnnviz.load("digits", "test").images[:128])
norm = model.norm1
x = cnnviz.record(model, images)["conv1"]  # (128, 6, 28, 28)


def normalise(x, mean, var):
    mean, var, gamma, beta = (v[:, None, None] for v in (mean, var, norm.weight, norm.bias))
    return gamma * (x - mean) / torch.sqrt(var + norm.eps) + beta


with torch.no_grad():
    kept = normalise(x, norm.running_mean, norm.running_var)
    print("evaluation mode:", torch.allclose(norm(x), kept, atol=1e-5))

    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)  # of this batch
    norm.train()
    print("training mode:  ", torch.allclose(norm(x), normalise(x, mean, var), atol=1e-5))
