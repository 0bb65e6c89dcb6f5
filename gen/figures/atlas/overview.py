"""The atlas' overview: every unit of every net on one screen, and which units feed which."""

from __future__ import annotations

from typing import Any

from cnnviz.atlas.figures.overview import LINKS, PATCHES, contributed, net_overview, silent_units
from cnnviz.atlas.subject import AtlasNet
from cnnviz.figure.figure import Figure, Variant, message
from gen.context import Context
from gen.nets import atlas_nets


def net(context: Context) -> Figure:
    """Every unit of every net, layer below layer; the reader chooses the net."""
    nets = atlas_nets(context)
    drawn = [net_overview(own) for own in nets]
    return Figure(
        alt=message("atlas_overview.net.alt", nets=[one.alt for one in drawn]),
        variants=[
            Variant(own.title, one.panels, one.legends)
            for own, one in zip(nets, drawn, strict=True)
        ],
        uses=[own.name for own in nets],
        drawn_by=net_overview,
    )


def numbers(context: Context) -> dict[str, Any]:
    """How many units there are, and how much of a layer's input its strongest links carry."""
    return {
        "nets": {own.name: _facts(own) for own in atlas_nets(context)},
        "links": LINKS,
        "patches": PATCHES,
    }


def _facts(own: AtlasNet) -> dict[str, Any]:
    top, even = {}, {}
    for layer, matrix in contributed(own).items():
        sizes = matrix.abs()
        carried = sizes.sort(dim=1, descending=True).values[:, :LINKS].sum()
        top[layer] = float(carried / sizes.sum().clamp(min=1e-12))
        even[layer] = min(1.0, LINKS / matrix.shape[1])
    return {
        "title": own.title,
        "layers": len(own.weighted),
        "units": sum(layer.after[0] for layer in own.weighted),
        "silent": sum(len(silent_units(own, layer)) for layer in own.weighted),
        "top": top,
        "even": even,
    }
