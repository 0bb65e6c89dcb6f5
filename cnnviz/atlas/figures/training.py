"""Figures of the atlas: the weights of a layer and its maps at each snapshot of the training."""

from __future__ import annotations

import numpy as np

from cnnviz.atlas.sections import units_shown
from cnnviz.atlas.sprites import STEPS, tiles
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.drawing.weights import FEW, WIDTH, coarse, signed_weights, small_png
from cnnviz.figure.figure import Figure, Legend, Panel, Picture, Text, Variant
from cnnviz.inside.layers import Floats, Layer
from cnnviz.numbers import significant

_SIGNED = Text("蓝为负，白为零，橙为正", "blue is negative, white zero, orange positive")


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`<net>_<layer>_training` for layers with weights, where snapshots were kept."""
    moving = net.weighted if net.steps else []
    return {f"{net.name}_{layer.name}_training": training(net, layer) for layer in moving}


def training(net: AtlasNet, layer: Layer) -> Figure:
    """A layer's weights, and what it makes of the first input, step by step."""
    units = units_shown(layer, net.limits.moving)
    weights = np.stack([_weight(net, layer, step)[:units] for step in net.steps])  # (steps, out, …)
    maps = np.stack(
        [tiles(net.outputs_at(step)[layer.name][:1])[0] for step in net.steps]
    )  # (steps, C, H, W)
    weight_peak, map_peak = (float(np.abs(x).max()) for x in (weights, maps))
    digit = net.classes[int(net.labels[0])]
    first = (
        Text("", "")
        if units == layer.after[0]
        else Text(f"（前 {units} 个单元）", f" (the first {units} units)")
    )
    few = FEW if units < layer.after[0] else STEPS[True]
    variants = []
    for step, weight, own in zip(net.steps, weights, maps, strict=True):
        drawn = [
            signed_weights(weight, layer.form, layer.maps, (-weight_peak, weight_peak)),
            mosaic(own, scale=(-map_peak, map_peak), signed=True),
        ]
        labels = (
            Text(f"权重{first.zh}", f"weights{first.en}"),
            Text(f"对第一个输入（{digit}）的输出", f"output for the first input, a {digit}"),
        )
        panels = [
            Panel(
                _picture(d, width, levels),
                label,
                Text(f"第 {step} 步的{label.zh}", f"{label.en} at step {step}"),
            )
            for d, label, width, levels in zip(
                drawn, labels, (WIDTH, 420), (few, STEPS[len(layer.after) == 3]), strict=True
            )
        ]
        variants.append(
            Variant(Text(f"{step}", f"{step}"), panels, _legends(weight_peak, map_peak))
        )
    spread = weights.reshape(len(weights), -1).std(1)  # (steps,)
    return Figure(
        alt=Text(
            f"{net.title} 的 {layer.name} 在训练的 {len(net.steps)} 个时刻：权重的标准差从 "
            f"{significant(float(spread[0]))} 变为 {significant(float(spread[-1]))}",
            f"{layer.name} of {net.title} at {len(net.steps)} moments of the training: the standard "
            f"deviation of its weights goes from {significant(float(spread[0]))} to {significant(float(spread[-1]))}",
        ),
        variants=variants,
        chosen=len(variants) - 1,
        scrub=Text("训练步数", "Training step"),
        layout="column",
        uses=[net.name],
        drawn_by=training,
    )  # fmt: skip


def _weight(net: AtlasNet, layer: Layer, step: int) -> Floats:
    weight = net.model_at(step).get_parameter(f"{layer.name}.weight")
    return weight.detach().numpy()


def _picture(drawn: Mosaic, width: float, steps: int) -> Picture:
    scale = min(12.0, width / drawn.width, 420 / drawn.height)
    return Picture(small_png(coarse(drawn, steps)), drawn.width, drawn.height, scale)


def _legends(weight_peak: float, map_peak: float) -> list[Legend]:
    bar = palettes.css_gradient("diverging")
    return [
        Legend(
            Text(f"{what.zh}：{_SIGNED.zh}。所有步数共用一个刻度",
                 f"{what.en}: {_SIGNED.en}. One scale for all steps"),
            bar, significant(-peak), significant(peak),
        )
        for what, peak in (
            (Text("权重", "Weights"), weight_peak),
            (Text("输出", "Output"), map_peak),
        )
    ]  # fmt: skip
