"""The modules of a model and their names; the tensors in what a module takes or returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList, type_before_parametrizations

from cnnviz.errors import CnnvizError


def refuse_unwatchable(model: nn.Module) -> None:
    """Raise for what is no module, and for TorchScript, into which nobody can look."""
    if isinstance(model, torch.jit.ScriptModule | torch.jit.ScriptFunction):
        raise CnnvizError(
            "The layers of a TorchScript model (torch.jit.script or torch.jit.trace) run where "
            "Python cannot see them. Give the nn.Module from which it was made, or one exported "
            "with torch.export: torch.export.load(…).module()."
        )
    if not isinstance(model, nn.Module):
        hint = " Give its .module()." if isinstance(model, torch.export.ExportedProgram) else ""
        raise CnnvizError(f"A model is an nn.Module, not a {type(model).__name__}.{hint}")


def several(name: str, parts: Iterable[str]) -> CnnvizError:
    """An error for a layer of which one tensor is wanted, and that returns several."""
    names = ", ".join(f"'{part}'" for part in parts)
    return CnnvizError(f"Layer '{name}' returns several tensors. Ask for one: {names}.")


def output_of(outputs: Mapping[str, Tensor], name: str) -> Tensor:
    """The one tensor that a layer put out.

    Args:
        outputs: from `cnnviz.record(…, layers=[name])`.

    Raises:
        CnnvizError: the layer returned several; they have names of their own.
    """
    if name in outputs:
        return outputs[name]
    raise several(name, [part for part in outputs if part.startswith(f"{name}[")])


def module_of(model: nn.Module, name: str) -> nn.Module | None:
    """The module whose call `record` names so: of "relu", of its second use "relu_1", of a part
    of what it returns, "lstm[0]", and of one of its further names; None for an operation.
    """
    modules = dict(model.named_modules(remove_duplicate=False))
    whole = name.partition("[")[0]
    base, _, number = whole.rpartition("_")
    for candidate in (name, whole, base if number.isdigit() else ""):
        if candidate and candidate in modules:
            return modules[candidate]
    return None


def walk(model: nn.Module) -> tuple[dict[nn.Module, None], dict[str, nn.Module]]:
    """Every module of a model, itself included, and those with names of their own.

    A name is a module's first, where it has several. Parents come first; what is inside
    torch.nn's own layers, and inside TorchScript, has no name.
    """
    every: dict[nn.Module, None] = {model: None}
    named: dict[str, nn.Module] = {}
    _walk(model, "", True, every, named)
    return every, named


def _walk(
    module: nn.Module,
    prefix: str,
    is_open: bool,
    every: dict[nn.Module, None],
    named: dict[str, nn.Module],
) -> None:
    for name, child in module._modules.items():
        if child is None or child in every:
            continue
        every[child] = None
        if is_open:
            named[prefix + name] = child
        if child._modules:
            has_layers = is_open and not (is_torch_layer(child) or _is_closed(child))
            _walk(child, f"{prefix}{name}.", has_layers, every, named)


TORCH, SCRIPT, WEIGHT, PARALLEL, USER = range(5)
"""Families of modules: of torch.nn, of TorchScript, what makes a weight, DataParallel, others."""

_FAMILIES: dict[type, int] = {}


def family_of(kind: type) -> int:
    """The family of a type of modules."""
    family = _FAMILIES.get(kind)
    if family is None:
        if issubclass(kind, torch.jit.ScriptModule):
            family = SCRIPT
        elif issubclass(kind, ParametrizationList):
            family = WEIGHT
        elif issubclass(kind, nn.DataParallel):
            family = PARALLEL
        else:
            family = TORCH if kind.__module__.startswith(("torch.nn.", "torch.ao.nn.")) else USER
        _FAMILIES[kind] = family
    return family


def is_container(module: nn.Module) -> bool:
    """Whether a module has others in it that are layers of their own."""
    if module._modules.keys() <= {"parametrizations"}:
        return False
    return not (is_torch_layer(module) or _is_closed(module))


def _is_closed(module: nn.Module) -> bool:
    return family_of(type(module)) in (SCRIPT, WEIGHT)


def is_torch_layer(module: nn.Module) -> bool:
    """One layer made by PyTorch: Conv2d, its weights parametrised or not, but not Sequential."""
    if family_of(type(module)) != TORCH:
        return False
    if module._modules.keys() <= {"parametrizations"}:
        return family_of(type_before_parametrizations(module)) == TORCH
    return isinstance(module, nn.MultiheadAttention) or _is_quantised(type(module))


def _is_quantised(kind: type) -> bool:
    """Whose children are packed weights or observers; fused layers are Sequential."""
    return kind.__module__.startswith(
        ("torch.ao.nn.quantized.", "torch.ao.nn.qat.", "torch.ao.nn.intrinsic.quantized.")
    ) and not issubclass(kind, nn.Sequential)


def tensors_in(value: Any, index: str = "") -> Iterator[tuple[str, Tensor]]:
    """The tensors in nested tuples, lists and dicts, each with its index, such as "[1][0]"."""
    if isinstance(value, Tensor):
        yield index, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from tensors_in(item, f"{index}[{key}]")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from tensors_in(item, f"{index}[{position}]")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from tensors_in(getattr(value, field.name), f"{index}[{field.name}]")
