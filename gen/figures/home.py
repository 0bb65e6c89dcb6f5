"""The figure of the home page: one digit on its way through the whole network."""

from __future__ import annotations

from typing import Any

from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic, mosaic
from gen.context import Context
from gen.figure import Figure, Legend, Panel, Text, Variant, picture


def journey(context: Context) -> Figure:
    """One digit of each class on its way through all layers; the reader chooses the digit."""
    return Figure(
        alt=Text(
            "一个手写数字依次经过 LeNet 的各层：输入、六张特征图、十六张特征图、120 个数、84 个数、十个概率",
            "A handwritten digit on its way through LeNet: the input, six feature maps, sixteen feature "
            "maps, 120 numbers, 84 numbers, ten probabilities",
        ),
        variants=[_journey_of(context, digit) for digit in range(10)],
        layout="row",
        uses=["lenet"],
    )


def _journey_of(context: Context, digit: int) -> Variant:
    outputs = context.recording("lenet")
    name = context.test.class_names[digit]
    peaks = {layer: float(outputs[layer].max()) for layer in ("pool1", "pool2", "relu3", "relu4")}
    image = mosaic(context.examples[digit].numpy(), scale=(0, 255), palette="grey")
    pool1 = mosaic(outputs["pool1"][digit].numpy(), columns=2, scale=(0, peaks["pool1"]))
    pool2 = mosaic(outputs["pool2"][digit].numpy(), columns=4, scale=(0, peaks["pool2"]))
    fc1 = mosaic(outputs["relu3"][digit].reshape(1, 15, 8).numpy(), scale=(0, peaks["relu3"]))
    fc2 = mosaic(outputs["relu4"][digit].reshape(1, 14, 6).numpy(), scale=(0, peaks["relu4"]))
    probabilities = outputs["output"][digit].softmax(0)
    answers = mosaic(probabilities.reshape(10, 1, 1).numpy(), columns=1, scale=(0, 1))
    best = int(probabilities.argmax())
    answer = context.test.class_names[best]
    stages: list[tuple[Mosaic, float, Text]] = [
        (image, 5, Text("输入 28×28", "input 28×28")),
        (pool1, 3.3, Text("第一块：6 张 14×14", "block 1: 6 of 14×14")),
        (pool2, 6.2, Text("第二块：16 张 5×5", "block 2: 16 of 5×5")),
        (fc1, 9.4, Text("fc1：120", "fc1: 120")),
        (fc2, 10, Text("fc2：84", "fc2: 84")),
        (answers, 7.4, Text(f"回答：{answer}，{float(probabilities[best]):.0%}",
                          f"answer: {answer}, {float(probabilities[best]):.0%}")),
    ]  # fmt: skip
    panels = [Panel(picture(drawn, scale), label) for drawn, scale, label in stages]
    legend = Legend(
        Text("每层一个刻度，十个数字共用：越亮，激活越强；最右一列从上到下是 0 到 9 的概率",
             "one scale a layer, shared by the ten digits: brighter is stronger; the last column is "
             "the probability of 0 to 9 from top to bottom"),
        palettes.css_gradient("sequential"), "0", "max",
    )  # fmt: skip
    return Variant(Text(name, name), panels, [legend])


def numbers(context: Context) -> dict[str, Any]:
    """How much the site shows."""
    outputs = context.recording("lenet")
    return {
        "channels": sum(output.shape[1] for name, output in outputs.items() if "conv" in name),
        "values": sum(output[0].numel() for output in outputs.values()),
    }
