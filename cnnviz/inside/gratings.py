"""Which direction of stripes each channel of a layer answers to: its tuning curve.

As Hubel and Wiesel did with cells ("Receptive fields of single neurones in the cat's striate
cortex", 1959), with sinusoidal gratings instead of bars.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd as _Convolution

from cnnviz.errors import CnnvizError
from cnnviz.inside.batches import batches
from cnnviz.inside.outputs import at, layer_output
from cnnviz.inside.recording import record

AT_ONCE = 1_600_000
"""Pixels of all images that go through the network at once."""


def gratings(
    side: int | tuple[int, int], angles: Tensor, wavelength: float, phases: int = 8
) -> Tensor:
    """Stripes of every angle and phase, (A, phases, 1, height, width) from 0 to 1.

    Args:
        side: of a square image in pixels, or (height, width).
        angles: (A,) direction in radians in which brightness varies: 0 gives upright stripes,
            π/2 level ones; it turns clockwise on the screen, where y points down.
        wavelength: distance from one bright stripe to the next, in pixels.

    >>> gratings(4, torch.tensor([0.0]), wavelength=4, phases=1)[0, 0, 0, 0].round(decimals=2)
    tensor([0.8500, 0.1500, 0.1500, 0.8500])
    """
    height, width = (side, side) if isinstance(side, int) else side
    # Pixel centres from the middle.
    rows, columns = (torch.arange(size) + 0.5 - size / 2 for size in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    along = torch.cos(angles)[:, None, None] * x + torch.sin(angles)[:, None, None] * y  # (A, H, W)
    phase = 2 * math.pi * torch.arange(phases)[None, :, None, None] / phases
    wave = torch.cos(2 * math.pi * along[:, None] / wavelength + phase + math.pi)
    return (0.5 + 0.5 * wave)[:, :, None]


def tuning(
    model: nn.Module,
    layer: str,
    side: int | tuple[int, int],
    angles: Tensor,
    wavelength: float,
    phases: int = 8,
    *,
    channels: int | None = None,
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Each channel's strongest answer over the phases, in the middle of its map: (C, A).

    The middle, because at the border padding makes edges of its own.

    Args:
        layer: any name that `record` gives, whose output is (N, C, …).
        channels: of the images, all of which get the same stripes; None: as the model takes them.
        prepare: what makes the model's input of images (N, channels, H, W) from 0 to 1, such as a
            normalisation. None: the model takes them as they are.

    Raises:
        CnnvizError: no such layer, a layer without channels, images that the model does not take.
    """
    stripes = gratings(side, angles, wavelength, phases).flatten(0, 1)  # (A·P, 1, H, W)
    ready = prepare or (lambda images: images)
    number = _channels(model, layer, stripes[:1], ready) if channels is None else channels
    answers = []
    with torch.no_grad():
        for some in stripes.split(max(1, AT_ONCE // stripes[0].numel())):
            images = ready(some.expand(-1, number, -1, -1))
            (batch,) = batches(model, images, len(images))
            output = layer_output(model, batch, layer)  # (B, C, …)
            if output.dim() < 2:
                raise CnnvizError(
                    f"Layer '{layer}' puts out shape {tuple(output.shape)}; expected (N, C, …)."
                )
            answers.append(at(output, [size // 2 for size in output.shape[2:]]))
    return torch.cat(answers).unflatten(0, (len(angles), phases)).amax(1).T


def _channels(
    model: nn.Module, layer: str, stripes: Tensor, prepare: Callable[[Tensor], Tensor]
) -> int:
    """How many channels the model's images have: one if that will do, else as a layer says."""
    said = [m.in_channels for m in model.modules() if isinstance(m, _Convolution)]
    failed = ""
    for number in dict.fromkeys([1, *said[:1], 3]):
        try:
            (batch,) = batches(model, prepare(stripes.expand(-1, number, -1, -1)), 1)
            record(model, batch, layers=[layer])
        except CnnvizError:
            raise
        except Exception as error:
            failed = str(error).partition("\n")[0]
        else:
            return number
    raise CnnvizError(
        f"The model does not take images of shape {tuple(stripes.shape[2:])} with 1 or 3 "
        f"channels: {failed}. Give channels=…, a fitting side and, if need be, prepare=…."
    )
