"""Where in a set of images each channel of a layer answers most, and least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.inside.images import Images, batch_size
from cnnviz.inside.receptive_field import ReceptiveField
from cnnviz.inside.selection import Answers, Extremes, Selection
from cnnviz.inside.watching import watch

__all__ = ["Answers", "Extremes", "cut", "extremes"]


def extremes(
    model: nn.Module,
    layers: Sequence[str],
    images: Images,
    count: int = 9,
    *,
    batch: int | None = None,
    axes: Mapping[str, int] | None = None,
) -> dict[str, Extremes]:
    """For each channel of each layer, the images with its largest and its smallest answers.

    One sweep over the images serves all layers and channels; memory does not grow with their
    number. Of each image only the best place counts. Equal answers come in the order of the images.

    Args:
        layers: names as `cnnviz.record` gives them.
        images: (N, …) input of the model, N ≥ `count`, in memory or read on demand.
        count: images for each channel.
        batch: images that are looked at together, by default by their size.
        axes: where the units of a layer's output lie, the batch not counted; 0 if not given.
    """
    found = {name: Selection(count) for name in layers}
    batch = batch or batch_size(images)
    for first in range(0, len(images), batch):
        look = {
            name: partial(found[name].add, first=first, axis=(axes or {}).get(name, 0))
            for name in layers
        }
        watch(model, images[first : first + batch], look)
    return {name: selection.extremes() for name, selection in found.items()}


def cut(images: Images, answers: Answers, field: ReceptiveField) -> Tensor:
    """What each answer's unit sees: (C, count, channels, height, width) of `images` (N, …).

    Each image is read once. Parts of a field outside the image are 0, as padding makes them; but
    along an axis on which the field is as large as the image, the image is shown as far as it
    goes. Fields that are smaller than the layer's others are shown with what lies beside them.
    """
    channels, count = answers.image.shape
    places = torch.stack([answers.image, answers.row, answers.column], dim=2).flatten(0, 1).tolist()
    windows: dict[int, Tensor] = {}
    order = sorted(range(len(places)), key=lambda number: places[number][0])
    for image, numbers in groupby(order, key=lambda number: places[number][0]):
        (pixels,) = images[[image]]  # (channels, H, W)
        for number in numbers:
            windows[number] = _window(pixels, _shown(field, *places[number][1:]))
    if not places:
        top, left, bottom, right = _shown(field, 0, 0)
        one = images[[0]]  # (1, planes, H, W)
        return one.new_empty(channels, count, one.shape[1], bottom - top, right - left)
    cut_out = torch.stack([windows[number] for number in range(len(places))])
    return cut_out.unflatten(0, (channels, count))


def _shown(field: ReceptiveField, row: int, column: int) -> tuple[int, int, int, int]:
    """A box of the same size for all units of a layer, as (top, left, bottom, right)."""
    box = field.box(row, column)
    edges = []
    for axis, (size, limit) in enumerate(zip(field.size, field.input_size, strict=True)):
        begin, end = box[axis], box[axis + 2]
        if size >= limit:
            begin, end = 0, limit
        elif end - begin < size:  # a window of another size than the others
            begin = min(max((begin + end - size) // 2, 0), limit - size)
            end = begin + size
        edges.append((begin, end))
    (top, bottom), (left, right) = edges
    return top, left, bottom, right


def _window(pixels: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """Part of an image (channels, H, W), 0 beyond its border."""
    height, width = pixels.shape[1:]
    top, left, bottom, right = box
    inside = pixels[:, max(top, 0) : bottom, max(left, 0) : right]
    beyond = (max(-left, 0), max(right - width, 0), max(-top, 0), max(bottom - height, 0))
    return F.pad(inside, beyond) if any(beyond) else inside
