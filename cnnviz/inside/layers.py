"""The layers of a network: of which kind each is, what goes into it, and from where.

Found by recording one forward pass, so a sum knows its two addends, and the convolution on a skip
connection the input that it really has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import torch
from torch import Tensor, nn

from cnnviz.inside.kinds import KINDS, kind_of_module, kind_of_operation
from cnnviz.inside.layer import CONVOLUTIONS, INPUT, Floats, Layer, Shape
from cnnviz.inside.recording import record
from cnnviz.inside.tracing import Call, trace

__all__ = [
    "CONVOLUTIONS",
    "INPUT",
    "KINDS",
    "Call",
    "Floats",
    "Layer",
    "Shape",
    "answer_of",
    "layers_of",
    "scores_of",
    "trace",
]


# ---------- The layers of a network ----------


def layers_of(model: nn.Module, x: Tensor, net: str) -> list[Layer]:
    """The layers of a network, in order of execution.

    Operations in the network's own code are layers, too, unless they are inside a module that is
    one, work on no activations, or only prepare the images, as by `x - 0.5`. What does not keep
    the images of a batch apart, puts out one number, or none that is fractional, is looked through.

    Args:
        x: input batch, (N, …); one image is enough.
    """
    calls = trace(model, x)
    outputs = _outputs(model, x)
    modules = _modules(model, calls)
    first_use: dict[nn.Module, str] = {}
    found: dict[str, Layer] = {}
    listed: dict[str, None] = {}
    for name in (name for name in calls if _is_layer(name, calls, modules, outputs)):
        call, module = calls[name], modules.get(name)
        kind, operation = _kind(name, module, call)
        same_as = first_use.setdefault(module, name) if module else name
        fed_by = tuple(dict.fromkeys(_listed_feeders(name, calls, listed)))
        if fed_by == (INPUT,) and (kind, module) == ("other", None):
            continue
        listed[name] = None
        feeders = [found[feeder] for feeder in fed_by if feeder != INPUT]
        found[name] = Layer(
            net, name, kind, module, call.before, call.after, _maps(feeders, found),
            all(layer.first and layer.kind not in CONVOLUTIONS for layer in feeders), fed_by,
            operation,
            same_as if same_as != name and KINDS[kind].weighted else "",
            axis=_axis(kind, call, feeders),
            key="" if name in outputs else _first_part(name, outputs),
        )  # fmt: skip
    return _with_answer(list(found.values()))


def answer_of(layers: Sequence[Layer]) -> Layer:
    """The layer whose output are the scores of the classes, before softmax if that comes last."""
    named, last = {layer.name: layer for layer in layers}, layers[-1]
    while last.kind in ("softmax", "log_softmax") and last.fed_by[0] in named:
        last = named[last.fed_by[0]]
    return last


def scores_of(layers: Sequence[Layer]) -> Layer | None:
    """The layer with weights whose units are the classes, if there is one."""
    return next((layer for layer in layers if layer.scores), None)


def _with_answer(layers: list[Layer]) -> list[Layer]:
    """The same, with the layer marked whose units are the classes: "output" if it is linear."""
    named, last = {layer.name: layer for layer in layers}, layers[-1] if layers else None
    layer = last
    while layer and KINDS[layer.kind].keeps_order and len(layer.fed_by) == 1:
        layer = named.get(layer.fed_by[0])
    if not layer or not last or len(last.after) != 1 or layer.after[:1] != last.after:
        return layers  # its channels are no classes
    if not KINDS[layer.kind].weighted or layer.same_as or layer.axis:
        return layers
    kind = "output" if layer.kind == "linear" else layer.kind
    return [replace(x, kind=kind, scores=True) if x is layer else x for x in layers]


def _outputs(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """What `record` gives for two images: in what keeps them apart there are two of everything."""
    return record(model, torch.cat([x[:1], x[:1]]))


def _first_part(name: str, outputs: Mapping[str, Tensor]) -> str:
    return next((part for part in outputs if part.startswith(f"{name}[")), "")


def _is_layer(
    name: str,
    calls: Mapping[str, Call],
    modules: Mapping[str, nn.Module],
    outputs: Mapping[str, Tensor],
) -> bool:
    call = calls[name]
    output = outputs.get(name, outputs.get(_first_part(name, outputs)))
    inside = name not in modules and name.rpartition(".")[0] in calls
    return (
        output is not None
        and not inside
        and bool(call.fed_by)
        and bool(call.after)
        and len(output) == 2
        and output.is_floating_point()
        and tuple(output.shape[1:]) == call.after
    )


def _modules(model: nn.Module, calls: Mapping[str, Call]) -> dict[str, nn.Module]:
    """Module of each call; the second use of a ReLU or of pooling, "pool_1", is one, too."""
    modules = dict(model.named_modules(remove_duplicate=False))
    found = {}
    for name in calls:
        base, _, count = name.rpartition("_")
        module = modules.get(name) or (modules.get(base) if count.isdigit() else None)
        if module is not None and name:
            found[name] = module
    return found


def _kind(name: str, module: nn.Module | None, call: Call) -> tuple[str, str]:
    """The kind of a call, and what it is called if it is an operation."""
    operation = ""
    if module is not None:
        kind = kind_of_module(module)
    else:
        plain = name.rpartition(".")[2]
        base, _, count = plain.rpartition("_")  # the second use of relu is "relu_1"
        operation = base if base and count.isdigit() else plain
        kind = kind_of_operation(operation)
    if KINDS[kind].merges and len(call.fed_by) < 2:
        kind = "identity" if kind == "cat" else "other"
    if kind == "flatten" and len(call.after) != 1:
        kind = "reshape"
    elif kind == "reshape" and len(call.after) == 1:
        kind = "flatten"
    return kind, operation


def _axis(kind: str, call: Call, feeders: Sequence[Layer]) -> int:
    """Where the units of what a layer puts out lie: see Layer.axis."""
    last = len(call.after) - 1
    if kind in CONVOLUTIONS or kind in ("batch_norm", "group_norm", "instance_norm"):
        return 0
    if kind in ("linear", "layer_norm", "attention", "recurrent", "embedding"):
        if kind == "layer_norm" and len(call.after) == 3 and not any(x.axis for x in feeders):
            return 0  # as LayerNorm2d, or one over whole maps
        return last
    before = next((x for x in feeders if x.after == call.before), None)
    if before is None or len(before.after) != len(call.after):
        return last if before is not None and before.axis and last > 0 else 0
    if kind in ("reshape", "other") and sorted(before.after) == sorted(call.after):
        places = [i for i, size in enumerate(call.after) if size == before.units]
        moved = [i for i in places if i != before.axis]
        same = call.after == before.after
        return before.axis if same or not moved else moved[-1]
    return before.axis


def _listed_feeders(name: str, calls: Mapping[str, Call], listed: Mapping[str, None]) -> list[str]:
    """The nearest layers before one, past operations that are none."""
    found = []
    for feeder in calls[name].fed_by:
        if feeder == INPUT or feeder in listed:
            found.append(feeder)
        else:
            found += _listed_feeders(feeder, calls, listed)
    return found


def _maps(feeders: Sequence[Layer], found: Mapping[str, Layer]) -> Shape | None:
    """The maps whose flattening a layer is fed with, perhaps through a ReLU or dropout."""
    if len(feeders) != 1 or KINDS[feeders[0].kind].weighted:
        return None
    (layer,) = feeders
    if layer.kind == "flatten":
        before = [found[name] for name in layer.fed_by if name != INPUT]
        plain = len(layer.before) == 3 and not any(x.axis for x in before)
        return layer.before if plain and prod(layer.before[1:]) > 1 else None
    before = [found[name] for name in layer.fed_by if name != INPUT]
    return _maps(before, found) if layer.before == layer.after else None
