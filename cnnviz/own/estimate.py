"""How long an atlas will take and how large it will be: roughly, before anything is drawn.

The numbers below were measured on one processor of 2.4 GHz while the atlases of LeNet, ResNet-18
and others were drawn; they are right to about a factor of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from cnnviz.atlas.drawn import FEW, OFF_ON, Options, has_grids, wanted_layer
from cnnviz.atlas.sprites import shrinking
from cnnviz.atlas.subject import Subject
from cnnviz.inside.layer import Layer

LOOKED = 1.15
"""A pass that also counts, in passes that do not."""

PER_LAYER, PER_MILLION = 0.5, 2.2
"""Seconds for the figures of a layer, and for each million of pixels in its maps."""

PER_TILE, PER_PAGE, PAGE_PASSES = 0.012, 0.1, 40
"""Seconds for a unit with a tile, for one with a page, and passes of one image for the latter."""

STEPS, BACKWARD = 96, 3
"""Steps that make an input, and the time of a step in passes of one image."""

BYTES, TILE, PAGE, UNIT_PAGE = 0.85, 9300, 60_000, 20_000
"""Of a pixel of maps, of a unit's tiles, of a layer's pages, of a unit's page."""


@dataclass(frozen=True)
class Estimate:
    """Seconds on one processor, and bytes."""

    seconds: float
    bytes: float


def estimate(
    subject: Subject, layers: Sequence[Layer], image_seconds: float, options: Options
) -> Estimate:
    """What drawing the atlas of a network with these layers will cost.

    Args:
        image_seconds: what the network takes for one image on one processor.

    Raises:
        CnnvizError: tiles were chosen from where units have pages.
    """
    weighted = [layer for layer in layers if layer.has_units]
    units = sum(layer.units for layer in weighted)
    shown = [layer for layer in layers if wanted_layer(layer.name, options.layers)]
    pixels = sum(_pixels((len(subject.shown), *layer.shape)) for layer in shown) / 1e6
    seconds = LOOKED * image_seconds * len(subject.images)
    seconds += PER_LAYER * len(shown) + PER_MILLION * pixels
    size = BYTES * 1e6 * pixels + PAGE * len(layers)
    if has_grids(units, options):
        tiles = sum(min(options.units or layer.units, layer.units) for layer in weighted)
        return Estimate(
            seconds + PER_TILE * tiles + _outstanding(subject, weighted, image_seconds, options),
            size + TILE * tiles,
        )
    each = PER_PAGE + (PAGE_PASSES * image_seconds if options.optimise != 0 else 0)
    return Estimate(seconds + each * units, size + UNIT_PAGE * units)


def _pixels(maps: Sequence[int]) -> float:
    """Of the maps of a layer as they are drawn."""
    return prod(maps) / shrinking(maps) ** 2


def _outstanding(
    subject: Subject, weighted: Sequence[Layer], image_seconds: float, options: Options
) -> float:
    """Seconds for the units of each layer for which inputs are made and which are switched off."""
    few = FEW if options.optimise is None else options.optimise
    height, width = subject.images[[0]].shape[2:]
    share = min(1.0, 128**2 / (height * width))
    each = STEPS * BACKWARD * share * image_seconds
    if subject.labels is not None and subject.classes:
        each += OFF_ON * image_seconds
    some = sum(min(few, layer.units) for layer in weighted)
    return min(options.budget, each * some)
