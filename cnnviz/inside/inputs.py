"""What is given to a model: one tensor, several, or several by keyword."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Inputs = Tensor | Sequence[Any] | Mapping[str, Any]
"""A tensor is the one argument, a tuple or list several, a mapping those by keyword."""

_WRAPPERS = ("AveragedModel", "DataParallel", "DistributedDataParallel", "OptimizedModule")


def run(model: nn.Module, inputs: Inputs) -> Any:
    """What a model answers.

    A list, tuple or mapping is one argument where `forward` cannot take what is in it as several
    (`forward(self, images)`), or says that its first one is a list (`images: list[Tensor]`).

    Args:
        inputs: a tensor: `model(x)`; a tuple or list: `model(*inputs)`; a mapping:
            `model(**inputs)`.
    """
    if not isinstance(inputs, Tensor):
        if isinstance(inputs, Mapping):
            if _takes(model, (), inputs):
                return model(**inputs)
        elif type(inputs) in (tuple, list) and _takes(model, inputs, {}):
            return model(*inputs)
    return model(inputs)


def _takes(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a model's `forward` takes these arguments."""
    while type(model).__name__ in _WRAPPERS:
        model = next(model.children())
    try:
        signature = inspect.signature(model.forward)
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    first = next(iter(signature.parameters.values()), None)
    return not (isinstance(args, list) and first and "list" in str(first.annotation).lower())


def own_copy(inputs: Inputs, every: Iterable[nn.Module]) -> Inputs:
    """Copies of the tensors in the inputs, which a model may overwrite; its own device for one.

    A parameter becomes a plain tensor, through which gradients reach it.

    Args:
        every: the modules of the model.
    """
    if isinstance(inputs, Tensor):
        device = _device(every)
        return inputs.clone() if device in (None, inputs.device) else inputs.to(device)
    copied: Inputs = _copied(inputs, {})
    return copied


def _device(every: Iterable[nn.Module]) -> torch.device | None:
    """Where the first parameter of the modules lies."""
    for module in every:
        for parameter in module._parameters.values():
            if parameter is not None:
                return parameter.device
    return None


def _copied(value: Any, copies: dict[int, Tensor]) -> Any:
    if isinstance(value, Tensor):
        if id(value) not in copies:
            copies[id(value)] = value.clone()
        return copies[id(value)]
    if isinstance(value, dict):
        return type(value)((key, _copied(item, copies)) for key, item in value.items())
    if isinstance(value, list | tuple):
        items = [_copied(item, copies) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value
