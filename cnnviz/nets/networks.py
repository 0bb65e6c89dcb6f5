"""The networks of the site by name, as recipes name them. Imports no torch until one is built."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from cnnviz.errors import unknown_name

if TYPE_CHECKING:
    from torch import nn

HOMES = {
    "lenet": "cnnviz.nets.models:LeNet",
    "mlp": "cnnviz.nets.models:MLP",
    "lenet-uncentred": "cnnviz.nets.variants:LeNetUncentred",
    "lenet-bytes": "cnnviz.nets.variants:LeNetBytes",
    "lenet-average": "cnnviz.nets.variants:LeNetAverage",
    "lenet-strided": "cnnviz.nets.variants:LeNetStrided",
    "lenet-batchnorm": "cnnviz.nets.variants:LeNetBatchNorm",
}
"""Name → module and class. Text, so that a network trained before is not made of all others."""


def names() -> list[str]:
    """Names that `build` knows."""
    return list(HOMES)


def home(name: str) -> tuple[str, str]:
    """The module and the class of a network.

    Raises:
        CnnvizError: no network of that name; the nearest is suggested.
    """
    if name not in HOMES:
        raise unknown_name("model", name, HOMES)
    module, _, kind = HOMES[name].partition(":")
    return module, kind


def build(name: str) -> nn.Module:
    """A freshly initialised network.

    Raises:
        CnnvizError: no network of that name; the nearest is suggested.
    """
    module, kind = home(name)
    network: nn.Module = getattr(import_module(module), kind)()
    return network
