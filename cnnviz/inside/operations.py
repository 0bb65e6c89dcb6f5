"""Operations on tensors: how each is called, and which tensors it overwrites."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn

# Operations that are methods with two underscores, as the plain ones are named.
_OPERATORS = {
    f"__{sort}{name}__": name
    for name in (
        "add", "sub", "mul", "div", "floordiv", "pow", "matmul", "mod",
        "and", "or", "xor", "lshift", "rshift",
    )
    for sort in ("r", "i")
}  # fmt: skip

# What lends the memory of its first argument to others, who may write to it.
_LENT = {"numpy", "__array__", "data_ptr", "__dlpack__", "untyped_storage", "storage"}
_UNNAMED = {"__get__", "__set__", *_LENT}
_NOT_WRITTEN = {"requires_grad_", "__set__"}

Written = Callable[[Sequence[Any], Mapping[str, Any]], Any]


@lru_cache(maxsize=4096)
def operation(func: Callable[..., Any]) -> tuple[str, Written]:
    """Name of an operation, "" if it is none, and what tells the tensors that it overwrites.

    One rule for all that works in place: PyTorch's convention for names (`add_`), the operators
    (`&=`), assignment to a slice, `out=`, `inplace=True`, and what the schema of a compiled
    operation says (`torch.ops.aten.relu_.default`, custom operations).
    """
    name: str = getattr(func, "__name__", "")
    if isinstance(func, torch._ops.OpOverload):
        return name.partition(".")[0].strip("_"), partial(_by_schema, _written_by(func))
    if isinstance(func, torch._ops.OpOverloadPacket):
        written = frozenset().union(*(_written_by(getattr(func, o)) for o in func.overloads()))
        if not written or name[-1:] != "_":
            return name.strip("_"), partial(_by_schema, written)
    in_place = (
        name in ("__setitem__", *_LENT)
        or (name in _OPERATORS and name[2] == "i")
        or (name[-1:] == "_" and name[:2] != "__")
    ) and name not in _NOT_WRITTEN  # fmt: skip
    if name == "__set__" and getattr(func, "__self__", None) in _PARTS_OF_COMPLEX:
        in_place = True
    shown = "" if name in _UNNAMED else _OPERATORS.get(name) or name.strip("_")
    return shown, _first if in_place else _by_keyword


_PARTS_OF_COMPLEX = (Tensor.real, Tensor.imag)


def _written_by(overload: torch._ops.OpOverload) -> frozenset[tuple[int, str]]:
    """Position and name of the arguments that a compiled operation overwrites."""
    arguments = overload._schema.arguments
    return frozenset(
        (position, argument.name)
        for position, argument in enumerate(arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )


def _by_schema(
    written: frozenset[tuple[int, str]], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    if not written:
        return None
    found = [
        args[position] if position < len(args) else kwargs.get(name)
        for position, name in sorted(written)
    ]
    found = [value for value in found if value is not None]
    return found[0] if len(found) == 1 else found or None


def _first(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    return args[0] if args else next(iter(kwargs.values()), None)


def _by_keyword(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    if not kwargs:
        return None
    if kwargs.get("out") is not None:
        return kwargs["out"]
    if kwargs.get("inplace"):
        return _first(args, kwargs)
    if kwargs.get("training") and len(args) > 2:  # batch_norm: running mean and variance
        return [args[1], args[2]]
    return None


def takes_activations(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """False for what makes new tensors (torch.zeros) or only prepares parameters."""
    for arg in args if not kwargs else (*args, *kwargs.values()):
        for value in arg if isinstance(arg, list | tuple) else (arg,):
            if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                return True
    return False
