"""Figures of the atlas: the weights of a layer and its maps at each snapshot of the training."""

from __future__ import annotations

from cnnviz.atlas.figures.training import figures
from cnnviz.figure.figure import Figure
from gen.context import Context
from gen.nets import atlas_nets


def generated(context: Context) -> dict[str, Figure]:
    """All of them, for each network of the atlas."""
    return {name: figure for net in atlas_nets(context) for name, figure in figures(net).items()}
