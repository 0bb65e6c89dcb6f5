"""The weights of a unit: as a picture, in words and as numbers."""

from __future__ import annotations

from html import escape

from cnnviz.numbers import fixed, with_minus
from gen.atlas.unit_parts import Unit
from gen.atlas.unit_words import edge_words


def weights(page: Unit) -> str:
    """The section with the picture of the weights, its legend and their numbers."""
    weights, kind = page.unit["weights"], page.layer["kind"]
    width, height = weights["width"], weights["height"]
    scale = max(1, min(28, round(380 / width)))
    heading = page.say("卷积核", "Kernel") if kind == "conv" else page.say("权重", "Weights")
    what = _layout(page, kind, weights["tiles"])
    limit = fixed(weights["limit"], 3)
    bias = ""
    if weights["bias"] is not None:
        bias = page.say(
            f"偏置 {fixed(weights['bias'], 4)}。", f"Bias {fixed(weights['bias'], 4)}. "
        )
    alt = _weights_alt(page)
    # The summary calls the kernel dark and bright.
    shapes = page.unit["weights"]["shapes"]
    named = len(shapes) == 1 and edge_words(shapes[0], page.language)
    dark, bright = (" (“dark”)", " (“bright”)") if named else ("", "")
    legend = page.say(
        f"蓝为负，白为零，橙为正；这个单元自己的刻度，−{limit} 到 +{limit}。{bias}",
        f"Blue is negative{dark}, white zero, orange positive{bright}; a scale of its own, "
        f"−{limit} to +{limit}. {bias}",
    )
    picture = (
        f'<img class="pixels" src="{page.file(weights)}" width="{width}" height="{height}" '
        f'style="--w:{width};--scale:{scale}" alt="{escape(alt)}">'
    )
    return (
        f'<h2 id="weights">{heading}</h2><div class="unit-weights">{picture}</div>'
        f'<p class="unit-legend">{what}{legend}</p>{_numbers(page)}'
    )


def _layout(page: Unit, kind: str, tiles: int) -> str:
    """How the weights lie in their picture."""
    if kind == "conv":
        return page.say(
            "整个核只有一片。"
            if tiles == 1
            else f"{tiles} 片，每个输入通道一片，从左到右、从上到下排列。",
            "The whole kernel is one slice. "
            if tiles == 1
            else f"{tiles} slices, one for each input channel, in order. ",
        )
    if tiles > 1:
        return page.say(
            f"按前一层的 {tiles} 张图折成 {tiles} 块，依次对应各个通道。",
            f"Folded into {tiles} tiles, one for each map that was flattened, in order. ",
        )
    if _looks_at_pixels(page):
        return page.say(
            "每个像素一个权重，排成图像的样子。", "One weight a pixel, laid out as the image. "
        )
    return page.say(
        "每个输入一个权重，从左到右、从上到下折成几行。",
        "One weight for each unit before it, folded into rows, in reading order. ",
    )


def _numbers(page: Unit) -> str:
    """All weights as numbers, a block a slice."""
    weights = page.unit["weights"]
    numbers = "".join(
        f"<figure><figcaption>{page.say(f'第 {i} 片', f'slice {i}')}</figcaption>"
        f"<pre>{block}</pre></figure>"
        if weights["tiles"] > 1
        else f"<pre>{block}</pre>"
        for i, block in enumerate(escape(with_minus(text)) for text in weights["numbers"])
    )
    scroll = page.say("权重的数值", "numbers of the weights")
    return page.details(
        page.say("数值", "Numbers"),
        f'<div class="unit-numbers" tabindex="0" role="group" aria-label="{scroll}">{numbers}</div>',
    )


def _looks_at_pixels(page: Unit) -> bool:
    maps = page.layers[[x["name"] for x in page.layers].index(page.name)]["maps"]
    return bool(maps) and maps[0] == 1


def _weights_alt(page: Unit) -> str:
    """What the picture of the weights shows, computed: "kernel 3: dark above, bright below"."""
    weights = page.unit["weights"]
    best = max(range(len(page.classes)), key=page.unit["means"].__getitem__)
    for_class = page.say(f"对 {page.classes[best]} 最强", f"strongest on {page.classes[best]}")
    if page.layer["kind"] != "conv":
        return page.say(
            f"第 {page.index} 号单元的权重；{for_class}",
            f"weights of unit {page.index}; {for_class}",
        )
    named = [
        (i, words)
        for i, shape in enumerate(weights["shapes"])
        if (words := edge_words(shape, page.language))
    ]
    if len(weights["shapes"]) == 1:
        words = named[0][1] if named else page.say("没有简单的形状", "no simple shape")
    else:
        parts = [page.say(f"第 {i} 片{w}", f"slice {i} {w}") for i, w in named]
        none = page.say("各片都没有简单的形状", "no slice has a simple shape")
        words = page.say("；", "; ").join(parts) if parts else none
    return page.say(
        f"第 {page.index} 号核：{words}；{for_class}",
        f"kernel {page.index}: {words}; {for_class}",
    )
