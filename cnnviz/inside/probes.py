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
        weight = self.weight.to(features.device)
        return features.detach().flatten(1).double() @ weight + self.bias.to(features.device)


def fit_probe(features: Tensor, labels: Tensor, classes: int, penalty: float = 0.1) -> LinearProbe:
    """Fit a probe.

    Args:
        features: a layer's output for N images, (N, …); flattened to (N, D).
        labels: (N,) int64, below `classes`.
        penalty: weight of the squared weights, relative to the features' mean variance, so that
            it means the same in a layer of large numbers and in one of small ones.

    Raises:
        CnnvizError: a penalty that is not above 0, another number of labels than of features, a
            label that is no class, features that are not finite.
    """
    if penalty <= 0 or len(features) != len(labels) or not len(labels):
        raise CnnvizError(
            f"penalty={penalty} with {len(features)} features and {len(labels)} labels; "
            "expected a penalty above 0 and one label each."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise CnnvizError(
            f"Labels from {int(labels.min())} to {int(labels.max())} with {classes} classes; "
            f"expected 0 to {classes - 1}."
        )
    x = features.detach().flatten(1).double()
    if bad := x.numel() - int(x.isfinite().sum()):
        raise CnnvizError(
            f"{bad} of {x.numel()} features are NaN or infinite; expected finite numbers."
        )
    return _ridge(x, F.one_hot(labels.to(x.device), classes).double(), penalty)


def _ridge(x: Tensor, y: Tensor, penalty: float) -> LinearProbe:
    """Inputs x (N, D), targets y (N, classes), both float64."""
    x_mean, y_mean = x.mean(0), y.mean(0)
    x, y = x - x_mean, y - y_mean
    # Where a layer is constant there is no variance to compare with.
    strength = penalty * x.square().sum(0).mean() or 1.0
    # Of (xᵀx + s)⁻¹ xᵀ = xᵀ (xxᵀ + s)⁻¹ whichever is the smaller system: a wide layer has
    # more features than there are images.
    wide = x.shape[1] > len(x)
    products = x @ x.T if wide else x.T @ x  # (N, N) or (D, D)
    products.diagonal().add_(strength)
    weight = (
        x.T @ torch.linalg.solve(products, y) if wide else torch.linalg.solve(products, x.T @ y)
    )
    return LinearProbe(weight, y_mean - x_mean @ weight)
