"""Figures of the atlas: for the chosen input, how the loss changes with outputs and weights."""

from __future__ import annotations

import torch
from msgspec.structs import replace
from torch import Tensor

from cnnviz.atlas.sections import units_of, units_shown
from cnnviz.atlas.sprites import PANEL, bands, sprite, stacked, tiles
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic
from cnnviz.drawing.weights import WIDTH, signed_weights
from cnnviz.figure.figure import Figure, Legend, Links, Panel, Sprite, Text, Variant
from cnnviz.inside.gradients import Gradients, kernel_gradients, layer_gradients
from cnnviz.inside.layers import KINDS, Floats, Layer
from cnnviz.numbers import significant

_SIGNED = Text("蓝为负，白为零，橙为正", "blue is negative, white zero, orange positive")


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`<net>_<layer>_gradients` for each layer that computes something."""
    found = layer_gradients(net.model, net.layers, net.inputs, net.labels)
    return {
        f"{net.name}_{layer.name}_gradients": gradients(net, layer, found)
        for layer in net.layers
        if not KINDS[layer.kind].silent
    }


def gradients(net: AtlasNet, layer: Layer, found: Gradients) -> Figure:
    """Derivatives of each input's loss with respect to a layer's outputs, and to its kernels."""
    output = found.outputs.get(layer.name)
    if output is None:  # the model overwrites it; autograd cannot reach it
        output = torch.zeros(len(net.inputs), *layer.after)
    shown: list[tuple[Tensor, Text]] = [
        (
            output,
            Text(
                f"损失对 {layer.name} 输出的梯度",
                f"gradient of the loss with respect to the output of {layer.name}",
            ),
        )
    ]
    kernels: Tensor | None = None
    if layer.kind == "conv" and layer.name in found.inputs:
        units = units_shown(layer, net.limits.still)
        kernels = kernel_gradients(layer, found.inputs[layer.name], output)[:, :units]
        what = Text("损失对卷积核的梯度", "gradient of the loss with respect to the kernels")
        if units < layer.after[0]:
            what = Text(f"{what.zh}（前 {units} 个核）", f"{what.en} (the first {units})")
        shown.append((kernels, what))
    elif layer.form and layer.name in found.inputs:
        given = found.inputs[layer.name]
        maps = given.view(len(given), *layer.maps) if layer.maps else given
        shown.append((maps, Text(f"{layer.name} 的输入", f"what goes into {layer.name}")))
    variants = []
    for own in (True, False):
        panels, legends = [], []
        for values, label in shown:
            panel, legend = _panel(layer, values, label, own, kernels, units_of(net, layer))
            panels.append(panel)
            legends.append(legend)
        scope = _OWN_SCALE if own else _ONE_SCALE
        last = legends[-1].text  # what holds for all of them is said once
        text = Text(f"{last.zh}。{scope.zh}", f"{last.en}. {scope.en}")
        legends[-1] = replace(legends[-1], text=text)
        variants.append(Variant(_EACH if own else _ALL, panels, legends))
    return Figure(
        alt=_alt(net, layer, output, found.losses),
        variants=variants,
        columns=1 if kernels is not None and kernels.shape[2] > 1 else len(shown),
        notes=_notes(net, found.losses, output),
        uses=[net.name],
        drawn_by=gradients,
    )  # fmt: skip


_EACH, _ALL = Text("每个输入", "each input"), Text("全部输入", "all inputs")
_OWN_SCALE = Text(
    "每个输入各用自己的刻度，两端的数随输入而变",
    "Each input has a scale of its own, whose ends change with it",
)
_ONE_SCALE = Text(
    "全部输入共用一个刻度，颜色可以互相比较",
    "One scale for all inputs: colours can be compared from one to the next",
)


def _panel(
    layer: Layer,
    values: Tensor,
    label: Text,
    own: bool,
    kernels: Tensor | None,
    owner: Layer | None,
) -> tuple[Panel, Legend]:
    """One picture with a band for each input, and its legend."""
    peaks = values.abs().flatten(1).amax(1)  # (N,)
    whole = float(peaks.max())
    scales = [float(p) if own else whole for p in peaks]
    signed = bool((values < 0).any()) or not label.zh.endswith("的输入")
    if values is kernels:
        drawn = stacked(
            [_kernels(v, scale) for v, scale in zip(values.numpy(), scales, strict=True)]
        )
    else:
        shapes: Floats = tiles(values)
        drawn = stacked([
            bands(v[None], (-s if signed else 0.0, s), signed)
            for v, s in zip(shapes, scales, strict=True)
        ])  # fmt: skip
    wide = values is kernels and kernels.shape[2] > 1
    links = None
    if owner and values.shape[1] == owner.after[0] and values is not kernels:
        links = Links(owner.name, values.shape[1], drawn.columns)
    content: Sprite = sprite(drawn, len(values), WIDTH if wide else PANEL, values.ndim > 2)
    ends = [(significant(-s if signed and s else 0.0), significant(s)) for s in scales]
    colours = _SIGNED if signed else Text("最暗为零，越亮越大", "darkest is zero, brighter is more")
    text = Text(f"{label.zh}：{colours.zh}", f"{label.en}: {colours.en}")
    legend = Legend(text, palettes.css_gradient(drawn.palette), *ends[0], ends=ends if own else ())
    return Panel(content, label, links=links), legend


def _kernels(weight: Floats, peak: float) -> Mosaic:
    return signed_weights(weight, "slices", None, (-peak, peak))


def _notes(net: AtlasNet, losses: Tensor, output: Tensor) -> list[Text]:
    """For each input the loss, the probability of its class and the largest derivative."""
    notes = []
    for label, loss, own in zip(net.labels.tolist(), losses.tolist(), output, strict=True):
        sure = f"{float(torch.tensor(-loss).exp()):.1%}"
        peak = significant(float(own.abs().max()))
        notes.append(
            Text(
                f"真实类别 {net.classes[label]} 的概率 {sure}，损失 {significant(loss)}；梯度的绝对值最大 {peak}。",
                f"The true class {net.classes[label]} has a probability of {sure} and a loss of {significant(loss)}; "
                f"the gradient is at most {peak} in size.",
            )
        )
    return notes


def _alt(net: AtlasNet, layer: Layer, output: Tensor, losses: Tensor) -> Text:
    peaks = output.abs().flatten(1).amax(1)
    worst, best = int(losses.argmax()), int(losses.argmin())
    return Text(
        f"{net.title} 的损失对 {layer.name} 的梯度：损失最大的输入（{significant(float(losses[worst]))}）"
        f"最大 {significant(float(peaks[worst]))}，损失最小的输入最大 {significant(float(peaks[best]))}",
        f"Gradient of the loss of {net.title} with respect to {layer.name}: at most "
        f"{significant(float(peaks[worst]))} for the input with the largest loss "
        f"({significant(float(losses[worst]))}), {significant(float(peaks[best]))} for that with the smallest",
    )
