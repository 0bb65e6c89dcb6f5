"""What feeds what in one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from cnnviz.inside.calls import CONTAINER
from cnnviz.inside.inputs import Inputs
from cnnviz.inside.layer import INPUT, Shape
from cnnviz.inside.naming import tensors_in
from cnnviz.inside.recording import Recording


@dataclass(frozen=True)
class Call:
    """What `trace` saw of a layer or of an operation.

    Attributes:
        fed_by: names whose outputs went into it; INPUT for the network's input.
        before: shape of the first tensor that went in, without the batch.
        after: shape of what came out, or of its first tensor.
    """

    fed_by: tuple[str, ...]
    before: Shape
    after: Shape


def trace(model: nn.Module, x: Inputs) -> dict[str, Call]:
    """What feeds what in one forward pass, by the names and in the order of `cnnviz.record`.

    Args:
        model: any module; it runs in evaluation mode and without gradients.
        x: input batch, (N, …), or several as `cnnviz.record` takes them.
    """
    tracing = _Tracing(model, None)
    tracing.run(x)
    return tracing.calls


class _Tracing(Recording):
    """Notes for each tensor which layer made it."""

    def __init__(self, model: nn.Module, layers: None) -> None:
        super().__init__(model, layers)
        self.calls: dict[str, Call] = {}
        self._made_by: dict[int, tuple[str, ...]] = {}
        self._alive: list[Any] = []  # an id is taken again once its tensor is gone

    def _given(self, inputs: Inputs) -> None:
        for _, tensor in tensors_in(inputs):
            self._note(tensor, (INPUT,))

    def _run(
        self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], target: Any
    ) -> Any:
        before = self._makers(args, kwargs)
        output = super()._run(func, args, kwargs, target)
        for _, tensor in tensors_in(output):  # such as x.T, which is no layer
            if id(tensor) not in self._made_by:
                self._note(tensor, before)
        return output

    def _seen(self, key: str, output: Any, parts: list[tuple[str, Tensor]], *rest: Any) -> Any:
        args, kwargs, _, sort = rest
        if sort != CONTAINER:
            fed_by = self._makers(args, kwargs)
            given = [tensor for _, tensor in tensors_in([args, kwargs]) if _feeds(tensor)]
            before = tuple(given[0].shape[1:]) if given else ()
            self.calls[key] = Call(fed_by, before, tuple(parts[0][1].shape[1:]))
            for _, tensor in parts:
                self._note(tensor, (key,))
        return super()._seen(key, output, parts, *rest)

    def _makers(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, ...]:
        tensors = [tensor for _, tensor in tensors_in([args, kwargs])]
        names = (name for tensor in tensors for name in self._made_by.get(id(tensor), ()))
        return tuple(dict.fromkeys(names))

    def _note(self, tensor: Tensor, names: tuple[str, ...]) -> None:
        self._made_by[id(tensor)] = names
        self._alive.append(tensor)


def _feeds(tensor: Tensor) -> bool:
    return not isinstance(tensor, nn.Parameter)
