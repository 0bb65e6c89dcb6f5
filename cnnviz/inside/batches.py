"""Images in batches, as a model wants them: on its device, in its type of numbers, copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError


def place(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    """The device of a model and the type of its numbers, after its first parameter or buffer."""
    numbers = list(chain(model.parameters(), model.buffers()))
    some = next((t for t in numbers if t.is_floating_point()), torch.empty(0))
    return (numbers[0] if numbers else some).device, some.dtype


def count(images: Any) -> int:
    """How many images there are; of several inputs, as the first says.

    Raises:
        CnnvizError: none.
    """
    parts = list(images.values()) if isinstance(images, Mapping) else images
    if isinstance(images, Mapping | tuple | list):
        parts = next((part for part in parts if isinstance(part, Tensor) and part.dim()), [])
    if not len(parts):
        raise CnnvizError("No images were given; expected at least one, (N, …) with N ≥ 1.")
    return len(parts)


def batches(model: nn.Module, images: Any, size: int) -> Iterator[Any]:
    """The images in order, `size` at once; a model that writes into them harms nobody.

    Args:
        images: see `cnnviz.inside.images.Images`; or several inputs of the model, in a tuple, or
            by keyword in a dict.

    Raises:
        CnnvizError: no images, or a size below 1.
    """
    if size < 1:
        raise CnnvizError(f"A batch of {size} images; expected at least 1.")
    where, dtype = place(model)

    def part(whole: Any, some: slice) -> Any:
        if isinstance(whole, Tensor) and not whole.dim():
            return whole.clone()
        if isinstance(whole, Mapping):
            return {key: part(value, some) for key, value in whole.items()}
        if isinstance(whole, tuple | list):
            return [part(value, some) for value in whole]
        if not hasattr(whole, "__getitem__") or isinstance(whole, str):
            return whole
        batch = whole[some].detach()
        return batch.to(where, dtype if batch.is_floating_point() else None, copy=True)

    for start in range(0, count(images), size):
        yield part(images, slice(start, start + size))


def mapped(function: Callable[[Tensor], Tensor], inputs: Any) -> Any:
    """What a function makes of each tensor among a model's inputs."""
    if isinstance(inputs, Mapping):
        return {key: mapped(function, value) for key, value in inputs.items()}
    if isinstance(inputs, tuple | list):
        return [mapped(function, value) for value in inputs]
    return function(inputs) if isinstance(inputs, Tensor) else inputs


def numbers_of(inputs: Any) -> int:
    """How many numbers one image has, all inputs together."""
    total = 0

    def add(tensor: Tensor) -> Tensor:
        nonlocal total
        total += tensor.numel() // max(1, len(tensor)) if tensor.dim() else 1
        return tensor

    mapped(add, inputs)
    return max(1, total)
