"""Figures of the atlas: all weights of a layer, the scores of the last one, and the whole net."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from torch import Tensor

from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing import weights as layer_mosaics
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.drawing.mosaic import ColourMosaic, Mosaic, Scale, mosaic
from cnnviz.drawing.weights import WIDTH, divisor, small_png, unit_columns
from cnnviz.figure.figure import (
    SCOPES,
    Figure,
    Legend,
    Links,
    Panel,
    Picture,
    Text,
    Variant,
    in_both,
)
from cnnviz.inside.layers import Layer
from cnnviz.numbers import fixed_or_zero, significant, times

_SIGNED = Text("蓝为负，白为零，橙为正", "blue is negative, white zero, orange positive")
_BRIGHT = Text("最暗为零，越亮越大", "darkest is zero, brighter is more")
_COLOUR = Text(
    "三个通道是红、绿、蓝，中灰为零", "the three channels are red, green, blue; mid-grey is 0"
)
_LAYER = Text("整层", "whole layer")


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`overview_<net>`, `<net>_<layer>_weights` and `…_scores` of the output layer."""
    made = {f"overview_{net.name}": overview(net)}
    for layer in net.layers:
        if layer.form:
            made[f"{net.name}_{layer.name}_weights"] = weights(layer)
        if layer.kind == "output":
            made[f"{net.name}_{layer.name}_scores"] = scores(net, layer)
    return made


# ---------- Weights ----------


def weights(layer: Layer) -> Figure:
    """All weights of a layer; the reader chooses what shares a scale."""
    part = _PARTS.get(layer.form, Text("每个单元", "each unit"))
    weight = layer.weight
    assert weight is not None
    variants = []
    scales: list[tuple[Text, Scale, Text]] = [
        (part, "map", _own(part)),
        (_LAYER, "layer", SCOPES["layer"]),
    ]
    for name, scale, scope in scales:
        drawn = layer_mosaics.DRAW[layer.form](weight, layer.maps, scale)
        image = Picture(small_png(drawn), drawn.width, drawn.height, min(16, WIDTH / drawn.width))
        legend = _legend(drawn, scale != "map", Text("权重", "weight"), scope)
        columns = unit_columns(layer.form, len(weight)) or drawn.columns
        links = Links(layer.name, len(weight), columns)
        variants.append(Variant(name, [Panel(image, links=links)], [legend]))
    low, high = significant(float(weight.min())), significant(float(weight.max()))
    shape = "×".join(map(str, weight.shape))
    small = float((np.abs(weight) < np.abs(weight).max() / 10).mean())
    return Figure(
        alt=Text(
            f"{layer.name} 的全部权重（{shape}），从 {low} 到 {high}；"
            f"{small:.0%} 的绝对值不到最大的十分之一",
            f"All weights of {layer.name} ({shape}), from {low} to {high}; "
            f"{small:.0%} of them are below a tenth of the largest in size",
        ),
        variants=variants,
        chosen=1,  # the whole layer: what is faint looks faint
        uses=[layer.net],
        drawn_by=weights,
    )


_PARTS = {
    "slices": Text("每片", "each slice"),
    "colours": Text("每个核", "each kernel"),
}


# ---------- Scores ----------


def scores(net: AtlasNet, layer: Layer) -> Figure:
    """The output layer for all inputs of the atlas: logits, and probabilities by softmax."""
    logits, labels, names = net.outputs[layer.name], net.labels, net.classes  # (N, classes), (N,)
    shares = logits.softmax(1)
    wrong = (logits.argmax(1) != labels).tolist()
    rows = [names[i] + (" ✗" if w else "") for i, w in zip(labels.tolist(), wrong, strict=True)]
    true, answer = Text("真实类别", "true class"), Text("输出单元", "output unit")

    def table(numbers: Tensor, title: Text, write: Callable[[float], str]) -> Panel:
        drawing = in_both(
            lambda say: matrix_chart(
                numbers.numpy(),
                rows,
                names,
                title=say(title),
                row_title=say(true),
                column_title=say(answer),
                write=write,
            )
        )
        return Panel(drawing, title)

    sure = float(shares.gather(1, labels[:, None]).mean())
    return Figure(
        alt=Text(
            f"{len(rows)} 个输入的 logits 与概率，各一张表；正确类别的概率平均 {sure:.0%}",
            f"Logits and probabilities for {len(rows)} inputs, a table of each; the right class "
            f"has {sure:.0%} on average",
        ),
        panels=[
            table(logits, Text("logits：可正可负", "logits: of either sign"),
                  partial(fixed_or_zero, digits=1)),
            table(shares, Text("softmax 之后的概率：每行加起来是 1",
                               "probabilities after softmax: each row adds up to 1"),
                  lambda value: f"{value:.0%}"),
        ],
        legends=[Legend(Text(f"logits：{_SIGNED.zh}。概率：颜色越深越大",
                             f"logits: {_SIGNED.en}. Probabilities: stronger is more"))],
        layout="column",
        uses=[layer.net],
        drawn_by=scores,
    )  # fmt: skip


def overview(net: AtlasNet) -> Figure:
    """One input in every layer, in order, each layer on a scale of its own."""
    chosen = net.subject.example
    digit = net.classes[int(net.labels[chosen])]
    image = mosaic(net.pixels[chosen].numpy(), scale=(0, 255), palette="grey")
    size = times(net.inputs.shape[1:])
    panels = [Panel(_as_high(image), Text(f"输入：{size}", f"input: {size}"))]
    for layer in net.layers:
        output = net.outputs[layer.name][chosen].numpy()
        if output.ndim == 1:
            rows = divisor(len(output)) if len(output) > 10 else len(output)
            output = output.reshape(1, rows, -1)
        shape = "×".join(map(str, layer.after))
        label = Text(f"{layer.name}：{shape}", f"{layer.name}: {shape}")
        panels.append(Panel(_as_high(mosaic(output, scale="layer")), label))
    scope = Text("每层各用自己的刻度", "Each layer has a scale of its own")
    legends = [
        Legend(Text(f"卷积与全连接：{_SIGNED.zh}。{scope.zh}",
                    f"convolution, fully connected: {_SIGNED.en}. {scope.en}"),
               palettes.css_gradient("diverging"), "−max", "+max"),
        Legend(Text(f"其余各层：{_BRIGHT.zh}", f"all other layers: {_BRIGHT.en}"),
               palettes.css_gradient("sequential"), "0", "max"),
    ]  # fmt: skip
    order = " → ".join(layer.name for layer in net.layers)
    return Figure(
        alt=Text(
            f"数字 {digit} 依次经过 {net.title} 的各层：{order}",
            f"The digit {digit} in all layers of {net.title}, in order: {order}",
        ),
        panels=panels,
        legends=legends,
        layout="flow",
        uses=[net.name],
        drawn_by=overview,
    )


def _as_high(drawn: Mosaic, height: int = 116) -> Picture:
    return Picture(drawn.png(9), drawn.width, drawn.height, height / drawn.height)


# ---------- Legends and facts ----------


def _own(part: Text) -> Text:
    """Says that each part, such as "each map", has its own scale."""
    return Text(
        f"{part.zh}各用自己的刻度，颜色不能互相比较",
        f"{part.en.capitalize()} has a scale of its own: do not compare colours between them",
    )


def _legend(drawn: Mosaic | ColourMosaic, shared: bool, what: Text, scope: Text) -> Legend:
    """`shared`: all tiles have the same limits, which are written at the ends."""
    if isinstance(drawn, ColourMosaic):
        return Legend(
            Text(f"{what.zh}：{_COLOUR.zh}。{scope.zh}", f"{what.en}: {_COLOUR.en}. {scope.en}")
        )
    colours = _SIGNED if drawn.signed else _BRIGHT
    low, high = ("−max" if drawn.signed else "0"), ("+max" if drawn.signed else "max")
    if shared:
        low, high = (significant(float(end)) for end in drawn.limits[0])
    text = Text(f"{what.zh}：{colours.zh}。{scope.zh}", f"{what.en}: {colours.en}. {scope.en}")
    return Legend(text, palettes.css_gradient(drawn.palette), low, high)
