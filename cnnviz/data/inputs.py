"""From pixels to what a network is fed."""

from __future__ import annotations

import torch
from torch import Tensor


def to_input(images: Tensor) -> Tensor:
    """uint8 (N, C, H, W) from 0 to 255 → float32 from 0 to 1, what the networks are fed."""
    return images.float() / 255


def pixel_permutation(pixels: int, seed: int = 0) -> Tensor:
    """The fixed order (pixels,) into which `scramble` puts the pixels of every image."""
    return torch.randperm(pixels, generator=torch.Generator().manual_seed(seed))


def scramble(images: Tensor) -> Tensor:
    """(N, C, H, W) with the pixels of all images reordered by the same fixed permutation."""
    order = pixel_permutation(images[0].numel())
    return images.flatten(1)[:, order.to(images.device)].reshape(images.shape)
