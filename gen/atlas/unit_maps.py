"""What a unit makes of the atlas' inputs: its maps, or its values where it has none."""

from __future__ import annotations

from html import escape

from cnnviz.numbers import fixed
from gen.atlas.unit_parts import Facts, Unit


def maps(page: Unit) -> str:
    """Its map on the atlas' inputs, before the ReLU, beside these inputs."""
    maps, inputs = page.unit["maps"], page.numbers["inputs"]
    labels = [page.classes[i] for i in inputs["labels"]]
    high = ", ".join(fixed(value) for value in page.unit["answers"])
    alt_inputs = page.say(
        f"输入，类别依次为 {'、'.join(labels)}", f"the inputs; classes {', '.join(labels)}"
    )
    alt = page.say(
        f"它在这些输入上的图；各图最大值 {high}",
        f"its maps for these inputs; their largest values {high}",
    )
    limit = fixed(maps["limit"])
    relu = ""
    if page.layer["relu"]:
        relu = page.say(
            f"这是 ReLU 之前的值；经过 {escape(page.layer['relu'])}，橙色留下，蓝色变成零。",
            f"These are values before the ReLU; after {escape(page.layer['relu'])} orange stays and "
            "blue becomes zero. ",
        )

    def picture(file: Facts, text: str) -> str:
        width, height = file["width"], file["height"]
        return (
            f'<img class="pixels" src="{page.file(file)}" width="{width}" height="{height}" '
            f'style="--w:{width};--scale:{max(1, round(420 / width))}" alt="{escape(text)}">'
        )

    legend = page.say(
        f"上：输入，依次为每类一个，再加 {_misread_words(page)}。下：它的图，位置一一对应。"
        f"蓝为负，白为零，橙为正；这些图共用一个刻度，−{limit} 到 +{limit}。{relu}各图最大值：{high}。",
        f"Above: the inputs, one of each class and {_misread_words(page)}. Below: its maps, in "
        f"the same places. Blue is negative, white zero, orange positive; one scale for all of "
        f"these, −{limit} to +{limit}. {relu}Largest values: {high}.",
    )
    return (
        f'<h2 id="maps">{page.say("它的特征图", "Its feature map")}</h2>'
        f'<div class="unit-maps">{picture(inputs, alt_inputs)}{picture(maps, alt)}</div>'
        f'<p class="unit-legend">{legend}</p>'
    )


def answers(page: Unit) -> str:
    """Its value for each of the atlas' inputs, with these as thumbnails."""
    inputs, values = page.numbers["inputs"], page.unit["answers"]
    largest = max(map(abs, values)) or 1
    columns = 7
    rows = -(-len(values) // columns)
    file = page.file(inputs)
    cells = []
    for i, value in enumerate(values):
        x, y = 100 * (i % columns) / (columns - 1), 100 * (i // columns) / max(rows - 1, 1)
        name = page.classes[inputs["labels"][i]]
        answer = page.classes[inputs["answers"][i]]
        read = name if name == answer else f"{name}→{answer}"
        sign = "minus" if value < 0 else "plus"
        cells.append(
            f'<li><span class="thumb" role="img" aria-label="{escape(name)}" '
            f'style="background-image:url({file});background-position:{x:g}% {y:g}%"></span>'
            f'<span class="read">{escape(read)}</span>'
            f'<span class="value {sign}" style="--v:{abs(value) / largest:.3f}">'
            f"{fixed(value)}</span></li>"
        )
    before = page.say(
        "ReLU 之前的值：负的会变成零。", "Values before the ReLU: negative ones become 0. "
    )
    if not page.layer["relu"]:
        before = ""
    legend = page.say(
        f"每类一个输入，再加 {_misread_words(page)}。{before}条的长短是绝对值，橙为正，蓝为负。",
        f"One input of each class and {_misread_words(page)}. {before}The length of a bar is "
        "the size; orange is positive, blue negative.",
    )
    return (
        f'<h2 id="maps">{page.say("它怎样回答这些输入", "Its answers to these inputs")}</h2>'
        f'<ol class="unit-answers" style="--columns:{columns};--rows:{rows}">'
        f'{"".join(cells)}</ol><p class="unit-legend">{legend}</p>'
    )


def _misread_words(page: Unit) -> str:
    """How many of the inputs this net misreads, and as what."""
    inputs = page.numbers["inputs"]
    wrong = [
        f"{page.classes[label]}→{page.classes[answer]}"
        for label, answer in zip(inputs["labels"], inputs["answers"], strict=True)
        if label != answer
    ]
    extra = len(inputs["labels"]) - len(page.classes)
    shown = escape(page.say("、", ", ").join(wrong))
    zh = f"{extra} 个难认的（这个网络认错的：{shown}）" if wrong else f"{extra} 个难认的"
    en = f"{extra} hard ones (this network misreads {shown})" if wrong else f"{extra} hard ones"
    return page.say(zh, en)
