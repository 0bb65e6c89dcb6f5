"""Which figures a layer's page has, and what they compare."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cnnviz.atlas.subject import AtlasNet
from cnnviz.inside.layers import INPUT, KINDS, Layer


@dataclass(frozen=True)
class Pair:
    """What the figure of activations compares: two layers, one after the other.

    Attributes:
        first, second: names of layers; `first` is None for the network's input, `second` for
            nothing, or for softmax where `first` is the output layer.
        units: the layer with weights whose units are seen, if they are.
    """

    first: Layer | None
    second: Layer | None
    units: Layer | None

    @property
    def drawn_alike(self) -> int:
        """How many of `values` share a scale: probabilities have one of their own."""
        return 1 if self.second is None else 2

    def values(self, outputs: dict[str, Tensor], inputs: Tensor) -> list[Tensor]:
        """What is drawn, one or two tensors (N, …)."""
        first = outputs[self.first.name] if self.first else inputs
        if self.second:
            return [first, outputs[self.second.name]]
        return [first, first.softmax(1)] if self.first and self.first.kind == "output" else [first]


def pair(net: AtlasNet, layer: Layer) -> Pair:
    """A layer with weights before and after its ReLU; what several layers feed alone.

    Any other: what goes in, what comes out.
    """
    if layer.weight is not None:
        return Pair(layer, nonlinearity(net, layer), layer)
    before = net.before(layer)
    if before is None and layer.fed_by != (INPUT,):  # several layers feed it
        return Pair(layer, None, None)
    if before and before.weight is not None and nonlinearity(net, before) is layer:
        return Pair(before, layer, before)
    return Pair(before, layer, units_of(net, layer))


def nonlinearity(net: AtlasNet, layer: Layer) -> Layer | None:
    """The ReLU, or what stands in its place, between a layer with weights and the next one."""
    after = net.after(layer)
    relu = next((x for x in after if x.kind == "relu"), None)
    return relu or next((x for x in after if x.kind == "other"), None)


def units_of(net: AtlasNet, layer: Layer) -> Layer | None:
    """The layer with weights whose units a layer's channels are, if they are."""
    if layer.weight is not None:
        return layer
    before = net.weighted_before(layer)
    same = before and before.after[0] == layer.after[0] and len(before.after) == len(layer.after)
    return before if same else None


def shown(net: AtlasNet, layer: Layer) -> dict[str, str]:
    """Section of the page → address of its figure; a ReLU shares those of the layer before it."""
    own = f"{net.name}_{layer.name}"
    seen = pair(net, layer)
    shares = seen.first and seen.units is seen.first and pair(net, seen.first) == seen
    same = f"{net.name}_{seen.first.name}" if seen.first and shares else own
    found: dict[str, str] = {}
    if len(layer.after) == 3:
        found["field"] = f"atlas_fields/{own}_field"
    if layer.form:
        found["weights"] = f"atlas/{own}_weights"
    found["inputs"] = f"atlas_activations/{net.name}_inputs"
    found["activations"] = f"atlas_activations/{same}_activations"
    if layer.kind == "output":
        found["scores"] = f"atlas/{own}_scores"
    if not KINDS[layer.kind].silent:
        found["gradients"] = f"atlas_gradients/{own}_gradients"
    if layer.form and net.steps:
        found["training"] = f"atlas_training/{own}_training"
    if not KINDS[layer.kind].silent:
        found["distribution"] = f"atlas_distribution/{same}_distribution"
    return found


def units_shown(layer: Layer, most: int) -> int:
    """Units of a layer whose weights are drawn: all, or the first, by 16 if that many fit."""
    weight = layer.weight
    assert weight is not None
    if weight.size <= most:
        return len(weight)
    fit = most // weight[0].size
    return min(len(weight), fit // 16 * 16 or max(1, fit))
