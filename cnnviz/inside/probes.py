"""Linear probes: what can be read off a layer by one more linear layer.

After Alain and Bengio, "Understanding intermediate layers using linear classifier probes" (2016).
The probe here is least squares with a penalty (ridge regression) on targets 1 and 0: it has a
closed form, so it needs no learning rate and gives the same answer each time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.errors import CnnvizError


@dataclass(frozen=True)
class LinearProbe:
    """scores = features · weight + bias.

    Attributes:
        weight: (D, classes) float64.
        bias: (classes,) float64.
    """

    weight: Tensor
    bias: Tensor

    def scores(self, features: Tensor) -> Tensor:
        """Scores (N, classes) for features (N, …); those of one image add up to 1."""
        return features.flatten(1).double() @ self.weight + self.bias


def fit_probe(features: Tensor, labels: Tensor, classes: int, penalty: float = 0.1) -> LinearProbe:
    """Fit a probe.

    Args:
        features: a layer's output for N images, (N, …); flattened to (N, D).
        labels: (N,) int64, below `classes`.
        penalty: weight of the squared weights, relative to the features' mean variance, so that
            it means the same in a layer of large numbers and in one of small ones.

    Raises:
        CnnvizError: a penalty that is not above 0, or another number of labels than of features.
    """
    if penalty <= 0 or len(features) != len(labels):
        raise CnnvizError(
            f"penalty={penalty} with {len(features)} features and {len(labels)} labels; "
            "expected a penalty above 0 and one label each."
        )
    targets = F.one_hot(labels, classes).double()
    return _ridge(features.flatten(1).double(), targets, penalty)


def _ridge(x: Tensor, y: Tensor, penalty: float) -> LinearProbe:
    """Inputs x (N, D), targets y (N, classes), both float64."""
    x_mean, y_mean = x.mean(0), y.mean(0)
    x = x - x_mean
    products = x.T @ x  # (D, D)
    # Where a layer is constant there is no variance to compare with.
    strength = penalty * products.diagonal().mean() or 1.0
    products.diagonal().add_(strength)
    weight = torch.linalg.solve(products, x.T @ (y - y_mean))
    return LinearProbe(weight, y_mean - x_mean @ weight)
