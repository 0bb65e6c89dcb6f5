"""What is said of a unit from its measured values: which sentences, with which values.

The sentences stand under `describe:` in the words files.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cnnviz.atlas.facts import NetUnits, Shape, UnitFacts, UnitLayerFacts
from cnnviz.numbers import percent
from cnnviz.words import Message, message

ALIKE = 1.3
"""A class stands out if its mean is this many times the mean over classes."""

SELDOM = 0.005
"""On a smaller share of the images than this, a mean is about the one or two that excite it."""

ALWAYS = 0.995
"""On a larger share of the images it is as good as always above zero."""

TUNED = 0.5
"""A unit prefers a direction if the opposite one brings it at most a third of its largest value."""

HARMED = 0.005
"""A change of a class's mean loss that is worth telling."""

# From dark to bright, every 45 degrees clockwise from rightward (y points down).
_EDGES = (
    "right", "lower right", "below", "lower left", "left", "upper left", "above", "upper right",
)  # fmt: skip

# Along the bar or the stripes, every 45 degrees clockwise from level (y points down).
_WAYS = ("level", "falling", "upright", "rising")


def summary(units: NetUnits, layer: UnitLayerFacts, index: int) -> list[Message]:
    """Two to five sentences that are true of a unit of a layer."""
    unit = layer.units[index]
    said = []
    # Only a kernel over the image itself looks for what it looks like.
    if (
        layer.image
        and len(unit.weights.shapes) == 1
        and (shape := looks_like(unit.weights.shapes[0]))
    ):
        said.append(_say("kernel", shape=shape))
    if unit.active or layer.scores:
        said += _of_classes(units, layer, index)
        said += _choosy(tuned(unit.tuning, units.wavelengths)) if unit.tuning else []
    else:
        key = "dead" if layer.rectified or layer.relu else "never positive"
        said.append(_say(key, tested=units.tested, function=layer.function or "ReLU"))
    return [*said, *([_when_off(unit, units.classes)] if unit.loss else [])]


def _say(key: str, **values: object) -> Message:
    return message(f"describe.{key}", **values)


# --- Shapes and directions ----------------------------------------------------------------------


def looks_like(shape: Shape) -> Message | None:
    """What a kernel's shape (cnnviz.inside.kernel_shape) looks like, None if it has no name.

    >>> looks_like(Shape("edge", 1.5, True)).key
    'describe.edge.below'
    """
    if shape.kind == "edge":
        return _say(f"edge.{_EDGES[_eighth(shape.angle) % 8]}")
    if shape.kind == "bar":
        return _say(f"bar.{_WAYS[_eighth(shape.angle) % 4]}", bright=shape.positive)
    if shape.kind in ("spot", "brightness"):
        return _say(shape.kind, bright=shape.positive)
    return None


def stripes(angle: float) -> Message:
    """Stripes whose brightness varies in the direction `angle` (cnnviz.inside.gratings).

    >>> stripes(0).key, stripes(1.57).key
    ('describe.stripes.upright', 'describe.stripes.level')
    """
    return _say(f"stripes.{_WAYS[_eighth(angle + math.pi / 2) % 4]}")


def _eighth(angle: float) -> int:
    """The nearest of eight directions, counted from rightward."""
    return round(angle / (math.pi / 4))


@dataclass(frozen=True)
class Tuning:
    """The stripes to which a unit answers most.

    Attributes:
        wavelength: of these, pixels.
        angle: the direction across them, radians.
        share: how much the direction matters at that wavelength, from 0 (all alike) to 1 (in the
            worst direction it is zero or below): the largest value minus the smallest, over the
            sum of their sizes.
        highest: its largest answer.
    """

    wavelength: float
    angle: float
    share: float
    highest: float


def tuned(curves: Sequence[Sequence[float]], wavelengths: Sequence[float]) -> Tuning:
    """What the curves, one a wavelength over evenly spaced directions, say of the unit."""
    which = max(range(len(curves)), key=lambda i: max(curves[i]))
    curve = curves[which]
    high, low = max(curve), min(curve)
    angle = math.pi * curve.index(high) / len(curve)  # they turn back into themselves after 180°
    share = (high - low) / max(abs(high) + abs(low), 1e-12)
    return Tuning(wavelengths[which], angle, share, high)


def _choosy(tuning: Tuning) -> list[Message]:
    if tuning.highest <= 0 or tuning.share < TUNED:
        return []
    return [_say("choosy", stripes=stripes(tuning.angle), wavelength=tuning.wavelength)]


# --- Classes ------------------------------------------------------------------------------------


def _of_classes(units: NetUnits, layer: UnitLayerFacts, index: int) -> list[Message]:
    """Which classes excite a unit that is above zero for some image, and how often it is."""
    unit, often = layer.units[index], layer.units[index].active
    if not unit.means:
        return [_say("often", share=percent(often, 0 if often > 0.1 else 1))]
    said = _of_means(layer, unit, units.classes, index)
    return [*said, *_of_others(unit, units.classes)]


def _of_others(unit: UnitFacts, classes: Sequence[str]) -> list[Message]:
    """Where none of the strongest images is of the class with the largest mean: of which they are.

    A mean is over all images of a class; the strongest answers may be to a few odd ones.
    """
    first = max(range(len(unit.means)), key=unit.means.__getitem__)
    seen = Counter(place.label for place in unit.most if 0 <= place.label < len(classes))
    if not seen or first in seen:
        return []
    names = [classes[label] for label, _ in seen.most_common()]
    return [_say("others", names=names, count=len(unit.most))]


def _of_means(
    layer: UnitLayerFacts, unit: UnitFacts, classes: Sequence[str], index: int
) -> list[Message]:
    means, often = unit.means, unit.active
    ranks = sorted(range(len(means)), key=lambda i: -means[i])
    first: dict[str, str | Message] = {"name": classes[ranks[0]]}
    if (layer.scores or layer.kind == "output") and len(layer.units) == len(classes):
        return [_say("score", own=classes[index], **first)]
    share = percent(often, 0 if often > 0.1 else 1)
    if often < SELDOM:
        return [_say("seldom", share=share, **first)]
    # After the ReLU several classes may have zero: then none of them is the weakest.
    silent = means.count(0)
    weakest = _say("weakest", name=classes[ranks[-1]])
    first["weakest"] = _say("silent", classes=silent) if silent > 1 else weakest
    overall = sum(means) / len(means)
    if means[ranks[-1]] < 0:  # of numbers of either sign none is so many times another
        said = _say("highest", name=classes[ranks[0]], lowest=classes[ranks[-1]])
    elif overall <= 0 or means[ranks[0]] < ALIKE * overall:
        said = _say("no class", **first)
    else:
        also = [classes[i] for i in ranks[1:3] if means[i] >= ALIKE * overall]
        said = _say("class", times=means[ranks[0]] / overall, also=also, **first)
    return [said, _say("often", share=share)] if often < ALWAYS else [said]


def _when_off(unit: UnitFacts, classes: Sequence[str]) -> Message:
    """What its being switched off does to the classes."""
    loss = unit.loss
    if max(map(abs, loss)) < 1e-6:
        return _say("without.nothing")
    ranks = sorted(range(len(loss)), key=loss.__getitem__)
    best, worst = ranks[0], ranks[-1]
    gain: Message | str = ""  # some class is better off without it
    if loss[best] <= -HARMED:
        gain = _say("without.gain", name=classes[best], loss=loss[best])
    if loss[worst] < HARMED:
        return _say("without.little", harm=HARMED, gain=gain)
    points = 100 * unit.accuracy[worst]
    return _say(
        "without.harm",
        name=classes[worst],
        loss=loss[worst],
        points=points if abs(points) >= 0.05 else 0,
        gain=gain,
    )
