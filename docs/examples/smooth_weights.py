"""Do weights side by side agree? Before training and after it, and with the pixels shuffled."""

import torch

from cnnviz import named, trained

run = trained(named("mlp"))
order = torch.randperm(784, generator=torch.Generator().manual_seed(0))


def agreement(weights):
    """Correlation of each weight with its neighbour to the right."""
    images = weights.view(-1, 28, 28)
    pairs = torch.stack([images[:, :, :-1].flatten(), images[:, :, 1:].flatten()])
    return torch.corrcoef(pairs)[0, 1]


before, after = run.snapshots[0]["fc1.weight"], run.weights["fc1.weight"]
print(f"before training  {agreement(before):+.2f}")
print(f"after training   {agreement(after):+.2f}")
print(f"pixels shuffled  {agreement(after[:, order]):+.2f}")
