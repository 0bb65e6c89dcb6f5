"""Follows one forward pass and knows of every tensor what it sees of the input.

Names and order are those of `cnnviz.record`, which watches the same pass from above; this watches
the operations below, to which everything comes down however it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from cnnviz.inside.field_bounds import Seen
from cnnviz.inside.field_memory import Memory, Unknown
from cnnviz.inside.field_rules import Operation, apply, only_enlarges, rule_of, tensors

_VIEWS = {
    "view", "_unsafe_view", "permute", "transpose", "t", "slice", "select", "unsqueeze", "squeeze",
    "expand", "split", "split_with_sizes", "unsafe_split", "chunk", "unbind", "alias", "detach",
    "unfold", "diagonal",
}  # fmt: skip
"""Views whose bounds are views of the bounds; others are worked out by their place in memory."""


class Following(TorchDispatchMode):
    """Keeps `memory` in step with the operations that run while it is entered."""

    def __init__(self, memory: Memory, *, gates: bool) -> None:
        super().__init__()
        self.memory = memory
        self._gates = gates
        self._lost = ""
        self._paused = False
        self.gathers = False  # whether there was anything but what only enlarges or normalises

    def lose_track(self, reason: str) -> None:
        """Nothing is known of what depends on the input from here on."""
        self._lost = self._lost or reason

    def read(self, tensor: Tensor) -> Seen | None:
        """As `Memory.read`, in the middle of the pass."""
        self._paused = True
        try:
            with torch._C.DisableTorchFunction():
                return self.memory.read(tensor)
        finally:
            self._paused = False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if self._paused:
            return output
        with torch._C.DisableTorchFunction():
            try:
                self._follow(func, args, kwargs or {}, output)
            except Unknown as unknown:
                self.lose_track(str(unknown))
        return output

    def _follow(
        self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], output: Any
    ) -> None:
        if torch.Tag.inplace_view in func.tags:
            return  # another shape of the same memory
        name, names, written, only_written = _signature(func)
        values = names | dict(zip(names, args, strict=False)) | kwargs
        given = [v for k, v in values.items() if k not in only_written]
        seen: dict[int, Seen] = {}
        reason = ""
        for tensor in tensors(given):
            try:
                if (found := self.memory.read(tensor)) is not None:
                    seen[id(tensor)] = found
            except Unknown as unknown:
                reason = str(unknown)
        targets = [t for k in written for t in tensors(values[k])]
        if not seen and not reason:
            for tensor in targets:
                self.memory.write(tensor, None)
            return
        if name == "_local_scalar_dense" and values["self"].dtype is not torch.bool:
            self.lose_track("the network takes a number out of a tensor before it")
        known = {_storage(tensor) for tensor in tensors(list(values.values()))}
        made = [t for t in tensors(output) if t.numel() and _storage(t) not in known]
        if not targets and not made:
            self._note_views(name, func, values, seen, output)
            return
        operation = Operation(name, func, values, seen, self._gates)
        self.gathers |= not only_enlarges(operation)
        self._write([*targets, *made], operation, reason or self._lost)

    def _write(self, made: Sequence[Tensor], operation: Operation, reason: str) -> None:
        try:
            if reason:
                raise Unknown(reason)
            rule = rule_of(operation)
            results = [apply(rule, operation, tensor, made[0]) for tensor in made]
            for tensor, seen in zip(made, results, strict=True):
                self.memory.write(tensor, seen)
        except Exception as error:  # a rule meets arguments that it was not made for
            told = (
                str(error)
                if isinstance(error, Unknown)
                else (f"'{operation.name}' works here in a way that is not known: {error}")
            )
            for tensor in made:
                self.memory.lose(tensor, told)

    def _note_views(
        self, name: str, func: Any, values: Mapping[str, Any], seen: Mapping[int, Seen], output: Any
    ) -> None:
        """Spare the way through the memory, where bounds can be viewed as the tensor is."""
        argument, source = next(iter(values.items()))
        if name not in _VIEWS or not isinstance(source, Tensor) or id(source) not in seen:
            return
        views = list(tensors(output))
        if any(view.dtype != source.dtype for view in views):
            return
        whole = seen[id(source)]
        try:
            bounds = [list(tensors(func(**values | {argument: b}))) for b in whole.bounds]
        except RuntimeError:  # not possible of a tensor with repetitions
            return
        for view, *parts in zip(views, *bounds, strict=True):
            self.memory.note(view, Seen(tuple(parts), whole.jump))


@cache
def _signature(func: Any) -> tuple[str, dict[str, Any], tuple[str, ...], frozenset[str]]:
    """Plain name, arguments with their defaults, those that are written to, those not read."""
    arguments = func._schema.arguments
    written = [a.name for a in arguments if a.alias_info is not None and a.alias_info.is_write]
    return (
        func._schema.name.split("::")[-1].rstrip("_"),
        {a.name: a.default_value if a.has_default_value() else None for a in arguments},
        tuple(written),
        frozenset(a.name for a in arguments if a.is_out),
    )


def _storage(tensor: Tensor) -> int:
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):
        return -id(tensor)
