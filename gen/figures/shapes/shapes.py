"""Figures of the chapter "Padding, stride, dilation, groups, 1×1": one drawing for each choice."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from cnnviz.data import kernels
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.sliding import joined_channels, output_size, sliding_kernel
from gen.context import Context
from gen.figure.figure import Figure, Legend, Panel, Text, in_both, picture, raster, scale_legend
from gen.figures import tower

Map = NDArray[np.float64]

SMALL = 7
"""Side of the input in the drawings."""

_WINDOWS = Legend(
    Text(
        "橙：第一个位置和它的结果；蓝：最后一个位置和它的结果；有色的格子乘以核的权重",
        "orange: first position and its result; blue: last position and its result; "
        "tinted squares are multiplied by the kernel",
    )
)
_JOINED = Legend(
    Text(
        "每条线是一片核：左边的通道参与计算右边的通道；不同的组颜色不同",
        "each line is a slice of a kernel: the channel on the left takes part in the one on the "
        "right; groups differ in colour",
    )
)


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


def _slide(setting: Setting) -> Text:
    """The drawing of one setting, its first and its last position."""
    side = output_size(
        setting.size, setting.kernel, setting.stride, setting.padding, setting.dilation
    )
    positions = [(0, 0), (side - 1, side - 1)][: min(side, 2)]
    into, out = f"{setting.size}×{setting.size}", f"{side}×{side}"
    title = Text(
        f"核 {setting.kernel}×{setting.kernel}，步幅 {setting.stride}，填充 {setting.padding}，"
        f"空洞率 {setting.dilation}：{into} 变成 {out}",
        f"kernel {setting.kernel}×{setting.kernel}, stride {setting.stride}, padding "
        f"{setting.padding}, dilation {setting.dilation}: {into} becomes {out}",
    )
    labels = (Text(f"输入 {into}", f"input {into}"), Text(f"输出 {out}", f"output {out}"))
    return in_both(
        lambda say: sliding_kernel(
            setting.size,
            setting.kernel,
            stride=setting.stride,
            padding=setting.padding,
            dilation=setting.dilation,
            positions=positions,
            labels=[say(label) for label in labels],
            title=say(title),
            cell=20,
        )
    )


def _compared(settings: dict[Text, Setting], alt: Text) -> Figure:
    panels = [Panel(_slide(setting), name) for name, setting in settings.items()]
    return Figure(alt=alt, panels=panels, legends=[_WINDOWS], layout="column")


def padding(context: Context) -> Figure:
    """No padding, padding that keeps the size, and all that still touches the image."""
    return _compared(
        {
            Text("p = 0", "p = 0"): Setting(SMALL, padding=0),
            Text("p = 1：大小不变", "p = 1: the size stays"): Setting(SMALL, padding=1),
            Text("p = 2：变大", "p = 2: it grows"): Setting(SMALL, padding=2),
        },
        Text(
            "7×7 的输入、3×3 的核：填充 0、1、2 圈零，输出是 5×5、7×7、9×9",
            "A 7×7 input and a 3×3 kernel: with 0, 1 and 2 rings of zeros the output is 5×5, 7×7, 9×9",
        ),
    )


def stride(context: Context) -> Figure:
    """Steps of one, two and three pixels; the last leaves a column unused."""
    return _compared(
        {Text(f"s = {step}", f"s = {step}"): Setting(SMALL, stride=step) for step in (1, 2, 3)},
        Text(
            "7×7 的输入、3×3 的核：步幅 1、2、3，输出是 5×5、3×3、2×2；步幅 3 时最后一行和一列没有用到",
            "A 7×7 input and a 3×3 kernel: with stride 1, 2 and 3 the output is 5×5, 3×3, 2×2; with "
            "stride 3 the last row and column are never used",
        ),
    )


def dilation(context: Context) -> Figure:
    """Nine weights on 3×3, 5×5 and 7×7 pixels."""
    return _compared(
        {Text(f"d = {gap}", f"d = {gap}"): Setting(SMALL, dilation=gap) for gap in (1, 2, 3)},
        Text(
            "7×7 的输入、3×3 的核：空洞率 1、2、3，九个权重分别铺在 3×3、5×5、7×7 上，输出是 5×5、3×3、1×1",
            "A 7×7 input and a 3×3 kernel: with dilation 1, 2 and 3 its nine weights spread over 3×3, "
            "5×5 and 7×7 pixels, and the output is 5×5, 3×3, 1×1",
        ),
    )


def _channels(inputs: int, outputs: int, groups: int, kernel: int, name: Text) -> Panel:
    words = (
        Text(f"输入 {inputs} 个", f"{inputs} inputs"),
        Text(f"输出 {outputs} 个", f"{outputs} outputs"),
    )
    drawing = in_both(
        lambda say: joined_channels(
            inputs,
            outputs,
            groups=groups,
            kernel=kernel,
            title=say(name),
            labels=(say(words[0]), say(words[1])),
        )
    )
    return Panel(drawing, name)


def groups(context: Context) -> Figure:
    """Four channels to four: all joined, two groups, each for itself."""
    panels = []
    for count in (1, 2, 4):
        slices = 4 * 4 // count
        name = Text(f"g = {count}：{slices} 片核", f"g = {count}: {slices} slices")
        panels.append(_channels(4, 4, count, 3, name))
    return Figure(
        alt=Text(
            "4 个输入通道到 4 个输出通道。不分组：16 条线；分两组：8 条；分四组，每个通道只连自己：4 条",
            "Four input channels to four output channels: 16 lines without groups, 8 with two groups, "
            "4 with four groups, where each channel is joined to itself only",
        ),
        panels=panels,
        legends=[_JOINED],
    )


def one_by_one(context: Context) -> Figure:
    """A 1×1 convolution from three channels to two, beside a 3×3 one."""
    return Figure(
        alt=Text(
            "3 个通道到 2 个通道，都连起来。1×1 的核每个通道只取一个像素，3×3 的核取九个",
            "Three channels to two, all joined. The 1×1 kernel takes one pixel of each channel, the "
            "3×3 kernel nine",
        ),
        panels=[
            _channels(
                3, 2, 1, 1, Text("k = 1：6 片，每片 1 个权重", "k = 1: 6 slices of 1 weight")
            ),
            _channels(
                3, 2, 1, 3, Text("k = 3：6 片，每片 9 个权重", "k = 3: 6 slices of 9 weights")
            ),
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
        Text("p = 1", "p = 1"): _sobel(padding=1),
        Text("s = 2", "s = 2"): _sobel(stride=2),
        Text("d = 4", "d = 4"): _sobel(dilation=4),
    }
    peak = max(float(np.abs(result).max()) for result in results.values())
    panels, drawn = [], None
    for name, result in results.items():
        drawn = mosaic(result[None], scale=(-peak, peak))
        size = f"{result.shape[1]}×{result.shape[0]}"
        label = Text(f"{name.zh}：{size}", f"{name.en}: {size}")
        panels.append(Panel(picture(drawn, step=4), label))
    assert drawn is not None
    meaning = Text(
        "左右方向 Sobel 的结果：蓝为负，白为零，橙为正",
        "result of the left-to-right Sobel: blue negative, white zero, orange positive",
    )
    return Figure(
        alt=Text(
            "同一个 Sobel 核作用在佛香阁的照片上。填充 1：大小不变，左右边上多出两条有颜色的线；"
            "步幅 2：边长减半；空洞率 4：边缘变成更粗的带子",
            "One Sobel kernel on the photograph of the tower. Padding 1: the size stays, with a "
            "coloured line along the left and right border; stride 2: half the side; dilation 4: "
            "edges become wider bands",
        ),
        panels=panels,
        legends=[scale_legend(drawn, "figure", meaning)],
    )


def colours_mixed(context: Context) -> Figure:
    """Two 1×1 convolutions on the photograph: to grey, and red and blue exchanged."""
    panels = [
        Panel(raster(tower.colour(), photo=True), Text("照片：3 个通道", "photograph: 3 channels"))
    ]
    for name, matrix in _MIXES.items():
        image = torch.from_numpy(tower.colour().transpose(2, 0, 1).astype(np.float64))[None]
        weight = torch.tensor(matrix, dtype=torch.float64)[:, :, None, None]  # (out, 3, 1, 1)
        mixed = F.conv2d(image, weight)[0].numpy().transpose(1, 2, 0)  # (H, W, out)
        pixels = np.rint(mixed).astype(np.uint8)
        panels.append(
            Panel(raster(pixels[:, :, 0] if len(matrix) == 1 else pixels, photo=True), name)
        )
    return Figure(
        alt=Text(
            "照片经过两个 1×1 卷积：一个把三个通道变成一个亮度，另一个交换红和蓝，红柱子变蓝，蓝天变黄",
            "The photograph after two 1×1 convolutions: one turns three channels into brightness, the "
            "other exchanges red and blue, which makes red columns blue and the blue sky yellowish",
        ),
        panels=panels,
    )


_MIXES: dict[Text, list[list[float]]] = {
    Text("3 → 1：亮度", "3 → 1: brightness"): [[0.299, 0.587, 0.114]],
    Text("3 → 3：红蓝交换", "3 → 3: red and blue exchanged"): [[0, 0, 1], [0, 1, 0], [1, 0, 0]],
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
