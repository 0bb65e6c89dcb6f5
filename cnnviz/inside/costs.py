"""What each layer of a network costs: its output's shape, parameters, multiplications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from cnnviz.inside.recording import record


@dataclass(frozen=True)
class Cost:
    """One layer.

    Attributes:
        shape: of its output for one image, without the batch.
        parameters: how many numbers are learned in it.
        multiplications: for one image; those of convolutions and fully connected layers only,
            beside which the others hardly count.
    """

    shape: tuple[int, ...]
    parameters: int
    multiplications: int


def layer_costs(model: nn.Module, input_size: Sequence[int]) -> dict[str, Cost]:
    """The costs of every layer, by the names and in the order of `cnnviz.record`.

    Args:
        model: any module; one on the "meta" device has shapes and no numbers, and costs no time.
        input_size: shape of one image, such as (3, 224, 224).
    """
    some = next(model.parameters(), torch.empty(0))
    outputs = record(model, torch.empty(1, *input_size, device=some.device, dtype=some.dtype))
    modules = dict(model.named_modules())
    costs = {}
    for name, output in outputs.items():
        module = modules.get(name)
        parameters = sum(p.numel() for p in module.parameters()) if module else 0
        shape = tuple(output.shape[1:])
        costs[name] = Cost(shape, parameters, _multiplications(module, output))
    return costs


def _multiplications(module: nn.Module | None, output: Tensor) -> int:
    if isinstance(module, nn.Conv2d):
        each = module.in_channels // module.groups * prod(module.kernel_size)
    elif isinstance(module, nn.Linear):
        each = module.in_features
    else:
        return 0
    return output[0].numel() * each
