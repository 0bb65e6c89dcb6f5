"""Images as sums of waves with colours as photographs have them: what is optimised by default
looks like a photograph, not like noise.

After Olah, Mordvintsev and Schubert, "Feature Visualization" (Distill, 2017), "preconditioning":
steps are taken where images of nature vary equally much in all directions. Their spectrum falls
with the frequency, and their colours vary together; the matrix is that of their library lucid,
measured on ImageNet.
"""

from __future__ import annotations

import torch
from torch import Tensor

_COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
"""Square root of the covariance of red, green and blue."""

_START = 0.01
"""Standard deviation of the waves' amplitudes at the start, before the scale by frequency."""


def start(images: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Random amplitudes (images, channels, …, 2) of waves for images of shape (channels, …)."""
    *leading, last = shape
    amplitudes = torch.randn(images, *leading, last // 2 + 1, 2, generator=generator)
    return _START * amplitudes


def pixels(amplitudes: Tensor, shape: tuple[int, ...]) -> Tensor:
    """What the waves add up to, (B, channels, …), to be squashed to 0 … 1 by a sigmoid."""
    sizes = shape[1:]
    across = [torch.fft.fftfreq(n) for n in sizes[:-1]] + [torch.fft.rfftfreq(sizes[-1])]
    grid = torch.meshgrid(*across, indexing="ij")
    frequency = torch.stack([axis.square() for axis in grid]).sum(0).sqrt()
    # The mean has frequency 0: it counts like the slowest wave.
    number = torch.tensor(sizes).prod()
    scale = number.sqrt() / frequency.clamp(min=1 / max(sizes))
    waves = torch.view_as_complex(amplitudes) * scale.to(amplitudes)
    images = torch.fft.irfftn(waves, s=sizes, dim=tuple(range(-len(sizes), 0))) / 4
    if shape[0] != 3:
        return images
    colours = _COLOURS / _COLOURS.norm(dim=0).max()
    return torch.einsum("ij,bj...->bi...", colours.to(images), images)
