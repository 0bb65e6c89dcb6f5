"""Where the pages of units lie in the site."""

from __future__ import annotations

UP = "../../../../"
"""From the page of a unit, atlas/<net>/<layer>/<unit>/, to the root of its language."""


def unit_name(index: int, count: int) -> str:
    """The number of a unit in its address, as wide as the largest of its layer, two digits or more.

    >>> unit_name(7, 16), unit_name(7, 512)
    ('07', '007')
    """
    return str(index).zfill(max(2, len(str(count - 1))))
