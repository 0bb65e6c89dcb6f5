"""A kernel that asks for red, on four colours: one number each."""

import torch
from torch.nn import functional as F

kernel = torch.stack([torch.full((3, 3), w) for w in (2 / 9, -1 / 9, -1 / 9)])  # (3, 3, 3)
print("weights:", kernel.numel(), "sum:", f"{kernel.sum().abs():.1f}")

colours = {"red": (1, 0, 0), "sky": (0.6, 0.8, 1), "grey": (0.5,) * 3, "white": (1, 1, 1)}
for name, colour in colours.items():
    image = torch.tensor(colour, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 5, 5)
    result = F.conv2d(image, kernel[None])  # (1, 1, 3, 3): one map, not three
    print(f"{name:5}: {float(result[0, 0, 1, 1]):+.2f}, shape {tuple(result.shape)}")
