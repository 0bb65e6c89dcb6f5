"""Figures and facts of the atlas: for each layer of each net its weights and its activations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

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
from cnnviz.numbers import fixed_or_zero, significant
from gen.atlas.net import KINDS, TESTED, AtlasNet, Layer, Shape, atlas_net
from gen.atlas.sections import MOVING, STILL, pair, shown, units_of, units_shown
from gen.context import Context

_SIGNED = Text("蓝为负，白为零，橙为正", "blue is negative, white zero, orange positive")
_BRIGHT = Text("最暗为零，越亮越大", "darkest is zero, brighter is more")
_COLOUR = Text(
    "三个通道是红、绿、蓝，中灰为零", "the three channels are red, green, blue; mid-grey is 0"
)
_LAYER = Text("整层", "whole layer")


def generated(context: Context) -> dict[str, Figure]:
    """`overview_<net>`, `<net>_<layer>_weights` and `…_scores` of the output layer."""
    figures: dict[str, Figure] = {}
    for net in context.settings.atlas_nets:
        figures[f"overview_{net}"] = _overview(context, net)
        for layer in atlas_net(context, net).layers:
            if layer.form:
                figures[f"{net}_{layer.name}_weights"] = _weights(layer)
            if layer.kind == "output":
                figures[f"{net}_{layer.name}_scores"] = _scores(context, layer)
    return figures


# ---------- Weights ----------


def _weights(layer: Layer) -> Figure:
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
    )


_PARTS = {
    "slices": Text("每片", "each slice"),
    "colours": Text("每个核", "each kernel"),
}


# ---------- Scores ----------


def _scores(context: Context, layer: Layer) -> Figure:
    """The output layer for all inputs of the atlas: logits, and probabilities by softmax."""
    logits = atlas_net(context, layer.net).outputs[layer.name]  # (N, classes)
    shares = logits.softmax(1)
    labels = context.atlas_labels
    names = list(context.test.class_names)
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
    )  # fmt: skip


def _overview(context: Context, net: str) -> Figure:
    """One digit in every layer, in order, each layer on a scale of its own."""
    chosen = min(7, len(context.examples) - 1)
    digit = context.test.class_names[chosen]
    image = mosaic(context.examples[chosen].numpy(), scale=(0, 255), palette="grey")
    panels = [Panel(_as_high(image), Text("输入：1×28×28", "input: 1×28×28"))]
    for layer in atlas_net(context, net).layers:
        output = atlas_net(context, net).outputs[layer.name][chosen].numpy()
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
    order = " → ".join(layer.name for layer in atlas_net(context, net).layers)
    return Figure(
        alt=Text(
            f"数字 {digit} 依次经过 {atlas_net(context, net).title} 的各层：{order}",
            f"The digit {digit} in all layers of {atlas_net(context, net).title}, in order: {order}",
        ),
        panels=panels,
        legends=legends,
        layout="flow",
        uses=[net],
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


def facts(layer: Layer, tested: Tensor, field: tuple[int, int] | None) -> dict[str, Any]:
    """What the table of a layer's page tells.

    Args:
        tested: its output for many test images, (N, …).
        field: height and width of its receptive field in pixels, if it has maps.
    """
    weight, units = layer.weight, layer.after[0]
    alive = (tested > 0).transpose(0, 1).flatten(1).any(1)  # (C,)
    biases = 0 if getattr(layer.module, "bias", None) is None else units
    strongest = 1.0  # of dead units beside the others
    if weight is not None and alive.any() and not alive.all():
        peaks = np.abs(weight).reshape(units, -1).max(axis=1)  # (out,)
        strongest = float(peaks[~alive.numpy()].mean() / peaks[alive.numpy()].mean())
    inner = "" if weight is None else " × ".join(map(str, weight.shape[1:]))
    return {
        "name": layer.name,
        "kind": layer.kind,
        "called": KINDS[layer.kind][1]._asdict(),
        "code": repr(layer.module) if layer.module else "",
        "before": "×".join(map(str, layer.before)),
        "after": "×".join(map(str, layer.after)),
        "spatial": len(layer.after) == 3,
        "units": units,
        "parameters": 0 if weight is None else weight.size + biases,
        "bias": biases > 0,
        "terms": 0 if weight is None else int(weight[0].size),
        "sum": f"{units} × ({inner}{' + 1' if biases else ''})" if inner else "",
        "field": "×".join(map(str, field)) if field else "",
        "zeros": float((tested == 0).double().mean()),
        "dead": int((~alive).sum()),
        "dead_strength": strongest,
        "positive": float((tested > 0).double().mean()),
        "low": float(tested.min()),
        "high": float(tested.max()),
        "form": layer.form,
        "window": "×".join(map(str, _pair(getattr(layer.module, "kernel_size", 0)))),
        "rate": float(getattr(layer.module, "p", 0)),
        "maps": list(layer.maps or ()),
    }


def _pair(value: int | Shape) -> Shape:
    return (value, value) if isinstance(value, int) else value


def numbers(context: Context) -> dict[str, Any]:
    """Facts of every layer of every net, in order of execution."""
    nets, misread = {}, {}
    for name in context.settings.atlas_nets:
        net = atlas_net(context, name)
        nets[name] = [
            facts(layer, net.tested_outputs[layer.name],
                  net.fields[layer.name].size if len(layer.after) == 3 else None)
            | sections(net, layer)
            for layer in net.layers
        ]  # fmt: skip
        answers = net.outputs[net.layers[-1].name].argmax(1)
        misread[name] = int((answers != context.atlas_labels).sum())
    return {
        "titles": context.settings.atlas_nets,
        "nets": nets,
        "misread": misread,
        "images": len(context.test.images[:TESTED]),
        "examples": len(context.examples),
        "inputs": len(context.atlas_images),
        "steps": {name: atlas_net(context, name).steps for name in context.settings.atlas_nets},
    }


def sections(net: AtlasNet, layer: Layer) -> dict[str, Any]:
    """Which figures the layer's page has, and whose units it shows."""
    owner, seen = units_of(net, layer), pair(net, layer)
    return {
        "shown": shown(net, layer),
        "owner": owner.name if owner else "",
        "compared": [x.name if x else "" for x in (seen.first, seen.second)],
        "padded": len(layer.after) == 3 and min(net.fields[layer.name].box(0, 0)) < 0,
        "trained_units": units_shown(layer, MOVING) if layer.form else 0,
        "gradient_units": units_shown(layer, STILL) if layer.form else 0,
    }
