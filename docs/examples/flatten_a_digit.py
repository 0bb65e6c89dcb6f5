"""Flattened and back: no number is lost, but neighbours are far apart."""

import torch

from cnnviz import load

image = load("digits", "test").images[0, 0]  # (28, 28)
row = image.flatten()  # (784,)
print(tuple(image.shape), "→", tuple(row.shape))
print("nothing lost:", bool(torch.equal(row.view(28, 28), image)))

y, x = 14, 9
place = 28 * y + x
print(f"pixel ({y}, {x}) stands at {place}, the one below it at {28 * (y + 1) + x}")
print("same numbers:", image[y, x].item() == row[place].item())
