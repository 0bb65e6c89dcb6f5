"""A kernel found from an image and its result, and an image that does not tell it."""

import torch
from torch.nn import functional as F

target = torch.tensor([[[[1.0, -1.0]]]])  # the kernel to be found
start = torch.tensor([[[[0.3, 0.8]]]])  # any two numbers
edges = torch.ones(1, 1, 6, 8)
edges[..., 2:6] = 0  # bright, dark, bright
flat = torch.ones(1, 1, 6, 8)

for name, image in ("edges", edges), ("flat", flat):
    wanted = F.conv2d(image, target)  # all that the kernel learns from
    kernel = start.clone().requires_grad_()
    for _ in range(50):
        loss = ((F.conv2d(image, kernel) - wanted) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, kernel)
        with torch.no_grad():
            kernel -= 0.3 * gradient
    found = ", ".join(f"{w:+.2f}" for w in kernel.flatten())
    off = (kernel - target).abs().max()
    print(f"{name:5}: error {loss:.4f}, kernel {found}, off by {off:.2f} at most")
