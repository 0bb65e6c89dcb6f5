"""Recording what every layer of a network puts out during one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

import torch
from torch import Tensor, nn

from cnnviz.inside.calls import CONTAINER, LAYER, OPERATION, Watch, innermost_transform, version
from cnnviz.inside.inputs import Inputs, own_copy, run
from cnnviz.inside.modes import eval_mode
from cnnviz.inside.naming import tensors_in
from cnnviz.inside.state import State
from cnnviz.memory import keep_freed_memory

__all__ = ["Inputs", "Recording", "calls", "eval_mode", "record", "run"]


def record(
    model: nn.Module,
    x: Inputs,
    *more: Any,
    layers: Sequence[str] | None = None,
    functional: bool = True,
    gradients: bool = False,
) -> dict[str, Tensor]:
    """Every layer's output by dotted name, in order of execution.

    A layer is a module without children ("layer1.0.conv1") or, with `functional`, an operation
    on tensors in the code between them, named after the module in whose `forward` it stands
    ("layer1.0.add", "flatten"), as torchvision's feature extraction names it. The second use
    of a layer is "relu_1", the third "relu_2". A layer that returns a tuple or dict gives one
    entry for each tensor: "lstm[0]", "lstm[1][0]", "head[logits]".

    The values are those at the moment the layer returned: where a later operation works in
    place (`nn.ReLU(inplace=True)`, `x += y`) the recorded tensor is copied first. Code that
    overwrites where Python cannot see it (TorchScript functions, extensions) is noticed
    afterwards; then the model runs once more, and every output is copied at once.

    The model runs in eval mode and without gradients; its training mode (of each module), its
    parameters, its buffers and what is given to it are as before afterwards, also after an error
    in `forward`. One model must not be recorded by two threads at once.

    Args:
        model: any module, but TorchScript's, whose layers nobody can see.
        x: input batch, (N, …); a tuple or list for several inputs, a mapping for inputs by
            keyword (one for a `forward` that takes only one).
        more: further inputs: `record(model, x, y)` is `record(model, (x, y))`.
        layers: record only these, containers such as "layer1" included; None: every layer.
        functional: record operations that are not modules, too.
        gradients: keep the autograd graph, so that the gradient of an output with respect to
            a recorded tensor can be taken (not to one that was copied because the model
            overwrites it and holds views of it: autograd then says that it is unused).

    Returns:
        Layer name → output tensor, e.g. "conv1" → (N, C, H, W). Tensors may share memory where
        the model's do (a flattened view and its source).

    Raises:
        CnnvizError: a name in `layers` that the model does not have or did not run; a model of
            TorchScript.
    """
    keep_freed_memory()
    x = (x, *more) if more else x
    layers = [layers] if isinstance(layers, str) else layers
    recording = Recording(model, layers, functional)
    recording.run(x, gradients)
    if recording.is_overwritten():
        recording = Recording(model, layers, functional, at_once=True)
        recording.run(x, gradients)
    recording.check_layers_ran()
    return recording.outputs


def calls(model: nn.Module, x: Inputs) -> list[str]:
    """The names that `record` gives, without what they stand for."""
    recording = _Naming(model, [])
    recording.run(x)
    return recording.names


class Recording(Watch):
    """Watches one forward pass while it is entered, and collects `outputs`.

    Args:
        at_once: copy what is recorded at once, not only before it is overwritten.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[str] | None,
        functional: bool = True,
        at_once: bool = False,
    ) -> None:
        super().__init__(model)
        self.outputs: dict[str, Tensor] = {}
        self._layers = layers
        self._functional = functional
        self._at_once = at_once
        self._plain = layers is None and functional and not at_once and type(self) is Recording
        self._versions: dict[str, int] = {}
        self._names: dict[int, list[str]] = {}  # id of a recorded tensor → its names
        self._state = State(model, self._every)
        self._alone = True  # no other observer is at work, to whom one call must not look like two

    def __enter__(self) -> Self:
        self._alone = torch._C._len_torch_function_stack() == 0
        return super().__enter__()

    def run(self, x: Inputs, gradients: bool = False) -> Any:
        """One pass in eval mode; what the model answers."""
        if torch.is_inference_mode_enabled():  # in which nothing counts what is overwritten
            with torch.inference_mode(False):
                return self.run(x, gradients)
        enabled, modes = torch.is_grad_enabled(), [m.training for m in self._every]
        try:
            for module, training in zip(self._every, modes, strict=True):
                if training:
                    module.training = False
            torch._C._set_grad_enabled(gradients)
            inputs = own_copy(x, self._every)
            self._given(inputs)
            with self:
                return run(self._model, inputs)
        finally:
            torch._C._set_grad_enabled(enabled)
            self._state.restore()
            for module, training in zip(self._every, modes, strict=True):
                if module.training != training:  # the model itself may change it, too
                    module.training = training

    def _given(self, inputs: Inputs) -> None:
        """What the model is given. For subclasses."""

    def _call_layer_in_place(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        def out_of_place() -> Any:
            vars(module)["inplace"] = False
            try:
                return call(*args, **kwargs)
            finally:
                vars(module)["inplace"] = True

        if not vars(module)["inplace"]:
            return self._call_layer(name, module, call, *args, **kwargs)
        if not args or type(args[0]) is not Tensor:
            return self._call_hooked_layer(name, module, call, *args, **kwargs)
        with torch._C.DisableTorchFunction():
            output = self._overwrite(args[0], lambda: call(*args, **kwargs), out_of_place)
            return self._keep(name, output, args, kwargs, args[0])

    def _run(
        self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], target: Any
    ) -> Any:
        if target is None:
            return func(*args, **kwargs)
        pure = None
        if kwargs.get("inplace"):
            pure = lambda: func(*args, **{**kwargs, "inplace": False})  # noqa: E731
        elif (other := _OUT_OF_PLACE.get(func.__name__)) and not kwargs:
            pure = lambda: other(*args)  # noqa: E731
        return self._overwrite(target, lambda: func(*args, **kwargs), pure)

    def _keep(
        self,
        name: str,
        output: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        target: Any = None,
        sort: int = LAYER,
    ) -> Any:
        if (
            self._plain
            and (sort == LAYER or (sort == OPERATION and name not in self._modules))
            and type(output) is Tensor
            and name not in self._used
            and not self._hidden
            and (innermost_transform() is None or self._is_transformed)
        ):  # the usual case, in short
            self._used[name] = None
            self.outputs[name] = output
            self._versions[name] = version(output)
            self._names.setdefault(id(output), []).append(name)
            return output
        return super()._keep(name, output, args, kwargs, target, sort)

    def _seen(self, key: str, output: Any, parts: list[tuple[str, Tensor]], *rest: Any) -> Any:
        layers, sort = self._layers, rest[-1]
        if layers is None:
            if sort == CONTAINER or (sort == OPERATION and not self._functional):
                return output
        else:
            parts = [part for part in parts if key in layers or key + part[0] in layers]
        for index, tensor in parts:
            self._put([key + index], tensor)
            if self._at_once:
                self._will_be_overwritten(tensor)
        return output

    def _put(self, names: list[str], tensor: Tensor) -> None:
        count = version(tensor)
        for name in names:
            self.outputs[name] = tensor
            self._versions[name] = count
        self._names.setdefault(id(tensor), []).extend(names)

    def _overwrite(
        self,
        target: Any,
        in_place: Callable[[], Any],
        out_of_place: Callable[[], Any] | None,
    ) -> Any:
        """Run an operation that overwrites `target`, but not what is recorded of it.

        To the model it is as if `in_place` had run. The plain way is to copy the records first;
        to run `out_of_place` and let `target` become the result saves the copying.
        """
        if (
            out_of_place is None
            or type(target) is not Tensor
            or id(target) not in self._names
            or target.requires_grad
            or torch.is_grad_enabled()
            or not self._alone
            or _shares_memory(target)
            or self._state.has(target)
        ):
            with torch._C.DisableTorchFunction():
                self._will_be_overwritten(target)
            return in_place()
        result = out_of_place()
        if result is target:  # nothing is written, as by dropout in eval mode
            return target
        names = self._names.pop(id(target))
        if (
            isinstance(result, Tensor)
            and result.shape == target.shape
            and result.dtype == target.dtype
        ):
            self._put(names, target.data)
            target.data = result
            return target
        self._put(names, target.clone())
        return in_place()

    def _will_be_overwritten(self, target: Any) -> None:
        """Copy what is recorded in the memory of the tensors in `target`, and the model's state."""
        for _, tensor in tensors_in(target):
            self._state.save(tensor)
            if id(tensor) in self._names and not _shares_memory(tensor):
                self._copy(tensor)
            else:
                self._copy_all_in_memory_of(tensor)

    def _copy(self, tensor: Tensor) -> None:
        """Where `tensor` is recorded, and alone in its memory."""
        names = self._names.pop(id(tensor))
        if not (tensor.requires_grad or torch.is_grad_enabled()):
            self._put(names, _clone(tensor))
            return
        # What follows depends on the copy, and the copy on the original, so gradients reach
        # the original. Autograd may hold it, too: then the copy is what is recorded.
        with torch.enable_grad():
            other = _clone(tensor)
        with suppress(RuntimeError):
            torch.utils.swap_tensors(tensor, other)
        self._put(names, other)

    def _copy_all_in_memory_of(self, tensor: Tensor) -> None:
        """Where several tensors share memory, any of them may be recorded, this one or not."""
        address = _address(tensor)
        recorded = {id(output): output for output in self.outputs.values()}
        for number, output in recorded.items():
            if number in self._names and _address(output) == address:
                self._put(self._names.pop(number), _clone(output))

    def is_overwritten(self) -> bool:
        """Whether a record is no longer what it was, by what cannot be seen from Python."""
        return any(version(tensor) != self._versions[name] for name, tensor in self.outputs.items())

    def check_layers_ran(self) -> None:
        """Raise for a layer that was asked for and is not there."""
        for name in self._layers or ():
            if error := self.missing(name, self.outputs):
                raise error


class _Naming(Recording):
    """Keeps the names only."""

    def __init__(self, model: nn.Module, layers: Sequence[str]) -> None:
        super().__init__(model, layers)
        self.names: list[str] = []

    def _seen(self, key: str, output: Any, parts: list[tuple[str, Tensor]], *rest: Any) -> Any:
        if rest[-1] != CONTAINER:
            self.names += [key + index for index, _ in parts]
        return super()._seen(key, output, parts, *rest)


# The pure forms of operations that overwrite their first argument.
_OUT_OF_PLACE: dict[str, Callable[..., Any]] = {
    "add_": Tensor.add,
    "div_": Tensor.div,
    "mul_": Tensor.mul,
    "relu_": Tensor.relu,
    "sub_": Tensor.sub,
}


def _clone(tensor: Tensor) -> Tensor:
    copy = tensor.clone()
    return copy if type(copy) is type(tensor) else copy.as_subclass(type(tensor))


def _address(tensor: Tensor) -> int:
    """Of the memory that `tensor` shares with its views; its own id if it has none."""
    return -id(tensor) if tensor.layout is not torch.strided else tensor.untyped_storage()._cdata


def _shares_memory(tensor: Tensor) -> bool:
    """Whether another tensor, such as a view, lies in the same memory."""
    if tensor.layout is not torch.strided:
        return False
    storage = tensor.untyped_storage()
    return torch._C._storage_Use_Count(storage._cdata) > 2  # more than `tensor` and `storage`
