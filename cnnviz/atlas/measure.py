"""Facts of every layer of a network: what the table of its page tells, and which figures it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from cnnviz.atlas.sections import (
    followed,
    function_of,
    has_maps,
    notes,
    pair,
    rectifier,
    shown,
    units_of,
    units_shown,
)
from cnnviz.atlas.subject import AtlasNet
from cnnviz.inside.layers import INPUT, KINDS, Layer, answer_of
from cnnviz.inside.statistics import LayerStatistics
from cnnviz.numbers import times

_NORMS = ("batch_norm", "instance_norm", "group_norm", "layer_norm")
_VECTORS = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}
"""What the numbers of normalisation are called on pages → in PyTorch."""


def atlas_facts(nets: Sequence[AtlasNet]) -> dict[str, Any]:
    """Facts of networks as `AtlasFacts` has them; what they share is that of the first."""
    first = nets[0]
    labelled = {net.name: net.labelled for net in nets}
    return {
        "titles": {net.name: net.title for net in nets},
        "nets": {net.name: net_facts(net) for net in nets},
        "misread": {
            net.name: int((net.answers != net.labels).sum()) if labelled[net.name] else 0
            for net in nets
        },
        "unlabelled": {net.name: bool(net.classes) for net in nets if not labelled[net.name]},
        "steps": {net.name: net.steps for net in nets},
        "images": len(first.counted),
        "examples": first.subject.examples,
        "inputs": len(first.inputs),
    }


def net_facts(net: AtlasNet) -> list[dict[str, Any]]:
    """Facts of every layer, in order of execution."""
    found = []
    for layer in net.layers:
        field = net.field(layer) if has_maps(layer) else None
        told = layer_facts(layer, net.statistics[layer.name], field.size if field else None)
        found.append(told | sections(net, layer))
    return found


def layer_facts(
    layer: Layer, tested: LayerStatistics, field: tuple[int, int] | None
) -> dict[str, Any]:
    """What the table of a layer's page tells.

    Args:
        tested: what it puts out for many images.
        field: height and width of its receptive field in pixels, if it has maps.
    """
    weight, module = layer.weight, layer.module
    return {
        "name": layer.name,
        "kind": layer.kind,
        "code": _code(module),
        "builtin": type(module).__module__.startswith("torch."),
        "recorded_as": layer.key,
        "function": function_of(layer),
        "before": times(layer.before),
        "after": times(layer.after),
        "spatial": len(layer.shape) > 1,
        "units": layer.units,
        "groups": layer.groups,
        "depthwise": layer.depthwise,
        "scores": layer.scores,
        "rectifies": layer.rectifies,
        "same_as": layer.same_as,
        "terms": 0 if weight is None else int(weight[0].size),
        **_parameters(layer),
        "field": times(field) if field else "",
        "zeros": tested.zeros,
        "dead": int((tested.active == 0).sum()),
        "dead_strength": _strength_of_dead(weight, tested),
        "positive": tested.positive,
        "low": tested.low,
        "high": tested.high,
        "form": layer.form,
        "window": _window(layer),
        "stride": _stride(layer),
        "rate": _number(getattr(module, "p", 0)),
        "maps": list(layer.maps or ()),
        "vectors": _vectors(layer),
    }


_LONGEST = 400
"""Characters of a module as Python writes it."""


def _code(module: nn.Module | None) -> str:
    """A module as Python writes it, without what is inside it."""
    if module is None:
        return ""
    text = repr(module)
    return text if "\n" not in text and len(text) <= _LONGEST else f"{type(module).__name__}(…)"


def _parameters(layer: Layer) -> dict[str, Any]:
    """How many numbers are learned in it, whether a bias is among them, how they come about."""
    weight, module = layer.weight, layer.module
    if module is None or layer.same_as:
        return {"parameters": 0, "bias": False, "sum": ""}
    own = sum(parameter.numel() for parameter in module.parameters())
    if weight is None:
        of_norm = layer.kind in _NORMS and own and own % 2 == 0 and len(list(module.parameters()))
        return {"parameters": own, "bias": False, "sum": f"2 × {own // 2}" if of_norm == 2 else ""}
    units = len(weight)
    biases = 0 if getattr(module, "bias", None) is None else units
    inner = " × ".join(map(str, weight.shape[1:]))
    text = f"{units} × ({inner}{' + 1' if biases else ''})"
    return {"parameters": weight.size + biases, "bias": biases > 0, "sum": text}


def _strength_of_dead(weight: np.ndarray | None, tested: LayerStatistics) -> float:
    """The largest weight of units that are never above zero, beside that of the others."""
    if weight is None or len(tested.active) != len(weight):
        return 1.0
    alive = (tested.active > 0).numpy()  # (C,)
    if not alive.any() or alive.all():
        return 1.0
    peaks = np.abs(weight).reshape(len(weight), -1).max(axis=1)  # (out,)
    return float(peaks[~alive].mean() / max(float(peaks[alive].mean()), 1e-12))


def _window(layer: Layer) -> str:
    """Of pooling: its cells, "" if they are not all of one size; the whole map is a cell, too."""
    if layer.kind not in ("pool", "average"):
        return ""
    size = getattr(layer.module, "kernel_size", None)
    if size is not None:
        return times((size,) * len(layer.before[1:]) if isinstance(size, int) else size)
    before, after = layer.before[1:], layer.after[1:] or (1,) * len(layer.before[1:])
    if len(before) != len(after) or any(b % a for b, a in zip(before, after, strict=True)):
        return ""
    return times(b // a for b, a in zip(before, after, strict=True))


def _stride(layer: Layer) -> str:
    """Of pooling: its steps, which are its cells where it has none of its own."""
    stride = getattr(layer.module, "stride", None)
    if layer.kind not in ("pool", "average") or stride is None:
        return _window(layer)
    return times((stride,) * len(layer.before[1:]) if isinstance(stride, int) else stride)


def _vectors(layer: Layer) -> dict[str, list[float]]:
    """Of normalisation: lowest, mean and highest of each of its learned and counted numbers."""
    if layer.kind not in _NORMS or layer.module is None:
        return {}
    found = {}
    for name, attribute in _VECTORS.items():
        values = getattr(layer.module, attribute, None)
        if isinstance(values, Tensor):
            values = values.detach().double()
            found[name] = [float(values.min()), float(values.mean()), float(values.max())]
    return found


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def sections(net: AtlasNet, layer: Layer) -> dict[str, Any]:
    """Which figures the layer's page has, whose units it shows, and what lies around it."""
    owner, seen = units_of(net, layer), pair(net, layer)
    field = net.field(layer) if has_maps(layer) else None
    second, direct = seen.second, rectifier(net, layer) if layer.has_units else None
    return {
        "shown": shown(net, layer),
        "notes": notes(net, layer),
        "owner": owner.name if owner else "",
        "compared": [x.name if x else "" for x in (seen.first, seen.second)],
        "between": [x.name for x in seen.between],
        "activated": function_of(second) if second and seen.activated else "",
        "rectified": bool(direct),
        "fed_by": [name for name in layer.fed_by if name != INPUT],
        "image": INPUT in layer.fed_by,
        "followed": followed(net, layer),
        "answer": answer_of(net.layers).name if layer.scores else "",
        "silent": KINDS[layer.kind].silent,
        "padded": field is not None and min(field.box(0, 0)) < 0,
        "trained_units": units_shown(layer, net.limits.moving) if layer.form else 0,
        "gradient_units": units_shown(layer, net.limits.still) if layer.form else 0,
        "drawn_units": units_shown(layer, net.limits.weights) if layer.form else 0,
    }
