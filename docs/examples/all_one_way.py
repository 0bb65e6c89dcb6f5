"""Inputs that are never negative move all weights of a neuron the same way."""

import torch

from cnnviz import load, to_input

images = to_input(load("digits", "train").images[:1000]).flatten(1)  # (1000, 784)
centred = (images - 0.1307) / 0.3081  # mean and deviation of MNIST's pixels

torch.manual_seed(0)
error = torch.randn(1000, 1)  # dL/dz of one neuron for each image
for name, pixels in (("0 to 1", images), ("centred", centred)):
    gradients = error * pixels  # (1000, 784): one gradient for each weight
    up, down = (gradients > 0).any(1), (gradients < 0).any(1)
    print(f"{name:7}: {(up & down).double().mean():.0%} of the images move weights both ways")
