"""What the page of each unit shows: numbers and pictures of all units of a net, in batches.

A unit is a channel of a convolution or one output of a fully connected layer. The pages themselves
are made by cnnviz.atlas.unit_page.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import structs
from torch import Tensor

from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.drawing.weights import divisor
from cnnviz.figure.kept import Chapter, Passport
from cnnviz.figure.store import write_picture
from cnnviz.inside.contributions import contributions
from cnnviz.inside.feature_visualization import Optimised, maximise
from cnnviz.inside.gratings import tuning
from cnnviz.inside.kernel_shape import kernel_shape
from cnnviz.inside.layers import Layer, Shape
from cnnviz.inside.patches import cut
from cnnviz.inside.receptive_field import ReceptiveField
from cnnviz.inside.selection import Answers, Extremes
from cnnviz.inside.statistics import EXTREMES

SHOWN = EXTREMES
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


def render_units(net: AtlasNet, key: str, passport: Passport, folder: Path) -> Chapter:
    """The chapter "units-<name>": facts of every unit, pictures beside them in `folder`."""
    chapter = Chapter(key)
    files = _Files(chapter, net.name, folder)
    into = contributions(net.model, net.weighted, net.counted)
    facts: dict[str, Any] = {}
    for layer in net.weighted:
        facts[layer.name] = _layer(net, layer, net.extremes[layer.name], files) | _links(
            net, layer, into
        )
    inputs = mosaic(net.pixels[:, 0].numpy(), columns=INPUT_COLUMNS, scale=(0, 255), palette="grey")
    chapter.numbers = {
        "title": net.title,
        "layers": facts,
        "classes": net.classes,
        "tested": len(net.counted),
        "all": len(net.subject.images),
        "wavelengths": list(WAVELENGTHS),
        "inputs": {
            **files.write("inputs", inputs),
            "labels": net.labels.tolist(),
            "answers": net.answers.tolist(),
        },
        "passport": structs.asdict(passport),
    }
    return chapter


class _Files:
    """Pictures of a net, written to files whose names hold the digest of their content."""

    def __init__(self, chapter: Chapter, net: str, folder: Path) -> None:
        self._chapter, self._net, self._folder = chapter, net, folder

    def write(self, stem: str, drawn: Mosaic) -> dict[str, Any]:
        stem = f"units/{self._net}/{stem}"
        file = write_picture(stem, drawn.png(9), self._chapter, self._folder)
        return {"file": file, "width": drawn.width, "height": drawn.height}


def _layer(net: AtlasNet, layer: Layer, best: Extremes, files: _Files) -> dict[str, Any]:
    """Facts of a layer, and of each of its units."""
    units = layer.after[0]
    field = net.fields[layer.name]
    before = net.statistics[layer.name]  # before ReLU
    relu = next((x for x in net.after(layer) if x.kind == "relu"), None)
    after = net.statistics[relu.name] if relu else before
    channels, height, side = net.inputs.shape[1:]

    spread = before.std.clamp(min=1e-6).float()  # (C,)
    optimum = maximise(
        net.model, layer.name, torch.arange(units), (channels, height, side),
        starts=STARTS, steps=STEPS, roughness=ROUGHNESS * spread,
        max_shift=int(min(field.size) >= 10),  # a pixel is much where a unit sees few
    )  # fmt: skip
    means, off = after.by_class, net.ablation(layer.name)
    assert means is not None  # (C, classes)
    assert off is not None
    curves = torch.stack(
        [tuning(net.model, layer.name, side, _angles(), wave) for wave in WAVELENGTHS], dim=1
    )  # (C, wavelengths, A)
    labels = net.subject.labels
    assert labels is not None
    own_inputs = net.outputs[layer.name]  # (14, C, …)
    patches = sheets(net, best, field, optimum).numpy()  # (C, 21, h, w)

    def sheet(index: int) -> Mosaic:
        return mosaic(patches[index], columns=3, scale=(0, 1), palette="grey")

    def unit(index: int) -> dict[str, Any]:
        stem = f"{layer.name}-{index}"
        found = {
            "active": _rounded(float(after.active[index])),
            "weights": _weights(layer, index, files, stem),
            "patches": files.write(f"{stem}-patches", sheet(index)),
            "most": _places(best.most, index, labels),
            "least": _places(best.least, index, labels),
            "optimum": _short(optimum.value[index]),
            "means": _short(means[index]),
            "accuracy": _short(off.accuracy[index] - net.baseline[0]),
            "loss": _short(off.loss[index] - net.baseline[1]),
            "tuning": [_short(curve) for curve in curves[index]],
            "low": float(before.lowest[index]),
            "high": float(before.highest[index]),
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
    most, least = (cut(net.subject.images, answers, field) for answers in (best.most, best.least))
    units, starts = optimum.value.shape
    row, column = (torch.full((units, starts), n // 2) for n in field.units)
    which = torch.arange(units * starts).view(units, starts)
    middle = Answers(which, row, column, optimum.value)
    optimised = cut(optimum.images.flatten(0, 1), middle, field)  # (C, starts, channels, h, w)
    return torch.cat([most, least, optimised], dim=1).mean(2)


def _angles() -> Tensor:
    return torch.arange(ANGLES) * (math.pi / ANGLES)


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


def _links(net: AtlasNet, layer: Layer, into: dict[str, Tensor]) -> dict[str, Any]:
    """Which units feed each unit of a layer most, and where each leads most.

    Each is [unit, weight, contribution]; the weight is that of the one connection, or the norm of
    the slice. Units of the layer before are known only where it has as many as there are channels.
    """
    before, after = net.weighted_before(layer), net.weighted_after(layer)
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
