"""A convolution written as four loops, and the same by PyTorch."""

import torch
from torch.nn import functional as F


def convolve(image, kernel):
    """image (H, W), kernel (k, k) -> (H - k + 1, W - k + 1)"""
    k = len(kernel)
    height, width = len(image) - k + 1, len(image[0]) - k + 1
    result = torch.zeros(height, width)
    for row in range(height):  # where the kernel lies …
        for column in range(width):
            for i in range(k):  # … and its own rows and columns
                for j in range(k):
                    product = kernel[i, j] * image[row + i, column + j]
                    result[row, column] += product
    return result


image = torch.tensor([[0.0, 0, 1, 1]] * 4)  # dark on the left, bright on the right
kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])

by_hand = convolve(image, kernel)
by_torch = F.conv2d(image[None, None], kernel[None, None])[0, 0]  # (2, 2)
print(by_hand)
print("same as PyTorch:", torch.equal(by_hand, by_torch))
