"""Which figures a layer's page has, and what they compare."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cnnviz.atlas.subject import AtlasNet
from cnnviz.inside.layers import CONVOLUTIONS, INPUT, KINDS, Layer


@dataclass(frozen=True)
class Pair:
    """What the figure of activations compares: two layers, one after the other.

    Attributes:
        first, second: names of layers; `first` is None for the network's input, `second` for
            nothing, or for softmax where `first` is the output layer.
        units: the layer with weights whose units are seen, if they are.
        between: layers between the two that change values, such as batch normalisation.
    """

    first: Layer | None
    second: Layer | None
    units: Layer | None
    between: tuple[Layer, ...] = ()

    @property
    def drawn_alike(self) -> int:
        """How many of `values` share a scale: probabilities have one of their own."""
        return 1 if self.second is None else 2

    @property
    def activated(self) -> bool:
        """Is it a layer before and after its activation function?"""
        return bool(self.second and self.second.activation and self.units is self.first)

    def values(self, outputs: dict[str, Tensor], inputs: Tensor) -> list[Tensor]:
        """What is drawn, one or two tensors (N, C, …)."""
        first = outputs[self.first.name] if self.first else inputs
        if self.second:
            return [first, outputs[self.second.name]]
        return [first, first.softmax(1)] if self.first and self.first.kind == "output" else [first]


def pair(net: AtlasNet, layer: Layer) -> Pair:
    """A layer with weights before and after its activation; what several layers feed alone.

    Any other: what goes in, what comes out.
    """
    if layer.has_units:
        second = nonlinearity(net, layer)
        return Pair(layer, second, layer, between(net, layer, second))
    before = net.before(layer)
    if before is None and layer.fed_by != (INPUT,):  # several layers feed it
        return Pair(layer, None, None)
    if layer.activation:
        owner = net.weighted_before(layer)
        if owner and nonlinearity(net, owner) is layer:
            return pair(net, owner)
    return Pair(before, layer, units_of(net, layer))


def nonlinearity(net: AtlasNet, layer: Layer) -> Layer | None:
    """The activation function between a layer with weights and the next one, if it has one."""
    if layer.kind == "output":
        return None
    after = [x for x in net.after(layer) if x.shape == layer.shape]
    return next((x for x in after if x.activation), None)


def between(net: AtlasNet, first: Layer, second: Layer | None) -> tuple[Layer, ...]:
    """Layers between two, of which one leads to the other, that change values."""
    found: list[Layer] = []
    layer = net.before(second) if second else None
    while layer is not None and layer is not first:
        if not KINDS[layer.kind].silent:
            found.insert(0, layer)
        layer = net.before(layer)
    return tuple(found)


def rectifier(net: AtlasNet, layer: Layer) -> Layer | None:
    """The ReLU that sees a layer's values as they are, if there is one."""
    second = nonlinearity(net, layer)
    return second if second and second.rectifies and not between(net, layer, second) else None


def units_of(net: AtlasNet, layer: Layer) -> Layer | None:
    """The layer with weights whose units a layer's channels are, if they are."""
    if layer.has_units:
        return layer
    if KINDS[layer.kind].weighted or layer.kind in ("reshape", "part"):
        return None
    before = net.weighted_before(layer)
    same = before and before.units == layer.units and len(before.shape) == len(layer.shape)
    return before if same else None


def followed(net: AtlasNet, layer: Layer) -> list[str]:
    """What alone takes a layer's output, and what alone takes that: kinds of two layers at most."""
    found: list[str] = []
    while len(found) < 2:
        taken = [x for x in net.layers if layer.name in x.fed_by]
        if len(taken) != 1:
            break
        (layer,) = taken
        found.append(layer.kind)
    return found


def shown(net: AtlasNet, layer: Layer) -> dict[str, str]:
    """Section of the page → address of its figure; a ReLU shares those of the layer before it."""
    own = f"{net.name}_{layer.name}"
    seen = pair(net, layer)
    shares = seen.first and seen.units is seen.first and pair(net, seen.first) == seen
    same = f"{net.name}_{seen.first.name}" if seen.first and shares else own
    silent = KINDS[layer.kind].silent
    found: dict[str, str] = {}
    if has_maps(layer) and net.field(layer):
        found["field"] = f"atlas_fields/{own}_field"
    if layer.form:
        found["weights"] = f"atlas/{own}_weights"
    found["inputs"] = f"atlas_activations/{net.name}_inputs"
    found["activations"] = f"atlas_activations/{same}_activations"
    if layer.kind == "output" and len(net.classes) == layer.units and net.labelled:
        found["scores"] = f"atlas/{own}_scores"
    if not silent and has_gradients(net):
        found["gradients"] = f"atlas_gradients/{own}_gradients"
    if layer.form and net.steps:
        found["training"] = f"atlas_training/{own}_training"
    if not silent:
        found["distribution"] = f"atlas_distribution/{same}_distribution"
    return found


def notes(net: AtlasNet, layer: Layer) -> dict[str, str]:
    """Section that a reader would look for and that is not there → why, a key of `missing:`."""
    found: dict[str, str] = {}
    if has_maps(layer) and not net.field(layer):
        found["field"] = "field"
    if layer.same_as:
        found["weights"] = "shared"
    elif layer.weight is not None and not layer.has_units:
        found["units"] = "places"
    if not KINDS[layer.kind].silent and not has_gradients(net):
        found["gradients"] = "labels" if not net.labelled else "classes"
    return found


def has_maps(layer: Layer) -> bool:
    """Does it put out maps of rows and columns?"""
    return len(layer.shape) == 3


def has_gradients(net: AtlasNet) -> bool:
    """Is there a loss, which asks for classes that the network knows?"""
    if not net.labelled or net.scores.dim() != 2:
        return False
    return int(net.labels.max()) < net.scores.shape[1]


def units_shown(layer: Layer, most: int) -> int:
    """Units of a layer whose weights are drawn: all, or the first, by 16 if that many fit."""
    weight = layer.weight
    assert weight is not None
    if weight.size <= most:
        return len(weight)
    fit = most // weight[0].size
    return min(len(weight), fit // 16 * 16 or max(1, fit))


def drawable(layer: Layer) -> bool:
    """Has it kernels that slide over maps, whose gradients can be drawn?"""
    return layer.kind in CONVOLUTIONS and layer.has_units and len(layer.shape) == 3


def function_of(layer: Layer) -> str:
    """What a layer computes is called: its class or its operation, "ReLU" for `relu`, too."""
    name = layer.operation or type(layer.module).__name__
    return _FUNCTIONS.get(name.strip("_"), name)


_FUNCTIONS = {
    "relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "LeakyReLU", "prelu": "PReLU", "elu": "ELU",
    "selu": "SELU", "gelu": "GELU", "silu": "SiLU", "mish": "Mish", "hardswish": "Hardswish",
    "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus",
}  # fmt: skip
