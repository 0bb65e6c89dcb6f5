"""Captions of the figures on the page of a layer, in both languages: facts in, Markdown out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnviz.numbers import percent, thousands

Facts = Mapping[str, Any]
Both = tuple[str, str]
"""zh, en"""


def weights(layer: Facts) -> Both:
    """How to read the figure of the weights."""
    last, inputs = layer["units"] - 1, layer["before"]
    channels = int(inputs.split("×")[0])
    if layer["form"] == "slices" and channels == 1:
        return (
            f"{layer['units']} 个卷积核，从左到右是第 0 到 {last} 个输出通道。"
            "输入只有一个通道，所以每个核只有一片，这一片就是整个核。",
            f"The {layer['units']} kernels, output channels 0 to {last} from left to right. With "
            "a single input channel each kernel has one slice, which is the whole kernel.",
        )
    if layer["form"] == "slices":
        return (
            f"每列是一个输出通道的卷积核，从左到右第 0 到 {last} 个；"
            f"每行是它对应一个输入通道的那一片，从上到下第 0 到 {channels - 1} 个。",
            f"Each column is the kernel of one output channel, 0 to {last} from left to right; "
            f"each row its slices for one input channel, 0 to {channels - 1} from top to bottom.",
        )
    if layer["form"] == "colours":
        return (
            f"第 0 到 {last} 个输出通道的卷积核，从左到右、从上到下；三个输入通道画成红、绿、蓝。",
            f"The kernels of output channels 0 to {last}, in reading order; the three input "
            "channels are drawn as red, green and blue.",
        )
    if layer["form"] == "images":
        size = "×".join(map(str, layer["maps"][1:]))
        return (
            f"每格是一个单元的 {inputs} 个权重，按输入图像的样子排成 {size}。"
            f"从左到右、从上到下是第 0 到 {last} 个单元。",
            f"Each tile shows the {inputs} weights of one unit, arranged as the {size} pixels that "
            f"they belong to. Units 0 to {last}, in reading order.",
        )
    if layer["form"] == "blocks":
        maps, size = layer["maps"][0], "×".join(map(str, layer["maps"][1:]))
        return (
            f"每个方块是一个单元，从左到右、从上到下是第 0 到 {last} 个。它的 {inputs} 个权重对着 {maps} 张 {size} 的图，"
            f"所以折回 {maps} 个小格，按同样的次序对应第 0 到 {maps - 1} 个通道。",
            f"Each block is a unit, 0 to {last} in reading order. Its {inputs} weights look at {maps} "
            f"maps of {size}, so they are folded back into {maps} small tiles: channels 0 to "
            f"{maps - 1}, in the same order.",
        )
    return (
        f"每行是一个单元的权重，从上到下第 0 到 {last} 个；每列对应一个输入，从左到右第 0 到 {channels - 1} 个。",
        f"Each row holds the weights of one unit, 0 to {last} from top to bottom; each column "
        f"belongs to one input, 0 to {channels - 1} from left to right.",
    )


def field(layer: Facts) -> Both:
    """How to read the figure of the receptive field."""
    padding = ("", "")
    if layer["padded"]:
        padding = (
            "伸出图外的部分（灰色）落在填充里，那里补的都是零。",
            " What lies outside the image (grey) is padding and holds nothing but zeros.",
        )
    return (
        "左边的图上标出两个单元：橙框在正中，蓝框在左上角。右边是它们各自能看见的输入，框的颜色相同。"
        f"{padding[0]}",
        "Two units are marked on the map: orange in the middle, blue in the corner. The other picture "
        f"shows, in the same colours, what each of them sees of the input.{padding[1]}",
    )


def inputs(title: str, examples: int, others: int, wrong: int) -> Both:
    """How to read and use the figure of the inputs."""
    none = "没有答错的" if not wrong else f"答错 {wrong} 张（✗）"
    misread = "misreads none of them" if not wrong else f"misreads {wrong} (✗)"
    return (
        f"箭头左边是真实类别，右边是 {title} 的回答。前 {examples} 张每类一张，"
        f"后 {others} 张是 LeNet 答错或最没有把握的；{title} {none}。"
        "选一张，下面随输入而变的图就换成它的；不启用 JavaScript 时，只有第一张的。",
        f"Left of each arrow is the true class, right of it this network's answer. The first {examples} are "
        f"one of each class, the other {others} are those that LeNet misreads or is least sure of; "
        f"this network {misread}. Choose one, and the activations and gradients below become those of that "
        "input; without JavaScript they stay those of the first.",
    )


def activations(layer: Facts) -> Both:
    """How to read the figure of the activations."""
    first, second = layer["compared"]
    shared = (
        "左边是训练后的网络，右边是结构相同、权重随机的网络。",
        " The trained network is at the left, the same architecture with random weights at the right.",
    )
    if layer["kind"] == "output":
        rows = (
            "上面一行是每一类的得分（logit），从左到右、从上到下是各个类别；下面一行是 softmax 之后的概率。",
            "Above, the score (logit) of each class, in reading order; below, the probabilities that "
            "softmax makes of them.",
        )
    elif layer["kind"] == "dropout":
        return (
            f"左边是进来的（`{first}`），右边是出去的（`{second}`）：测试时两边一模一样。",
            f"What goes in (`{first}`) at the left, what comes out (`{second}`) at the right: in testing, "
            "the two are the same.",
        )
    elif layer["kind"] == "flatten":
        came = (f"`{first}`", f"`{first}`") if first else ("输入图像", "the input image")
        return (
            f"左边是进来的（{came[0]}），右边是出去的一列数，为了好画折成了长方形，从左到右、从上到下读。",
            f"What goes in ({came[1]}) at the left; at the right the row of numbers that comes out, folded "
            "into a rectangle here, to be read like text.",
        )
    elif layer["owner"] == first and second:
        rows = (
            f"上面一行是 `{first}` 的输出，下面一行是 `{second}` 之后。",
            f"Above, what `{first}` puts out; below, what is left after `{second}`.",
        )
    elif second:
        rows = (
            f"上面一行是进来的（`{first}`），下面一行是出去的（`{second}`）。",
            f"Above, what goes in (`{first}`); below, what comes out (`{second}`).",
        )
    else:
        rows = (f"`{first}` 的输出。", f"What `{first}` puts out.")
    part = ("每格是一个通道", "Each tile is a channel")
    if not layer["spatial"]:
        part = ("每格是一个单元", "Each square is a unit")
    order = (
        f"{part[0]}，从左到右、从上到下编号。",
        f" {part[1]}, numbered in reading order.",
    )
    if layer["kind"] == "output":
        order = ("", "")
    return rows[0] + order[0] + shared[0], rows[1] + order[1] + shared[1]


SCORES: Both = (
    "每行是一个输入，左边是它的真实类别，✗ 表示答错；每列是一个输出单元。每行里哪个数最大，网络就答哪一类。",
    "Each row is an input with its true class at the left, ✗ if it is misread; each column is an output "
    "unit. The largest number of a row is the network's answer.",
)


def gradients(layer: Facts) -> Both:
    """How to read the figure of the gradients."""
    zh = (
        "网络对所选输入的损失，是真实类别的交叉熵。图中是损失对这一层每个输出的导数："
        "橙色处，输出大一点，损失就上升；蓝色处，输出大一点，损失就下降。"
    )
    en = (
        "The loss for the chosen input is the cross-entropy of its true class. The picture shows its "
        "derivative with respect to each output of the layer: where it is orange, a little more output "
        "raises the loss; where it is blue, it lowers it."
    )
    if layer["relu_next"]:
        zh += "被 ReLU 截成零的地方，梯度也是零。"
        en += " Where ReLU cuts the output to zero, the gradient is zero, too."
    if layer["pool_next"]:
        zh += "最大汇聚只留每格里最大的数，其余的位置也没有梯度。"
        en += (
            " Max pooling keeps only the largest number of each cell: the others have no gradient."
        )
    if layer["kind"] == "conv":
        part = ("", "")
        if layer["gradient_units"] < layer["units"]:
            part = (
                f"（只画前 {layer['gradient_units']} 个核）",
                f" (only the first {layer['gradient_units']} are drawn)",
            )
        zh += (
            f"另一幅是损失对卷积核每个权重的导数{part[0]}，行列与上面的卷积核图一致。"
            "训练的每一步，权重就朝梯度的反方向挪动一点。"
        )
        en += (
            f" The other picture is the derivative with respect to each weight of the kernels{part[1]}, laid "
            "out as the kernels above. Each step of the training moves the weights a little against it."
        )
    elif layer["form"]:
        count = thousands(layer["units"] * layer["terms"])
        zh += (
            f"权重一共 {count} 个，对它们的导数不用另画：它是两幅图的外积，"
            f"第 $i$ 个单元第 $j$ 个权重的导数，就是左图第 $i$ 格的数乘以右图第 $j$ 格的数。"
        )
        en += (
            f" The derivatives with respect to the {count} weights need no picture of their own. They "
            "are the outer product of the two: that of weight $j$ of unit $i$ is square $i$ at the left "
            "times square $j$ at the right."
        )
    return zh, en


def training(layer: Facts, steps: int) -> Both:
    """How to read the figure of the training."""
    part = ("", "")
    if layer["trained_units"] < layer["units"]:
        part = (
            f"这一层太大，权重只画前 {layer['trained_units']} 个单元的。",
            f" The layer is large: of its weights, only those of the first {layer['trained_units']} units "
            "are drawn.",
        )
    return (
        f"滑块上是训练中保存的 {steps} 个时刻，第 0 步是训练前的随机权重。上面是权重，下面是这一层对第一个输入的输出。"
        f"{part[0]}刻度自始至终不变，颜色可以跨步数比较。",
        f"The slider goes through {steps} moments of the training; step 0 is the random start. The weights "
        f"are above, what the layer makes of the first input is below.{part[1]} The scales never "
        "change, so colours can be compared from step to step.",
    )


def distribution(layer: Facts, images: int) -> Both:
    """How to read the figure of the distribution."""
    part = ("通道", "channel") if layer["spatial"] else ("单元", "unit")
    dead = (
        f"没有一个{part[0]}是死的。",
        f" Every {part[1]} is above zero for some of them.",
    )
    if layer["dead"]:
        dead = (
            f"有 {layer['dead']} 个{part[0]}对所有这些图都不大于零。",
            f" {layer['dead']} of the {layer['units']} {part[1]}s are not above zero for any of these images.",
        )
    above = percent(layer["positive"])
    return (
        f"在 {thousands(images)} 张测试图上统计，{above} 的数大于零。上图的纵轴是对数。"
        f"下图每根柱是一个{part[0]}，按大于零的多少，从多到少排列；{dead[0]}",
        f"Counted over {thousands(images)} test images; {above} of the numbers are above zero. The vertical axis "
        f"of the upper chart is logarithmic. In the lower one each bar is a {part[1]}, from the one that is "
        f"most often above zero to the one that is least often.{dead[1]}",
    )
