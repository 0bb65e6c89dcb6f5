"""What each layer of a network costs: its output's shape, parameters, multiplications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from cnnviz.errors import CnnvizError
from cnnviz.inside.batches import batches, place
from cnnviz.inside.calls import CONTAINER, Watch
from cnnviz.inside.inputs import run
from cnnviz.inside.naming import tensors_in
from cnnviz.inside.undisturbed import undisturbed


@dataclass(frozen=True)
class Cost:
    """One layer.

    Attributes:
        shape: of its output for one image, without the batch.
        parameters: how many numbers are learned in it; those that it shares count where they are
            used first.
        multiplications: for one image; those of convolutions, matrix products and attention,
            beside which the others hardly count.
    """

    shape: tuple[int, ...]
    parameters: int
    multiplications: int


def layer_costs(model: nn.Module, input_size: Sequence[int] | Any) -> dict[str, Cost]:
    """The costs of every layer, by the names and in the order of `cnnviz.record`.

    Of a layer that returns several tensors the first has them all. An operation in the network's
    own code costs what it multiplies, and the parameters that it is given.

    Args:
        model: any module; one on the "meta" device has shapes and no numbers, and costs no time.
        input_size: shape of one image, such as (3, 224, 224); or, for a model that takes something
            else, its input or inputs as for `record`, the first image of which is taken.
    """
    if isinstance(input_size, int) or not len(input_size):
        raise CnnvizError(f"input_size={input_size!r}; expected a shape such as (3, 224, 224).")
    if all(isinstance(size, int) for size in input_size):
        where, dtype = place(model)
        one: Any = torch.zeros(1, *input_size, device=where, dtype=dtype)
    else:
        one = next(batches(model, input_size, 1))
    counting = _Counting(model)
    with undisturbed(model), torch.no_grad(), _plain_operations(), counting.products, counting:
        run(model, one)
    return counting.costs


class _Counting(Watch):
    """What was multiplied, and which parameters were used, since the layer before."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.costs: dict[str, Cost] = {}
        self.products = _Products()
        self._told = 0  # multiplications that are some layer's
        self._parameters: set[int] = set()
        self._waiting = 0  # parameters that were used, by no layer yet

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "") != "__get__":  # to ask for its shape is not to use it
            given = [tensor for _, tensor in tensors_in([args, kwargs or {}])]
            self._use(tensor for tensor in given if isinstance(tensor, nn.Parameter))
        return super().__torch_function__(func, types, args, kwargs)

    def _seen(self, key: str, output: Any, parts: list[tuple[str, Tensor]], *rest: Any) -> Any:
        if rest[-1] == CONTAINER:
            return output
        module: Any = self._modules.get(key)
        if module is not None:
            self._use(module.parameters())
        multiplications = self.products.count - self._told
        packed = getattr(module, "weight", None)
        if callable(packed) and not isinstance(packed, nn.Module):  # quantised: out of sight
            weight, bias = packed(), module.bias() if callable(getattr(module, "bias", 0)) else None
            self._waiting += weight.numel() + (0 if bias is None else bias.numel())
            multiplications += parts[0][1][:1].numel() // len(weight) * weight.numel()
        for index, tensor in parts:
            shape = tuple(tensor.shape[1:])
            self.costs[key + index] = Cost(shape, self._waiting, multiplications)
            self._waiting = multiplications = 0
        self._told = self.products.count
        return output

    def _use(self, parameters: Iterator[Tensor]) -> None:
        for parameter in parameters:
            if id(parameter) not in self._parameters:
                self._parameters.add(id(parameter))
                self._waiting += parameter.numel()


class _Products(TorchDispatchMode):
    """Counts multiplications in what PyTorch computes, by its own formulas where it has them."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        known = func._overloadpacket
        if known not in flop_registry and known not in _MORE:
            with self:  # layers such as an LSTM are made of operations that are known
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        output = func(*args, **kwargs)
        if known in flop_registry:  # it counts a multiplication and an addition as two
            self.count += int(flop_registry[known](*args, **kwargs, out_val=output)) // 2
        elif known in _MORE:
            self.count += _MORE[known](*args)
        return output


def _trilinear(a: Tensor, b: Tensor, c: Tensor, *_: Any) -> int:
    """Of nn.Bilinear: all weights (out, in1, in2) for each row of the first input."""
    return b.numel() * (a.numel() // a.shape[-1])


def _recurrent(x: Tensor, inwards: Tensor, around: Tensor, *_: Any) -> int:
    """One direction of one layer, as oneDNN computes it: both matrices at each step (T, N, in)."""
    return (x.numel() // x.shape[-1]) * (inwards.numel() + around.numel())


_MORE: dict[Any, Callable[..., int]] = {
    torch.ops.aten.mv: lambda matrix, vector: matrix.numel(),
    torch.ops.aten.addmv: lambda bias, matrix, vector: matrix.numel(),
    torch.ops.aten.dot: lambda one, other: one.numel(),
    torch.ops.aten._trilinear: _trilinear,
    torch.ops.aten.mkldnn_rnn_layer: _recurrent,
}
"""Products that PyTorch's formulas leave out."""


@contextmanager
def _plain_operations() -> Iterator[None]:
    """No fused kernels while it lasts: what they multiply is not seen from outside."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
