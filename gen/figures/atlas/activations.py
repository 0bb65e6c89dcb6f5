"""Figures of the atlas: the inputs to choose from, and what each layer makes of the chosen one."""

from __future__ import annotations

from cnnviz.atlas.figures.activations import figures
from cnnviz.figure.figure import Figure
from gen.context import Context
from gen.nets import atlas_nets


def generated(context: Context) -> dict[str, Figure]:
    """All of them, for each network of the atlas."""
    return {name: figure for net in atlas_nets(context) for name, figure in figures(net).items()}
