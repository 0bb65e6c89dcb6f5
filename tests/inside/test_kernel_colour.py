"""Parts of colour kernels: known kernels have known shares, and parts are projections."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from cnnviz.inside import kernel_colour as parts

_RANDOM = torch.randn(400, 3, 7, 7, generator=torch.Generator().manual_seed(0))


def _kernel(red: float, green: float, blue: float, pattern: Tensor | None = None) -> Tensor:
    """One kernel (1, 3, 7, 7) of a pattern times three numbers."""
    shape = torch.ones(7, 7) if pattern is None else pattern
    return torch.tensor([red, green, blue])[None, :, None, None] * shape


@pytest.mark.parametrize(
    ("colour", "share"),
    [((1, 1, 1), 1), ((-2, -2, -2), 1), ((1, -1, 0), 0), ((0, 1, 0), 1 / 3), ((1, 1, 0), 2 / 3)],
)
def test_share_of_brightness(colour: tuple[float, float, float], share: float) -> None:
    kernel = _kernel(*colour)
    found = parts.energy_share(parts.achromatic(kernel), kernel)
    assert found.tolist() == pytest.approx([share], abs=1e-6)


def test_a_wave_across_is_slow_and_a_checkerboard_is_not() -> None:
    across = torch.cos(2 * math.pi * torch.arange(7) / 7).expand(7, 7)
    both = across * across.T  # once across and once down
    quick = torch.cos(2 * math.pi * 2 * torch.arange(7) / 7).expand(7, 7)
    for pattern, share in ((across, 1), (across.T, 1), (both, 0), (quick, 0)):
        kernel = _kernel(1, 2, 3, pattern)
        found = parts.energy_share(parts.slow(kernel), kernel)
        assert found.tolist() == pytest.approx([share], abs=1e-5)


@pytest.mark.parametrize(
    ("part", "share"), [(parts.achromatic, 1 / 3), (parts.level, 1 / 49), (parts.slow, 5 / 49)]
)
def test_parts_are_projections(part: Callable[[Tensor], Tensor], share: float) -> None:
    """Taken twice they stay; part and rest share out the energy; of noise they have their share."""
    once = part(_RANDOM)
    assert once.shape == _RANDOM.shape
    assert torch.allclose(part(once), once, atol=1e-5)
    rest = _RANDOM - once
    together = parts.energy_share(once, _RANDOM) + parts.energy_share(rest, _RANDOM)
    assert torch.allclose(together, torch.ones(400), atol=1e-5)
    assert parts.energy_share(once, _RANDOM).mean().item() == pytest.approx(share, rel=0.1)


def test_energy_of_colours() -> None:
    assert parts.energy_of_colours(_kernel(2, 1, 0)).tolist() == [pytest.approx([0.8, 0.2, 0])]


def test_balance() -> None:
    assert parts.balance(_kernel(3, 3, 3)).item() == pytest.approx(1)
    assert parts.balance(_kernel(-1, -1, -1)).item() == pytest.approx(-1)
    assert parts.balance(_kernel(1, -1, 0)).item() == pytest.approx(0, abs=1e-6)
    assert parts.balance(_kernel(1, 0, 0)).item() == pytest.approx(1 / math.sqrt(3))


def test_colour_axis() -> None:
    pattern = torch.randn(7, 7, generator=torch.Generator().manual_seed(1))
    for colour in ((3.0, -4.0, 0.0), (0.0, 4.0, -3.0)):
        axis = parts.colour_axis(_kernel(*colour, pattern))[0]
        expected = torch.tensor(colour) / 5 * (1 if max(colour) == 4 else -1)
        assert torch.allclose(axis, expected, atol=1e-5)
