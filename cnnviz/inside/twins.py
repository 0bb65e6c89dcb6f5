"""Which unit of one network does what a unit of another does.

Units are paired one to one so that the sum of the correlations of their activations is largest,
after Li, Yosinski, Clune, Lipson and Hopcroft, "Convergent learning: do different neural networks
learn the same representations?" (2016), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz.errors import CnnvizError


@dataclass(frozen=True)
class Pairs:
    """Attributes:
    partner: (C,) the unit of the second network that goes with each of the first.
    correlation: (C,) of their activations, from −1 to 1; 0 where one of them never changes.
    """

    partner: Tensor
    correlation: Tensor


def correlations(first: Tensor, second: Tensor) -> Tensor:
    """Correlation (C, D) of each channel of `first` (N, C, …) with each of `second` (N, D, …).

    Both were recorded on the same images; every place of a map is a sample of its own.

    Raises:
        CnnvizError: other numbers of images or other sizes of maps.
    """
    if first.shape[0] != second.shape[0] or first.shape[2:] != second.shape[2:]:
        raise CnnvizError(
            f"Activations of shapes {tuple(first.shape)} and {tuple(second.shape)} cannot be "
            "compared: all but the number of channels must be the same. Record one layer of both "
            "networks on the same images."
        )
    a, b = (_standardised(x.detach().movedim(1, 0).flatten(1)) for x in (first, second))  # (C, M)
    return (a @ b.T).float()


def pair(first: Tensor, second: Tensor) -> Pairs:
    """The one-to-one pairing of the channels of two recordings; see `correlations`."""
    return assigned(correlations(first, second))


def assigned(matrix: Tensor) -> Pairs:
    """The one-to-one pairing for correlations (C, D); partner −1 where D < C leaves none."""
    from scipy.optimize import linear_sum_assignment  # slow to import, and only needed here

    rows, columns = linear_sum_assignment(matrix.detach().cpu().numpy(), maximize=True)
    partner = torch.full((len(matrix),), -1, device=matrix.device)
    partner[torch.from_numpy(rows)] = torch.from_numpy(columns).to(matrix.device)
    correlation = matrix[torch.arange(len(matrix), device=matrix.device), partner]
    return Pairs(partner, correlation.where(partner >= 0, 0))


def explained(matrix: Tensor, within: Tensor) -> Tensor:
    """How much of each unit's variance a weighted sum of all units of another network gives, (C,).

    From 0 to 1: the R² of a linear regression, computed from correlations alone.

    Args:
        matrix: (C, D) correlations of the units with those of the other network.
        within: (D, D) correlations of the other network's units with each other.
    """
    matrix, within = matrix.double(), within.double()
    # A little weight on the diagonal, so that units that say the same do not make it unstable.
    steady = within + 1e-6 * torch.eye(len(within), dtype=torch.float64, device=within.device)
    weights = torch.linalg.solve(steady, matrix.T)  # (D, C)
    return (matrix * weights.T).sum(1).clamp(0, 1).float()


def _standardised(samples: Tensor) -> Tensor:
    """(C, M) with mean 0 and length 1 in each row; 0 where a row is constant."""
    samples = samples.double()
    centred = samples - samples.mean(1, keepdim=True)
    return torch.nn.functional.normalize(centred, dim=1)
