"""The patches of all units of a large network, in a few files: the sheets of its grids.

What excites a unit most and least is cut from the images, made small and laid out in sheets (see
cnnviz.drawing.sheets). The images are read once for as many layers as fit in memory together, and
never all at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.atlas.grid_facts import ACROSS, BLOCK, ON_TILE, PER_SHEET, OptimisedFacts, SheetFacts
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing.sheets import Sheet, cell_size, rows, tiles
from cnnviz.files import digest, holds, write_atomically
from cnnviz.inside.feature_visualization import Optimised
from cnnviz.inside.patches import cut
from cnnviz.inside.receptive_field import ReceptiveField
from cnnviz.inside.selection import Answers, Extremes
from cnnviz.inside.statistics import EXTREMES

MEMORY = 256 * 2**20
"""Bytes of small patches that are held at a time, for several layers if they fit."""

AT_ONCE = 32 * 2**20
"""Bytes of images, and of patches as large as they are cut, that are held at a time."""


@dataclass(frozen=True)
class DrawnGrid:
    """The files of a layer's grid.

    Attributes:
        patch: height and width of a patch in them.
        whole: patches are whole images.
    """

    patch: tuple[int, int]
    whole: bool
    tiles: list[SheetFacts]
    sheets: list[SheetFacts]


def draw_grids(
    net: AtlasNet, best: Mapping[str, Extremes], folder: Path
) -> Iterator[tuple[str, DrawnGrid]]:
    """The grids of layers, one after the other; files are written below `folder`.

    Args:
        best: layer → where its units answer most and least; see `groups` for how many fit in
            memory together.
        folder: the names of files hold the net, the layer and the digest of their content; what
            is there already is left as it is.

    Raises:
        CnnvizError: a file cannot be written.
    """
    store = {name: _Patches(net, best[name], seen_by(net, name)) for name in best}
    _fill(net, store.values())
    for name in best:
        yield name, _written(store.pop(name), folder, stem(net, name))


def stem(net: AtlasNet, layer: str) -> str:
    """How the names of a layer's files begin."""
    return f"grids/{net.name}/{layer}"


def seen_by(net: AtlasNet, layer: str) -> ReceptiveField | None:
    """What the units of a layer see of an image, if patches can be cut to it.

    None where they see all of it, where nobody knows, and where they see windows of different
    sizes: then whole images are shown.
    """
    field = net.fields.get(layer)
    if field is None or field_covers(field):
        return None
    ends = ({0, 1, n // 2, n - 1} & set(range(n)) for n in field.units)
    boxes = [field.box(row, column) for row, column in product(*ends)]
    sizes = {(bottom - top, right - left) for top, left, bottom, right in boxes}
    return _within(field) if len(sizes) == 1 else None


def _within(field: ReceptiveField) -> ReceptiveField:
    """A field that is higher or wider than the image ends with it there."""
    size, start, jump = list(field.size), list(field.start), list(field.jump)
    for axis, whole in enumerate(field.input_size):
        if size[axis] >= whole:
            size[axis], start[axis], jump[axis] = whole, whole / 2, 0
    return ReceptiveField(
        (size[0], size[1]), (jump[0], jump[1]), (start[0], start[1]), field.units, field.input_size
    )


def field_covers(field: ReceptiveField) -> bool:
    """Does a unit see the whole image?"""
    return all(size >= whole for size, whole in zip(field.size, field.input_size, strict=True))


def field_size(net: AtlasNet, layer: str) -> tuple[int, int]:
    """Height and width of what each unit of a layer sees, (0, 0) where it is not one size."""
    field = net.fields.get(layer)
    if field is None or (seen_by(net, layer) is None and not field_covers(field)):
        return 0, 0
    return field.size


# --- Patches ------------------------------------------------------------------------------------


class _Patches:
    """Patches of a layer, small: `small` (units · count, planes, h, w), uint8, most then least.

    The last plane is opacity, 0 where a unit sees beyond the image.

    Attributes:
        image, row, column: (units · count,) where each is found.
    """

    def __init__(self, net: AtlasNet, best: Extremes, field: ReceptiveField | None) -> None:
        self._field = field
        self.units, half = best.most.image.shape
        self.count = 2 * half
        sides = ("image", "row", "column")
        self.image, self.row, self.column = (
            torch.cat([getattr(best.most, side), getattr(best.least, side)], dim=1).flatten()
            for side in sides
        )
        self.size = cell_size(*_patch_size(net, field))
        planes = _planes(net)
        self.small = torch.zeros(self.units * self.count, planes, *self.size, dtype=torch.uint8)

    @property
    def whole(self) -> bool:
        return self._field is None

    def take(self, numbers: Tensor, images: Tensor) -> None:
        """Cut what lies in these images (n, planes, H, W), whose numbers (n,) are in order."""
        there = torch.isin(self.image, numbers).nonzero()[:, 0]  # (m,)
        if self._field is None:
            # Many units share an image: each is made small once.
            small = made_small(images, self.size)  # (n, planes, h, w)
            self.small[there] = small[torch.searchsorted(numbers, self.image[there])]
            return
        if not len(there):  # of which `split` would make one part, not none
            return
        for part in there.split(max(1, AT_ONCE // images[0].nbytes)):
            which = torch.searchsorted(numbers, self.image[part])
            places = (which, self.row[part], self.column[part], torch.zeros(len(part)))
            patches = cut(images, Answers(*(x[:, None] for x in places)), self._field)[:, 0]
            self.small[part] = made_small(patches, self.size)

    def arrays(self) -> np.ndarray:
        """(units, count, h, w, planes)."""
        return self.small.unflatten(0, (self.units, self.count)).permute(0, 1, 3, 4, 2).numpy()


def opaque(shown: Tensor) -> Tensor:
    """Values from 0 to 1 as bytes, with a plane of opacity: (n, 2 or 4, H, W).

    Images of neither one channel nor three are shown by the mean of their channels.
    """
    if shown.shape[1] not in (1, 3):
        shown = shown.mean(1, keepdim=True)
    return F.pad((255 * shown.clamp(0, 1)).round().byte(), (0, 0, 0, 0, 0, 1), value=255)


def made_small(patches: Tensor, size: tuple[int, int]) -> Tensor:
    """Patches (n, planes, H, W) of that size, if they are larger."""
    if tuple(patches.shape[2:]) == size:
        return patches
    small = F.interpolate(patches, size, mode="bilinear", antialias=True)
    opacity = small[:, -1:]
    if bool((opacity == 255).all()):
        return small
    # What lies beyond the image is 0 in all planes, and has darkened what is beside it.
    bright = (small[:, :-1] * (255 / opacity.clamp(min=1))).clamp(max=255).round().byte()
    return torch.cat([bright, opacity], dim=1)


def _planes(net: AtlasNet) -> int:
    """Grey or colour, and opacity."""
    return 4 if net.pixels.shape[1] == 3 else 2


def _patch_size(net: AtlasNet, field: ReceptiveField | None) -> tuple[int, int]:
    height, width = net.inputs.shape[2:]
    return field.size if field else (height, width)


def groups(net: AtlasNet, units: int | None = None) -> Iterator[list[str]]:
    """Names of layers whose patches fit in memory together; one alone may be larger.

    Args:
        units: only the first so many of a layer are shown; None: all.
    """
    group: list[str] = []
    held, count = 0, min(EXTREMES, len(net.subject.images))
    for layer in net.weighted:
        shown = layer.units if units is None else min(units, layer.units)
        height, width = cell_size(*_patch_size(net, seen_by(net, layer.name)))
        need = 2 * shown * count * _planes(net) * height * width
        if group and held + need > MEMORY:
            yield group
            group, held = [], 0
        group.append(layer.name)
        held += need
    if group:
        yield group


def _fill(net: AtlasNet, layers: Iterable[_Patches]) -> None:
    """Read each image that any of the layers needs once, in batches."""
    layers = list(layers)
    needed = torch.cat([layer.image for layer in layers]).unique()  # in order
    batch = max(1, AT_ONCE // (net.inputs[:1].nbytes + 1))
    for numbers in needed.split(batch):
        images = opaque(net.subject.show(net.subject.images[numbers]))  # (n, planes, H, W)
        for layer in layers:
            layer.take(numbers, images)


# --- Files --------------------------------------------------------------------------------------


def _written(patches: _Patches, folder: Path, stem: str) -> DrawnGrid:
    all_of_them = patches.arrays()

    def tile(first: int) -> SheetFacts:
        sheet = tiles(all_of_them[first : first + BLOCK, :ON_TILE], ACROSS)
        return write_sheet(sheet, folder, f"{stem}-t{first // BLOCK}")

    def row(first: int) -> SheetFacts:
        sheet = rows(all_of_them[first : first + PER_SHEET])
        return write_sheet(sheet, folder, f"{stem}-s{first // PER_SHEET}")

    with ThreadPoolExecutor() as pool:  # encoding takes longest, and leaves Python free
        drawn_tiles = list(pool.map(tile, range(0, patches.units, BLOCK)))
        drawn_rows = list(pool.map(row, range(0, patches.units, PER_SHEET)))
    return DrawnGrid(patches.size, patches.whole, drawn_tiles, drawn_rows)


def write_sheet(sheet: Sheet, folder: Path, stem: str) -> SheetFacts:
    """Write a sheet, unless it is there; its name holds the digest of its content."""
    content = digest([sheet.webp])
    file = f"{stem}-{content[:8]}.webp"
    if not holds(folder / file, content):
        write_atomically(folder / file, sheet.webp)
    return SheetFacts(file=file, width=sheet.width, height=sheet.height, scale=sheet.scale)


def draw_optimised(
    net: AtlasNet, layer: str, units: Sequence[int], optimum: Optimised, folder: Path
) -> OptimisedFacts:
    """What was optimised for some units of a layer, a row each, cut as their patches are.

    Args:
        optimum: images (units, starts, 1 or 3, H, W) from 0 to 1, and what they reached.
    """
    field, images = seen_by(net, layer), optimum.images
    count, starts = optimum.value.shape
    patches = opaque(images.flatten(0, 1))  # (units · starts, planes, H, W)
    if field is not None:
        row, column = (torch.full((len(patches), 1), n // 2) for n in field.units)
        which = torch.arange(len(patches))[:, None]
        patches = cut(patches, Answers(which, row, column, optimum.value.view(-1, 1)), field)[:, 0]
    size = cell_size(*patches.shape[2:])
    small = made_small(patches, size)
    sheet = rows(small.unflatten(0, (count, starts)).permute(0, 1, 3, 4, 2).numpy())
    written = write_sheet(sheet, folder, f"{stem(net, layer)}-o")
    values = [short(value) for value in optimum.value]
    return OptimisedFacts(sheet=written, size=size, units=list(units), value=values)


def short(values: Tensor) -> list[float]:
    """Numbers (n,) of five significant digits; NaN as 0."""
    return [float(f"{value:.5g}") for value in values.double().nan_to_num().tolist()]
