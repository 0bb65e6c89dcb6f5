"""A convolution written as a matrix, and how many different weights it has."""

import torch
from torch.nn import functional as F

kernel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])[None, None] / 4
side = 12
dots = torch.eye(side * side).view(-1, 1, side, side)  # one pixel lit in each

# What a lit pixel does to all places is a column; a row is what one place looks at.
matrix = F.conv2d(dots, kernel, padding=1).view(side**2, side**2).T

image = torch.rand(1, 1, side, side)
off = F.conv2d(image, kernel, padding=1).flatten() - matrix @ image.flatten()
print(f"matrix and convolution differ by less than 0.0001: {bool(off.abs().max() < 1e-4)}")
print(f"weights {matrix.numel():,}, not zero {int((matrix != 0).sum()):,}")
print("different ones:", sorted(set(matrix.flatten().tolist())))
