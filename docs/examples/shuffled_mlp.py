"""An MLP whose weights are reordered along with the pixels gives the same answers."""

import copy

import torch

from cnnviz import MLP

torch.manual_seed(0)
mlp = MLP().eval()  # random weights will do
images = torch.rand(5, 1, 28, 28)

order = torch.randperm(784)  # one fixed scramble
scrambled = images.flatten(1)[:, order].reshape(images.shape)
partner = copy.deepcopy(mlp)
partner.fc1.weight.data = mlp.fc1.weight[:, order]  # as the pixels

with torch.no_grad():
    answers = mlp(images)
    same = torch.allclose(answers, mlp(scrambled), atol=1e-5)
    print("same weights, scrambled pixels:     ", same)
    same = torch.allclose(answers, partner(scrambled), atol=1e-5)
    print("reordered weights, scrambled pixels:", same)
