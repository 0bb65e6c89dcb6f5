"""A network as the atlas sees it: its layers, its random twin, its past, its answers.

Any trained module over the images of this build will do: one of the recipes of this project, or one
that ATLAS_NETS names (gen.settings).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.figure.figure import Text
from cnnviz.inside.ablation import ablate
from cnnviz.inside.receptive_field import ReceptiveField, receptive_fields
from cnnviz.inside.recording import record
from gen.context import Context, shared

Floats = npt.NDArray[np.floating[Any]]
Shape = tuple[int, ...]

TESTED = 2000
"""Test images over which the atlas counts: zeros, dead units, ranges, means, losses."""

KINDS: dict[str, tuple[type[nn.Module], Text]] = {
    "conv": (nn.Conv2d, Text("卷积", "convolution")),
    "relu": (nn.ReLU, Text("激活（ReLU）", "activation (ReLU)")),
    "pool": (nn.MaxPool2d, Text("最大汇聚", "max pooling")),
    "flatten": (nn.Flatten, Text("展平", "flatten")),
    "dropout": (nn.Dropout, Text("Dropout", "dropout")),
    "output": (nn.Linear, Text("输出（全连接）", "output (fully connected)")),
    "linear": (nn.Linear, Text("全连接", "fully connected")),
    "other": (nn.Module, Text("其他", "other")),
}

WEIGHTED = ("conv", "linear", "output")
"""Kinds of layers whose units have weights and pages of their own."""

_OPERATIONS = {"relu": "relu", "max_pool2d": "pool", "flatten": "flatten", "view": "flatten"}
"""Operations in a network's own code that are layers, as `cnnviz.record` names them."""


@dataclass(frozen=True)
class Layer:
    """One layer of a net.

    Attributes:
        before, after: shapes of what goes in and comes out, without the batch.
        maps: shape (C, H, W) of what was flattened into the input of a linear layer, else None.
        first: no convolution comes before it.
    """

    net: str
    name: str
    kind: str
    module: nn.Module | None
    before: Shape
    after: Shape
    maps: Shape | None
    first: bool

    @property
    def weight(self) -> Floats | None:
        """(out, in, k, k) of a convolution, (out, in) of a linear layer, else None."""
        if self.module is None or self.kind not in WEIGHTED:  # normalisation has weights, too
            return None
        weight = self.module.weight
        assert isinstance(weight, Tensor)
        return weight.detach().numpy()

    @property
    def form(self) -> str:
        """How its weights are best drawn: a key of `_FORMS`, or ""."""
        if self.weight is None:
            return ""
        if self.kind == "conv":
            return "colours" if self.first and self.before[0] == 3 else "slices"
        if self.maps is None:
            return "matrix"
        return "images" if self.maps[0] == 1 else "blocks"


def layers_of(model: nn.Module, outputs: dict[str, Tensor], before: Shape, net: str) -> list[Layer]:
    """The layers that a recording found, in order of execution.

    Operations in the network's own code count where they are layers elsewhere, such as `F.relu`.

    Args:
        outputs: what `cnnviz.record` returned for the model.
        before: shape of the model's input, without the batch.
    """
    modules = dict(model.named_modules())
    maps: Shape | None = None
    found: list[Layer] = []
    for name, output in outputs.items():
        if name not in modules and _operation(name) == "other":
            continue  # such as the centring of the input
        module, after = modules.get(name), tuple(output.shape[1:])
        last = name == list(outputs)[-1]
        kind = next(
            (k for k, (t, _) in KINDS.items() if isinstance(module, t) and (last or k != "output")),
            "" if module is None else "other",
        ) or _operation(name)
        if kind == "flatten":
            maps = before
        first = not any(layer.kind == "conv" for layer in found)
        found.append(Layer(net, name, kind, module, before, after, maps, first))
        if kind in ("conv", "linear"):
            maps = None
        before = after
    return found


def _operation(name: str) -> str:
    """The kind of a recorded operation: the second use of relu is "relu_1"."""
    plain = name.rpartition(".")[2]
    base, _, count = plain.rpartition("_")
    return _OPERATIONS.get(base if count.isdigit() else plain, "other")


class AtlasNet:
    """One network of the atlas, with what its pages share, each computed once.

    Attributes:
        name, title: in addresses, in headings.
        model: trained, in evaluation mode.
        random: the same architecture with random weights: the start of the training where it is
            kept, else drawn anew.
        inputs: the atlas' chosen images as the network wants them, float (N, C, H, W).
        steps: training steps at which the weights were kept; empty for a network from outside.
    """

    def __init__(self, name: str, title: str, context: Context) -> None:
        self.name, self.title, self._context = name, title, context
        self.own = name not in context.settings.atlas_files
        if self.own:
            self.model = context.model(name)
            self.steps = list(context.trained(name).snapshots)
            self.random = context.model(name, self.steps[0])
        else:
            self.model = context.model(name)
            self.steps = []
            self.random = reinitialised(self.model)
        # Chosen by what LeNet misreads: asked for here, so that each who uses this net is known to
        # use LeNet.
        self.inputs = context.inputs(name, context.atlas_images)
        self.outputs_at = cache(self._outputs_at)
        self.ablation = cache(self._ablation)

    @cached_property
    def tested(self) -> Tensor:
        """The first TESTED test images, float; their labels are `context.test.labels[:TESTED]`."""
        return self._context.inputs(self.name, self._context.test.images[:TESTED])

    @cached_property
    def outputs(self) -> dict[str, Tensor]:
        """Every layer's output for `inputs`: dotted name → (N, …)."""
        return self.recorded(self.model, self.inputs)

    @cached_property
    def random_outputs(self) -> dict[str, Tensor]:
        """The same with random weights."""
        return self.recorded(self.random, self.inputs)

    def _outputs_at(self, step: int) -> dict[str, Tensor]:
        """The same as the network was after `step` training steps, one of `steps`."""
        return self.recorded(self.model_at(step), self.inputs)

    def model_at(self, step: int) -> nn.Module:
        """The network after `step` training steps, one of `steps`."""
        return self._context.model(self.name, step)

    @cached_property
    def all_tested(self) -> Tensor:
        """All test images, float."""
        return self._context.inputs(self.name, self._context.test.images)

    @cached_property
    def tested_outputs(self) -> dict[str, Tensor]:
        """Every layer's output for `tested`."""
        return self.recorded(self.model, self.tested)

    def _ablation(self, layer: str) -> Any:
        """Accuracy and loss by class on `tested` with each unit of a layer switched off."""
        labels = self._context.test.labels[: len(self.tested)]
        classes = len(self._context.test.class_names)
        return ablate(self.model, layer, self.tested, labels, classes)

    @cached_property
    def baseline(self) -> tuple[Tensor, Tensor]:
        """Accuracy and loss by class, each (classes,), with nothing switched off."""
        labels = self._context.test.labels[: len(self.tested)]
        logits = self.tested_outputs[self.layers[-1].name].double()
        members = F.one_hot(labels, len(self._context.test.class_names)).double()  # (N, classes)
        right = logits.argmax(1).eq(labels).double()
        loss = F.cross_entropy(logits, labels, reduction="none")
        accuracy, mean_loss = (torch.stack([right, loss]) @ members / members.sum(0)).unbind()
        return accuracy, mean_loss

    def recorded(self, model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
        """Outputs of all layers of the atlas, in order of execution."""
        with torch.no_grad():
            return record(model, inputs, layers=[layer.name for layer in self.layers])

    @cached_property
    def layers(self) -> list[Layer]:
        """All layers, in order of execution."""
        shape = tuple(self.inputs.shape[1:])
        with torch.no_grad():
            outputs = record(self.model, self.inputs[:1])
        return layers_of(self.model, outputs, shape, self.name)

    def layer(self, name: str) -> Layer:
        """The layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)

    @property
    def weighted(self) -> list[Layer]:
        """Layers with weights: those whose units have pages of their own."""
        return [layer for layer in self.layers if layer.kind in WEIGHTED]

    def after(self, layer: Layer) -> list[Layer]:
        """What follows a layer up to the next one with weights: ReLU, pooling, flattening."""
        later = self.layers[self.layers.index(layer) + 1 :]
        stop = next((i for i, x in enumerate(later) if x.weight is not None), len(later))
        return later[:stop]

    @cached_property
    def fields(self) -> dict[str, ReceptiveField]:
        """Receptive fields of all layers."""
        height, width = self.inputs.shape[2:]
        return receptive_fields(self.model, (height, width))


@shared
def atlas_net(context: Context, name: str) -> AtlasNet:
    """The network of that name, as the atlas sees it."""
    return AtlasNet(name, context.settings.atlas_nets[name], context)


def reinitialised(model: nn.Module, seed: int = 0) -> nn.Module:
    """A copy with the random weights that its layers begin with."""
    copy = deepcopy(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in copy.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
                reset()
    return copy.eval()
