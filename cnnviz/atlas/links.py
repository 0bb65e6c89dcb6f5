"""Who feeds whom: the units of the layers around that each unit of a layer is joined to most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from cnnviz.atlas.subject import AtlasNet
from cnnviz.inside.contributions import connection_sizes
from cnnviz.inside.layers import Layer

LINKS = 6
"""Units of the layer before, and of the one after, that are named for each unit."""


@dataclass(frozen=True)
class Joined:
    """What the units of a layer are joined to most in another.

    Attributes:
        layer: the other.
        unit: (C, ≤ LINKS) numbers of its units, the largest absolute contribution first.
        weight: of each connection, or the norm of its slice.
        contribution: of each, its mean.
    """

    layer: Layer
    unit: Tensor
    weight: Tensor
    contribution: Tensor


def incoming(net: AtlasNet, layer: Layer, into: Mapping[str, Tensor]) -> Joined | None:
    """What feeds each unit; None unless the channels before it are the units of one layer.

    Args:
        into: layer → what each of its units gets from each channel before it (C, channels).
    """
    before, own = net.weighted_before(layer), into.get(layer.name)
    if before is None or own is None or own.shape[1] != before.units:
        return None
    return _joined(before, own, connection_sizes(layer, own.shape[1]))


def outgoing(net: AtlasNet, layer: Layer, into: Mapping[str, Tensor]) -> Joined | None:
    """Where each unit leads; arguments and None as in `incoming`."""
    after = net.weighted_after(layer)
    there = into.get(after.name) if after is not None else None
    if after is None or there is None or there.shape[1] != layer.units:
        return None
    return _joined(after, there.T, connection_sizes(after, there.shape[1]).T)


def _joined(other: Layer, contribution: Tensor, weight: Tensor) -> Joined:
    order = contribution.abs().sort(dim=1, descending=True, stable=True).indices[:, :LINKS]
    return Joined(other, order, weight.gather(1, order), contribution.gather(1, order))
