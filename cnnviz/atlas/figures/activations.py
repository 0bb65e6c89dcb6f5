"""Figures of the atlas: the inputs to choose from, and what each layer makes of the chosen one."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from torch import Tensor

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.sections import Pair, pair, shown
from cnnviz.atlas.sprites import bands, sprite, tiles
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.figure.figure import GREY_LEGEND, Figure, Legend, Links, Panel, Text, Variant, picture
from cnnviz.inside.layers import KINDS, Floats, Layer
from cnnviz.numbers import significant

THUMBNAIL = 36
"""Width in pixels of an input to choose."""

STRONGEST, FEW = 5, 16
"""Units that the line below the pictures names: the strongest ones, or all if they are few."""

_SIGNED = Text("蓝为负，白为零，橙为正", "blue is negative, white zero, orange positive")
_BRIGHT = Text("最暗为零，越亮越大", "darkest is zero, brighter is more")


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`<net>_inputs`, and `<net>_<layer>_activations` where a layer does not share another's."""
    made = {f"{net.name}_inputs": inputs(net)}
    addresses = {shown(net, layer)["activations"]: layer for layer in reversed(net.layers)}
    for address, layer in reversed(addresses.items()):
        made[address.rpartition("/")[2]] = activations(net, layer)
    return made


def inputs(net: AtlasNet) -> Figure:
    """The inputs, each with its class and what the network answers."""
    panels, wrong = [], 0
    for image, label, answer in zip(
        net.pixels.numpy(), net.labels.tolist(), net.answers.tolist(), strict=True
    ):
        true, said = net.classes[label], net.classes[answer]
        drawn = picture(mosaic(image, scale=(0, 255), palette="grey"), THUMBNAIL / image.shape[2])
        wrong += label != answer
        mark = "" if label == answer else " ✗"
        alt = Text(
            f"一张 {true}，{net.title} 答 {said}{'（答错）' if mark else ''}",
            f"a {true}, read as {said} by {net.title}{' (misread)' if mark else ''}",
        )
        panels.append(Panel(drawn, Text(f"{true} → {said}{mark}", f"{true} → {said}{mark}"), alt))
    return Figure(
        alt=Text(
            f"图册的 {len(panels)} 个输入，{net.title} 答错其中 {wrong} 个",
            f"The {len(panels)} inputs of the atlas, {wrong} of them misread by {net.title}",
        ),
        panels=panels,
        legends=[GREY_LEGEND],
        layout="inputs",
        uses=[net.name],
        drawn_by=inputs,
    )


def activations(net: AtlasNet, layer: Layer) -> Figure:
    """What goes in and what comes out for the chosen input; trained, and with random weights."""
    seen = pair(net, layer)
    trained = seen.values(net.outputs, net.inputs)
    random = seen.values(net.random_outputs, net.inputs)
    silent = KINDS[layer.kind].silent  # with random weights it would do the same
    rows = [[t] if silent else [t, r] for t, r in zip(trained, random, strict=True)]
    everything = [*net.outputs.values(), *net.random_outputs.values()]
    whole = max(float(x.abs().max()) for x in everything)
    peaks = _peaks([x for row in rows[: seen.drawn_alike] for x in row])
    spatial = trained[-1].ndim == 4
    variants = []
    scopes = [_SCOPES[0] if spatial else _EACH_INPUT, _ONE if silent else _SCOPES[1], _SCOPES[2]]
    for key, name, scope in scopes:
        panels: list[Panel] = []
        drawings: list[tuple[Mosaic, Text]] = []
        for index, row in enumerate(rows):
            share = index >= seen.drawn_alike  # probabilities have a scale of their own
            for copy, values in enumerate(row):
                drawn = _drawn(values, "share" if share else key, peaks, whole)
                drawings.append((drawn, _SHARE if share else _VALUE))
                links = None
                if seen.units and not copy and values.shape[1] == seen.units.after[0]:
                    links = Links(seen.units.name, values.shape[1], drawn.columns)
                label = _label(seen, index, copy if len(row) > 1 else None)
                panels.append(
                    Panel(sprite(drawn, len(values), maps=values.ndim == 4), label, links=links)
                )
        variants.append(Variant(name, panels, _legends(drawings, key, scope)))
    return Figure(
        alt=_alt(net, seen, rows),
        variants=variants,
        chosen=1,  # the whole layer: what is faint looks faint
        columns=2,
        notes=[] if silent else _notes(seen, trained[-1 if seen.second else 0]),
        uses=[net.name],
        drawn_by=activations,
    )


_VALUE, _SHARE = Text("激活值", "Activation"), Text("概率", "Probability")
_SCOPES: list[tuple[str, Text, Text]] = [
    ("map", Text("每张图", "each map"), Text(
        "每张图各用自己的刻度：图案最清楚，颜色不能互相比较",
        "Each map has a scale of its own: patterns are clearest, colours must not be compared")),
    ("layer", Text("整层", "whole layer"), Text(
        "同一色系的图共用一个刻度：训练后与随机权重之间、各个输入之间，颜色都可以比较",
        "Pictures in the same colours share one scale, trained and random, for all inputs")),
    ("net", Text("全网络", "whole network"), Text(
        "全网络的各层共用一个刻度，看得出哪一层强、哪一层弱",
        "One scale for all layers of the network, which shows where the signal is strong or weak")),
]  # fmt: skip
_ONE = ("layer", Text("整层", "whole layer"), Text(
    "两幅、全部输入共用一个刻度，颜色可以互相比较",
    "One scale for both pictures and all inputs: colours can be compared"))  # fmt: skip
_EACH_INPUT = (
    "input",
    Text("每个输入", "each input"),
    Text(
        "每个输入、每一幅各用自己的刻度，颜色不能互相比较",
        "Each picture has a scale of its own for each input: colours must not be compared",
    ),
)


def _peaks(drawn: list[Tensor]) -> dict[bool, float]:
    """Largest absolute value of what has negative numbers, and of what has none."""
    return {
        signed: max((float(x.abs().max()) for x in drawn if _signed(x) == signed), default=0.0)
        for signed in (True, False)
    }


def _signed(values: Tensor) -> bool:
    return bool((values < 0).any())


def _drawn(values: Tensor, key: str, peaks: dict[bool, float], whole: float) -> Mosaic:
    """One picture with a band for each input."""
    shapes: Floats = tiles(values)
    signed = _signed(values)
    if key == "share":
        return bands(shapes, (0, 1), signed=False)
    if key == "net":
        return bands(shapes, (-whole, whole), signed=True)
    if key == "layer":
        peak = peaks[signed]
        return bands(shapes, (-peak if signed else 0.0, peak), signed=signed)
    return bands(shapes, "map" if key == "map" else "layer", signed=signed)


def _label(seen: Pair, index: int, copy: int | None) -> Text:
    """What stands above a picture; `copy` is 0 for trained, 1 for random weights."""
    layer = seen.second if index else seen.first
    if index and layer is None:
        what = Text("softmax 之后的概率", "probabilities by softmax")
    elif layer is None:
        what = Text("输入图像", "the input image")
    else:
        what = Text(layer.name, layer.name)
        if seen.second and seen.second.kind == "relu" and seen.units is seen.first:
            when = ("ReLU 之后", "after ReLU") if index else ("ReLU 之前", "before ReLU")
            what = Text(f"{layer.name}（{when[0]}）", f"{layer.name} ({when[1]})")
    if copy is None:
        return what
    if copy:
        return Text(f"随机权重：{what.zh}", f"Random weights: {what.en}")
    return Text(f"训练后：{what.zh}", f"Trained: {what.en}")


def _legends(drawings: list[tuple[Mosaic, Text]], key: str, scope: Text) -> list[Legend]:
    """One for each way of colouring that there is, the last of them with what shares the scale."""
    legends: dict[tuple[bool, Text], Legend] = {}
    for drawn, what in drawings:
        low, high = ("−max", "+max") if drawn.signed else ("0", "max")
        if key in ("layer", "net") or what is _SHARE:
            low, high = (significant(float(end)) for end in drawn.limits[0])
        colours = _SIGNED if drawn.signed else _BRIGHT
        text = Text(f"{what.zh}：{colours.zh}。", f"{what.en}: {colours.en}. ")
        if what is not _SHARE:
            text = Text(text.zh + scope.zh, text.en + scope.en)
        bar = palettes.css_gradient(drawn.palette)
        legends[drawn.signed, what] = Legend(text, bar, low, high)
    found = list(legends.values())
    # What holds for two is said once.
    return [
        replace(x, text=Text(x.text.zh.removesuffix(scope.zh), x.text.en.removesuffix(scope.en)))
        if any(scope.zh in y.text.zh for y in found[i + 1 :])
        else x
        for i, x in enumerate(found)
    ]


def _notes(seen: Pair, values: Tensor) -> list[Text]:
    """For each input the strongest units, with links, and how many numbers are above zero."""
    peaks = values.flatten(2).amax(2) if values.ndim == 4 else values  # (N, C)
    units = seen.units if seen.units and seen.units.after[0] == peaks.shape[1] else None
    name = next(x.name for x in (seen.second, seen.first) if x)
    notes = []
    for own, all_values in zip(peaks, values, strict=True):
        order = own.argsort(descending=True, stable=True).tolist()
        every = len(order) <= FEW
        top = order if every else [i for i in order[:STRONGEST] if own[i] != 0]
        links = []
        for index in top:
            told = unit_name(index, len(own)) if units else str(index)
            if units:
                told = f'<a href="../{units.name}/{told}/">{told}</a>'
            links.append(f"{told} ({significant(float(own[index]))})")
        positive = f"{float((all_values > 0).float().mean()):.0%}"
        part = Text("通道", "channels") if values.ndim == 4 else Text("单元", "units")
        strongest = Text(
            f"{f'全部{part.zh}' if every else f'最强的{part.zh}'}，括号里是最大值：{'、'.join(links)}",
            f"{f'All {part.en}' if every else f'Strongest {part.en}'}, with their largest value: "
            f"{', '.join(links)}",
        )
        if not top:
            strongest = Text("全部是零", "All of it is zero")
        notes.append(
            Text(
                f"{name}：{strongest.zh}。{positive} 的数大于零。",
                f"{name}: {strongest.en}. {positive} of the numbers are above zero.",
            )
        )
    return notes


def _alt(net: AtlasNet, seen: Pair, rows: list[list[Tensor]]) -> Text:
    shape = "×".join(map(str, rows[-1][0].shape[1:]))
    sizes = [significant(float(x.abs().max())) for x in rows[0]]
    layer: Any = seen.first or seen.second
    alt = Text(
        f"{net.title} 的 {layer.name}：对所选输入的激活（{shape}），绝对值最大 {sizes[0]}",
        f"{layer.name} of {net.title}: activations ({shape}) for the chosen input, up to {sizes[0]} "
        "in size",
    )
    if len(sizes) == 1:
        return alt
    return Text(
        f"{alt.zh}；右边是随机权重的，最大 {sizes[1]}",
        f"{alt.en}; at the right those with random weights, up to {sizes[1]}",
    )
