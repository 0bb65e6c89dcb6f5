"""Figures and facts of the atlas: of each layer its weights, of each network what it is made of."""

from __future__ import annotations

from typing import Any

from cnnviz.atlas.figures.weights import figures
from cnnviz.atlas.measure import atlas_facts
from cnnviz.figure.figure import Figure
from gen.context import Context
from gen.nets import atlas_nets


def generated(context: Context) -> dict[str, Figure]:
    """All of them, for each network of the atlas."""
    return {name: figure for net in atlas_nets(context) for name, figure in figures(net).items()}


def numbers(context: Context) -> dict[str, Any]:
    """Facts of every layer of every network, in order of execution."""
    return atlas_facts(atlas_nets(context))
