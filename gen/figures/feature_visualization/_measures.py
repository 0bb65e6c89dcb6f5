"""What can be said of a picture without any network, and how it is disturbed a little."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_AROUND = 9
"""Side of the square in which directions are compared."""


def contrast(image: Tensor) -> float:
    """Standard deviation of the brightness of an image (3, H, W)."""
    return float(image.mean(0).std())


def colour(image: Tensor) -> float:
    """Largest less smallest of red, green and blue, mean over an image (3, H, W); 0 is grey."""
    return float((image.amax(0) - image.amin(0)).mean())


def common_direction(image: Tensor) -> float:
    """How far neighbouring edges of an image (3, H, W) run the same way: 0 never, 1 always.

    The coherence of the structure tensor: within 9×9 pixels the slopes' direction is averaged as an
    angle twice as large, so that opposite slopes count as one direction; strong slopes count more.
    """
    grey = image.mean(0)  # (H, W)
    down, across = torch.gradient(grey)  # (H, W) each
    products = torch.stack([down * down, across * across, down * across])  # (3, H, W)
    dd, aa, da = F.avg_pool2d(products[None], _AROUND, 1)[0]  # (H−8, W−8) each
    agree = ((dd - aa) ** 2 + 4 * da**2).sqrt().sum()
    return float(agree / (dd + aa).sum().clamp(min=1e-12))


def in_the_middle(image: Tensor) -> float:
    """Contrast of the middle third of an image (3, H, W), as a multiple of that of its rim."""
    side = image.shape[-1]
    grey, third = image.mean(0), side // 3
    rim = torch.ones(side, side, dtype=torch.bool)
    rim[third // 2 : -(third // 2), third // 2 : -(third // 2)] = False
    return float(grey[third:-third, third:-third].std() / grey[rim].std())


def moved(image: Tensor, by: int, count: int, seed: int = 0) -> Tensor:
    """An image (3, H, W) moved by up to `by` pixels each way, mirrored at its border.

    Returns:
        (count, 3, H, W); none is where it was.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = image.shape[1:]
    wide = F.pad(image[None], (by,) * 4, mode="reflect")[0]
    places = [(r, c) for r in range(2 * by + 1) for c in range(2 * by + 1) if (r, c) != (by, by)]
    order = torch.randperm(len(places), generator=generator)[:count].tolist()
    return torch.stack(
        [wide[:, r : r + height, c : c + width] for r, c in (places[k] for k in order)]
    )


def noisy(image: Tensor, deviation: float, count: int, seed: int = 0) -> Tensor:
    """An image (3, H, W) from 0 to 1 with noise of a standard deviation: (count, 3, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, *image.shape, generator=generator)
    return (image + deviation * noise).clamp(0, 1)


def alike(vectors: Tensor, others: Tensor) -> Tensor:
    """Cosines between vectors (N, D) and others (M, D): (N, M)."""
    return F.normalize(vectors, dim=1) @ F.normalize(others, dim=1).T
