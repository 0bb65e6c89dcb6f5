"""Which tensor is meant where a network, or a layer of it, puts out several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

from cnnviz.errors import CnnvizError
from cnnviz.inside.naming import tensors_in

_USUAL = ("out", "logits")
"""What torchvision and transformers call the scores in their dictionaries."""


def head(output: Any, which: str | int | None = None) -> Tensor:
    """The scores (N, classes) in what a network puts out.

    Args:
        output: a tensor, or tensors in tuples, lists, dictionaries and dataclasses, nested or not.
        which: key, name of a field, position, or place as `record` writes it ("[1][aux]"); None:
            the only tensor, or what is called "out" or "logits", or the first of a tuple.

    Raises:
        CnnvizError: no such place, none that stands out, or no tensor there.
    """
    chosen = _usual(output) if which is None else _at(output, which)
    if isinstance(chosen, Tensor):
        return chosen
    if chosen is not None and which is not None:
        return head(chosen)
    raise CnnvizError(_choices(output, which))


def _usual(output: Any) -> Any:
    """The tensor that stands for the whole; None if none stands out."""
    found = list(tensors_in(output))
    if len(found) == 1:
        return found[0][1]
    items = _items(output)
    for key, item in items:
        if key in _USUAL and any(tensors_in(item)):
            return _usual(item)
    if isinstance(output, list | tuple):
        return next((_usual(item) for _, item in items if any(tensors_in(item))), None)
    return None


def _at(output: Any, which: str | int) -> Any:
    """What lies there; None if nothing does."""
    items = _items(output)
    for key, item in items:
        if key == which:
            return item
    if isinstance(which, int):
        return items[which][1] if -len(items) <= which < len(items) else None
    return next((tensor for place, tensor in tensors_in(output) if place == which), None)


def _choices(output: Any, which: str | int | None) -> str:
    if isinstance(output, Tensor):
        return f"The network puts out one tensor: leave output={which!r} out."
    places = ", ".join(
        f"{place!r} {tuple(tensor.shape)}" for place, tensor in list(tensors_in(output))[:12]
    )
    if not places:
        return f"The network puts out {type(output).__name__} without a tensor; expected scores."
    said = "no output=… was given" if which is None else f"output={which!r} is not there"
    return f"The network puts out several tensors, and {said}. Choose one of {places}."


def _items(value: Any) -> Sequence[tuple[Any, Any]]:
    """What lies directly in a container, each with its key; nothing for a tensor."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    return []
