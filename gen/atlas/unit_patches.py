"""What excites a unit: the patches where it is strongest and weakest, and optimised inputs."""

from __future__ import annotations

from html import escape

from cnnviz.numbers import fixed, thousands
from gen.atlas.unit_parts import Unit


def excites(page: Unit) -> str:
    """The section with the nine strongest patches, the nine weakest and three optimised inputs."""
    height, width = page.layer["field"]
    whole = (height, width) == (page.layer["side"], page.layer["side"])
    seen = page.say(
        "它看得到整张图。" if whole else f"每块 {height}×{width} 像素，正是它的感受野。",
        "; it sees the whole image. "
        if whole
        else f", at most one place in each. Each patch is {height}×{width} pixels: its receptive "
        "field. ",
    )
    images = thousands(page.numbers["all"])
    blocks = (
        _nine(page, "most", page.say("最强的九处", "the nine strongest"), "0%")
        + _nine(page, "least", page.say("最弱的九处", "the nine weakest"), "75%")
        + _optimised(page, whole)
    )
    legend = page.say(
        f"灰度：黑为 0，白为 1。最强与最弱取自 {images} 张测试图，每张至多一处；{seen}"
        "优化：从三种随机噪声出发，用梯度上升让它的值尽量大，同时惩罚相邻像素之差（激活最大化）。",
        f"Grey: 0 is black, 1 is white. Strongest and weakest are from {images} test images"
        f"{seen}Optimised: gradient ascent on its value from three random noises, with a penalty on differences between neighbouring pixels (activation "
        "maximisation).",
    )
    return (
        f'<h2 id="excites">{page.say("什么最能激活它", "What excites it")}</h2>'
        f'<div class="unit-figures">{blocks}</div><p class="unit-legend">{legend}</p>'
        f"{_places(page)}"
    )


def _values(page: Unit) -> str:
    """What the values below a picture are."""
    if page.layer["relu"]:
        return page.say("ReLU 之前的值", "values before the ReLU")
    return page.say("值", "values")


def _nine(page: Unit, key: str, name: str, offset: str) -> str:
    """The patches of `key`, "most" or "least", which begin at `offset` of the sheet."""
    patches = page.unit[key]
    shows = [page.classes[int(p[1])] for p in patches]
    high, low = patches[0][4], patches[-1][4]
    values = f"{fixed(high)} {page.say('到', 'to')} {fixed(low)}"
    alt = page.say(
        f"{name}，类别依次为 {'、'.join(shows)}", f"{name}; their classes: {', '.join(shows)}"
    )
    rows = " / ".join(" ".join(shows[i : i + 3]) for i in (0, 3, 6))
    label = page.say("类别", "classes")
    return (
        f'<figure><div class="fig-label">{name}</div>'
        f"{_crop(page, 3, offset, alt)}"
        f"<figcaption>{label} {escape(rows)}<br>{_values(page)} {values}</figcaption></figure>"
    )


def _optimised(page: Unit, whole: bool) -> str:
    """The inputs found by optimisation; `whole`: the unit sees the whole image."""
    best = ", ".join(fixed(value) for value in page.unit["optimum"])
    alt = page.say(
        f"从三种噪声出发优化得到的输入，值 {best}",
        f"inputs found by optimisation from three noises, values {best}",
    )
    compared = _compared(page, "image" if whole else "patch")
    return (
        f'<figure><div class="fig-label">{page.say("优化出来的输入", "optimised inputs")}</div>'
        f"{_crop(page, 1, '100%', alt)}"
        f"<figcaption>{_values(page)} {best}{compared}</figcaption></figure>"
    )


def _compared(page: Unit, part: str) -> str:
    """The best optimised input beside the strongest patch, `part` in English."""
    top, strongest = max(page.unit["optimum"]), page.unit["most"][0][4]
    if top <= strongest:
        return page.say(
            "，没有超过最强的图块：平滑的要求压低了它",
            f"; none is above the strongest {part}: smoothness has its price",
        )
    if strongest <= 0:
        return ""
    ratio = f"{top / strongest:.1f}"
    if ratio == "1.0":
        return page.say(
            "，与最强的图块相当", f"; the best is about as strong as the strongest {part}"
        )
    return page.say(
        f"，是最强图块的 {ratio} 倍",
        f"; the best is {ratio} times the strongest {part}",
    )


def _crop(page: Unit, rows: int, offset: str, alt: str) -> str:
    """`rows` rows of the sheet, which has 3 columns and 7 rows; see gen.atlas.units.sheets."""
    patches = page.unit["patches"]
    width, tall = patches["width"], rows * (patches["height"] + 1) // 7 - 1
    scale = max(1, round(190 / width))
    style = f"--w:{width};--scale:{scale};aspect-ratio:{width}/{tall};object-position:0 {offset}"
    return (
        f'<img class="pixels crop" src="{page.file(patches)}" width="{width}" height="{tall}" '
        f'style="{style}" alt="{escape(alt)}">'
    )


def _places(page: Unit) -> str:
    """Where the patches were found, so that anybody can check them."""
    head = page.say(
        "<th>图像</th><th>类别</th><th>行, 列</th><th>值</th>",
        "<th>image</th><th>class</th><th>row, column</th><th>value</th>",
    )

    def table(key: str, name: str) -> str:
        rows = "".join(
            f"<tr><td>{int(image)}</td><td>{escape(page.classes[int(label)])}</td>"
            f"<td>{int(row)}, {int(column)}</td><td>{fixed(value, 4)}</td></tr>"
            for image, label, row, column, value in page.unit[key]
        )
        return f'<table class="unit-table"><caption>{name}</caption><tr>{head}</tr>{rows}</table>'

    tables = table("most", page.say("最强", "strongest")) + table(
        "least", page.say("最弱", "weakest")
    )
    title = page.say("图像编号、位置与数值", "Image numbers, places and values")
    return page.details(title, f'<div class="unit-tables">{tables}</div>')
