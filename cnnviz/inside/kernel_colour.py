"""What kernels of colour images are made of: brightness and colour, level and detail.

Each part is a projection, so that the energy of a part and that of the rest add up to the energy
of the kernel, the sum of its squared weights. Kernels are (N, 3, height, width).
"""

from __future__ import annotations

import torch
from torch import Tensor


def achromatic(kernels: Tensor) -> Tensor:
    """The part with the same weights for red, green and blue, as large as the kernels.

    Of random weights it has 1/3 of the energy: one of three directions.
    """
    return kernels.mean(1, keepdim=True).expand_as(kernels)


def level(kernels: Tensor) -> Tensor:
    """The part with the same weights at every place, as large as the kernels."""
    return kernels.mean((2, 3), keepdim=True).expand_as(kernels)


def slow(kernels: Tensor) -> Tensor:
    """The part that swings at most once across the kernel or once down: level, and slowest waves.

    Of random weights in kernels of 7×7 it has 5/49 of the energy: five waves of 49.
    """
    height, width = kernels.shape[2:]
    rows, columns = torch.fft.fftfreq(height) * height, torch.fft.fftfreq(width) * width
    kept = rows.abs()[:, None] + columns.abs()[None] <= 1  # (H, W)
    return torch.fft.ifft2(torch.fft.fft2(kernels) * kept).real


def energy_share(part: Tensor, kernels: Tensor) -> Tensor:
    """How much of each kernel's energy a part of it has, (N,); NaN for a kernel of zeros."""
    return part.square().sum((1, 2, 3)) / kernels.square().sum((1, 2, 3))


def energy_of_colours(kernels: Tensor) -> Tensor:
    """How much of each kernel's energy its slices for red, green and blue have: (N, 3)."""
    energy = kernels.square().sum((2, 3))  # (N, 3)
    return energy / energy.sum(1, keepdim=True)


def balance(kernels: Tensor) -> Tensor:
    """Sum of each kernel's weights over the largest that its energy allows: (N,), −1 to 1.

    Near 0 the kernel answers zero to an area of one grey, however bright.
    """
    return kernels.sum((1, 2, 3)) / (kernels[0].numel() * kernels.square().sum((1, 2, 3))).sqrt()


def colour_axis(kernels: Tensor) -> Tensor:
    """The one direction in red, green and blue that holds most of each kernel: (N, 3).

    The first left singular vector of its three slices, of length 1, its largest number positive.
    """
    vectors: Tensor = torch.linalg.svd(kernels.flatten(2), full_matrices=False)[0]
    axis = vectors[:, :, 0]  # (N, 3)
    largest = axis.gather(1, axis.abs().argmax(1, keepdim=True))  # (N, 1)
    return axis * largest.sign()
