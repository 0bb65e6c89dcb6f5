"""Figure and table of the chapter "From ResNet to today": what twelve networks cost and can do."""

from __future__ import annotations

import re
from typing import Any

from torch import nn

from cnnviz.drawing.named_points import named_points
from cnnviz.figure.figure import Figure, Panel, Say, message
from gen.context import Context
from gen.figures.published_nets import (
    FIRST,
    NETS,
    SECOND,
    agrees,
    costs,
    depth,
    field,
    has,
    on_meta,
    quoted,
    side,
    total,
)

AGAIN = "resnet50"
"""The network that is shown with both its trainings."""


def accuracy(context: Context) -> Figure:
    """Accuracy on ImageNet against multiplications, of all networks."""
    kinds: dict[bool, dict[str, tuple[float, float]]] = {False: {}, True: {}}
    for key, net in NETS.items():
        cost = total(key).multiplications / 1e6
        name = net.name
        if key == AGAIN:
            kinds[False][f"{name} V2"] = (cost, quoted(key, SECOND))
            name = f"{name} V1"
        kinds[net.attention][name] = (cost, quoted(key))

    def draw(say: Say) -> str:
        return named_points(
            {
                say(f"kinds.{'attention' if key else 'convolution'}"): of
                for key, of in kinds.items()
            },
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            joined=[(f"{NETS[AGAIN].name} V1", f"{NETS[AGAIN].name} V2")],
            log_x=True,
            percent=True,
        )

    best = max(NETS, key=quoted)
    return Figure(
        alt=message(
            "alt",
            least=NETS[min(NETS, key=quoted)].name,
            low=min(map(quoted, NETS)),
            most=NETS[best].name,
            high=quoted(best),
        ),
        panels=[Panel(draw)],
    )


_BLOCKS = {"resnet50": "layer3.1", "convnext": "features.5.1"}
"""A block in the middle of each network."""


def _in_block(key: str, *kinds: type[nn.Module]) -> int:
    """How often layers of some kinds are used in a block; one layer may be used several times."""
    modules, start = dict(on_meta(key).named_modules()), f"{_BLOCKS[key]}."
    used = (re.sub(r"_\d+$", "", name) for name in costs(key) if name.startswith(start))
    return sum(isinstance(modules.get(name), kinds) for name in used)


def _dense_reads() -> float:
    """Share of DenseNet's multiplications in the 1×1 convolutions that read what was kept."""
    reading = sum(
        cost.multiplications
        for name, cost in costs("densenet").items()
        if name.endswith("conv1") or ("transition" in name and name.endswith("conv"))
    )
    return reading / total("densenet").multiplications


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    nets: dict[str, dict[str, Any]] = {}
    for key, net in NETS.items():
        cost = total(key)
        nets[key] = {
            "name": net.name,
            "year": net.year,
            "layers": depth(key),
            "parameters": cost.parameters,
            "multiplications": cost.multiplications,
            "side": side(key),
            "field": 0 if net.attention else field(key),
            "accuracy": quoted(key),
            "again": quoted(key, SECOND) if has(key, SECOND) else 0.0,
            "weights": FIRST,
        }
    vgg = nets["vgg"]["multiplications"]
    return {
        "nets": nets,
        "dearer": [net["name"] for net in nets.values() if net["multiplications"] > vgg],
        "dense_reads": _dense_reads(),
        "agrees": all(agrees(key) for key in NETS),
        "blocks": {
            key: {
                "activations": _in_block(key, nn.ReLU, nn.GELU),
                "norms": _in_block(key, nn.BatchNorm2d, nn.LayerNorm),
            }
            for key in _BLOCKS
        },
    }
