"""Autograd in three lines."""

import torch

w = torch.tensor(3.0, requires_grad=True)
((2 * w - 1) ** 2).backward()
print("gradient", w.grad.item(), "by hand", 2 * (2 * 3 - 1) * 2)
