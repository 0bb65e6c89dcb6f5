"""How the loss changes with what layers put out, and with the kernels of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.inside.batches import batches, count
from cnnviz.inside.heads import head
from cnnviz.inside.layer import Layer
from cnnviz.inside.recording import record


@dataclass(frozen=True)
class Gradients:
    """What a net's backward passes give for each input.

    Attributes:
        losses: cross-entropy of the true class, (N,).
        inputs: layer with weights → what goes into it, (N, …).
        outputs: layer → derivative of the loss with respect to its output, (N, …); layers that
            autograd does not reach are left out.
    """

    losses: Tensor
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


def layer_gradients(
    model: nn.Module,
    layers: Sequence[Layer],
    images: Tensor,
    labels: Tensor,
    *,
    output: str | int | None = None,
) -> Gradients:
    """Of the loss of each image alone, in one pass for all of them.

    Args:
        layers: of the model, in order of execution.
        images: input batch (N, …).
        labels: true classes (N,).
        output: of a model with several heads the one that is meant; see `cnnviz.inside.heads.head`.

    Raises:
        CnnvizError: no such head, or one that scores no classes.
    """
    inputs: dict[str, Tensor] = {}
    answers: list[Any] = []

    def keep(name: str) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            first = given[0] if given else kwargs["input"]
            inputs.setdefault(name, first.detach().clone())

        return hook

    hooks = [
        layer.module.register_forward_pre_hook(keep(layer.name), with_kwargs=True)
        for layer in layers
        if layer.module is not None and layer.weight is not None
    ]
    hooks.append(model.register_forward_hook(lambda module, given, out: answers.append(out)))
    names = {layer.name: layer.output_key for layer in layers}
    (batch,) = batches(model, images, count(images))
    with torch.enable_grad():
        # Weights may be frozen, so that the graph starts at the inputs; not at what the model
        # gets, into which it may write.
        given = batch.requires_grad_().clone() if batch.is_floating_point() else batch
    try:
        found = record(model, given, layers=list(names.values()), gradients=True)
    finally:
        for handle in hooks:
            handle.remove()
    with torch.enable_grad():
        losses = _losses(head(answers[0], output), labels, layers)
        reached = {n: found[key] for n, key in names.items() if found[key].requires_grad}
        # The inputs do not see each other: the gradient of the sum is that of each one's own loss.
        derivatives = (
            torch.autograd.grad(losses.sum(), list(reached.values()), allow_unused=True)
            if reached
            else ()
        )
    outputs = {n: g.detach() for n, g in zip(reached, derivatives, strict=True) if g is not None}
    return Gradients(losses.detach(), inputs, outputs)


def _losses(scores: Tensor, labels: Tensor, layers: Sequence[Layer]) -> Tensor:
    """Cross-entropy of each image, (N,); scores may be logits, their log-softmax or softmax."""
    if scores.dim() != 2 or (len(labels) and int(labels.max()) >= scores.shape[1]):
        raise CnnvizError(
            f"The network puts out shape {tuple(scores.shape)} for labels up to "
            f"{int(labels.max())}; expected a score for each class, (N, classes)."
        )
    scores = scores if scores.dtype == torch.float64 else scores.float()
    if layers and layers[-1].kind == "softmax":
        scores = scores.clamp(min=torch.finfo(scores.dtype).tiny).log()
    return F.cross_entropy(scores, labels.to(scores.device), reduction="none")


def kernel_gradients(layer: Layer, inputs: Tensor, outputs: Tensor) -> Tensor:
    """Derivatives of each input's loss with respect to a convolution's weight, (N, *weight.shape).

    Args:
        inputs: what goes into it, (N, C, …).
        outputs: derivatives with respect to its output, (N, out, …).

    Raises:
        CnnvizError: a layer that is no convolution.
    """
    module = layer.module
    if not isinstance(module, nn.modules.conv._ConvNd):
        raise CnnvizError(f"Layer '{layer.name}' is no convolution; expected one, with kernels.")
    weight = module.weight.detach().requires_grad_()
    others = {name: p.detach() for name, p in module.named_parameters() if name != "weight"}
    plain = "weight" in dict(module.named_parameters())  # else it is made from other parameters
    found = []
    with torch.enable_grad():
        for one, derivative in zip(inputs, outputs, strict=True):
            if plain:
                output = functional_call(module, others | {"weight": weight}, (one[None],))
            else:
                output = module._conv_forward(one[None], weight, None)
            found.append(torch.autograd.grad(output, weight, derivative[None])[0])
    return torch.stack(found)
