"""A convolution of a moved image is the moved convolution, except at the border."""

import torch
from torch.nn import functional as F

from cnnviz import shift

torch.manual_seed(0)
image = torch.rand(1, 1, 28, 28)  # pixels right up to the border
kernels = torch.randn(6, 1, 5, 5)


def convolve(x):
    return F.conv2d(x, kernels, padding=2)  # (1, 1, 28, 28) -> (1, 6, 28, 28)


def move(x):
    return shift(x, down=0, right=3)


same = torch.isclose(convolve(move(image)), move(convolve(image)), atol=1e-5)
print("everywhere:          ", same.all().item())
print("5 px off the border: ", same[..., 5:-5, 5:-5].all().item())

image = F.pad(image[..., 8:20, 8:20], (8, 8, 8, 8))  # now with a black margin
here = convolve(image).amax((2, 3))  # (1, 6): the largest answer of each map
there = convolve(move(image)).amax((2, 3))
print("same largest answers:", torch.allclose(here, there, atol=1e-5))
