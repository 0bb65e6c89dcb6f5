"""All layers of a net in one narrow strip: where a page of the atlas stands in the net.

Plain data in, HTML out: read without torch, numpy or Pillow. Looks are in assets/atlas.css.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any


def net_strip(
    net: str,
    layers: Sequence[Mapping[str, Any]],
    current: str,
    language: str,
    up: str,
    unit: str = "",
) -> str:
    """`<nav>` with a chip for each layer, in order of execution; the present one is marked.

    Args:
        net: name of the net as in addresses.
        layers: the facts of its layers (`numbers["nets"][net]` of the chapter "atlas").
        current: name of the layer whose page this is, or to which the unit of this page belongs.
        language: "zh" or "en".
        up: from the page to the folder of the atlas, with a slash at its end: "../../" on the page
            of a layer, "../../../" on that of a unit.
        unit: number of the unit as in its address, on the page of a unit.
    """
    chinese = language == "zh"
    image = "输入" if chinese else "input"
    title = "这一页在网络里的位置" if chinese else "Where this page stands in the network"
    shape = escape(layers[0]["before"])
    chips = [f"<li><span><b>{image}</b> <small>{shape}</small></span></li>"]
    for layer in layers:
        name = escape(layer["name"])
        here = layer["name"] == current
        # The page itself, or, seen from a unit, the layer that it belongs to.
        mark = f' aria-current="{"true" if unit else "page"}"' if here else ""
        number = f" / {escape(unit)}" if here and unit else ""
        kind = ' class="net-weighted"' if layer["parameters"] else ""
        chips.append(
            f'<li{kind}><a href="{escape(up)}{escape(net)}/{name}/"{mark}>'
            f"<b>{name}{number}</b> <small>{escape(layer['after'])}</small></a></li>"
        )
    return (
        f'<nav class="net-strip" aria-label="{title}" data-search-exclude>'
        f"<ol>{''.join(chips)}</ol></nav>"
    )
