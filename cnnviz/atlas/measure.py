"""Facts of every layer of a network: what the table of its page tells, and which figures it has."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnviz.atlas.sections import pair, shown, units_of, units_shown
from cnnviz.atlas.subject import AtlasNet
from cnnviz.inside.layers import Layer, Shape
from cnnviz.inside.statistics import LayerStatistics
from cnnviz.numbers import times


def net_facts(net: AtlasNet) -> list[dict[str, Any]]:
    """Facts of every layer, in order of execution."""
    return [
        layer_facts(layer, net.statistics[layer.name],
                    net.fields[layer.name].size if len(layer.after) == 3 else None)
        | sections(net, layer)
        for layer in net.layers
    ]  # fmt: skip


def layer_facts(
    layer: Layer, tested: LayerStatistics, field: tuple[int, int] | None
) -> dict[str, Any]:
    """What the table of a layer's page tells.

    Args:
        tested: what it puts out for many images.
        field: height and width of its receptive field in pixels, if it has maps.
    """
    weight, units = layer.weight, layer.after[0]
    alive = tested.active > 0  # (C,)
    biases = 0 if getattr(layer.module, "bias", None) is None else units
    strongest = 1.0  # of dead units beside the others
    if weight is not None and alive.any() and not alive.all():
        peaks = np.abs(weight).reshape(units, -1).max(axis=1)  # (out,)
        strongest = float(peaks[~alive.numpy()].mean() / peaks[alive.numpy()].mean())
    inner = "" if weight is None else " × ".join(map(str, weight.shape[1:]))
    return {
        "name": layer.name,
        "kind": layer.kind,
        "code": repr(layer.module) if layer.module else "",
        "before": times(layer.before),
        "after": times(layer.after),
        "spatial": len(layer.after) == 3,
        "units": units,
        "parameters": 0 if weight is None else weight.size + biases,
        "bias": biases > 0,
        "terms": 0 if weight is None else int(weight[0].size),
        "sum": f"{units} × ({inner}{' + 1' if biases else ''})" if inner else "",
        "field": times(field) if field else "",
        "zeros": tested.zeros,
        "dead": int((~alive).sum()),
        "dead_strength": strongest,
        "positive": tested.positive,
        "low": tested.low,
        "high": tested.high,
        "form": layer.form,
        "window": times(_pair(getattr(layer.module, "kernel_size", 0))),
        "rate": float(getattr(layer.module, "p", 0)),
        "maps": list(layer.maps or ()),
    }


def _pair(value: int | Shape) -> Shape:
    return (value, value) if isinstance(value, int) else value


def sections(net: AtlasNet, layer: Layer) -> dict[str, Any]:
    """Which figures the layer's page has, and whose units it shows."""
    owner, seen = units_of(net, layer), pair(net, layer)
    return {
        "shown": shown(net, layer),
        "owner": owner.name if owner else "",
        "compared": [x.name if x else "" for x in (seen.first, seen.second)],
        "padded": len(layer.after) == 3 and min(net.fields[layer.name].box(0, 0)) < 0,
        "trained_units": units_shown(layer, net.limits.moving) if layer.form else 0,
        "gradient_units": units_shown(layer, net.limits.still) if layer.form else 0,
    }
