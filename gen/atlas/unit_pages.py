"""The page of one unit as HTML, in either language. Plain data in (gen.atlas.units), text out; no torch."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cnnviz.drawing.tuning import tuning_curves
from cnnviz.numbers import fixed, small, thousands
from gen.atlas.addresses import unit_name
from gen.atlas.net_strip import net_strip
from gen.atlas.unit_maps import answers, maps
from gen.atlas.unit_parts import Facts, Unit
from gen.atlas.unit_patches import excites
from gen.atlas.unit_summary import tuned, unit_summary
from gen.atlas.unit_weights import weights
from gen.atlas.unit_words import stripes_words


class UnitPage(Unit):
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
        super().__init__(net, numbers, layers, layer, index, language)
        self.title = self.say(
            f"{numbers['title']} {layer} 第 {index} 号单元",
            f"{numbers['title']} {layer}, unit {index}",
        )
        self.summary = unit_summary(numbers, layer, index, language)
        self.description = self.title + self.say("。", ". ") + "".join(self.summary)

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
                    excites(self),
                    weights(self),
                    maps(self) if self.spatial else answers(self),
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

    def _by_class(self) -> str:
        unit = self.unit
        most = max(map(abs, unit["means"])) or 1
        worst = max(5e-5, *map(abs, unit["loss"]))  # no bar for what is written as 0
        rows = ""
        for i, name in enumerate(self.classes):
            mean, points, loss = unit["means"][i], 100 * unit["accuracy"][i], unit["loss"][i]
            rows += (
                f"<tr><th>{escape(name)}</th>"
                f"{self.bar(mean, most, small(mean))}"
                f"<td>{small(round(points, 1), plus=True)}</td>"
                f"{self.bar(loss, worst, small(loss, plus=True))}</tr>"
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
            f"{self.bar(given, most, small(given, plus=True))}</tr>"
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
        return self.details(
            self.say("这一页是怎样生成的", "How this page was made"), f"<p>{text}</p>"
        )
