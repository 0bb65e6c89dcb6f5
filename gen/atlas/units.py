"""What the page of each unit shows: numbers and pictures of all units of a net, in batches.

A unit is a channel of a convolution or one output of a fully connected layer. The pages themselves
are gen.atlas.unit_pages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from msgspec import structs
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.drawing.weights import divisor
from cnnviz.figure.kept import Chapter
from cnnviz.figure.store import write_picture
from cnnviz.inside.feature_visualization import Optimised, maximise
from cnnviz.inside.gratings import tuning
from cnnviz.inside.kernel_shape import kernel_shape
from cnnviz.inside.patches import Answers, Extremes, cut, extremes
from cnnviz.inside.receptive_field import ReceptiveField
from gen.atlas.net import AtlasNet, Layer, Shape, atlas_net
from gen.context import Context

SHOWN = 9
"""Patches that excite a unit most, and as many that do so least."""

STARTS = 3
"""Noises from which the best input is sought."""

STEPS = 96
ROUGHNESS = 0.02
"""Price of a rough image, in standard deviations of the unit's answers."""

ANGLES = 12
WAVELENGTHS = (4.0, 7.0, 14.0)  # pixels
LINKS = 6
"""Units of the layer before, and of the one after, that a page names."""

INPUT_COLUMNS = 7


def render_units(name: str, key: str, context: Context) -> Chapter:
    """The chapter "units-<name>": facts of every unit, pictures beside them."""
    net = atlas_net(context, name)
    chapter = Chapter(key)
    files = _Files(context, chapter, name)
    weighted = net.weighted
    layers = [layer.name for layer in weighted]
    best = extremes(net.model, layers, context.inputs(name, context.test.images), SHOWN)
    into = contributions(net)
    facts: dict[str, Any] = {}
    for index, layer in enumerate(weighted):
        facts[layer.name] = _layer(context, net, layer, best[layer.name], files) | _links(
            weighted, index, into
        )
    classes = list(context.test.class_names)
    inputs = mosaic(
        context.atlas_images[:, 0].numpy(),
        columns=INPUT_COLUMNS, scale=(0, 255), palette="grey",
    )  # fmt: skip
    chapter.numbers = {
        "title": net.title,
        "layers": facts,
        "classes": classes,
        "tested": len(net.tested),
        "all": len(context.test.images),
        "wavelengths": list(WAVELENGTHS),
        "inputs": {
            **files.write("inputs", inputs),
            "labels": context.atlas_labels.tolist(),
            "answers": net.outputs[layers[-1]].argmax(1).tolist(),
        },
        "passport": structs.asdict(context.passport(name)),
    }
    return chapter


class _Files:
    """Pictures of a net, written to files whose names hold the digest of their content."""

    def __init__(self, context: Context, chapter: Chapter, net: str) -> None:
        self._folder = context.settings.figures_dir
        self._chapter, self._net = chapter, net

    def write(self, stem: str, drawn: Mosaic) -> dict[str, Any]:
        stem = f"units/{self._net}/{stem}"
        file = write_picture(stem, drawn.png(9), self._chapter, self._folder)
        return {"file": file, "width": drawn.width, "height": drawn.height}


def _layer(
    context: Context, net: AtlasNet, layer: Layer, best: Extremes, files: _Files
) -> dict[str, Any]:
    """Facts of a layer, and of each of its units."""
    units, classes = layer.after[0], len(context.test.class_names)
    labels = context.test.labels[: len(net.tested)]
    field = net.fields[layer.name]
    before = net.tested_outputs[layer.name]  # (N, C, …), before ReLU
    relu = next((x for x in net.after(layer) if x.kind == "relu"), None)
    after = net.tested_outputs[relu.name] if relu else before
    channels, height, side = net.inputs.shape[1:]

    spread = before.transpose(0, 1).flatten(1).std(1).clamp(min=1e-6)  # (C,)
    optimum = maximise(
        net.model, layer.name, torch.arange(units), (channels, height, side),
        starts=STARTS, steps=STEPS, roughness=ROUGHNESS * spread,
        max_shift=int(min(field.size) >= 10),  # a pixel is much where a unit sees few
    )  # fmt: skip
    means = _means_by_class(after, labels, classes)  # (C, classes)
    off = net.ablation(layer.name)
    curves = torch.stack(
        [tuning(net.model, layer.name, side, _angles(), wave) for wave in WAVELENGTHS], dim=1
    )  # (C, wavelengths, A)
    active = (after > 0).flatten(2).any(2) if after.dim() > 2 else after > 0  # (N, C)
    share = active.float().mean(0)  # (C,)
    own_inputs = net.outputs[layer.name]  # (14, C, …)
    patches = sheets(net, best, field, optimum).numpy()  # (C, 21, h, w)

    def sheet(index: int) -> Mosaic:
        return mosaic(patches[index], columns=3, scale=(0, 1), palette="grey")

    def unit(index: int) -> dict[str, Any]:
        stem = f"{layer.name}-{index}"
        found = {
            "active": _rounded(float(share[index])),
            "weights": _weights(layer, index, files, stem),
            "patches": files.write(f"{stem}-patches", sheet(index)),
            "most": _places(best.most, index, context.test.labels),
            "least": _places(best.least, index, context.test.labels),
            "optimum": _short(optimum.value[index]),
            "means": _short(means[index]),
            "accuracy": _short(off.accuracy[index] - net.baseline[0]),
            "loss": _short(off.loss[index] - net.baseline[1]),
            "tuning": [_short(curve) for curve in curves[index]],
            "low": float(before[:, index].min()),
            "high": float(before[:, index].max()),
        }
        return found | _own_answers(own_inputs[:, index], files, stem)

    return {
        "kind": layer.kind,
        "shape": list(layer.after),
        "relu": relu.name if relu else "",
        "field": list(field.size),
        "side": side,
        "units": [unit(index) for index in range(units)],
    }


def _own_answers(answers: Tensor, files: _Files, stem: str) -> dict[str, Any]:
    """What a unit makes of the atlas' inputs, (14, …): its maps as a picture, and a value each."""
    if answers.dim() == 1:
        return {"answers": _short(answers)}
    drawn = mosaic(answers.numpy(), columns=INPUT_COLUMNS, scale="layer", signed=True)
    maps = files.write(f"{stem}-maps", drawn) | {"limit": float(drawn.limits[0, 1])}
    return {"maps": maps, "answers": _short(answers.flatten(1).amax(1))}


def sheets(net: AtlasNet, best: Extremes, field: ReceptiveField, optimum: Optimised) -> Tensor:
    """What excites each unit, cut to what it sees and grey: (C, 21, h, w), from 0 to 1.

    Nine patches that do most, nine that do least, then the optimised inputs.
    """
    most, least = (cut(net.all_tested, answers, field) for answers in (best.most, best.least))
    units, starts = optimum.value.shape
    row, column = (torch.full((units, starts), n // 2) for n in field.units)
    which = torch.arange(units * starts).view(units, starts)
    middle = Answers(which, row, column, optimum.value)
    optimised = cut(optimum.images.flatten(0, 1), middle, field)  # (C, starts, channels, h, w)
    return torch.cat([most, least, optimised], dim=1).mean(2)


def _angles() -> Tensor:
    return torch.arange(ANGLES) * (math.pi / ANGLES)


def _means_by_class(outputs: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Mean over places and images of each class, (C, classes); 0 for a class without images."""
    means = outputs.flatten(2).mean(2) if outputs.dim() > 2 else outputs  # (N, C)
    members = F.one_hot(labels, classes).float()  # (N, classes)
    return means.T @ members / members.sum(0).clamp(min=1)


def _places(answers: Answers, index: int, labels: Tensor) -> list[list[float]]:
    """[image, class, row, column, value] of each of the extreme answers of a unit."""
    image = answers.image[index]
    columns = [image, labels[image], answers.row[index], answers.column[index]]
    whole = torch.stack(columns, dim=1).tolist()
    return [[*row, value] for row, value in zip(whole, _short(answers.value[index]), strict=True)]


def _weights(layer: Layer, index: int, files: _Files, stem: str) -> dict[str, Any]:
    """The picture of a unit's weights, their numbers as text, and what shape they have."""
    assert layer.weight is not None
    weight = layer.weight[index]
    tiles = weight if weight.ndim == 3 else folded(weight, layer.maps)  # (T, h, w)
    drawn = mosaic(tiles, columns=min(len(tiles), 8), scale="layer", signed=True)
    bias = getattr(layer.module, "bias", None)
    shapes = []
    if layer.kind == "conv" and min(tiles.shape[1:]) >= 3:
        shapes = [asdict(kernel_shape(tile)) for tile in tiles]
    return files.write(f"{stem}-weights", drawn) | {
        "tiles": len(tiles),
        "limit": float(drawn.limits[0, 1]),
        "bias": None if bias is None else float(bias[index].detach()),
        "numbers": ["\n".join(" ".join(f"{v:.4f}" for v in row) for row in tile) for tile in tiles],
        "shapes": shapes,
    }


def folded(weight: np.ndarray, maps: Shape | None) -> np.ndarray:
    """The weights (in,) of a fully connected unit as maps (T, h, w).

    They have the shape of the maps that were flattened; a plain vector is folded row by row.
    """
    if maps:
        return weight.reshape(maps)
    return weight.reshape(1, divisor(len(weight)), -1)


# ---------- Who feeds whom ----------


def contributions(net: AtlasNet) -> dict[str, Tensor]:
    """For each layer what each unit gets from each channel before it, on average: (C, channels).

    The average runs over the tested images and, in a convolution, over the places of the map: as
    the layer is linear, it is what the mean input contributes. The bias is left out.
    """
    inputs = _mean_inputs(net)
    found = {}
    for layer in net.weighted:
        module, mean = layer.module, inputs[layer.name]
        assert module is not None
        weight = module.weight
        assert isinstance(weight, Tensor)
        if isinstance(module, nn.Conv2d):
            if module.groups == 1:
                columns = [
                    F.conv2d(
                        mean[None, c : c + 1], weight[:, c : c + 1], None,
                        module.stride, module.padding, module.dilation,
                    ).mean((0, 2, 3))
                    for c in range(len(mean))
                ]  # fmt: skip
                found[layer.name] = torch.stack(columns, dim=1).detach()
        else:
            parts = (weight * mean).detach()  # (C, in)
            channels = layer.maps[0] if layer.maps else parts.shape[1]
            found[layer.name] = parts.unflatten(1, (channels, -1)).sum(2)
    return found


def _mean_inputs(net: AtlasNet) -> dict[str, Tensor]:
    """What goes into each layer with weights, averaged over the tested images."""
    means: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, args: tuple[Tensor, ...]) -> None:
            means[name] = args[0].mean(0)

        return hook

    modules = dict(net.model.named_modules())
    handles = [
        modules[layer.name].register_forward_pre_hook(keep(layer.name)) for layer in net.weighted
    ]
    try:
        with torch.no_grad():
            net.model(net.tested)
    finally:
        for handle in handles:
            handle.remove()
    return means


def _links(weighted: Sequence[Layer], index: int, into: dict[str, Tensor]) -> dict[str, Any]:
    """Which units feed each unit of a layer most, and where each leads most.

    Each is [unit, weight, contribution]; the weight is that of the one connection, or the norm of
    the slice. Units of the layer before are known only where it has as many as there are channels.
    """
    layer = weighted[index]
    before = weighted[index - 1] if index else None
    after = weighted[index + 1] if index + 1 < len(weighted) else None
    result: dict[str, Any] = {"before": "", "after": "", "incoming": [], "outgoing": []}
    own = into.get(layer.name)
    if before is not None and own is not None and own.shape[1] == before.after[0]:
        result["before"] = before.name
        result["incoming"] = _strongest(own, _sizes(layer, own.shape[1]))
    there = into.get(after.name) if after is not None else None
    if after is not None and there is not None and there.shape[1] == layer.after[0]:
        result["after"] = after.name
        result["outgoing"] = _strongest(there.T, _sizes(after, there.shape[1]).T)
    return result


def _sizes(layer: Layer, channels: int) -> Tensor:
    """The weight of each connection (C, channels), or the norm of its slice."""
    assert layer.weight is not None
    slices = torch.from_numpy(layer.weight.copy()).flatten(1).unflatten(1, (channels, -1))
    return slices[..., 0] if slices.shape[2] == 1 else slices.norm(dim=2)


def _strongest(contribution: Tensor, weight: Tensor) -> list[list[list[float]]]:
    """For each row the LINKS units of largest absolute contribution."""
    order = contribution.abs().sort(dim=1, descending=True, stable=True).indices[:, :LINKS]
    values = zip(
        order.tolist(),
        weight.gather(1, order).tolist(),
        contribution.gather(1, order).tolist(),
        strict=True,
    )
    return [
        [[unit, _rounded(w), _rounded(c)] for unit, w, c in zip(*row, strict=True)]
        for row in values
    ]


def _short(values: Tensor) -> list[float]:
    """Six significant digits; NaN, the accuracy of a class without images, as 0."""
    return [_rounded(value) for value in values.double().nan_to_num().tolist()]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
