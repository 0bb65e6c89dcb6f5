"""One layer of a network: its kind, its shapes, its weights, and what feeds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from cnnviz.inside.kinds import KINDS, RECTIFIERS

Floats = npt.NDArray[np.floating[Any]]
Shape = tuple[int, ...]

INPUT = ""
"""The name of the network's input among what a layer is fed by."""

CONVOLUTIONS = ("conv", "transposed")
"""Kinds with kernels."""


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes:
        net: name of the network.
        kind: a name of KINDS.
        module: None for an operation in the network's own code.
        before, after: shapes of what goes in first and of what comes out, without the batch.
        maps: shape (C, H, W) of what was flattened into the input of a linear layer, else None.
        first: no convolution comes before it.
        fed_by: names of the layers whose outputs go into it, through operations that are no
            layers if need be; INPUT among them for the network's input.
        operation: what an operation is called, such as "max_pool2d"; "" for a module.
        same_as: the layer before it that uses the same weights, or "".
        scores: its units are the classes, and nothing but their order's keepers come after it.
        axis: of `after`, where its units lie: 0, but the last one for numbers of which each place
            has a row, as tokens have.
        key: under which name `cnnviz.record` gives its (first) output, if not its own.
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
    operation: str = ""
    same_as: str = ""
    scores: bool = False
    axis: int = 0
    key: str = ""

    @property
    def output_key(self) -> str:
        """Its name among what `cnnviz.record` gives."""
        return self.key or self.name

    @property
    def units(self) -> int:
        """How many channels or units it puts out."""
        return self.after[self.axis]

    @property
    def shape(self) -> Shape:
        """Shape of what it puts out with its units first, as `units_first` gives it."""
        return (self.units, *self.after[: self.axis], *self.after[self.axis + 1 :])

    def units_first(self, output: Tensor) -> Tensor:
        """Its output (N, …) with units in the second place: (N, C, …)."""
        return output.movedim(self.axis + 1, 1) if self.axis else output

    @property
    def has_units(self) -> bool:
        """Have its units weights of their own, and so pages?"""
        return self.weight is not None and self.axis == 0

    @property
    def groups(self) -> int:
        """Into how many groups a convolution parts its channels; 1 for other layers."""
        return int(getattr(self.module, "groups", 1)) if self.kind in CONVOLUTIONS else 1

    @property
    def depthwise(self) -> bool:
        """Does each kernel of a convolution see one channel of several?"""
        return self.kind in CONVOLUTIONS and 1 < self.groups == self.before[0]

    @property
    def rectifies(self) -> bool:
        """Does it put zero in place of what is negative, as ReLU does?"""
        return (self.operation or type(self.module).__name__) in RECTIFIERS

    @property
    def activation(self) -> bool:
        """Is it an activation function?"""
        return self.kind in ("relu", "activation")

    @property
    def weight(self) -> Floats | None:
        """(out, in, …, k, k) of a convolution, (out, in) of a linear layer, else None.

        `in` is that of one group. None, too, for another use of weights that a layer before it has.
        """
        if self.module is None or self.same_as or not KINDS[self.kind].weighted:
            return None  # normalisation has weights, too
        weight = self.module.weight
        if not isinstance(weight, Tensor):  # such as of a quantised layer
            return None
        weight = weight.detach()
        if self.kind == "transposed":  # (in, out / groups, …)
            weight = weight.unflatten(0, (self.groups, -1)).transpose(1, 2).flatten(0, 1)
        return weight.float().cpu().numpy()

    @property
    def kernels(self) -> Floats | None:
        """The weights of a convolution as (out, in, h, w); (out, in) where a kernel is one pixel.

        In one dimension h is 1, in three the slices of a kernel lie one below the other.
        """
        weight = self.weight
        if weight is None or self.kind not in CONVOLUTIONS:
            return weight
        if weight[0, 0].size == 1:
            return weight.reshape(weight.shape[:2])
        return weight.reshape(*weight.shape[:2], -1, weight.shape[-1])

    @property
    def form(self) -> str:
        """How its weights are best drawn: a key of cnnviz.drawing.weights.DRAW, or ""."""
        kernels = self.kernels
        if kernels is None:
            return ""
        if kernels.ndim == 4:
            if self.first and self.before[0] == 3 and self.groups == 1:
                return "colours"
            return "depthwise" if kernels.shape[1] == 1 < self.groups else "slices"
        if self.maps is None:
            return "matrix"
        return "images" if self.maps[0] == 1 else "blocks"
