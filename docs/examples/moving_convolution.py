"""A convolution of a moved image is the moved convolution, except at the border."""

import torch
from torch.nn import functional as F

from cnnviz.evaluation import shift

torch.manual_seed(0)
image = torch.rand(1, 1, 28, 28)  # pixels right up to the border
kernel = torch.randn(6, 1, 5, 5)


def convolve(x):
    return F.conv2d(x, kernel, padding=2)  # (1, 1, 28, 28) -> (1, 6, 28, 28)


move_first = convolve(shift(image, down=0, right=3))
move_last = shift(convolve(image), down=0, right=3)
same = torch.isclose(move_first, move_last, atol=1e-5)
print("everywhere:          ", same.all().item())
print("5 px off the border: ", same[..., 5:-5, 5:-5].all().item())

image[..., :8, :] = image[..., 20:, :] = image[..., :8] = image[..., 20:] = 0  # a black margin
peaks = convolve(image).amax((2, 3))  # (1, 6): the largest answer, wherever it is
print(
    "largest answers stay:",
    torch.allclose(peaks, convolve(shift(image, 0, 3)).amax((2, 3)), atol=1e-5),
)
