"""Recording what every layer of a network puts out during one forward pass.

The model's own `forward` runs once, unchanged. Two observers watch it: the call of each module
is wrapped for the duration of the pass, and a `TorchFunctionMode` sees the functional operations
(`F.relu`, `x + y`, `torch.flatten`, …) between the modules. Nothing is traced beforehand, so
models whose control flow depends on the data are recorded like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.memory import keep_freed_memory


def record(
    model: nn.Module,
    x: Tensor,
    *,
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
    place (`nn.ReLU(inplace=True)`, `x += y`) the recorded tensor is copied first.

    The model runs in eval mode and without gradients; its training mode (of each module), its
    parameters and its buffers are as before afterwards, also after an error in `forward`. One
    model must not be recorded by two threads at once.

    Args:
        model: any module; it is called as `model(x)`.
        x: input batch, (N, …).
        layers: record only these, containers such as "layer1" included; None: every layer.
        functional: record operations that are not modules, too.
        gradients: keep the autograd graph, so that the gradient of an output with respect to
            a recorded tensor can be taken (not to one that was copied because the model
            overwrites it and holds views of it: autograd then says that it is unused).

    Returns:
        Layer name → output tensor, e.g. "conv1" → (N, C, H, W). Tensors may share memory where
        the model's do (a flattened view and its source).

    Raises:
        CnnvizError: a name in `layers` that the model does not have or did not run.
    """
    keep_freed_memory()
    recording = _Recording(model, layers, functional)
    with eval_mode(model), torch.set_grad_enabled(gradients), recording:
        model(x)
    recording.check_layers_ran()
    return recording.outputs


class _Recording(TorchFunctionMode):
    """Watches one forward pass while it is entered, and collects `outputs`."""

    def __init__(self, model: nn.Module, layers: Sequence[str] | None, functional: bool) -> None:
        super().__init__()
        self.outputs: dict[str, Tensor] = {}
        names = _named_layers(model)
        self._modules = {name: module for module, name in names.items()}
        self._layers = layers
        self._functional = functional
        self._used: dict[str, None] = {}  # every name given, recorded or not, in order
        self._scope = ""  # dotted name of the module whose forward is running
        self._names: dict[int, list[str]] = {}  # id of a recorded tensor → its names
        self._unwrapped: list[tuple[dict[str, Any], Callable[..., Any] | None]] = []

    def __enter__(self) -> Self:
        # `_call_impl` is what calling a module runs: forward and all hooks of the user's. To
        # wrap it is cheaper than hooks of our own, which tells in a small net, and leaves
        # nothing behind in the lists of hooks.
        for name, module in self._modules.items():
            attributes = vars(module)
            if not _is_torch_layer(module):
                watch = self._call_module
            elif attributes.get("inplace"):
                watch = self._call_in_place_layer
            else:
                watch = self._call_layer
            self._unwrapped.append((attributes, attributes.get("_call_impl")))
            attributes["_call_impl"] = partial(watch, name, module, module._call_impl)
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for attributes, call in self._unwrapped:
            if call is None:
                del attributes["_call_impl"]
            else:
                attributes["_call_impl"] = call

    def _call_layer(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run a layer of torch.nn; the operations inside it are its own affair."""
        with torch._C.DisableTorchFunction():
            output = call(*args, **kwargs)
        self._keep(name, output, args, kwargs)
        return output

    def _call_in_place_layer(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run a layer of torch.nn with `inplace=True`, such as ReLU."""

        def out_of_place() -> Any:
            vars(module)["inplace"] = False
            try:
                return call(*args, **kwargs)
            finally:
                vars(module)["inplace"] = True

        with torch._C.DisableTorchFunction():
            target = args[0] if args else next(iter(kwargs.values()))
            output = self._overwrite(target, lambda: call(*args, **kwargs), out_of_place)
        self._keep(name, output, args, kwargs)
        return output

    def _call_module(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run a container or a module of the user's, whose operations are of interest, too."""
        outer, self._scope = self._scope, name
        try:
            output = call(*args, **kwargs)
        finally:
            self._scope = outer
        if self._layers is not None or not module._modules:
            self._keep(name, output, args, kwargs)
        return output

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """PyTorch calls this in place of each operation outside the layers of torch.nn."""
        kwargs = kwargs or {}
        name: str = getattr(func, "__name__", "")
        if args and kwargs.get("inplace"):
            output = self._overwrite(
                args[0],
                lambda: func(*args, **kwargs),
                lambda: func(*args, **{**kwargs, "inplace": False}),
            )
        elif args and _works_in_place(name):
            pure = _OUT_OF_PLACE.get(name)
            output = self._overwrite(
                args[0], lambda: func(*args, **kwargs), pure and (lambda: pure(*args, **kwargs))
            )
        elif kwargs.get("out") is not None:
            output = self._overwrite(kwargs["out"], lambda: func(*args, **kwargs))
        else:
            output = func(*args, **kwargs)
        if self._functional and name != "__get__" and _takes_activations(args):
            operation = _REFLECTED.get(name) or name.strip("_")
            where = f"{self._scope}.{operation}" if self._scope else operation
            self._keep(where, output, args, kwargs)
        return output

    def _keep(
        self, name: str, output: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> str | None:
        """Record the tensors in `output` under `name`, or under the next free number.

        Returns:
            The name that it got; None if there was no tensor. What went in is for subclasses.
        """
        parts = [("", output)] if type(output) is Tensor else list(_tensors(output))
        if not parts:
            return None
        key, number = name, 0
        while key in self._used or (number and key in self._modules):
            number += 1
            key = f"{name}_{number}"
        self._used[key] = None
        for index, tensor in parts:
            part = key + index
            if self._layers is None or key in self._layers or part in self._layers:
                self._put([part], tensor)
        return key

    def _put(self, names: list[str], tensor: Tensor) -> None:
        for name in names:
            self.outputs[name] = tensor
        self._names.setdefault(id(tensor), []).extend(names)

    def _overwrite(
        self,
        target: Any,
        in_place: Callable[[], Any],
        out_of_place: Callable[[], Any] | None = None,
    ) -> Any:
        """Run an operation that overwrites `target`, but not what is recorded of it.

        To the model it is as if `in_place` had run. The plain way is to copy the records first;
        to run `out_of_place` and let `target` become the result saves the copying.
        """
        if isinstance(target, Tensor) and not _shares_memory(target):
            names = self._names.pop(id(target), None)
            if names is not None:
                return self._overwrite_alone(target, names, in_place, out_of_place)
        else:
            for _, tensor in _tensors(target):
                self._copy_all_in_memory_of(tensor)
        return in_place()

    def _overwrite_alone(
        self,
        target: Tensor,
        names: list[str],
        in_place: Callable[[], Any],
        out_of_place: Callable[[], Any] | None,
    ) -> Any:
        """The same where `target` is recorded under `names`, and alone in its memory."""
        if torch.is_grad_enabled():
            # What follows depends on the copy, and the copy on the original, so gradients reach
            # the original. Autograd may hold it, too: then the copy is what is recorded.
            other = target.clone()
            with suppress(RuntimeError):
                torch.utils.swap_tensors(target, other)
            self._put(names, other)
            return in_place()
        result = None if out_of_place is None else out_of_place()
        if result is target:  # nothing is written, as by dropout in eval mode
            self._put(names, target)
            return target
        if (
            isinstance(result, Tensor)
            and result.shape == target.shape
            and result.dtype == target.dtype
        ):
            self._put(names, target.detach())
            target.data = result
            return target
        self._put(names, target.clone())
        return in_place()

    def _copy_all_in_memory_of(self, tensor: Tensor) -> None:
        """Where several tensors share memory, any of them may be recorded, this one or not."""
        address = _address(tensor)
        recorded = {id(output): output for output in self.outputs.values()}
        for number, output in recorded.items():
            if _address(output) == address:
                self._put(self._names.pop(number), output.clone())

    def check_layers_ran(self) -> None:
        """Raise for a layer that was asked for and is not there."""
        for name in self._layers or ():
            if name in self.outputs or any(part.startswith(f"{name}[") for part in self.outputs):
                continue
            if name in self._modules:
                raise CnnvizError(
                    f"Layer '{name}' was not recorded: it did not run in this forward pass "
                    "(in eval mode) or returned no tensor. Ask for a layer that runs."
                )
            raise unknown_name("layer", name, dict.fromkeys([*self._modules, *self._used]))


# How `1 - x` appears, whose operation is nevertheless "sub".
_REFLECTED = {
    f"__r{name}__": name for name in ("add", "sub", "mul", "div", "floordiv", "pow", "matmul")
}


# The pure forms of operations that overwrite their first argument.
_OUT_OF_PLACE: dict[str, Callable[..., Any]] = {
    "add_": Tensor.add,
    "div_": Tensor.div,
    "mul_": Tensor.mul,
    "relu_": Tensor.relu,
    "sub_": Tensor.sub,
}


def _works_in_place(operation: str) -> bool:
    """PyTorch's convention: add_, relu_; and assignment to a slice."""
    return operation == "__setitem__" or (operation[-1:] == "_" and operation[:2] != "__")


def _takes_activations(args: Sequence[Any]) -> bool:
    """False for what makes new tensors (torch.zeros) or only prepares parameters."""
    for arg in args:
        for value in arg if isinstance(arg, list | tuple) else (arg,):
            if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                return True
    return False


def _named_layers(
    module: nn.Module, prefix: str = "", found: dict[nn.Module, str] | None = None
) -> dict[nn.Module, str]:
    """Each module below this one with its dotted name (its first, if it has several).

    Parents come first; what is inside torch.nn's own layers does not count.
    """
    found = {} if found is None else found
    for name, child in module._modules.items():
        if child is not None and child not in found:
            found[child] = prefix + name
            if child._modules and not _is_torch_layer(child):
                _named_layers(child, f"{prefix}{name}.", found)
    return found


def _is_torch_layer(module: nn.Module) -> bool:
    """One layer made by PyTorch: Conv2d, its weights parametrised or not, but not Sequential."""
    return type(module).__module__.startswith(("torch.nn.", "torch.ao.nn.")) and (
        not module._modules
        or module._modules.keys() == {"parametrizations"}
        or isinstance(module, nn.MultiheadAttention)
    )


def _tensors(value: Any, index: str = "") -> Iterator[tuple[str, Tensor]]:
    """The tensors in nested tuples, lists and dicts, each with its index, such as "[1][0]"."""
    if isinstance(value, Tensor):
        yield index, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _tensors(item, f"{index}[{key}]")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _tensors(item, f"{index}[{position}]")


def _address(tensor: Tensor) -> int:
    """Where the memory begins that `tensor` shares with its views; its own id if it has none."""
    if tensor.layout is torch.strided:
        return tensor.untyped_storage().data_ptr() or -id(tensor)
    return -id(tensor)


def _shares_memory(tensor: Tensor) -> bool:
    """Whether another tensor, such as a view, lies in the same memory."""
    storage = tensor.untyped_storage()
    return torch._C._storage_Use_Count(storage._cdata) > 2  # more than `tensor` and `storage`


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Every module in eval mode; on leaving, each is in the mode in which it was before."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
