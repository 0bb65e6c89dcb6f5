"""The calls in one forward pass: which there are, and under which names.

The model's own code runs, unchanged. Two observers watch it: each module is wrapped for the
duration of the pass, and a `TorchFunctionMode` sees the functional operations (`F.relu`,
`x + y`, `torch.flatten`, …) between the modules. Nothing is traced beforehand, so models whose
control flow depends on the data are watched like any other.

All that goes by a layer's name (`record`, `replaced`, …) stands on this one naming.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.overrides import TorchFunctionMode

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.inside.naming import (
    PARALLEL,
    SCRIPT,
    TORCH,
    WEIGHT,
    family_of,
    is_container,
    is_torch_layer,
    module_of,
    refuse_unwatchable,
    tensors_in,
    walk,
)
from cnnviz.inside.operations import operation, takes_activations

LAYER, CONTAINER, OPERATION = range(3)
"""Sorts of calls: of a module without others in it, or one of torch.nn; of any other module."""


class Watch(TorchFunctionMode):
    """Watches a model while it is entered, and gives each call a name.

    A subclass says in `_seen` what is to happen with what a call puts out.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        refuse_unwatchable(model)
        self._model = model
        self._every, self._modules = walk(model)
        self._used: dict[str, None] = {}  # every name given in this pass, in order
        self._scope = ""  # dotted name of the module whose forward is running
        self._hidden = 0  # inside how many layers of torch.nn, whose operations do not count
        self._changed: list[tuple[dict[str, Any], str, Any]] = []
        self._eager: Any = None
        self._is_transformed = False

    def __enter__(self) -> Self:
        any_hook = torch_module._has_any_global_hook()
        self._is_transformed = innermost_transform() is not None
        for name, module in self._modules.items():
            self._wrap(name, module, any_hook)
        if "torch._dynamo" in sys.modules:  # else nothing can have been compiled
            self._eager = torch.compiler.set_stance("force_eager")
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        if self._eager is not None:
            self._eager.__exit__(*error)
            self._eager = None
        for attributes, key, value in reversed(self._changed):
            if value is None:
                del attributes[key]
            else:
                attributes[key] = value
        self._changed.clear()

    def _wrap(
        self,
        name: str,
        module: nn.Module,
        any_hook: bool,
        watch: Callable[..., Any] | None = None,
    ) -> None:
        """Let a method of ours run in place of a module's call.

        To wrap `forward` is cheaper than a hook, which tells in a small net, leaves nothing behind
        in the lists of hooks, and sees a call of `forward` itself. Hooks of the user's run outside
        of `forward`, in `_call_impl`; where there are any, that is wrapped.
        """
        attributes = vars(module)
        family = family_of(type(module))
        hooked = (
            any_hook
            or attributes["_forward_hooks"]
            or attributes["_forward_pre_hooks"]
            or attributes["_backward_hooks"]
            or attributes["_backward_pre_hooks"]
        )
        key = "_call_impl" if hooked or family == SCRIPT else "forward"
        own = attributes.get(key)
        if watch is None:
            watch = self._watch_of(module, family, hooked or not isinstance(own, _Wrapper | None))
        attributes[key] = _Wrapper(watch, name, module, getattr(module, key))
        self._changed.append((attributes, key, own))
        # On the class it would be one change, after which Python looks every method up anew.
        own = attributes.get("_replicate_for_data_parallel")
        attributes["_replicate_for_data_parallel"] = partial(_replica, module)
        self._changed.append((attributes, "_replicate_for_data_parallel", own))
        if "_compiled_call_impl" in attributes:
            self._change(attributes, "_compiled_call_impl", None)
        if family == PARALLEL:  # one replica is enough: the module itself
            self._change(attributes, "device_ids", attributes["device_ids"][:1])

    def _change(self, attributes: dict[str, Any], key: str, value: Any) -> None:
        self._changed.append((attributes, key, attributes.get(key)))
        attributes[key] = value

    def _watch_of(self, module: nn.Module, family: int, changed: bool) -> Callable[..., Any]:
        """The method that is to run in place of a module's call.

        Args:
            changed: the user has hung hooks on it, or given it a `forward` of its own.
        """
        if family == TORCH and (not module._modules or is_torch_layer(module)):
            if changed:
                return self._call_hooked_layer
            return self._call_layer_in_place if "inplace" in vars(module) else self._call_layer
        if family == SCRIPT:
            return self._call_script
        return self._call_hidden if family == WEIGHT else self._call_module

    def _call_layer(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run a layer of torch.nn; the operations inside it are its own affair."""
        if not args or type(args[0]) is not Tensor:
            return self._call_hooked_layer(name, module, call, *args, **kwargs)
        with torch._C.DisableTorchFunction():
            if module.training and module._buffers:  # running statistics
                self._will_be_overwritten(list(module.buffers()))
            return self._keep(name, call(*args, **kwargs), args, kwargs)

    def _call_layer_in_place(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run a layer of torch.nn with `inplace=True`, such as ReLU."""
        if not args or type(args[0]) is not Tensor:
            return self._call_hooked_layer(name, module, call, *args, **kwargs)
        with torch._C.DisableTorchFunction():
            before = version(args[0])
            output = call(*args, **kwargs)
            target = None if version(args[0]) == before else args[0]  # dropout does not write
            return self._keep(name, output, args, kwargs, target)

    def _call_hooked_layer(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """The same where what a hook overwrites must be seen, or subclasses of Tensor passed on."""
        output = self._call_hidden(name, module, call, *args, **kwargs)
        with torch._C.DisableTorchFunction():
            return self._keep(name, output, args, kwargs)

    def _call_hidden(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run what makes a weight from parameters: it is no layer, nor are its operations."""
        self._hidden += 1
        try:
            return call(*args, **kwargs)
        finally:
            self._hidden -= 1

    def _call_script(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run a TorchScript module, into which nobody can look: it may overwrite its input."""
        self._will_be_overwritten([args, kwargs])
        return self._call_hooked_layer(name, module, call, *args, **kwargs)

    def _call_module(
        self, name: str, module: nn.Module, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run a container or a module of the user's, whose operations are of interest, too."""
        outer, self._scope = self._scope, name
        try:
            output = call(*args, **kwargs)
        finally:
            self._scope = outer
        sort = CONTAINER if is_container(module) else LAYER
        with torch._C.DisableTorchFunction():
            return self._keep(name, output, args, kwargs, None, sort)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """PyTorch calls this in place of each operation outside the layers of torch.nn."""
        kwargs = kwargs or {}
        name, writes = operation(func)
        target = writes(args, kwargs)
        output = self._run(func, args, kwargs, target)
        if self._hidden or not name or not takes_activations(args, kwargs):
            return output
        where = f"{self._scope}.{name}" if self._scope else name
        with torch._C.DisableTorchFunction():
            return self._keep(where, output, args, kwargs, target, OPERATION)

    def _is_inside_transform(self) -> bool:
        """Whether what is made here lives no longer than a transform in the model: vmap, grad."""
        return innermost_transform() is not None and not self._is_transformed

    def _run(
        self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], target: Any
    ) -> Any:
        """Run an operation that overwrites the tensors in `target` (None: it overwrites none)."""
        return func(*args, **kwargs)

    def _will_be_overwritten(self, target: Any) -> None:
        """Called before somebody may write where the tensors in `target` lie. For subclasses."""

    def _keep(
        self,
        name: str,
        output: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        target: Any = None,
        sort: int = LAYER,
    ) -> Any:
        """Name what a call put out, unless there is no tensor in it; what the model gets of it."""
        if self._hidden or self._is_inside_transform():
            return output
        parts = [("", output)] if type(output) is Tensor else list(tensors_in(output))
        if not parts:
            return output
        key, number = name, 0
        taken = key in self._used or (sort is OPERATION and key in self._modules)
        while taken:
            number += 1
            key = f"{name}_{number}"
            taken = key in self._used or key in self._modules
        self._used[key] = None
        return self._seen(key, output, parts, args, kwargs, target, sort)

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
        """What the model gets in place of the output of a call. For subclasses.

        Args:
            key: name of the call.
            parts: index ("" or such as "[1][0]") and tensor of each tensor in `output`.
            target: tensors that the call has overwritten, often `output` itself; or None.
            sort: LAYER, CONTAINER or OPERATION.
        """
        return output

    def missing(self, name: str, seen: Mapping[str, Any]) -> CnnvizError | None:
        """An error for a name that is not among the tensors `seen`, nor the whole of some."""
        if name in seen or any(part.startswith(f"{name}[") for part in seen):
            return None
        module = module_of(self._model, name)
        if module is None:
            return unknown_name("layer", name, dict.fromkeys([*self._modules, *self._used]))
        first = next((n for n, other in self._modules.items() if other is module), name)
        again = dict(self._model.named_modules(remove_duplicate=False)).get(name) is module
        if again and first != name and first in self._used:
            return CnnvizError(
                f"Layer '{name}' is the module '{first}' under a second name. "
                f"Ask for '{first}' (its second use is '{first}_1')."
            )
        return CnnvizError(
            f"Layer '{name}' was not recorded: it did not run in this forward pass "
            "(in eval mode) or returned no tensor. Ask for a layer that runs."
        )


innermost_transform = torch._C._functorch.peek_interpreter_stack


class _Wrapper(partial[Any]):
    """What runs in place of a module's call: watch(name, module, call, …)."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Wrapper:
        """A copy of a module that the model makes on its way runs itself, not the original."""
        return self.of(memo.get(id(self.args[1]), self.args[1]))

    def of(self, module: nn.Module) -> _Wrapper:
        """The same for a copy of the module."""
        name, _, call = self.args
        if isinstance(call, _Wrapper):
            call = call.of(module)
        elif hasattr(call, "__func__"):
            call = partial(call.__func__, module)
        return _Wrapper(self.func, name, module, call)


def _replica(module: nn.Module) -> Any:
    """As DataParallel makes it: with the attributes of the module, our wrapper among them."""
    replica = type(module)._replicate_for_data_parallel(module)
    attributes = vars(replica)
    del attributes["_replicate_for_data_parallel"]
    for key in ("forward", "_call_impl"):
        if isinstance(attributes.get(key), _Wrapper):
            attributes[key] = attributes[key].of(replica)
    return replica


def version(tensor: Tensor) -> int:
    """Counts how often it was overwritten; tensors made in inference mode do not count."""
    try:
        return tensor._version
    except RuntimeError:
        return 0
