"""Figures of the chapter "Padding, stride, dilation, groups, 1×1": one drawing for each choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from cnnviz.data import kernels
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.sliding import joined_channels, output_size, sliding_kernel
from cnnviz.figure.figure import Figure, Legend, Panel, message, picture, raster, scale_legend
from cnnviz.figure.kept import Said
from cnnviz.numbers import times
from cnnviz.words import Message, Say
from gen.context import Context
from gen.figures import tower

Map = NDArray[np.float64]

SMALL = 7
"""Side of the input in the drawings."""

_JOINED = Legend(message("channels.legend"))


class Setting(NamedTuple):
    """What `nn.Conv2d` can be told, and the side of its input."""

    size: int
    inputs: int = 1
    outputs: int = 1
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1

    def layer(self) -> nn.Conv2d:
        """The layer, without memory for its weights."""
        options = {
            name: getattr(self, name) for name in ("stride", "padding", "dilation", "groups")
        }
        return nn.Conv2d(self.inputs, self.outputs, self.kernel, device="meta", **options)

    def facts(self) -> dict[str, Any]:
        """Side of the output, parameters and multiplications, as PyTorch has them."""
        layer = self.layer()
        image = torch.empty(1, self.inputs, self.size, self.size, device="meta")
        side = layer(image).shape[-1]
        multiplications = layer.weight.numel() * side * side
        parameters = sum(p.numel() for p in layer.parameters())
        return self._asdict() | {
            "side": side,
            "parameters": parameters,
            "multiplications": multiplications,
        }


WORKED = {
    "lenet_conv1": Setting(28, 1, 6, 5, padding=2),
    "lenet_conv2": Setting(14, 6, 16, 5),
    "same": Setting(56, 64, 64, 3, padding=1),
    "strided": Setting(56, 64, 64, 3, stride=2, padding=1),
    "dilated": Setting(56, 64, 64, 3, padding=2, dilation=2),
    "grouped": Setting(56, 64, 64, 3, padding=1, groups=4),
    "depthwise": Setting(56, 64, 64, 3, padding=1, groups=64),
    "pointwise": Setting(56, 64, 64, 1),
    "alexnet": Setting(224, 3, 64, 11, stride=4, padding=2),
}
"""Settings of the table in the text; the calculator is tried on the same."""


def _slide(name: Said, setting: Setting, second: bool = False) -> Panel:
    """The drawing of one setting: its first and its last position, and the `second` if asked."""
    side = output_size(
        setting.size, setting.kernel, setting.stride, setting.padding, setting.dilation
    )
    positions = [(0, 0), (side - 1, side - 1)][: min(side, 2)]
    if second and side > 1:
        positions.append((0, 1))  # the third, so that first and last keep their colours
    into, out = times([setting.size] * 2), times([side] * 2)

    def draw(say: Say) -> str:
        return sliding_kernel(
            setting.size,
            setting.kernel,
            stride=setting.stride,
            padding=setting.padding,
            dilation=setting.dilation,
            positions=positions,
            labels=[say("slide.input", size=into), say("slide.output", size=out)],
            title=say(
                "slide.title",
                kernel=times([setting.kernel] * 2),
                stride=setting.stride,
                padding=setting.padding,
                dilation=setting.dilation,
                input=into,
                output=out,
            ),
            cell=20,
        )

    return Panel(draw, name)


def _compared(panels: Sequence[Panel], legend: str = "slide.legend") -> Figure:
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[Legend(message(legend))],
        layout="column",
    )


def padding(context: Context) -> Figure:
    """No padding, padding that keeps the size, and all that still touches the image."""
    return _compared(
        [
            _slide("p = 0", Setting(SMALL, padding=0)),
            _slide(message("panels.same"), Setting(SMALL, padding=1)),
            _slide(message("panels.larger"), Setting(SMALL, padding=2)),
        ]
    )


def stride(context: Context) -> Figure:
    """Steps of one, two and three pixels; the last leaves a column unused."""
    panels = [_slide(f"s = {step}", Setting(SMALL, stride=step), second=True) for step in (1, 2, 3)]
    return _compared(panels, "slide.three")


def dilation(context: Context) -> Figure:
    """Nine weights on 3×3, 5×5 and 7×7 pixels."""
    return _compared([_slide(f"d = {gap}", Setting(SMALL, dilation=gap)) for gap in (1, 2, 3)])


def _channels(inputs: int, outputs: int, groups: int, kernel: int, name: Message) -> Panel:
    def draw(say: Say) -> str:
        return joined_channels(
            inputs,
            outputs,
            groups=groups,
            kernel=kernel,
            title=say(name),
            labels=(say("channels.inputs", count=inputs), say("channels.outputs", count=outputs)),
        )

    return Panel(draw, name)


def groups(context: Context) -> Figure:
    """Four channels to four: all joined, two groups, each for itself."""
    panels = []
    for count in (1, 2, 4):
        name = message("groups", groups=count, slices=4 * 4 // count)
        panels.append(_channels(4, 4, count, 3, name))
    return Figure(alt=message("alt"), panels=panels, legends=[_JOINED])


def one_by_one(context: Context) -> Figure:
    """A 1×1 convolution from three channels to two, beside a 3×3 one."""
    return Figure(
        alt=message("alt"),
        panels=[
            _channels(3, 2, 1, 1, message("panels.one")),
            _channels(3, 2, 1, 3, message("panels.three")),
        ],
        legends=[_JOINED],
    )


def _sobel(stride: int = 1, padding: int = 0, dilation: int = 1) -> Map:
    image = torch.from_numpy(tower.grey())[None, None]
    weight = torch.from_numpy(kernels.SOBEL_X)[None, None]
    return F.conv2d(image, weight, None, stride, padding, dilation)[0, 0].numpy()


def on_photo(context: Context) -> Figure:
    """The same Sobel kernel with padding, stride and dilation, drawn at its true size."""
    results = {
        "p = 1": _sobel(padding=1),
        "s = 2": _sobel(stride=2),
        "d = 4": _sobel(dilation=4),
    }
    peak = max(float(np.abs(result).max()) for result in results.values())
    panels = []
    for name, result in results.items():
        drawn = mosaic(result[None], scale=(-peak, peak))
        label = message("named", name=name, what=times(result.shape))
        panels.append(Panel(picture(drawn, step=4), label))
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("meaning"))],
    )


def colours_mixed(context: Context) -> Figure:
    """Two 1×1 convolutions on the photograph: to grey, and red and blue exchanged."""
    panels = [Panel(raster(tower.colour(), photo=True), message("panels.photo"))]
    for name, matrix in _MIXES.items():
        image = torch.from_numpy(tower.colour().transpose(2, 0, 1).astype(np.float64))[None]
        weight = torch.tensor(matrix, dtype=torch.float64)[:, :, None, None]  # (out, 3, 1, 1)
        mixed = F.conv2d(image, weight)[0].numpy().transpose(1, 2, 0)  # (H, W, out)
        pixels = np.rint(mixed).astype(np.uint8)
        drawn = raster(pixels[:, :, 0] if len(matrix) == 1 else pixels, photo=True)
        panels.append(Panel(drawn, message(f"panels.{name}")))
    return Figure(alt=message("alt"), panels=panels)


_MIXES: dict[str, list[list[float]]] = {
    "brightness": [[0.299, 0.587, 0.114]],
    "exchanged": [[0, 0, 1], [0, 1, 0], [1, 0, 0]],
}


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    worked = {name: setting.facts() for name, setting in WORKED.items()}
    normal, separate = worked["same"], (worked["depthwise"], worked["pointwise"])
    padded = _sobel(padding=1)
    return {
        "worked": worked,
        "presets": {name: setting._asdict() for name, setting in WORKED.items()},
        "separable": {
            "parameters": sum(part["parameters"] for part in separate),
            "multiplications": sum(part["multiplications"] for part in separate),
            "times": normal["multiplications"] / sum(part["multiplications"] for part in separate),
        },
        "left_border": float(padded[:, 0].mean()),
        "right_border": float(padded[:, -1].mean()),
        "inside": float(np.abs(padded[:, 1:-1]).mean()),
    }
