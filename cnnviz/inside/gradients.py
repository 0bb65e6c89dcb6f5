"""How the loss changes with what layers put out, and with the kernels of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.inside.layers import Layer
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
        layers: all of the model's, the last of which gives the logits (N, classes).
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
    names = [layer.name for layer in layers]
    # Weights may be frozen, so that the graph starts at the inputs.
    images = images.clone().requires_grad_()
    try:
        outputs = record(model, images, layers=names, gradients=True)
    finally:
        for hook in hooks:
            hook.remove()
    losses = F.cross_entropy(outputs[names[-1]], labels, reduction="none")
    # The inputs do not see each other: the gradient of the sum is that of each one's own loss.
    found = torch.autograd.grad(losses.sum(), [outputs[n] for n in names], allow_unused=True)
    of_outputs = {n: g.detach() for n, g in zip(names, found, strict=True) if g is not None}
    return Gradients(losses.detach(), inputs, of_outputs)


def kernel_gradients(layer: Layer, inputs: Tensor, outputs: Tensor) -> Tensor:
    """Derivatives of each input's loss with respect to a convolution's kernels (N, out, in, k, k).

    Args:
        inputs: what goes into it, (N, C, H, W).
        outputs: derivatives with respect to its output, (N, out, H', W').
    """
    assert isinstance(layer.module, nn.Conv2d)
    weight = layer.module.weight.detach().requires_grad_()
    found = []
    with torch.enable_grad():
        for one, derivative in zip(inputs, outputs, strict=True):
            output = layer.module._conv_forward(one[None], weight, None)
            found.append(torch.autograd.grad(output, weight, derivative[None])[0])
    return torch.stack(found)
