"""The backward pass of a convolution: two more convolutions, beside what PyTorch has."""

import torch
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight

x = torch.tensor([[1.0, 0, 2, 1], [3, 1, 0, 2], [0, 2, 1, 1], [1, 1, 3, 0]])
k = torch.tensor([[1.0, 2, 0], [-1, 3, 1], [0, -2, 1]])
g = torch.tensor([[1.0, 2], [-1, 3]])  # the gradient of the output
x, k, g = (grid[None, None] for grid in (x, k, g))  # one image, one channel
x.requires_grad_()
k.requires_grad_()
F.conv2d(x, k).backward(g)  # autograd: x.grad, k.grad

with torch.no_grad():
    dx = F.conv2d(F.pad(g, (2, 2, 2, 2)), k.flip(2, 3))
    dk = F.conv2d(x, g)
    print("dx, row 1:", dx[0, 0, 1].tolist())
    print("dk, row 0:", dk[0, 0, 0].tolist())
    print("autograd:        ", torch.equal(dx, x.grad), torch.equal(dk, k.grad))
    print("conv_transpose2d:", torch.equal(dx, F.conv_transpose2d(g, k)))
    print("conv2d_input:    ", torch.equal(dx, conv2d_input(x.shape, k, g)))
    print("conv2d_weight:   ", torch.equal(dk, conv2d_weight(x, k.shape, g)))
