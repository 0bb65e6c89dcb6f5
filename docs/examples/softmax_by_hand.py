"""Softmax by hand, and what it does not see."""

import torch

logits = torch.tensor([4.0, 2.0, 1.0])


def softmax(z):
    e = torch.exp(z)
    return e / e.sum()


print("e to the logits:", torch.exp(logits))
print("probabilities:  ", softmax(logits))
print("by PyTorch:     ", logits.softmax(0))
print("all plus 10:    ", softmax(logits + 10))
for temperature in (0.5, 1, 2, 10):
    print(f"T = {temperature:<4}        ", softmax(logits / temperature))
