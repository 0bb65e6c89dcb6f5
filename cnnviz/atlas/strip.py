"""All layers of a network in one narrow strip: where a page of the atlas stands in it."""

from __future__ import annotations

from collections.abc import Sequence

from cnnviz.atlas.facts import LayerFacts
from cnnviz.atlas.templating import filled
from cnnviz.words import Say


def net_strip(
    net: str, layers: Sequence[LayerFacts], current: str, say: Say, up: str, unit: str = ""
) -> str:
    """`<nav>` with a chip for each layer, in order of execution; the present one is marked.

    Args:
        net: name of the network as in addresses.
        current: name of the layer whose page this is, or to which the unit of this page belongs.
        up: from the page to the folder of the atlas, with a slash at its end: "../../" on the page
            of a layer, "../../../" on that of a unit.
        unit: number of the unit as in its address, on the page of a unit.
    """
    return filled("strip.html", net=net, layers=layers, current=current, say=say, up=up, unit=unit)
