"""What the page of each unit shows: numbers and pictures of all units of a net, in batches.

A unit is a channel of a convolution or one output of a fully connected layer. The pages themselves
are made by cnnviz.atlas.unit_page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import structs
from torch import Tensor

from cnnviz.atlas.links import Joined, incoming, outgoing
from cnnviz.atlas.sections import between, function_of, nonlinearity, rectifier
from cnnviz.atlas.seen import seen, shown
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing.mosaic import ColourMosaic, Mosaic, colour_mosaic, mosaic
from cnnviz.drawing.weights import divisor
from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import Chapter, Passport
from cnnviz.figure.store import write_picture
from cnnviz.inside.ablation import Ablation
from cnnviz.inside.contributions import contributions
from cnnviz.inside.feature_visualization import Optimised, maximise
from cnnviz.inside.gratings import tuning
from cnnviz.inside.kernel_shape import kernel_shape
from cnnviz.inside.layers import INPUT, Layer, Shape
from cnnviz.inside.patches import cut
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
INPUT_COLUMNS = 7

WRITTEN = 1000
"""So many weights of a unit at most are written as numbers."""


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
    pixels = shown(net, net.inputs[None])[0]  # (N, 1 or 3, H, W)
    chapter.numbers = {
        "title": net.title,
        "layers": facts,
        "classes": net.classes,
        "tested": len(net.counted),
        "all": len(net.subject.images),
        "wavelengths": list(WAVELENGTHS),
        "inputs": {
            **files.write_images("inputs", pixels, INPUT_COLUMNS),
            "labels": net.labels.tolist() if net.labelled else [],
            "answers": net.answers.tolist() if net.labelled else [],
            "count": len(pixels),
        },
        "passport": structs.asdict(passport),
        "colour": pixels.shape[1] == 3,
        "channels": net.inputs.shape[1],
    }
    return chapter


class _Files:
    """Pictures of a net, written to files whose names hold the digest of their content."""

    def __init__(self, chapter: Chapter, net: str, folder: Path) -> None:
        self._chapter, self._net, self._folder = chapter, net, folder

    def write(self, stem: str, drawn: Mosaic | ColourMosaic) -> dict[str, Any]:
        stem = f"units/{self._net}/{stem}"
        file = write_picture(stem, drawn.png(9), self._chapter, self._folder)
        return {"file": file, "width": drawn.width, "height": drawn.height}

    def write_images(self, stem: str, tiles: Tensor, columns: int) -> dict[str, Any]:
        """Images (T, 1 or 3, h, w) from 0 to 1."""
        array = tiles.float().numpy()
        if tiles.shape[1] == 1:
            grey = mosaic(array[:, 0], columns=columns, scale=(0, 1), palette="grey")
            return self.write(stem, grey)
        return self.write(stem, colour_mosaic(array, columns=columns, scale=(0, 1), signed=False))


def _layer(net: AtlasNet, layer: Layer, best: Extremes, files: _Files) -> dict[str, Any]:
    """Facts of a layer, and of each of its units."""
    field, second = net.field(layer), nonlinearity(net, layer)
    before = net.statistics[layer.name]  # before its activation function
    after = net.statistics[second.name] if second else before
    relu = rectifier(net, layer)
    optimum = optimised(net, layer, before.std)
    means, off = after.by_class, switched_off(net, layer)
    curves = stripes(net, layer)
    own_inputs = net.outputs[layer.name]  # (14, C, …)
    patches = sheets(net, layer, best, optimum)  # (C, 21 or 18, 1 or 3, h, w)

    def unit(index: int) -> dict[str, Any]:
        stem = f"{layer.name}-{index}"
        found = {
            "active": _rounded(float(after.active[index])),
            "weights": _weights(layer, index, files, stem),
            "patches": files.write_images(f"{stem}-patches", patches[index], 3),
            "most": _places(best.most, index, net.subject.labels),
            "least": _places(best.least, index, net.subject.labels),
            "optimum": _short(optimum.value[index]) if optimum else [],
            "moved": bool(optimum.moved[index].any()) if optimum else False,
            "means": _short(means[index]) if means is not None else [],
            "accuracy": _short(off.accuracy[index] - net.baseline[0]) if off else [],
            "loss": _short(off.loss[index] - net.baseline[1]) if off else [],
            "tuning": [_short(curve) for curve in curves[index]] if curves is not None else [],
            "low": float(before.lowest[index]),
            "high": float(before.highest[index]),
        }
        return found | _own_answers(own_inputs[:, index], files, stem)

    height, width = net.inputs.shape[2:]
    return {
        "kind": layer.kind,
        "shape": list(layer.after),
        "relu": relu.name if relu and relu.kind == "relu" else "",
        "activation": second.name if second else "",
        "function": function_of(second) if second else "",
        "between": [x.name for x in between(net, layer, second)],
        "rectified": bool(second and second.rectifies),
        "scores": layer.scores,
        "image": INPUT in layer.fed_by and layer.before[0] == 1,
        "field": list(field.size) if field else [height, width],
        "side": width,
        "height": height,
        "units": [unit(index) for index in range(layer.units)],
    }


# ---------- What may be missing ----------


def optimised(net: AtlasNet, layer: Layer, spread: Tensor) -> Optimised | None:
    """The inputs that units answer most to; None where they cannot be sought."""
    field, shape = net.field(layer), tuple(net.inputs.shape[1:])
    if shape[0] not in (1, 3) or not net.limits.optimised:
        return None
    seen_pixels = min(field.size) if field else min(shape[1:])
    try:
        return maximise(
            net.model, layer.output_key, torch.arange(layer.units), shape,
            starts=STARTS, steps=STEPS, roughness=ROUGHNESS * spread.clamp(min=1e-6).float(),
            max_shift=int(seen_pixels >= 10),  # a pixel is much where a unit sees few
            prepare=prepare(net),
        )  # fmt: skip
    except CnnvizError:
        return None


def prepare(net: AtlasNet) -> Callable[[Tensor], Tensor] | None:
    """From pixels to images as the network wants them: what `subject.show` undoes; None: nothing.

    For a `show` that scales and shifts, as the inverse of a normalisation does.
    """
    zero = torch.zeros_like(net.inputs[:1])
    try:
        shift, top = net.subject.show(zero), net.subject.show(zero + 1)
    except (RuntimeError, TypeError, ValueError):
        return None
    if shift.shape != zero.shape or not (shift.any() or (top - shift != 1).any()):
        return None
    scale = top - shift
    corner = shift[:, :, :1, :1], scale[:, :, :1, :1]
    if (shift == corner[0]).all() and (scale == corner[1]).all():  # then for any size
        shift, scale = corner
    return lambda pixels: (pixels - shift.to(pixels)) / scale.to(pixels)


def switched_off(net: AtlasNet, layer: Layer) -> Ablation | None:
    """What each unit is good for; None without classes, or where it cannot be switched off."""
    try:
        return net.ablation(layer.output_key)
    except CnnvizError:
        return None


def stripes(net: AtlasNet, layer: Layer) -> Tensor | None:
    """Answers to stripes of each direction (C, wavelengths, A); None where there are none."""
    channels, height, width = net.inputs.shape[1:]
    if channels not in (1, 3) or len(layer.shape) not in (1, 3):
        return None
    try:
        return torch.stack(
            [
                tuning(
                    net.model, layer.output_key, (height, width), _angles(), wave,
                    channels=channels, prepare=prepare(net),
                )
                for wave in WAVELENGTHS
            ],
            dim=1,
        )  # fmt: skip
    except CnnvizError:
        return None


def _own_answers(answers: Tensor, files: _Files, stem: str) -> dict[str, Any]:
    """What a unit makes of the atlas' inputs, (14, …): its maps as a picture, and a value each."""
    if answers.dim() == 1:
        return {"answers": _short(answers)}
    answers = answers[:, None] if answers.dim() == 2 else answers.flatten(1, -2)  # (14, h, w)
    drawn = mosaic(answers.numpy(), columns=INPUT_COLUMNS, scale="layer", signed=True)
    maps = files.write(f"{stem}-maps", drawn) | {"limit": float(drawn.limits[0, 1])}
    return {"maps": maps, "answers": _short(answers.flatten(1).amax(1))}


def sheets(net: AtlasNet, layer: Layer, best: Extremes, optimum: Optimised | None) -> Tensor:
    """What excites each unit, cut to what it sees: (C, 18 or 21, 1 or 3, h, w), from 0 to 1.

    Nine patches that do most, nine that do least, then the optimised inputs if there are any.
    """
    parts = [_nine(seen(net, layer, net.subject.images, best.most)),
             _nine(seen(net, layer, net.subject.images, best.least))]  # fmt: skip
    field = net.field(layer)
    if optimum is None:
        return torch.cat(parts, dim=1)
    images = optimum.images
    if field is not None:
        units, starts = optimum.value.shape
        row, column = (torch.full((units, starts), n // 2) for n in field.units)
        which = torch.arange(units * starts).view(units, starts)
        images = cut(images.flatten(0, 1), Answers(which, row, column, optimum.value), field)
    return torch.cat([*parts, images.to(parts[0])], dim=1)


def _nine(patches: Tensor) -> Tensor:
    """Patches (C, count, …), black ones after them where there are fewer images."""
    missing = SHOWN - patches.shape[1]
    return torch.cat([patches, patches.new_zeros(len(patches), missing, *patches.shape[2:])], dim=1)


def _angles() -> Tensor:
    return torch.arange(ANGLES) * (math.pi / ANGLES)


def _places(answers: Answers, index: int, labels: Tensor | None) -> list[list[float]]:
    """[image, class or −1, row, column, value] of each of the extreme answers of a unit."""
    image = answers.image[index]
    classes = torch.full_like(image, -1) if labels is None else labels[image]
    columns = [image, classes, answers.row[index], answers.column[index]]
    whole = torch.stack(columns, dim=1).tolist()
    return [[*row, value] for row, value in zip(whole, _short(answers.value[index]), strict=True)]


def _weights(layer: Layer, index: int, files: _Files, stem: str) -> dict[str, Any]:
    """The picture of a unit's weights, their numbers as text, and what shape they have."""
    kernels = layer.kernels
    assert kernels is not None
    weight = kernels[index]
    tiles = weight if weight.ndim == 3 else folded(weight, layer.maps)  # (T, h, w)
    drawn = mosaic(tiles, columns=min(len(tiles), 8), scale="layer", signed=True)
    bias = getattr(layer.module, "bias", None)
    shapes = []
    if layer.kind == "conv" and min(tiles.shape[1:]) >= 3:
        shapes = [asdict(kernel_shape(tile)) for tile in tiles]
    written = tiles if weight.size <= WRITTEN else []
    return files.write(f"{stem}-weights", drawn) | {
        "tiles": len(tiles),
        "limit": float(drawn.limits[0, 1]),
        "bias": None if bias is None else float(bias[index].detach()),
        "numbers": ["\n".join(" ".join(f"{v:.4f}" for v in row) for row in t) for t in written],
        "shapes": shapes,
        "count": int(weight.size),
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
    """Which units feed each unit of a layer most, and where each leads most."""
    before, after = incoming(net, layer, into), outgoing(net, layer, into)
    return {
        "before": before.layer.name if before else "",
        "after": after.layer.name if after else "",
        "incoming": _rows(before),
        "outgoing": _rows(after),
    }


def _rows(joined: Joined | None) -> list[list[list[float]]]:
    """[unit, weight, contribution] of those that each unit is joined to, at least one."""
    if joined is None:
        return []
    values = zip(
        joined.unit.tolist(), joined.weight.tolist(), joined.contribution.tolist(), strict=True
    )
    rows = [
        [[unit, _rounded(w), _rounded(c)] for unit, w, c in zip(*row, strict=True)]
        for row in values
    ]
    return [[link for link in row if link[1] or link[2]] or row[:1] for row in rows]


def _short(values: Tensor) -> list[float]:
    """Six significant digits; NaN, the accuracy of a class without images, as 0."""
    return [_rounded(value) for value in values.double().nan_to_num().tolist()]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
