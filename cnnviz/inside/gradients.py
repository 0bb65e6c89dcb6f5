"""How the loss changes with what layers put out, and with the kernels of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from cnnviz.inside.layers import Layer, answer_of
from cnnviz.inside.recording import record


@dataclass(frozen=True)
class Gradients:
    """What a net's backward passes give for each input.

    Attributes:
        losses: cross-entropy of the true class, (N,).
        inputs: layer with weights → what goes into it, (N, …).
        outputs: layer → derivative of the loss with respect to its output, (N, …).
    """

    losses: Tensor
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


def layer_gradients(
    model: nn.Module, layers: Sequence[Layer], images: Tensor, labels: Tensor
) -> Gradients:
    """Of the loss of each image alone, in one pass for all of them.

    Args:
        layers: all of the model's; see `cnnviz.inside.layers.answer_of` for which gives the logits.
        images: input batch (N, …).
        labels: true classes (N,).
    """
    inputs: dict[str, Tensor] = {}

    def keep(name: str) -> object:
        def hook(module: nn.Module, given: tuple[Tensor, ...]) -> None:
            inputs.setdefault(name, given[0].detach())

        return hook

    modules = dict(model.named_modules())
    hooks = [
        modules[layer.name].register_forward_pre_hook(keep(layer.name))
        for layer in layers
        if layer.weight is not None
    ]
    keys = {layer.name: layer.output_key for layer in layers}
    # Weights may be frozen, so that the graph starts at the inputs.
    images = images.clone().requires_grad_()
    try:
        outputs = record(model, images, layers=[*keys.values()], gradients=True)
    finally:
        for hook in hooks:
            hook.remove()
    scores = outputs[answer_of(layers).output_key].flatten(1)
    losses = F.cross_entropy(scores, labels, reduction="none")
    # The inputs do not see each other: the gradient of the sum is that of each one's own loss.
    reached = [layer for layer in layers if outputs[layer.output_key].requires_grad]
    found = torch.autograd.grad(
        losses.sum(), [outputs[layer.output_key] for layer in reached], allow_unused=True
    )
    of_outputs = {
        layer.name: layer.units_first(gradient.detach())
        for layer, gradient in zip(reached, found, strict=True)
        if gradient is not None
    }
    return Gradients(losses.detach(), inputs, of_outputs)


def kernel_gradients(layer: Layer, inputs: Tensor, outputs: Tensor) -> Tensor:
    """Derivatives of each input's loss with respect to a convolution's kernels (N, out, in, k, k).

    Args:
        inputs: what goes into it, (N, C, H, W).
        outputs: derivatives with respect to its output, (N, out, H', W').
    """
    assert layer.module is not None
    weight = layer.module.weight
    assert isinstance(weight, Tensor)
    weight = weight.detach().requires_grad_()
    rest = {name: value.detach() for name, value in layer.module.named_parameters()
            if name != "weight"}  # fmt: skip
    found = []
    with torch.enable_grad():
        for one, derivative in zip(inputs, outputs, strict=True):
            output = functional_call(layer.module, rest | {"weight": weight}, (one[None],))
            found.append(torch.autograd.grad(output, weight, derivative[None])[0])
    return torch.stack(found)
