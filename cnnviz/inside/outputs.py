"""What one layer of a network puts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.recording import record


def layer_output(model: nn.Module, inputs: Any, layer: str) -> Tensor:
    """What a layer puts out, by any name that `record` gives.

    Raises:
        CnnvizError: no such layer, or one that returns several tensors.
    """
    outputs = record(model, inputs, layers=[layer])
    if layer not in outputs:
        names = ", ".join(f"'{name}'" for name in outputs)
        raise CnnvizError(f"Layer '{layer}' returns several tensors. Choose one of {names}.")
    return outputs[layer]


def at(output: Tensor, place: Sequence[int]) -> Tensor:
    """Values (N, C) at one place of maps (N, C, …)."""
    for index in place:
        output = output.select(2, index)
    return output
