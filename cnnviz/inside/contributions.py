"""Who feeds whom: what each unit of a layer gets from each channel before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.inside.batches import batches
from cnnviz.inside.images import Images, batch_size
from cnnviz.inside.inputs import run
from cnnviz.inside.layer import Layer
from cnnviz.inside.undisturbed import undisturbed

_CONVOLVE: Mapping[Any, Callable[..., Tensor]] = {
    nn.Conv1d.forward: F.conv1d,
    nn.Conv2d.forward: F.conv2d,
    nn.Conv3d.forward: F.conv3d,
    nn.ConvTranspose1d.forward: F.conv_transpose1d,
    nn.ConvTranspose2d.forward: F.conv_transpose2d,
    nn.ConvTranspose3d.forward: F.conv_transpose3d,
}
"""What a convolution computes, by its `forward`: one of the user's own may compute another."""

_AT_ONCE = 2**23
"""Numbers that are held for the taps of some channels' kernels."""


def contributions(
    model: nn.Module, layers: Sequence[Layer], images: Images | Any
) -> dict[str, Tensor]:
    """For each layer what each unit gets from each channel before it, on average: (C, channels).

    The average runs over the images and over the places of the map (or the tokens): as the layer
    is linear, it is what the mean input contributes. The bias is left out: with it, a row adds up
    to the unit's mean output. In a grouped convolution what other groups see counts as 0.

    Args:
        layers: those with weights; one that computes something else than PyTorch's convolution or
            linear layer (of the user's own, or quantised) has no such numbers and is left out.
        images: (N, …), or what reads them on demand; they pass in batches.
    """
    means = _mean_inputs(model, [layer for layer in layers if _is_known(layer.module)], images)
    found = {}
    for layer in layers:
        if layer.name in means and layer.module is not None:
            mean = means[layer.name]
            if isinstance(layer.module, nn.Linear):
                found[layer.name] = _of_linear(layer, layer.module, mean)
            else:
                found[layer.name] = _of_convolution(layer.module, mean)
    return found


def _is_known(module: nn.Module | None) -> bool:
    forward = type(module).forward if module is not None else None
    return forward in _CONVOLVE or forward is nn.Linear.forward


def _of_linear(layer: Layer, module: nn.Linear, mean: Tensor) -> Tensor:
    parts = module.weight.detach().to(mean) * mean.reshape(-1, mean.shape[-1]).mean(0)  # (C, in)
    channels = layer.maps[0] if layer.maps else parts.shape[1]
    return parts.unflatten(1, (channels, -1)).sum(2)


def _of_convolution(module: Any, mean: Tensor) -> Tensor:
    """(C, in), given the mean input (in, …) with one to three axes of places."""
    weight = module.weight.detach().to(mean)  # (out, in / groups, …); transposed: (in, out / g, …)
    groups, taps = module.groups, _taps(module, mean, weight[0, 0].numel())  # (in, places)
    inside = taps.unflatten(0, (groups, -1))  # (g, in / g, K)
    kernels = weight.flatten(2).unflatten(0, (groups, -1))
    if module.transposed:
        parts = torch.einsum("giok,gik->goi", kernels, inside)
    else:
        parts = torch.einsum("goik,gik->goi", kernels, inside)  # (g, out / g, in / g)
    return torch.block_diag(*parts) if groups > 1 else parts[0]


def _taps(module: Any, mean: Tensor, places: int) -> Tensor:
    """What each place of a kernel meets in each channel, on average over the output: (in, places).

    Found with kernels that are 1 at one place and 0 elsewhere.
    """
    single = torch.eye(places, device=mean.device, dtype=mean.dtype)
    single = single.view(places, 1, *module.kernel_size)
    options = {"stride": module.stride, "dilation": module.dilation, "padding": module.padding}
    if module.transposed:
        single = single.transpose(0, 1)  # (1, places, …)
        options["output_padding"] = module.output_padding
    elif module.padding_mode != "zeros":
        around = module._reversed_padding_repeated_twice
        mean = F.pad(mean[None], around, mode=module.padding_mode)[0]
        options["padding"] = 0
    convolve = _CONVOLVE[type(module).forward]
    channels = max(1, _AT_ONCE // (places * mean[0].numel()))
    met = [convolve(some[:, None], single, **options) for some in mean.split(channels)]
    return torch.cat([one.flatten(2).mean(2) for one in met])


def _mean_inputs(
    model: nn.Module, layers: Sequence[Layer], images: Images | Any
) -> dict[str, Tensor]:
    """What goes into each of the layers at its first use, averaged over the images, in float32."""
    sums: dict[str, Tensor] = {}
    seen: set[str] = set()
    total = 0

    def keep(name: str) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if name in seen:  # a second use
                return
            seen.add(name)
            given = args[0] if args else kwargs["input"]
            added = given.detach().float().sum(0)
            sums[name] = sums[name] + added if name in sums else added

        return hook

    handles = [
        layer.module.register_forward_pre_hook(keep(layer.name), with_kwargs=True)
        for layer in layers
        if layer.module is not None and not layer.same_as
    ]
    size = batch_size(images) if not isinstance(images, tuple | list | Mapping) else 8
    try:
        with undisturbed(model), torch.no_grad():
            for batch in batches(model, images, size):
                seen.clear()
                run(model, batch)
                total += len(batch) if isinstance(batch, Tensor) else 1
    finally:
        for handle in handles:
            handle.remove()
    return {name: added / total for name, added in sums.items()}


def connection_sizes(layer: Layer, channels: int) -> Tensor:
    """The weight of each connection (C, channels), or the norm of its slice; 0 between groups."""
    assert layer.weight is not None
    inside = channels // layer.groups  # channels that a unit sees
    slices = torch.from_numpy(layer.weight.copy()).flatten(1).unflatten(1, (inside, -1))
    sizes = slices[..., 0] if slices.shape[2] == 1 else slices.norm(dim=2)
    return torch.block_diag(*sizes.chunk(layer.groups)) if layer.groups > 1 else sizes
