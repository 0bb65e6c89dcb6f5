"""The page of one unit as HTML, in either language. Plain data in (gen.atlas.units), text out; no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from cnnviz.drawing.tuning import tuning_curves
from cnnviz.numbers import fixed, small, thousands, with_minus
from gen.atlas.net_strip import net_strip
from gen.atlas.unit_summary import tuned, unit_summary
from gen.atlas.unit_words import edge_words, stripes_words

Facts = Mapping[str, Any]

UP = "../../../../"
"""From the page of a unit, atlas/<net>/<layer>/<unit>/, to the root of its language."""


def unit_name(index: int, count: int) -> str:
    """The number of a unit in its address, as wide as the largest of its layer, two digits or more.

    >>> unit_name(7, 16), unit_name(7, 512)
    ('07', '007')
    """
    return str(index).zfill(max(2, len(str(count - 1))))


class UnitPage:
    """The page of one unit.

    Attributes:
        title, description: for the head of the document.
    """

    def __init__(
        self,
        net: str,
        numbers: Facts,
        layers: Sequence[Facts],
        layer: str,
        index: int,
        language: str,
    ) -> None:
        """`numbers` of the chapter "units-<net>"; `layers`: facts of all layers of the net."""
        self.net, self.numbers, self.layers = net, numbers, layers
        self.name, self.index, self.language = layer, index, language
        self.layer: Facts = numbers["layers"][layer]
        self.unit: Facts = self.layer["units"][index]
        self.count = len(self.layer["units"])
        self.number = unit_name(index, self.count)
        self.classes: Sequence[str] = numbers["classes"]
        self.spatial = len(self.layer["shape"]) == 3
        self.title = self.say(
            f"{numbers['title']} {layer} 第 {index} 号单元",
            f"{numbers['title']} {layer}, unit {index}",
        )
        self.summary = unit_summary(numbers, layer, index, language)
        self.description = self.title + self.say("。", ". ") + "".join(self.summary)

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def html(self) -> str:
        """Everything between the heading of the site and its foot."""
        parts = [
            net_strip(self.net, self.layers, self.name, self.language, "../../../", self.number),
            self._heading(),
            f'<p class="unit-lead">{escape("".join(self.summary))}</p>',
            '<div class="unit-sections">',
            *(
                f"<section>{section}</section>"
                for section in (
                    self._excites(),
                    self._weights(),
                    self._maps() if self.spatial else self._answers(),
                    self._by_class(),
                    self._gratings(),
                    self._links(),
                )
                if section
            ),
            "</div>",
            self._made(),
        ]
        return "\n".join(parts)

    # ---------- Parts of the page ----------

    def _heading(self) -> str:
        last = self.count - 1
        title = self.say(
            f'<a href="../">{escape(self.name)}</a> · 第 {self.index} 号单元',
            f'<a href="../">{escape(self.name)}</a> · unit {self.index}',
        )
        before, after = (self.index - 1) % self.count, (self.index + 1) % self.count
        kind = self.say("通道", "channels") if self.spatial else self.say("单元", "units")
        links = (
            f'<a rel="prev" href="../{unit_name(before, self.count)}/">← {before}</a>'
            f"<span>{self.say(f'{kind} 0 到 {last}', f'{kind} 0 to {last}')}</span>"
            f'<a rel="next" href="../{unit_name(after, self.count)}/">{after} →</a>'
        )
        label = self.say("同一层的其他单元", "Other units of this layer")
        return (
            f'<h1 id="unit">{escape(self.numbers["title"])} · {title}</h1>'
            f'<nav class="unit-siblings" aria-label="{label}">{links}</nav>'
        )

    def _excites(self) -> str:
        unit, side = self.unit, self.layer["side"]
        height, width = self.layer["field"]
        whole = (height, width) == (side, side)
        seen = self.say(
            "它看得到整张图。" if whole else f"每块 {height}×{width} 像素，正是它的感受野。",
            "; it sees the whole image. "
            if whole
            else f", at most one place in each. Each patch is {height}×{width} pixels: its receptive "
            "field. ",
        )
        most, least = ([self.classes[int(p[1])] for p in unit[key]] for key in ("most", "least"))
        images = thousands(self.numbers["all"])
        before = self.say("ReLU 之前的值", "values before the ReLU")
        if not self.layer["relu"]:
            before = self.say("值", "values")

        def block(key: str, zh: str, en: str, shows: Sequence[str], offset: str) -> str:
            high, low = unit[key][0][4], unit[key][-1][4]
            values = f"{fixed(high)} {self.say('到', 'to')} {fixed(low)}"
            alt = self.say(
                f"{zh}，类别依次为 {'、'.join(shows)}", f"{en}; their classes: {', '.join(shows)}"
            )
            rows = " / ".join(" ".join(shows[i : i + 3]) for i in (0, 3, 6))
            label = self.say("类别", "classes")
            return (
                f'<figure><div class="fig-label">{self.say(zh, en)}</div>'
                f"{self._crop(3, offset, alt)}"
                f"<figcaption>{label} {escape(rows)}<br>{before} {values}</figcaption></figure>"
            )

        best = ", ".join(fixed(value) for value in unit["optimum"])
        top, strongest = max(unit["optimum"]), unit["most"][0][4]
        part = "image" if whole else "patch"
        compared = ""
        if top > strongest > 0:
            ratio = f"{top / strongest:.1f}"
            compared = (
                self.say(
                    "，与最强的图块相当", f"; the best is about as strong as the strongest {part}"
                )
                if ratio == "1.0"
                else self.say(
                    f"，是最强图块的 {ratio} 倍",
                    f"; the best is {ratio} times the strongest {part}",
                )
            )
        elif top <= strongest:
            compared = self.say(
                "，没有超过最强的图块：平滑的要求压低了它",
                f"; none is above the strongest {part}: smoothness has its price",
            )
        alt = self.say(
            f"从三种噪声出发优化得到的输入，值 {best}",
            f"inputs found by optimisation from three noises, values {best}",
        )
        optimum = (
            f'<figure><div class="fig-label">{self.say("优化出来的输入", "optimised inputs")}</div>'
            f"{self._crop(1, '100%', alt)}"
            f"<figcaption>{before} {best}{compared}</figcaption></figure>"
        )
        blocks = (
            block("most", "最强的九处", "the nine strongest", most, "0%")
            + block("least", "最弱的九处", "the nine weakest", least, "75%")
            + optimum
        )
        legend = self.say(
            f"灰度：黑为 0，白为 1。最强与最弱取自 {images} 张测试图，每张至多一处；{seen}"
            "优化：从三种随机噪声出发，用梯度上升让它的值尽量大，同时惩罚相邻像素之差（激活最大化）。",
            f"Grey: 0 is black, 1 is white. Strongest and weakest are from {images} test images"
            f"{seen}Optimised: gradient ascent on its value from three random noises, with a penalty on differences between neighbouring pixels (activation "
            "maximisation).",
        )
        return (
            f'<h2 id="excites">{self.say("什么最能激活它", "What excites it")}</h2>'
            f'<div class="unit-figures">{blocks}</div><p class="unit-legend">{legend}</p>'
            f"{self._places()}"
        )

    def _crop(self, rows: int, offset: str, alt: str) -> str:
        """`rows` rows of the sheet, which has 3 columns and 7 rows; see gen.atlas.units.sheets."""
        patches = self.unit["patches"]
        width, tall = patches["width"], rows * (patches["height"] + 1) // 7 - 1
        scale = max(1, round(190 / width))
        style = (
            f"--w:{width};--scale:{scale};aspect-ratio:{width}/{tall};object-position:0 {offset}"
        )
        return (
            f'<img class="pixels crop" src="{self._file(patches)}" width="{width}" height="{tall}" '
            f'style="{style}" alt="{escape(alt)}">'
        )

    def _file(self, picture: Facts) -> str:
        return f"{UP}figures/{escape(picture['file'])}"

    def _places(self) -> str:
        """Where the patches were found, so that anybody can check them."""
        head = self.say(
            "<th>图像</th><th>类别</th><th>行, 列</th><th>值</th>",
            "<th>image</th><th>class</th><th>row, column</th><th>value</th>",
        )

        def table(key: str, name: str) -> str:
            rows = "".join(
                f"<tr><td>{int(image)}</td><td>{escape(self.classes[int(label)])}</td>"
                f"<td>{int(row)}, {int(column)}</td><td>{fixed(value, 4)}</td></tr>"
                for image, label, row, column, value in self.unit[key]
            )
            return (
                f'<table class="unit-table"><caption>{name}</caption><tr>{head}</tr>{rows}</table>'
            )

        tables = table("most", self.say("最强", "strongest")) + table(
            "least", self.say("最弱", "weakest")
        )
        title = self.say("图像编号、位置与数值", "Image numbers, places and values")
        return self._details(title, f'<div class="unit-tables">{tables}</div>')

    def _weights(self) -> str:
        weights, kind = self.unit["weights"], self.layer["kind"]
        width, height = weights["width"], weights["height"]
        scale = max(1, min(28, round(380 / width)))
        tiles = weights["tiles"]
        heading = self.say("卷积核", "Kernel") if kind == "conv" else self.say("权重", "Weights")
        if kind == "conv":
            what = self.say(
                "整个核只有一片。"
                if tiles == 1
                else f"{tiles} 片，每个输入通道一片，从左到右、从上到下排列。",
                "The whole kernel is one slice. "
                if tiles == 1
                else f"{tiles} slices, one for each input channel, in order. ",
            )
        elif tiles > 1:
            what = self.say(
                f"按前一层的 {tiles} 张图折成 {tiles} 块，依次对应各个通道。",
                f"Folded into {tiles} tiles, one for each map that was flattened, in order. ",
            )
        elif self._looks_at_pixels():
            what = self.say(
                "每个像素一个权重，排成图像的样子。", "One weight a pixel, laid out as the image. "
            )
        else:
            what = self.say(
                "每个输入一个权重，从左到右、从上到下折成几行。",
                "One weight for each unit before it, folded into rows, in reading order. ",
            )
        limit = fixed(weights["limit"], 3)
        bias = ""
        if weights["bias"] is not None:
            bias = self.say(
                f"偏置 {fixed(weights['bias'], 4)}。", f"Bias {fixed(weights['bias'], 4)}. "
            )
        alt = self._weights_alt()
        # The summary calls the kernel dark and bright.
        shapes = self.unit["weights"]["shapes"]
        named = len(shapes) == 1 and edge_words(shapes[0], self.language)
        dark, bright = (" (“dark”)", " (“bright”)") if named else ("", "")
        legend = self.say(
            f"蓝为负，白为零，橙为正；这个单元自己的刻度，−{limit} 到 +{limit}。{bias}",
            f"Blue is negative{dark}, white zero, orange positive{bright}; a scale of its own, "
            f"−{limit} to +{limit}. {bias}",
        )
        picture = (
            f'<img class="pixels" src="{self._file(weights)}" width="{width}" height="{height}" '
            f'style="--w:{width};--scale:{scale}" alt="{escape(alt)}">'
        )
        numbers = "".join(
            f"<figure><figcaption>{self.say(f'第 {i} 片', f'slice {i}')}</figcaption>"
            f"<pre>{block}</pre></figure>"
            if tiles > 1
            else f"<pre>{block}</pre>"
            for i, block in enumerate(escape(with_minus(text)) for text in weights["numbers"])
        )
        scroll = self.say("权重的数值", "numbers of the weights")
        shown = self._details(
            self.say("数值", "Numbers"),
            f'<div class="unit-numbers" tabindex="0" role="group" aria-label="{scroll}">{numbers}</div>',
        )
        return (
            f'<h2 id="weights">{heading}</h2><div class="unit-weights">{picture}</div>'
            f'<p class="unit-legend">{what}{legend}</p>{shown}'
        )

    def _looks_at_pixels(self) -> bool:
        maps = self.layers[[x["name"] for x in self.layers].index(self.name)]["maps"]
        return bool(maps) and maps[0] == 1

    def _weights_alt(self) -> str:
        """What the picture of the weights shows, computed: "kernel 3: dark above, bright below"."""
        weights = self.unit["weights"]
        best = max(range(len(self.classes)), key=self.unit["means"].__getitem__)
        for_class = self.say(f"对 {self.classes[best]} 最强", f"strongest on {self.classes[best]}")
        if self.layer["kind"] != "conv":
            return self.say(
                f"第 {self.index} 号单元的权重；{for_class}",
                f"weights of unit {self.index}; {for_class}",
            )
        named = [
            (i, words)
            for i, shape in enumerate(weights["shapes"])
            if (words := edge_words(shape, self.language))
        ]
        if len(weights["shapes"]) == 1:
            words = named[0][1] if named else self.say("没有简单的形状", "no simple shape")
        else:
            parts = [self.say(f"第 {i} 片{w}", f"slice {i} {w}") for i, w in named]
            none = self.say("各片都没有简单的形状", "no slice has a simple shape")
            words = self.say("；", "; ").join(parts) if parts else none
        return self.say(
            f"第 {self.index} 号核：{words}；{for_class}",
            f"kernel {self.index}: {words}; {for_class}",
        )

    def _maps(self) -> str:
        """Its map on the atlas' inputs, before the ReLU, beside these inputs."""
        maps, inputs = self.unit["maps"], self.numbers["inputs"]
        labels = [self.classes[i] for i in inputs["labels"]]
        high = ", ".join(fixed(value) for value in self.unit["answers"])
        alt_inputs = self.say(
            f"输入，类别依次为 {'、'.join(labels)}", f"the inputs; classes {', '.join(labels)}"
        )
        alt = self.say(
            f"它在这些输入上的图；各图最大值 {high}",
            f"its maps for these inputs; their largest values {high}",
        )
        limit = fixed(maps["limit"])
        relu = ""
        if self.layer["relu"]:
            relu = self.say(
                f"这是 ReLU 之前的值；经过 {escape(self.layer['relu'])}，橙色留下，蓝色变成零。",
                f"These are values before the ReLU; after {escape(self.layer['relu'])} orange stays and "
                "blue becomes zero. ",
            )

        def picture(file: Facts, text: str) -> str:
            width, height = file["width"], file["height"]
            return (
                f'<img class="pixels" src="{self._file(file)}" width="{width}" height="{height}" '
                f'style="--w:{width};--scale:{max(1, round(420 / width))}" alt="{escape(text)}">'
            )

        legend = self.say(
            f"上：输入，依次为每类一个，再加 {self._misread_words()}。下：它的图，位置一一对应。"
            f"蓝为负，白为零，橙为正；这些图共用一个刻度，−{limit} 到 +{limit}。{relu}各图最大值：{high}。",
            f"Above: the inputs, one of each class and {self._misread_words()}. Below: its maps, in "
            f"the same places. Blue is negative, white zero, orange positive; one scale for all of "
            f"these, −{limit} to +{limit}. {relu}Largest values: {high}.",
        )
        return (
            f'<h2 id="maps">{self.say("它的特征图", "Its feature map")}</h2>'
            f'<div class="unit-maps">{picture(inputs, alt_inputs)}{picture(maps, alt)}</div>'
            f'<p class="unit-legend">{legend}</p>'
        )

    def _misread_words(self) -> str:
        """How many of the inputs this net misreads, and as what."""
        inputs = self.numbers["inputs"]
        wrong = [
            f"{self.classes[label]}→{self.classes[answer]}"
            for label, answer in zip(inputs["labels"], inputs["answers"], strict=True)
            if label != answer
        ]
        extra = len(inputs["labels"]) - len(self.classes)
        shown = escape(self.say("、", ", ").join(wrong))
        zh = f"{extra} 个难认的（这个网络认错的：{shown}）" if wrong else f"{extra} 个难认的"
        en = f"{extra} hard ones (this network misreads {shown})" if wrong else f"{extra} hard ones"
        return self.say(zh, en)

    def _answers(self) -> str:
        """Its value for each of the atlas' inputs, with these as thumbnails."""
        inputs, values = self.numbers["inputs"], self.unit["answers"]
        largest = max(map(abs, values)) or 1
        columns = 7
        rows = -(-len(values) // columns)
        file = self._file(inputs)
        cells = []
        for i, value in enumerate(values):
            x, y = 100 * (i % columns) / (columns - 1), 100 * (i // columns) / max(rows - 1, 1)
            name = self.classes[inputs["labels"][i]]
            answer = self.classes[inputs["answers"][i]]
            read = name if name == answer else f"{name}→{answer}"
            sign = "minus" if value < 0 else "plus"
            cells.append(
                f'<li><span class="thumb" role="img" aria-label="{escape(name)}" '
                f'style="background-image:url({file});background-position:{x:g}% {y:g}%"></span>'
                f'<span class="read">{escape(read)}</span>'
                f'<span class="value {sign}" style="--v:{abs(value) / largest:.3f}">'
                f"{fixed(value)}</span></li>"
            )
        before = self.say(
            "ReLU 之前的值：负的会变成零。", "Values before the ReLU: negative ones become 0. "
        )
        if not self.layer["relu"]:
            before = ""
        legend = self.say(
            f"每类一个输入，再加 {self._misread_words()}。{before}条的长短是绝对值，橙为正，蓝为负。",
            f"One input of each class and {self._misread_words()}. {before}The length of a bar is "
            "the size; orange is positive, blue negative.",
        )
        return (
            f'<h2 id="maps">{self.say("它怎样回答这些输入", "Its answers to these inputs")}</h2>'
            f'<ol class="unit-answers" style="--columns:{columns};--rows:{rows}">'
            f'{"".join(cells)}</ol><p class="unit-legend">{legend}</p>'
        )

    def _by_class(self) -> str:
        unit = self.unit
        most = max(map(abs, unit["means"])) or 1
        worst = max(5e-5, *map(abs, unit["loss"]))  # no bar for what is written as 0
        rows = ""
        for i, name in enumerate(self.classes):
            mean, points, loss = unit["means"][i], 100 * unit["accuracy"][i], unit["loss"][i]
            rows += (
                f"<tr><th>{escape(name)}</th>"
                f"{self._bar(mean, most, small(mean))}"
                f"<td>{small(round(points, 1), plus=True)}</td>"
                f"{self._bar(loss, worst, small(loss, plus=True))}</tr>"
            )
        head = self.say(
            "<th>类别</th><th>平均激活值</th><th>准确率变化</th><th>损失变化</th>",
            "<th>class</th><th>mean activation</th><th>off: accuracy</th><th>off: loss</th>",
        )
        after = ""
        if self.layer["relu"]:
            after = self.say("（ReLU 之后）", " (after the ReLU)")
        places = self.say("、各个位置", " and all places") if self.spatial else ""
        tested = thousands(self.numbers["tested"])
        legend = self.say(
            f"平均激活值{after}在 {tested} 张测试图{places}上统计。后两列是关掉它引起的变化（把它的输出换成零，其余不变）：准确率以百分点计，损失取该类的平均。橙为正，蓝为负；条的长短只与本列最长的相比。",
            f"Mean activation{after} over {tested} test images{places}. The last two columns tell what "
            "changes without it (its output replaced by zero, all else as it is): accuracy in percentage "
            "points, and the mean loss of the class. Orange is positive, blue negative; a bar's length "
            "compares it with the longest of its column.",
        )
        title = self.say("它偏向哪些类", "Which classes excite it")
        return (
            f'<h2 id="classes">{title}</h2><div class="unit-scroll" tabindex="0" role="group" '
            f'aria-label="{title}"><table class="unit-table"><thead><tr>{head}</tr></thead>'
            f'<tbody>{rows}</tbody></table></div><p class="unit-legend">{legend}</p>'
        )

    @staticmethod
    def _bar(value: float, largest: float, text: str) -> str:
        sign = "minus" if value < 0 else "plus"
        return f'<td class="bar {sign}" style="--v:{abs(value) / largest:.3f}">{text}</td>'

    def _gratings(self) -> str:
        waves: Sequence[float] = self.numbers["wavelengths"]
        tuning = tuned(self.unit["tuning"], waves)
        wave, preferred, share = tuning.wavelength, tuning.angle, tuning.share
        stripes = stripes_words(preferred, self.language)
        alt = self.say(
            f"方向调谐曲线：波长 {wave:g} 像素时变化最大，偏爱{stripes}，偏爱程度 {share:.2f}（0 为不挑，1 为只认一个方向）",
            f"tuning curves; they vary most at a wavelength of {wave:g} pixels, where it prefers "
            f"{stripes} by {share:.2f} (0: all alike, 1: one direction only)",
        )
        middle = self.say("取特征图正中的值。", "The value is that in the middle of its map. ")
        before = self.say("（ReLU 之前）", " before the ReLU") if self.layer["relu"] else ""
        never = self.layer["relu"] and max(map(max, self.unit["tuning"])) <= 0
        nothing = ""
        if never:
            nothing = self.say("这些条纹都没能让它大于零。", "No stripes bring it above zero. ")
        legend = self.say(
            f"输入是正弦条纹，横轴是条纹的方向，纵轴是这个单元的值{before}，三条线是三种波长（像素）；每个方向取 8 个相位中最大的值。{middle if self.spatial else ''}"
            f"{nothing}偏爱{stripes}的程度为 {share:.2f}（0：各方向一样；1：只认一个方向）。",
            f"The inputs are sinusoidal stripes. Across: their direction; up: its value{before}, the "
            f"largest of 8 phases; the lines are three wavelengths in pixels. "
            f"{middle if self.spatial else ''}{nothing}"
            f"Its preference for {stripes} is {share:.2f} (0: all alike; 1: one direction only).",
        )
        drawing = tuning_curves(
            self.unit["tuning"],
            waves,
            alt,
            self.say("条纹方向", "direction of stripes"),
        )
        return (
            f'<h2 id="gratings">{self.say("条纹的方向", "Direction of stripes")}</h2>'
            f'<div class="unit-curve">{drawing}</div><p class="unit-legend">{legend}</p>'
        )

    def _links(self) -> str:
        incoming = self._link_table(
            "before", "incoming", self.say("从哪里来", "Where its input comes from")
        )
        outgoing = self._link_table("after", "outgoing", self.say("到哪里去", "Where it leads"))
        if not incoming + outgoing:
            return ""
        legend = self.say(
            f"按平均贡献的大小取前几个：贡献 = 权重 × 输入，在 {thousands(self.numbers['tested'])} 张测试图上平均，正的推高，负的压低；"
            "权重：单个连接的权重，或整片权重的范数。",
            "Those with the largest mean contribution. A contribution is weight times input, averaged "
            f"over {thousands(self.numbers['tested'])} test images; positive pushes up, negative down. "
            "The weight is that of the one connection, or the norm of the slice.",
        )
        return (
            f'<h2 id="links">{self.say("它与谁相连", "What it is connected to")}</h2>'
            f'<div class="unit-tables">{incoming}{outgoing}</div><p class="unit-legend">{legend}</p>'
        )

    def _link_table(self, side: str, which: str, caption: str) -> str:
        other = self.layer[side]
        if not other:
            return ""
        links = self.layer[which][self.index]
        count = len(self.numbers["layers"][other]["units"])
        most = max(abs(link[2]) for link in links) or 1
        rows = "".join(
            f'<tr><th><a href="../../{escape(other)}/{unit_name(int(unit), count)}/">'
            f"{escape(other)} {int(unit)}</a></th><td>{fixed(weight, 3)}</td>"
            f"{self._bar(given, most, small(given, plus=True))}</tr>"
            for unit, weight, given in links
        )
        head = self.say(
            "<th>单元</th><th>权重</th><th>平均贡献</th>",
            "<th>unit</th><th>weight</th><th>mean contribution</th>",
        )
        return (
            f'<table class="unit-table"><caption>{caption}</caption><tr>{head}</tr>{rows}</table>'
        )

    def _made(self) -> str:
        passport = self.numbers["passport"]
        seed = ""
        if passport["seed"] != "":
            number = escape(str(passport["seed"]))
            seed = self.say(f"种子 {number}，", f"seed {number}, ")
        text = self.say(
            f"由 <code>gen/atlas/units.py</code> 计算；权重 <code>{escape(self.net)}</code>，{seed}"
            f"<code>{escape(passport['digest'])}</code>。重新生成：<code>python -m gen draw units-{escape(self.net)}</code>",
            f"Computed by <code>gen/atlas/units.py</code>; weights <code>{escape(self.net)}</code>, {seed}"
            f"<code>{escape(passport['digest'])}</code>. Make it again: "
            f"<code>python -m gen draw units-{escape(self.net)}</code>",
        )
        return self._details(
            self.say("这一页是怎样生成的", "How this page was made"), f"<p>{text}</p>"
        )

    @staticmethod
    def _details(title: str, body: str) -> str:
        return f'<details class="unit-details"><summary>{title}</summary>{body}</details>'
