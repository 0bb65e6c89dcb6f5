"""Which unit of one network does what a unit of another does.

Units are paired one to one so that the sum of the correlations of their activations is largest,
after Li, Yosinski, Clune, Lipson and Hopcroft, "Convergent learning: do different neural networks
learn the same representations?" (2016), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
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
    a, b = (_standardised(x.movedim(1, 0).flatten(1).double()) for x in (first, second))  # (C, M)
    return (a @ b.T).float()


def pair(first: Tensor, second: Tensor) -> Pairs:
    """The one-to-one pairing of the channels of two recordings; see `correlations`."""
    matrix = correlations(first, second)
    rows, columns = linear_sum_assignment(matrix.numpy(), maximize=True)
    partner = torch.full((len(matrix),), -1)
    partner[torch.from_numpy(rows)] = torch.from_numpy(columns)
    return Pairs(partner, matrix[torch.arange(len(matrix)), partner])


def _standardised(samples: Tensor) -> Tensor:
    """(C, M) with mean 0 and length 1 in each row; 0 where a row is constant."""
    centred = samples - samples.mean(1, keepdim=True)
    return torch.nn.functional.normalize(centred, dim=1)
