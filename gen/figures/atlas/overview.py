"""The atlas' overview: every unit of every net on one screen, and which units feed which."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing.mosaic import image_png, mosaic
from cnnviz.drawing.palettes import css_gradient
from cnnviz.figure.figure import Figure, Legend, Panel, Text, Variant, in_both
from cnnviz.inside.contributions import contributions
from cnnviz.inside.layers import Layer
from cnnviz.inside.patches import cut, extremes
from gen.context import Context
from gen.nets import atlas_nets

LINKS = 4
"""Units that a unit is joined to on demand, before it and after it."""

_PATCHES = 9


@dataclass(frozen=True)
class _Tiles:
    """The thumbnails of a layer, side by side in one PNG, and the size of each in pixels.

    `kind` is "kernel", "patch" or "profile".
    """

    kind: str
    png: bytes
    width: int
    height: int


def net(context: Context) -> Figure:
    """Every unit of every net, layer below layer; the reader chooses the net."""
    nets = atlas_nets(context)
    variants = []
    for own in nets:
        tiles = {layer.name: _tiles(own, layer) for layer in own.weighted}
        drawing = in_both(lambda say, own=own, tiles=tiles: _overview(own, tiles, say))  # type: ignore[misc]
        variants.append(
            Variant(
                Text(own.title, own.title),
                [Panel(drawing, alt=_alt(own))],
                _legends({t.kind for t in tiles.values()}, len(own.classes)),
            )
        )
    alts = [_alt(own) for own in nets]
    return Figure(
        alt=Text("。".join(a.zh for a in alts), ". ".join(a.en for a in alts)),
        variants=variants,
        uses=[own.name for own in nets],
    )


def _alt(own: AtlasNet) -> Text:
    counts = [(layer.name, layer.after[0]) for layer in own.weighted]
    return Text(
        f"{own.title} 的全部单元，一层一排，每个通往自己的页面："
        + "、".join(f"{name} {count} 个" for name, count in counts),
        f"All units of {own.title}, layer below layer, each a link to its page: "
        + ", ".join(f"{count} in {name}" for name, count in counts),
    )


# ---------- Thumbnails ----------


def _tiles(own: AtlasNet, layer: Layer) -> _Tiles:
    """A kernel over one channel as it is, other convolutions by what excites them, else classes."""
    units = layer.after[0]
    if layer.kind == "conv":
        size = next((size for most, size in ((8, 52), (24, 36), (64, 26)) if units <= most), 16)
        weight = layer.weight
        assert weight is not None
        if weight.shape[1] == 1 and min(weight.shape[2:]) > 1:
            drawn = mosaic(weight[:, 0], columns=units, scale="layer", signed=True, gap=0)
            return _Tiles("kernel", drawn.png(9), size, size)
        most = extremes(own.model, [layer.name], own.tested, _PATCHES)[layer.name].most
        means = cut(own.tested, most, own.fields[layer.name]).mean((1, 2))  # (C, h, w)
        strip = torch.cat(list(means), dim=1)  # (h, C·w)
        pixels = (255 * strip.clamp(0, 1)).round().byte().numpy()
        return _Tiles("patch", image_png(pixels, 9), size, size)
    means = _by_class(own, layer)  # (C, classes)
    rows = F.pad(means, (0, means.shape[1] % 2)).unflatten(1, (2, -1)).numpy()  # (C, 2, …)
    drawn = mosaic(rows, columns=units, scale="map", gap=0)
    cell = next((cell for most, cell in ((16, 8), (130, 5)) if units <= most), 3)
    return _Tiles("profile", drawn.png(9), cell * rows.shape[2], cell * 2)


def _by_class(own: AtlasNet, layer: Layer) -> Tensor:
    """Mean activation (C, classes) of each unit over the tested images of each class."""
    relu = next((x for x in own.after(layer) if x.kind == "relu"), None)
    values = own.tested_outputs[(relu or layer).name]  # (N, C)
    members = F.one_hot(own.tested_labels, len(own.classes)).to(values.dtype)
    return (values.T @ members) / members.sum(0).clamp(min=1)


def _silent(own: AtlasNet, layer: Layer) -> list[int]:
    """Units that never rise above zero before a ReLU."""
    if not any(x.kind == "relu" for x in own.after(layer)):
        return []
    alive = (own.tested_outputs[layer.name] > 0).transpose(0, 1).flatten(1).any(1)  # (C,)
    silent: list[int] = (~alive).nonzero()[:, 0].tolist()
    return silent


# ---------- Links between units ----------


def _into(own: AtlasNet) -> dict[str, Tensor]:
    """Layer → what each unit of the layer before contributes to each of its units, (C, before).

    Only layers whose channels are the units of the layer before.
    """
    found = contributions(own.model, own.weighted, own.tested)
    return {
        layer.name: found[layer.name]
        for layer in own.weighted
        if layer.name in found
        and (before := own.weighted_before(layer))
        and found[layer.name].shape[1] == before.after[0]
    }


def _strongest(matrix: Tensor) -> list[list[list[int]]]:
    """[column, percent] of the largest entries by size in each row, the largest first.

    Percent of the row's largest.
    """
    largest = matrix.abs().amax(1, keepdim=True).clamp(min=1e-12)
    percent = (100 * matrix / largest).round().int()  # (C, D)
    order = matrix.abs().sort(dim=1, descending=True, stable=True).indices[:, :LINKS]
    pairs = torch.stack([order.int(), percent.gather(1, order)], dim=2)  # (C, LINKS, 2)
    return [[pair for pair in row if pair[1]] for row in pairs.tolist()]


# ---------- HTML ----------


def _overview(own: AtlasNet, tiles: dict[str, _Tiles], say: Any) -> str:
    """Rows of links, one a layer; assets/atlas-overview.js draws the lines between them."""
    words = {
        "data-from": Text("主要来自", "fed most by"),
        "data-to": Text("主要去向", "leads most to"),
        "data-comma": Text("、", ", "),
        "data-colon": Text("：", ": "),
        "data-none": Text("指向一个单元（触屏上点一下），或用方向键移到它上面：亮起来的是与它联系最强的单元",
                          "Point at a unit (or tap it, or use the arrow keys): the units most "
                          "strongly joined to it light up"),
    }  # fmt: skip
    attributes = " ".join(f'{key}="{say(text)}"' for key, text in words.items())
    rows = [_input_row(own, say)]
    into = _into(own)
    for layer in own.weighted:
        data = ""
        if layer.name in into:
            data += f' data-in="{_compact(_strongest(into[layer.name]))}"'
        follower = own.weighted_after(layer)
        if follower and follower.name in into:
            data += f' data-out="{_compact(_strongest(into[follower.name].T))}"'
        rows.append(_row(own, layer, tiles[layer.name], data, say))
    return f'<div class="overview" {attributes}>{"".join(rows)}</div>'


def _compact(links: list[list[list[int]]]) -> str:
    return json.dumps(links, separators=(",", ":"))


def _input_row(own: AtlasNet, say: Any) -> str:
    chosen = own.subject.example
    pixels = own.inputs[chosen].mean(0)  # (H, W)
    png = image_png((255 * pixels.clamp(0, 1)).round().byte().numpy(), 9)
    digit = own.classes[int(own.labels[chosen])]
    shape = "×".join(map(str, own.inputs.shape[1:]))
    alt = say(Text(f"一个 {digit}", f"a {digit}"))
    name = say(Text("输入", "input"))
    return (
        f'<div class="overview-row"><p><b>{name}</b> {shape}</p><img class="pixels" '
        f'src="{_uri(png)}" width="42" height="42" style="--w:42" alt="{alt}"></div>'
    )


def _row(own: AtlasNet, layer: Layer, tiles: _Tiles, data: str, say: Any) -> str:
    """A layer: its name and shape, a link for each unit, what follows up to the next one."""
    units, name = layer.after[0], escape(layer.name)
    silent = set(_silent(own, layer))
    shape = "×".join(map(str, layer.after))
    later = " → ".join(
        f'<a href="{own.name}/{escape(x.name)}/">{escape(x.name)}</a>' for x in own.after(layer)
    )
    classes = own.classes
    written = layer.kind == "output" and units == len(classes)
    anchors = []
    for unit in range(units):
        number = unit_name(unit, units)
        mark = ' class="silent"' if unit in silent else ""
        text = f"<span>{escape(classes[unit])}</span>" if written else ""
        label = f"{name}/{number}" + (f": {escape(classes[unit])}" if written else "")
        anchors.append(
            f'<a href="{own.name}/{name}/{number}/" style="--i:{unit}"{mark} '
            f'aria-label="{label}">{text}</a>'
        )
    kind = say(Text(*_KINDS[layer.kind]))
    size = f"--n:{units};--tw:{tiles.width}px;--th:{tiles.height}px"
    group = say(Text(f"{name} 的 {units} 个单元", f"{units} units of {name}"))
    return (
        f'<div class="overview-row"><p><a href="{own.name}/{name}/"><b>{name}</b></a> {kind} '
        f"{shape}{f' → {later}' if later else ''}</p>"
        f'<div class="overview-units {tiles.kind}{" written" if written else ""}" role="group" '
        f'aria-label="{group}" data-layer="{name}"{data} '
        f'style="{size};--sprite:url({_uri(tiles.png)})">{"".join(anchors)}</div></div>'
    )


_KINDS = {
    "conv": ("卷积", "convolution"),
    "output": ("输出（全连接）", "output (fully connected)"),
    "linear": ("全连接", "fully connected"),
}


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _legends(kinds: set[str], count: int) -> Sequence[Legend]:
    """What the thumbnails show, and the lines."""
    legends = []
    half = -(-count // 2)
    if "kernel" in kinds:
        legends.append(
            Legend(
                Text("核：权重，整层一个刻度", "kernels: weights, one scale for the layer"),
                css_gradient("diverging"), "−max", "+max",
            )
        )  # fmt: skip
    if "patch" in kinds:
        legends.append(
            Legend(
                Text(
                    f"其余卷积：最让这个单元激活的 {_PATCHES} 块测试图的平均",
                    f"other convolutions: mean of the {_PATCHES} patches of test images that "
                    "excite the unit most",
                ),
                "linear-gradient(to right, #000, #fff)", "0", "255",
            )
        )  # fmt: skip
    if "profile" in kinds:
        legends.append(
            Legend(
                Text(
                    f"全连接：每块 2×{half} 格，上排是第 0 到 {half - 1} 类，下排是其余各类；亮度是对这一类的"
                    "平均激活（ReLU 之后），每个单元各用自己的刻度。虚线框：在测试图上从不大于零。"
                    "输出层可正可负，用蓝、白、橙",
                    f"fully connected: 2×{half} cells, classes 0 to {half - 1} above, the others "
                    "below; brightness is the mean activation for that class (after ReLU), each "
                    "unit on a scale of its own. Dashed: never above zero on the test images. The "
                    "output layer is of either sign: blue, white, orange",
                ),
                css_gradient("sequential"), "0", "max",
            )
        )  # fmt: skip
    legends.append(
        Legend(
            Text(
                f"线：贡献最大的 {LINKS} 个，橙为增强，蓝为抑制，越粗越强",
                f"lines: the {LINKS} largest contributions; orange adds, blue takes away, thicker "
                "is stronger",
            )
        )
    )
    return legends


def numbers(context: Context) -> dict[str, Any]:
    """How many units there are, and how much of a layer's input its strongest links carry."""
    nets = {}
    for own in atlas_nets(context):
        top, even = {}, {}
        for layer, matrix in _into(own).items():
            sizes = matrix.abs()
            carried = sizes.sort(dim=1, descending=True).values[:, :LINKS].sum()
            top[layer] = float(carried / sizes.sum().clamp(min=1e-12))
            even[layer] = min(1.0, LINKS / matrix.shape[1])
        nets[own.name] = {
            "title": own.title,
            "layers": len(own.weighted),
            "units": sum(layer.after[0] for layer in own.weighted),
            "silent": sum(len(_silent(own, layer)) for layer in own.weighted),
            "top": top,
            "even": even,
        }
    return {"nets": nets, "links": LINKS, "patches": _PATCHES}
