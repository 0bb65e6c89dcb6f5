"""The layers of a network: of which kind each is, what goes into it, and from where.

Found by recording one forward pass, so a sum knows its two addends, and the convolution on a skip
connection the input that it really has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnnviz.inside.recording import _Recording, _tensors, eval_mode

Floats = npt.NDArray[np.floating[Any]]
Shape = tuple[int, ...]

INPUT = ""
"""The name of the network's input among what a layer is fed by."""


@dataclass(frozen=True)
class Kind:
    """A kind of layer.

    Attributes:
        modules: types of modules that are such layers.
        operations: operations in a network's own code that are, as `cnnviz.record` names them.
        weighted: its units have weights, and so pages of their own in the atlas.
        silent: it changes no value, at least not in testing.
        merges: it takes several inputs.
    """

    name: str
    modules: tuple[type[nn.Module], ...] = ()
    operations: tuple[str, ...] = ()
    weighted: bool = False
    silent: bool = False
    merges: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("conv", (nn.Conv2d,), weighted=True),
        Kind("relu", (nn.ReLU,), ("relu",)),
        Kind("pool", (nn.MaxPool2d,), ("max_pool2d",)),
        Kind("flatten", (nn.Flatten,), ("flatten", "view"), silent=True),
        Kind("dropout", (nn.Dropout,), silent=True),
        Kind("output", weighted=True),  # the last one, if it is linear
        Kind("linear", (nn.Linear,), weighted=True),
        Kind("add", (), ("add", "iadd"), merges=True),
        Kind("cat", (), ("cat", "concat"), merges=True),
        Kind("other", (nn.Module,)),
    )
}


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes:
        net: name of the network.
        kind: a name of KINDS.
        before, after: shapes of what goes in first and of what comes out, without the batch.
        maps: shape (C, H, W) of what was flattened into the input of a linear layer, else None.
        first: no convolution comes before it.
        fed_by: names of the layers whose outputs go into it, through operations that are no
            layers if need be; INPUT among them for the network's input.
    """

    net: str
    name: str
    kind: str
    module: nn.Module | None
    before: Shape
    after: Shape
    maps: Shape | None
    first: bool
    fed_by: tuple[str, ...] = ()

    @property
    def weight(self) -> Floats | None:
        """(out, in, k, k) of a convolution, (out, in) of a linear layer, else None."""
        if self.module is None or not KINDS[self.kind].weighted:  # normalisation has weights, too
            return None
        weight = self.module.weight
        assert isinstance(weight, Tensor)
        return weight.detach().cpu().numpy()

    @property
    def form(self) -> str:
        """How its weights are best drawn: a key of cnnviz.drawing.weights.DRAW, or ""."""
        if self.weight is None:
            return ""
        if self.kind == "conv":
            return "colours" if self.first and self.before[0] == 3 else "slices"
        if self.maps is None:
            return "matrix"
        return "images" if self.maps[0] == 1 else "blocks"


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


def trace(model: nn.Module, x: Tensor) -> dict[str, Call]:
    """What feeds what in one forward pass, by the names and in the order of `cnnviz.record`.

    Args:
        model: any module; it is called as `model(x)`, in evaluation mode and without gradients.
        x: input batch, (N, …).
    """
    tracing = _Tracing(model, x)
    with eval_mode(model), torch.no_grad(), tracing:
        model(x)
    return tracing.calls


class _Tracing(_Recording):
    """Notes for each tensor which layer made it."""

    def __init__(self, model: nn.Module, x: Tensor) -> None:
        super().__init__(model, None, functional=True)
        self.calls: dict[str, Call] = {}
        self._made_by: dict[int, tuple[str, ...]] = {id(x): (INPUT,)}
        self._alive: list[Any] = []  # an id is taken again once its tensor is gone

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        before = self._makers(args, kwargs or {})
        output = super().__torch_function__(func, types, args, kwargs)
        for _, tensor in _tensors(output):  # such as x.T, which is no layer
            if id(tensor) not in self._made_by:
                self._note(tensor, before)
        return output

    def _keep(
        self, name: str, output: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> str | None:
        fed_by = self._makers(args, kwargs)
        given = [tensor for _, tensor in _tensors([args, dict(kwargs)]) if _feeds(tensor)]
        key = super()._keep(name, output, args, kwargs)
        if key is not None:
            made = [tensor for _, tensor in _tensors(output)]
            before = tuple(given[0].shape[1:]) if given else ()
            self.calls[key] = Call(fed_by, before, tuple(made[0].shape[1:]))
            for tensor in made:
                self._note(tensor, (key,))
        return key

    def _makers(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, ...]:
        tensors = [tensor for _, tensor in _tensors([args, dict(kwargs)])]
        names = (name for tensor in tensors for name in self._made_by.get(id(tensor), ()))
        return tuple(dict.fromkeys(names))

    def _note(self, tensor: Tensor, names: tuple[str, ...]) -> None:
        self._made_by[id(tensor)] = names
        self._alive.append(tensor)


def _feeds(tensor: Tensor) -> bool:
    return not isinstance(tensor, nn.Parameter)


def layers_of(model: nn.Module, x: Tensor, net: str) -> list[Layer]:
    """The layers of a network, in order of execution.

    Operations in the network's own code count where they are layers elsewhere, such as `F.relu`,
    and where they bring branches together.

    Args:
        x: input batch, (N, …); one image is enough.
    """
    calls = trace(model, x)
    modules = _modules(model, calls)
    last = next(reversed(calls))
    kinds = {
        name: _kind(name, modules.get(name), call, name == last) for name, call in calls.items()
    }
    listed = [name for name, kind in kinds.items() if name in modules or kind != "other"]
    found: dict[str, Layer] = {}
    for name in listed:
        fed_by = tuple(dict.fromkeys(_listed_feeders(name, calls, set(listed))))
        feeders = [found[feeder] for feeder in fed_by if feeder != INPUT]
        first = all(layer.first and layer.kind != "conv" for layer in feeders)
        call = calls[name]
        found[name] = Layer(
            net, name, kinds[name], modules.get(name), call.before, call.after,
            _maps(feeders, found), first, fed_by,
        )  # fmt: skip
    return list(found.values())


def _modules(model: nn.Module, calls: Mapping[str, Call]) -> dict[str, nn.Module]:
    """Module of each call; the second use of a ReLU or of pooling, "pool_1", is one, too."""
    modules = dict(model.named_modules())
    weighted = tuple(t for kind in KINDS.values() if kind.weighted for t in kind.modules)
    for name in calls:
        base, _, count = name.rpartition("_")
        module = modules.get(base)
        if name not in modules and count.isdigit() and module and not isinstance(module, weighted):
            modules[name] = module
    return modules


def _kind(name: str, module: nn.Module | None, call: Call, last: bool) -> str:
    if module is not None:
        kind = next(k.name for k in KINDS.values() if isinstance(module, k.modules))
        return "output" if kind == "linear" and last else kind
    plain = name.rpartition(".")[2]
    base, _, count = plain.rpartition("_")  # the second use of relu is "relu_1"
    operation = base if count.isdigit() else plain
    kind = next((k.name for k in KINDS.values() if operation in k.operations), "other")
    return "other" if KINDS[kind].merges and len(call.fed_by) < 2 else kind


def _listed_feeders(name: str, calls: Mapping[str, Call], listed: set[str]) -> list[str]:
    """The nearest layers before one, past operations that are none."""
    found = []
    for feeder in calls[name].fed_by:
        if feeder == INPUT or feeder in listed:
            found.append(feeder)
        else:
            found += _listed_feeders(feeder, calls, listed)
    return found


def _maps(feeders: Sequence[Layer], found: Mapping[str, Layer]) -> Shape | None:
    """The maps whose flattening a layer is fed with, perhaps through a ReLU or dropout."""
    if len(feeders) != 1 or KINDS[feeders[0].kind].weighted:
        return None
    (layer,) = feeders
    if layer.kind == "flatten":
        return layer.before
    before = [found[name] for name in layer.fed_by if name != INPUT]
    return _maps(before, found) if layer.before == layer.after else None
