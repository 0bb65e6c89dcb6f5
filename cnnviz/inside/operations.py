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
_LENDING = {"numpy", "__array__", "data_ptr", "__dlpack__", "untyped_storage", "storage"}
_WRITING = {"__setitem__", *_LENDING}
_UNNAMED = {"__get__", "__set__", *_LENDING}
_ATTRIBUTES = (Tensor.data, Tensor.real, Tensor.imag)  # to which one can assign
_NATIVE = (type(torch.relu), type(Tensor.relu))

Written = Callable[[Sequence[Any], Mapping[str, Any]], Any]


@lru_cache(maxsize=4096)
def operation(func: Callable[..., Any]) -> tuple[str, Written]:
    """Name of an operation, "" if it is none, and what tells the tensors that it overwrites.

    One rule for all that works in place: PyTorch's convention for names (`add_`), the operators
    (`&=`), assignment to a slice or to `.data`, `out=`, `inplace=True`, and what the schema of an
    operation says (`torch.ops.aten.relu_.default`, operations of the user's).
    """
    name: str = getattr(func, "__name__", "")
    if isinstance(func, torch._ops.OpOverload):
        return name.partition(".")[0].strip("_"), partial(_by_schema, _written_by(func._schema))
    shown = "" if name in _UNNAMED else _OPERATORS.get(name) or name.strip("_")
    if isinstance(func, torch._ops.OpOverloadPacket):
        schemas = [getattr(func, overload)._schema for overload in func.overloads()]
        return shown, partial(_by_schema, frozenset().union(*map(_written_by, schemas)))
    if (
        name in _WRITING
        or (name in _OPERATORS and name[2] == "i")
        or (name[-1:] == "_" and name[:2] != "__" and name != "requires_grad_")
        or (name == "__set__" and getattr(func, "__self__", None) in _ATTRIBUTES)
    ):
        return shown, _first
    if name in ("batch_norm", "instance_norm"):
        return shown, _running_statistics
    written = _written_by_native(name) if isinstance(func, _NATIVE) else frozenset()
    return shown, partial(_by_schema, written) if written else _by_keyword


def _written_by(schema: torch._C.FunctionSchema) -> frozenset[tuple[int, str]]:
    """Position and name of the arguments that an operation overwrites."""
    return frozenset(
        (position, argument.name)
        for position, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )


def _written_by_native(name: str) -> frozenset[tuple[int, str]]:
    try:
        return _written_by(torch._C._get_schema(f"aten::{name}", ""))
    except RuntimeError:  # no such operation, or not without a further name
        return frozenset()


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
    if kwargs.get("inplace"):
        return _first(args, kwargs)
    return kwargs.get("out")


def _running_statistics(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Of normalisation by the batch: torch.nn.functional's, or the native one."""
    if kwargs.get("training") or kwargs.get("use_input_stats"):
        return [*args[1:3], kwargs.get("running_mean"), kwargs.get("running_var")]
    return list(args[3:5]) if len(args) > 5 and args[5] is True else None


def takes_activations(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """False for what makes new tensors (torch.zeros) or only prepares parameters."""
    for arg in args if not kwargs else (*args, *kwargs.values()):
        for value in arg if isinstance(arg, list | tuple) else (arg,):
            if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                return True
    return False
