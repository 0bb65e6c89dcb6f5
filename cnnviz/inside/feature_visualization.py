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
from torch.utils.hooks import RemovableHandle

from cnnviz.errors import CnnvizError
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.recording import eval_mode, record

TOGETHER = 128
"""Units whose images are optimised at once: a processor is busy, and memory does not matter yet."""


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
    noise = torch.randn(1, starts, *input_shape, generator=generator)
    shifts = torch.randint(-max_shift, max_shift + 1, (steps, 2), generator=generator).tolist()
    penalties = torch.as_tensor(roughness).expand(len(units))  # (K,)
    optimised = []
    with eval_mode(model), torch.enable_grad():
        answers = _Answers(model, layer, input_shape)
        if (bad := units[(units < 0) | (units >= answers.units)]).numel():
            raise CnnvizError(
                f"Layer '{layer}' has units 0 to {answers.units - 1}; there is no unit "
                f"{int(bad[0])}."
            )
        for some, penalty in zip(units.split(TOGETHER), penalties.split(TOGETHER), strict=True):
            # A start depends on the seed and its number only: a unit gets the same alone.
            pixels = (0.1 * noise).expand(len(some), *noise.shape[1:]).flatten(0, 1)
            which, weight = some.repeat_interleave(starts), penalty.repeat_interleave(starts)
            optimised.append(_ascend(answers, pixels.clone(), which, weight, shifts, learning_rate))
        images = torch.cat(optimised)  # (K·S, C, H, W)
        with torch.no_grad():
            value = torch.cat(
                [
                    answers(some, which)
                    for some, which in zip(
                        images.split(TOGETHER),
                        units.repeat_interleave(starts).split(TOGETHER),
                        strict=True,
                    )
                ]
            )
    return Optimised(images.unflatten(0, (len(units), starts)), value.view(len(units), starts))


def _ascend(
    answers: _Answers,
    pixels: Tensor,
    which: Tensor,
    penalty: Tensor,
    shifts: list[list[int]],
    learning_rate: float,
) -> Tensor:
    """Images (B, C, H, W) from what they were before the sigmoid, each for its unit.

    Only the network's part of the gradient is left to autograd: the rest is a few sums, and
    would otherwise take longer than a small network.
    """
    optimiser = torch.optim.Adam([pixels.requires_grad_()], lr=learning_rate, fused=True)
    scale = 2 * penalty[:, None, None, None]
    for down, right in shifts:
        images = pixels.detach().sigmoid()
        moved = images.roll((down, right), (2, 3))
        uphill = answers.gradient(moved, which)
        downhill = (scale * _curvature(moved)).sub_(uphill).roll((-down, -right), (2, 3))
        pixels.grad = downhill.mul_(images).mul_(1 - images)  # through the sigmoid
        optimiser.step()
    return pixels.detach().sigmoid()


def _curvature(images: Tensor) -> Tensor:
    """Half the gradient, for each pixel, of the sum of squared differences of neighbours.

    Beyond the last row and column lies black; nothing lies before the first.
    """
    total = 4 * images
    total[:, :, 0] -= images[:, :, 0]
    total[..., 0] -= images[..., 0]
    for axis in (2, 3):
        size = images.shape[axis] - 1
        total.narrow(axis, 0, size).sub_(images.narrow(axis, 1, size))
        total.narrow(axis, 1, size).sub_(images.narrow(axis, 0, size))
    return total


class _Reached(Exception):
    """The layer is about to run, or has run: what comes after it is of no interest."""


class _Answers:
    """How strongly units of a layer answer, at the price of what they see and no more.

    The network stops at the layer; of a fully connected one, only the units that are asked for
    are computed; and where a unit sees only a part of the image, the network gets that part.
    """

    def __init__(self, model: nn.Module, layer: str, input_shape: tuple[int, int, int]) -> None:
        self.model, self.layer = model, model.get_submodule(layer)
        self.window = slice(None), slice(None)  # rows and columns of the image
        self.middle: tuple[int, int] | None = None
        probe = torch.rand(1, *input_shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            output = record(model, probe, layers=[layer], functional=False)[layer]
        self.units = output.shape[1]
        # Of a fully connected layer behind flattening; others are taken as they come.
        self.rows = self.layer if isinstance(self.layer, nn.Linear) and output.dim() == 2 else None
        if output.dim() == 4:
            self.middle = output.shape[2] // 2, output.shape[3] // 2
            self._narrow(layer, probe, output[:, :, *self.middle])

    def _narrow(self, layer: str, probe: Tensor, expected: Tensor) -> None:
        """Look only at the receptive field of the unit in the middle, if that gives the same."""
        assert self.middle is not None
        before = self.window, self.middle
        try:
            field = receptive_fields(self.model, (probe.shape[2], probe.shape[3]))[layer]
        except CnnvizError:
            return
        if not all(field.jump):
            return  # every unit sees the whole image, or windows are uneven
        top, left, bottom, right = field.box(*self.middle, clip=True)
        # From a multiple of the jump on, strides fall where they fell in the whole image.
        top, left = top // field.jump[0] * field.jump[0], left // field.jump[1] * field.jump[1]
        self.window = slice(top, bottom), slice(left, right)
        self.middle = self.middle[0] - top // field.jump[0], self.middle[1] - left // field.jump[1]
        every = torch.arange(self.units)
        with torch.no_grad():
            part = self(probe.expand(self.units, -1, -1, -1), every)
        if not torch.allclose(part, expected[0], rtol=1e-4, atol=1e-5):
            self.window, self.middle = before

    def __call__(self, images: Tensor, which: Tensor) -> Tensor:
        """The output (B,) of unit `which[i]` for image i."""
        return self._of_part(images[:, :, *self.window], which)

    def gradient(self, images: Tensor, which: Tensor) -> Tensor:
        """Of each answer by its image, (B, C, H, W)."""
        part = images[:, :, *self.window].clone().requires_grad_()
        (inside,) = torch.autograd.grad(self._of_part(part, which).sum(), [part])
        if inside.shape == images.shape:
            return inside
        whole = torch.zeros_like(images)
        whole[:, :, *self.window] = inside
        return whole

    def _of_part(self, part: Tensor, which: Tensor) -> Tensor:
        if self.rows is not None:
            before = self._stopped(part, self.layer.register_forward_pre_hook(_stop_before))
            answer = (before * self.rows.weight[which].detach()).sum(1)
            return answer if self.rows.bias is None else answer + self.rows.bias[which].detach()
        output = self._stopped(part, self.layer.register_forward_hook(_stop_behind))
        if self.middle is not None:
            output = output[:, :, *self.middle]  # (B, C)
        return output[torch.arange(len(part)), which]

    def _stopped(self, part: Tensor, hook: RemovableHandle) -> Tensor:
        try:
            self.model(part)
        except _Reached as reached:
            output: Tensor = reached.args[0]
            return output
        finally:
            hook.remove()
        raise AssertionError("the layer ran before, in `record`, and does not run now")


def _stop_before(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    raise _Reached(inputs[0])


def _stop_behind(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    raise _Reached(output)
