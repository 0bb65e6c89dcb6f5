"""Letting a call in the middle of a model put out something else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

from cnnviz.inside.calls import Watch
from cnnviz.inside.naming import several, tensors_in


@contextmanager
def replaced(
    model: nn.Module, functions: Mapping[str, Callable[[Tensor], Tensor]]
) -> Iterator[None]:
    """While it lasts, what these calls put out is changed, and the rest of a pass goes on from it.

    Every name that `cnnviz.record` gives can be replaced: layers, containers, the second use of a
    layer "relu_1", operations in the network's own code "layer1.0.add", parts of what a layer
    returns "lstm[0]". The result may have another batch size: what follows then runs on that.
    Where an operation works in place (`x += y`), the tensor that it overwrites becomes the result,
    too. Gradients pass through the functions. Names count anew in every pass.

    Args:
        functions: name → function of the output, (N, …) → (M, …).

    Raises:
        CnnvizError: at the end of a pass, a name that the model does not have or did not run;
            a layer that returns several tensors, whose parts have names of their own.
    """
    with _Replacing(model, functions):
        yield


class _Replacing(Watch):
    def __init__(
        self, model: nn.Module, functions: Mapping[str, Callable[[Tensor], Tensor]]
    ) -> None:
        super().__init__(model)
        self._functions = functions
        self._running = False
        self._outputs: dict[str, None] = {}

    def __enter__(self) -> _Replacing:
        self._wrap("", self._model, torch_module._has_any_global_hook(), self._call_model)
        super().__enter__()
        return self

    def _call_model(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """One pass."""
        self._used.clear()
        self._outputs.clear()
        self._running = True
        try:
            output = call(*args, **kwargs)
        finally:
            self._running = False
        for asked in self._functions:
            if error := self.missing(asked, self._outputs):
                raise error
        return output

    def _keep(self, *call: Any, **options: Any) -> Any:
        return super()._keep(*call, **options) if self._running else call[1]

    def _seen(
        self,
        key: str,
        output: Any,
        parts: list[tuple[str, Tensor]],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        target: Any,
        sort: int,
    ) -> Any:
        names = {index: key + index for index, _ in parts}
        self._outputs.update(dict.fromkeys(names.values()))
        if key in self._functions and "" not in names:
            raise several(key, names.values())
        written = {id(tensor) for _, tensor in tensors_in(target)}
        changed = {}
        for index, tensor in parts:
            if function := self._functions.get(names[index]):
                new = function(tensor)
                becomes = new is not tensor and id(tensor) in written
                changed[index] = _become(tensor, new) if becomes else new
        return _with_parts(output, changed) if changed else output


def _become(tensor: Tensor, new: Tensor) -> Tensor:
    """Let a tensor that was overwritten, and that the model may hold, become another."""
    if torch.is_grad_enabled() or tensor.requires_grad:
        with suppress(RuntimeError):  # autograd itself holds it
            torch.utils.swap_tensors(tensor, new)
            return tensor
        return new
    if new.shape == tensor.shape and new.dtype == tensor.dtype:
        return tensor.copy_(new)  # views of it become it, too
    tensor.data = new
    return tensor


def _with_parts(output: Any, changed: Mapping[str, Tensor], index: str = "") -> Any:
    """Nested tuples, lists and dicts with other tensors at some places."""
    if index in changed:
        return changed[index]
    if isinstance(output, Mapping):
        pairs = [(key, _with_parts(v, changed, f"{index}[{key}]")) for key, v in output.items()]
        return type(output)(pairs)  # type: ignore[call-arg]
    if isinstance(output, list | tuple):
        items = [_with_parts(v, changed, f"{index}[{i}]") for i, v in enumerate(output)]
        return type(output)(*items) if hasattr(output, "_fields") else type(output)(items)
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        fields = [field.name for field in dataclasses.fields(output)]
        items = [_with_parts(getattr(output, f), changed, f"{index}[{f}]") for f in fields]
        return dataclasses.replace(output, **dict(zip(fields, items, strict=True)))
    return output
