"""The networks of the site by name, as recipes name them."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from cnnviz.errors import unknown_name
from cnnviz.nets.models import MLP, LeNet
from cnnviz.nets.variants import (
    LeNetAverage,
    LeNetBatchNorm,
    LeNetBytes,
    LeNetStrided,
    LeNetUncentred,
)

_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "lenet": LeNet,
    "mlp": MLP,
    "lenet-uncentred": LeNetUncentred,
    "lenet-bytes": LeNetBytes,
    "lenet-average": LeNetAverage,
    "lenet-strided": LeNetStrided,
    "lenet-batchnorm": LeNetBatchNorm,
}


def names() -> list[str]:
    """Names that `build` knows."""
    return list(_NETWORKS)


def build(name: str) -> nn.Module:
    """A freshly initialised network.

    Raises:
        CnnvizError: no network of that name; the nearest is suggested.
    """
    if name not in _NETWORKS:
        raise unknown_name("model", name, _NETWORKS)
    return _NETWORKS[name]()
