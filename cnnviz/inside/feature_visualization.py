"""The input that a unit answers most to, found by gradient ascent from noise.

After Erhan, Bengio, Courville and Vincent, "Visualizing higher-layer features of a deep network"
(2009); kept legible by a random shift each step and a penalty on differences of neighbouring
pixels, as in Olah, Mordvintsev and Schubert, "Feature Visualization" (Distill, 2017). All units
of a layer and all starts are one batch: an image has no part in the gradient of another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.inside import fourier
from cnnviz.inside.answers import Answers, Target
from cnnviz.inside.batches import place
from cnnviz.inside.undisturbed import undisturbed

TOGETHER = 128
"""Units whose images are optimised at once: a processor is busy, and memory does not matter yet."""

AT_ONCE = 1_600_000
"""Numbers of all images that are optimised at once, so that it does not matter for large ones."""


@dataclass(frozen=True)
class Optimised:
    """Attributes:
    images: (units, starts, channels, height, width) from 0 to 1.
    value: (units, starts) the unit's output for them, without shift or penalty.
    moved: (units, starts) bool: whether the unit ever told how to change the image. Where it
        did not, its gradient was zero from the start to the end (as behind a ReLU that no start
        wakes), and the image is noise, smoothed by the penalty, that says nothing of the unit.
    """

    images: Tensor
    value: Tensor
    moved: Tensor


@dataclass(frozen=True)
class _Ascent:
    """How images are made, and how they are changed."""

    shape: tuple[int, ...]
    parameters: Literal["pixels", "fourier"]
    shifts: list[list[int]]
    learning_rate: float

    def images(self, what: Tensor) -> Tensor:
        """(B, C, …) from 0 to 1."""
        if self.parameters == "fourier":
            what = fourier.pixels(what, self.shape)
        return what.sigmoid()


def maximise(
    model: nn.Module,
    layer: str,
    units: Tensor | Sequence[int],
    input_shape: Sequence[int],
    *,
    starts: int = 2,
    steps: int = 64,
    learning_rate: float | None = None,
    roughness: float | Tensor | None = None,
    max_shift: int | None = None,
    seed: int = 0,
    parameters: Literal["pixels", "fourier"] = "pixels",
    target: Target = "middle",
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> Optimised:
    """Images that make units of a layer answer as strongly as they can.

    For small images of strokes, pixels do well. For photographs take parameters="fourier", some
    100 steps, and images of about 128 pixels.

    Args:
        layer: any name that `record` gives, whose output is (N, C, …).
        units: (K,) numbers of channels or units.
        input_shape: (channels, height, width) of one image; another number of axes is as welcome.
        starts: images for each unit, each from a noise of its own.
        learning_rate: None: 0.1 for pixels, 0.05 for waves.
        roughness: weight of the summed squared differences of neighbouring pixels, which are
            taken off the answer; (K,) for one of its own for each unit, since units that answer
            with small numbers want a small one. None: 0.5 for pixels, 0 for waves.
        max_shift: pixels by which the images are moved at random in each step. None: 1 for
            pixels, a sixteenth of the image, at most 8, for waves.
        parameters: what is changed: the pixels, or the waves and the colours of which photographs
            are made (`cnnviz.inside.fourier`).
        target: in a layer with maps, the middle of a channel's map or the mean of it.
        prepare: what makes the model's input of images from 0 to 1, such as a normalisation;
            differentiable. None: the model takes them as they are.

    Raises:
        CnnvizError: no such layer or unit, a shape that the model does not take.
    """
    units = torch.as_tensor(units, dtype=torch.int64).flatten().cpu()
    if isinstance(input_shape, int):
        raise CnnvizError(f"input_shape={input_shape}; expected such as (3, 224, 224).")
    shape = tuple(int(size) for size in input_shape)
    waves = _checked(parameters, target, shape)
    if max_shift is None:
        max_shift = min(8, max(1, min(shape[1:]) // 16)) if waves else 1
    rate = (0.05 if waves else 0.1) if learning_rate is None else learning_rate
    rough = (0.0 if waves else 0.5) if roughness is None else roughness
    generator = torch.Generator().manual_seed(seed)
    noise = fourier.start(starts, shape, generator) if waves else _noise(starts, shape, generator)
    across = (steps, len(shape) - 1)
    shifts = torch.randint(-max_shift, max_shift + 1, across, generator=generator).tolist()
    ascent = _Ascent(shape, parameters, shifts, rate)
    with undisturbed(model), torch.enable_grad():
        answers = Answers(model, layer, shape, target, prepare)
        _check_units(units, layer, answers.units)
        return _of_all(answers, ascent, units, noise, torch.as_tensor(rough).expand(len(units)))


def _noise(starts: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Grey with a little noise, before the sigmoid, (S, C, …)."""
    return 0.1 * torch.randn(starts, *shape, generator=generator)


def _of_all(
    answers: Answers, ascent: _Ascent, units: Tensor, noise: Tensor, penalties: Tensor
) -> Optimised:
    """The images of all units (K,), as many at once as memory allows.

    Args:
        noise: the starts, (S, …), the same for each unit.
        penalties: roughness of each unit, (K,).
    """
    where, dtype = place(answers.model)
    noise = noise.to(where, dtype if dtype == torch.float64 else noise.dtype)
    starts = len(noise)
    together = max(1, min(TOGETHER, AT_ONCE // max(1, starts * prod(ascent.shape))))
    weights = penalties.detach().to(noise).split(together)
    made: list[tuple[Tensor, Tensor, Tensor]] = []
    with answers.watching():
        for some, weight in zip(units.split(together), weights, strict=True):
            # A start depends on the seed and its number only: a unit gets the same alone.
            what = noise.expand(len(some), *noise.shape).flatten(0, 1).clone()
            each = some.repeat_interleave(starts), weight.repeat_interleave(starts)
            made.append(_ascend(answers, ascent, what, *each))
    images, value, moved = (torch.cat(parts) for parts in zip(*made, strict=True))
    counts = (len(units), starts)
    return Optimised(images.unflatten(0, counts), value.view(counts), moved.view(counts))


def _checked(parameters: str, target: str, shape: tuple[int, ...]) -> bool:
    """Whether images are made of waves, after a check of what may be asked for."""
    if parameters not in ("pixels", "fourier") or target not in ("middle", "channel"):
        raise CnnvizError(
            f"parameters={parameters!r}, target={target!r}; expected 'pixels' or 'fourier', and "
            "'middle' or 'channel'."
        )
    if min(shape, default=0) < 1 or (parameters == "fourier" and len(shape) < 2):
        raise CnnvizError(f"Images of shape {shape}; expected such as (3, 224, 224).")
    return parameters == "fourier"


def _check_units(units: Tensor, layer: str, have: int) -> None:
    if (bad := units[(units < 0) | (units >= have)]).numel():
        raise CnnvizError(
            f"Layer '{layer}' has units 0 to {have - 1}; there is no unit {int(bad[0])}."
        )
    if not len(units):
        raise CnnvizError(f"No units of layer '{layer}' were given; expected at least one.")


def _ascend(
    answers: Answers, ascent: _Ascent, what: Tensor, which: Tensor, penalty: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Images (B, C, …), each for its unit, the units' answers (B,), and whether each moved.

    Only the network's part of the gradient is left to autograd for pixels: the rest is a few
    sums, and would otherwise take longer than a small network.

    Args:
        what: pixels before the sigmoid, (B, C, …), or amplitudes of waves.
    """
    fused = what.device.type in ("cpu", "cuda")
    rate = ascent.learning_rate
    optimiser = torch.optim.Adam([what.requires_grad_()], lr=rate, fused=fused)
    axes = tuple(range(2, len(ascent.shape) + 1))
    scale = 2 * penalty.view(-1, *[1] * len(ascent.shape))
    moved = torch.zeros(len(what), dtype=torch.bool, device=what.device)
    for shift in ascent.shifts:
        waves = ascent.parameters == "fourier"
        images = ascent.images(what if waves else what.detach())
        shifted = images.detach().roll(shift, axes) if axes else images.detach()
        uphill = answers.gradient(shifted, which)
        moved |= uphill.flatten(1).any(1)
        downhill = (scale * _curvature(shifted)).sub_(uphill)
        if axes:
            downhill = downhill.roll([-by for by in shift], axes)
        if waves:
            (what.grad,) = torch.autograd.grad(images, [what], downhill)
        else:
            what.grad = downhill.mul_(images).mul_(1 - images)  # through the sigmoid
        optimiser.step()
    with torch.no_grad():
        images = ascent.images(what.detach())
        return images, answers(images, which), moved


def _curvature(images: Tensor) -> Tensor:
    """Half the gradient, for each pixel, of the sum of squared differences of neighbours.

    Beyond the last row and column lies black; nothing lies before the first.
    """
    axes = range(2, images.dim())
    total = 2 * len(axes) * images
    for axis in axes:
        total.select(axis, 0).sub_(images.select(axis, 0))
        size = images.shape[axis] - 1
        total.narrow(axis, 0, size).sub_(images.narrow(axis, 1, size))
        total.narrow(axis, 1, size).sub_(images.narrow(axis, 0, size))
    return total
