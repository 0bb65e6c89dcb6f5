"""Figures of the atlas: the weights of a layer and its maps at each snapshot of the training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cnnviz.atlas.figures.images import class_of
from cnnviz.atlas.sections import units_shown
from cnnviz.atlas.sprites import STEPS, tiles
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.drawing.weights import FEW, WIDTH, coarse, signed_weights, small_png
from cnnviz.figure.figure import Figure, Legend, Panel, Picture, Variant, message
from cnnviz.inside.layers import Floats, Layer
from cnnviz.numbers import significant


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
    part = units if units < layer.units else None
    labels = (
        message("panels.weights", first=part),
        message("panels.output", label=class_of(net, 0)),
    )
    few = FEW if part else STEPS[True]
    variants = []
    for step, weight, own in zip(net.steps, weights, maps, strict=True):
        drawn = [
            signed_weights(weight, layer.form, layer.maps, (-weight_peak, weight_peak)),
            mosaic(own, scale=(-map_peak, map_peak), signed=True),
        ]
        panels = [
            Panel(_picture(d, width, levels), label, message("at step", what=label, step=step))
            for d, label, width, levels in zip(
                drawn, labels, (WIDTH, 420), (few, STEPS[len(layer.after) == 3]), strict=True
            )
        ]
        variants.append(Variant(str(step), panels, _legends(weight_peak, map_peak)))
    spread = weights.reshape(len(weights), -1).std(1)  # (steps,)
    return Figure(
        alt=message(
            "alt",
            net=net.title,
            layer=layer.name,
            steps=len(net.steps),
            first=spread[0],
            last=spread[-1],
        ),
        variants=variants,
        chosen=len(variants) - 1,
        scrub=message("scrub"),
        layout="column",
        uses=[net.name],
        drawn_by=training,
    )


def _weight(net: AtlasNet, layer: Layer, step: int) -> Floats:
    kernels = replace(layer, module=net.model_at(step).get_submodule(layer.name)).kernels
    assert kernels is not None
    return kernels


def _picture(drawn: Mosaic, width: float, steps: int) -> Picture:
    scale = min(12.0, width / drawn.width, 420 / drawn.height)
    return Picture(small_png(coarse(drawn, steps)), drawn.width, drawn.height, scale)


def _legends(weight_peak: float, map_peak: float) -> list[Legend]:
    bar = palettes.css_gradient("diverging")
    return [
        Legend(
            message("legend", what=message(f"legends.{name}")),
            bar, significant(-peak), significant(peak),
        )
        for name, peak in (("weights", weight_peak), ("output", map_peak))
    ]  # fmt: skip
