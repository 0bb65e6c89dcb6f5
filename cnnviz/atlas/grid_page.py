"""The grid of a layer on its page: a tile for each unit, and words for the panel that opens.

assets/grid.js fills the panel from the script beside the page (grid_facts.units_script); assets/
grid.css says how both look. Imports no torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.grid_facts import ACROSS, BLOCK, ON_TILE, PER_SHEET, GridFacts, SheetFacts
from cnnviz.atlas.templating import filled
from cnnviz.numbers import times
from cnnviz.words import Catalogue, Library

SCRIPT = "units.js"
"""The script with the facts of a layer's units, beside its page."""

_SAID: dict[str, Sequence[str]] = {
    "panel.unit": ("layer", "unit"),
    "panel.class": ("name",),
    "panel.before": ("unit",),
    "panel.after": ("unit",),
    "panel.close": (),
    "panel.failed": ("file",),
    "panel.most": (),
    "panel.least": (),
    "panel.values": ("first", "last"),
    "panel.patch": ("image", "row", "column", "value"),
    "panel.patch of class": ("image", "class", "row", "column", "value"),
    "panel.image": (),
    "panel.place": (),
    "panel.value": (),
    "panel.places": (),
    "panel.active": (),
    "panel.active share": ("share",),
    "panel.never": (),
    "panel.range": (),
    "panel.range values": ("low", "high"),
    "panel.mean": (),
    "panel.weights": (),
    "panel.norm": ("norm",),
    "panel.norm and bias": ("norm", "bias"),
    "panel.silenced": (),
    "panel.silenced values": ("loss", "points"),
    "panel.classes": (),
    "panel.name of class": (),
    "panel.class mean": (),
    "panel.optimised": (),
    "panel.optimised values": ("values",),
    "panel.incoming": ("layer",),
    "panel.outgoing": ("layer",),
    "panel.linked unit": (),
    "panel.weight": (),
    "panel.contribution": (),
    "panel.legend": (),
    "panel.links legend": (),
    "panel.comma": (),
}
"""Sentences of the panel, and the values that assets/grid.js puts into each."""


class _Tile(NamedTuple):
    number: str
    name: str
    silent: bool


class _Block(NamedTuple):
    sheet: SheetFacts
    first: int
    last: int
    rows: int
    tiles: Sequence[_Tile]


def grid_html(
    facts: GridFacts,
    library: Library,
    language: str,
    *,
    files: str = "",
    script: str = SCRIPT,
    unit: str = "../{layer}/#u-{unit}",
) -> str:
    """`<section>` with the tiles of all units of a layer.

    Args:
        files: from the page to the folder that the sheets' files are named in, with a slash at
            its end, or "".
        script: from the page to what `units_script` wrote.
        unit: from the page to a unit of any layer, for the panel's links.

    Raises:
        CnnvizError: a sentence is missing, or asks for a value that is not given.
    """
    say = library.catalogue(language, "grid")
    silent = [bool(facts.active) and share == 0 for share in facts.active]
    return filled(
        "grid.html",
        say=say,
        facts=facts,
        blocks=_blocks(facts, silent),
        across=ACROSS,
        tile=min(ON_TILE, len(facts.most.image[0])),
        files=files,
        address=unit,
        script=script,
        per_sheet=PER_SHEET,
        legend=_legend(facts, say, any(silent)),
        words=Markup(_in_markup(_words(say, facts))),
    )


def _legend(facts: GridFacts, say: Catalogue, silent: bool) -> str:
    seen = max(facts.field)
    return say(
        "legend",
        spatial=facts.spatial,
        images=facts.images,
        whole=facts.whole,
        field=times(facts.field) if seen else "",
        smaller=seen > max(facts.patch),
        tile=min(ON_TILE, len(facts.most.image[0])),
        silent=silent,
    )


def _blocks(facts: GridFacts, silent: Sequence[bool]) -> list[_Block]:
    blocks = []
    for i, sheet in enumerate(facts.tiles):
        first, end = i * BLOCK, min((i + 1) * BLOCK, facts.units)
        tiles = [
            _Tile(
                unit_name(u, facts.of),
                facts.classes.get(u, "") if facts.own else "",
                bool(silent) and silent[u],
            )
            for u in range(first, end)
        ]
        blocks.append(_Block(sheet, first, end - 1, -(-len(tiles) // ACROSS), tiles))
    return blocks


def _words(say: Catalogue, facts: GridFacts) -> dict[str, str]:
    """The panel's sentences; where a value will stand is its name in braces."""
    shared: dict[str, Any] = {
        "spatial": facts.spatial,
        "whole": facts.whole,
        "relu": bool(facts.relu),
        "counted": facts.counted,
        "off": facts.off.images if facts.off else 0,
        "each": len(facts.most.image[0]),
    }
    return {
        key.partition(".")[2]: say(key, **shared, **{name: f"{{{name}}}" for name in values})
        for key, values in _SAID.items()
    }


def _in_markup(words: dict[str, str]) -> str:
    """As JSON that may stand between the tags of a script."""
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
