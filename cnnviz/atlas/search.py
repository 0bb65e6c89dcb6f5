"""The index of the search over layers and units: a script that assets/search.js loads when needed.

A page that was opened from disk may load a script, and no other kind of file. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.grid_facts import in_script

INDEX = "search-index.js"
"""The script, in the folder of each language."""


class FoundLayer(NamedTuple):
    """A layer that can be found, and its units.

    Attributes:
        kind: in words.
        address: of its page, from the folder of the language.
        units: how many have a place of their own.
        unit: address of a unit, with {unit} where its number stands; "" if there are none.
        digits: as many as numbers of units have there.
        classes: what the units stand for, if they are the classes.
    """

    name: str
    kind: str
    address: str
    units: int = 0
    unit: str = ""
    digits: int = 2
    classes: Sequence[str] = ()


def found_layer(
    name: str,
    kind: str,
    address: str,
    units: int,
    *,
    pages: bool,
    of: int | None = None,
    classes: Sequence[str] = (),
) -> FoundLayer:
    """A layer whose units have pages of their own, or a place on the page of the layer.

    >>> found_layer("conv1", "convolution", "net/conv1/", 6, pages=True).unit
    'net/conv1/{unit}/index.html'
    >>> found_layer("conv1", "convolution", "net/conv1/", 512, pages=False).unit
    'net/conv1/index.html#u-{unit}'

    Args:
        address: of its page, a folder with a slash at its end.
        units: how many have a place of their own, the first of `of`.
    """
    unit = "" if not units else address + ("{unit}/index.html" if pages else "index.html#u-{unit}")
    digits = len(unit_name(0, of or units or 1))
    return FoundLayer(name, kind, f"{address}index.html", units, unit, digits, classes)


def search_script(layers: Sequence[FoundLayer]) -> bytes:
    """The index as one call of a function of assets/search.js."""
    return b"cnnvizSearch(" + in_script(list(layers)) + b");\n"
