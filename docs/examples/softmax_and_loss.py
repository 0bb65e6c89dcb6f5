"""From logits to probabilities to a loss, by hand and by PyTorch."""

import torch
from torch.nn import functional as F

from cnnviz import load, named, to_input, trained

test = load("digits", "test")
mlp = trained(named("mlp")).model()
with torch.no_grad():
    logits = mlp(to_input(test.images[:1]))[0]  # of the first digit
true = test.labels[0]

powers = logits.exp()
probabilities = powers / powers.sum()
print("true class:", true.item())
print("in percent:", *(f"{100 * p:.1f}" for p in probabilities))
print(f"loss by hand    {-probabilities[true].log():.4f}")
print(f"loss by PyTorch {F.cross_entropy(logits, true):.4f}")
