"""Who feeds whom: what each unit of a layer gets from each channel before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.inside.layers import Layer


def contributions(model: nn.Module, layers: Sequence[Layer], images: Tensor) -> dict[str, Tensor]:
    """For each layer what each unit gets from each channel before it, on average: (C, channels).

    The average runs over the images and, in a convolution, over the places of the map: as the layer
    is linear, it is what the mean input contributes. The bias is left out.

    Args:
        layers: those with weights; a grouped convolution has no such numbers and is left out.
        images: input batch (N, …).
    """
    inputs = _mean_inputs(model, layers, images)
    found = {}
    for layer in layers:
        module, mean = layer.module, inputs[layer.name]
        assert module is not None
        weight = module.weight
        assert isinstance(weight, Tensor)
        if isinstance(module, nn.Conv2d):
            if module.groups == 1:
                columns = [
                    F.conv2d(
                        mean[None, c : c + 1], weight[:, c : c + 1], None,
                        module.stride, module.padding, module.dilation,
                    ).mean((0, 2, 3))
                    for c in range(len(mean))
                ]  # fmt: skip
                found[layer.name] = torch.stack(columns, dim=1).detach()
        elif isinstance(module, nn.Linear) and mean.dim() == 1:
            parts = (weight * mean).detach()  # (C, in)
            channels = layer.maps[0] if layer.maps else parts.shape[1]
            found[layer.name] = parts.unflatten(1, (channels, -1)).sum(2)
    return found


def _mean_inputs(model: nn.Module, layers: Sequence[Layer], images: Tensor) -> dict[str, Tensor]:
    """What goes into each of the layers, averaged over the images."""
    means: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, args: tuple[Tensor, ...]) -> None:
            means[name] = args[0].mean(0)

        return hook

    modules = dict(model.named_modules())
    handles = [modules[layer.name].register_forward_pre_hook(keep(layer.name)) for layer in layers]
    try:
        with torch.no_grad():
            model(images)
    finally:
        for handle in handles:
            handle.remove()
    return means
