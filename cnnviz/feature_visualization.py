"""The input that a unit answers most to, found by gradient ascent from noise.

After Erhan, Bengio, Courville and Vincent, "Visualizing higher-layer features of a deep network"
(2009); kept legible by a random shift each step and a penalty on differences of neighbouring
pixels, as in Olah, Mordvintsev and Schubert, "Feature Visualization" (Distill, 2017). All units
of a layer and all starts are one batch: an image has no part in the gradient of another.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.recording import eval_mode, record


@dataclass(frozen=True)
class Optimised:
    """Attributes:
    images: (units, starts, channels, height, width) from 0 to 1.
    value: (units, starts) the unit's output for them, without shift or penalty.
    """

    images: Tensor
    value: Tensor


def maximise(
    model: nn.Module,
    layer: str,
    units: Tensor,
    input_shape: tuple[int, int, int],
    *,
    starts: int = 2,
    steps: int = 64,
    learning_rate: float = 0.1,
    roughness: float | Tensor = 0.5,
    max_shift: int = 1,
    seed: int = 0,
) -> Optimised:
    """Images that make units of a layer answer as strongly as they can.

    In a layer with maps a unit is the middle of its channel's map.

    Args:
        units: (K,) numbers of channels or units.
        input_shape: (channels, height, width) of one image.
        starts: images for each unit, each from a noise of its own.
        roughness: weight of the summed squared differences of neighbouring pixels, which are
            taken off the answer; (K,) for one of its own for each unit, since units that answer
            with small numbers want a small one.
        max_shift: pixels by which the images are moved at random in each step.

    Raises:
        CnnvizError: a unit that the layer does not have.
    """
    generator = torch.Generator().manual_seed(seed)
    count = len(units)
    # A start depends on the seed and its number only: a unit gets the same alone as in company.
    noise = torch.randn(1, starts, *input_shape, generator=generator)
    pixels = (0.1 * noise).expand(count, *noise.shape[1:]).flatten(0, 1).clone()
    pixels.requires_grad_()  # (K·S, C, H, W) before the sigmoid
    which = units.repeat_interleave(starts)
    smoothing = torch.as_tensor(roughness).expand(count).repeat_interleave(starts)  # (K·S,)
    optimiser = torch.optim.Adam([pixels], lr=learning_rate)
    with eval_mode(model), torch.enable_grad():
        channels = record(model, torch.zeros(1, *input_shape), layers=[layer], functional=False)
        if (bad := units[(units < 0) | (units >= channels[layer].shape[1])]).numel():
            raise CnnvizError(
                f"Layer '{layer}' has units 0 to {channels[layer].shape[1] - 1}; there is no unit "
                f"{int(bad[0])}."
            )
        for _ in range(steps):
            down, right = torch.randint(-max_shift, max_shift + 1, (2,), generator=generator)
            images = pixels.sigmoid().roll((int(down), int(right)), (2, 3))
            answer = _answers(model, layer, images, which)
            loss = (smoothing * _roughness(images)).sum() - answer.sum()
            optimiser.zero_grad()
            torch.autograd.backward(loss, inputs=[pixels])
            optimiser.step()
    images = pixels.detach().sigmoid()
    with torch.no_grad():
        value = _answers(model, layer, images, which)
    return Optimised(images.unflatten(0, (count, starts)), value.detach().view(count, starts))


def _answers(model: nn.Module, layer: str, images: Tensor, which: Tensor) -> Tensor:
    """The output (B,) of unit `which[i]` for image i."""
    output = _output(model, layer, images)
    if output.dim() > 2:
        output = output[:, :, output.shape[2] // 2, output.shape[3] // 2]  # (B, C)
    return output[torch.arange(len(images)), which]


class _Reached(Exception):
    """The layer has run: what comes after it is of no interest."""


def _output(model: nn.Module, layer: str, images: Tensor) -> Tensor:
    """What the layer puts out, (B, C, …); the network runs no further than that."""

    def stop(module: nn.Module, inputs: object, output: Tensor) -> None:
        raise _Reached(output)

    handle = model.get_submodule(layer).register_forward_hook(stop)
    try:
        model(images)
    except _Reached as reached:
        output: Tensor = reached.args[0]
        return output
    finally:
        handle.remove()
    raise AssertionError("the layer ran before, in `record`, and does not run now")


def _roughness(images: Tensor) -> Tensor:
    """Sum (B,) of squared differences of neighbouring pixels."""
    across = F.pad(images, (0, 1)).diff(dim=3).square().sum((1, 2, 3))
    down = F.pad(images, (0, 0, 0, 1)).diff(dim=2).square().sum((1, 2, 3))
    return across + down
