"""The pages of the atlas, one a layer, as Markdown; and their place in the navigation.

Plain data in, text out: read inside MkDocs, without torch, numpy or Pillow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnnviz.numbers import fixed, percent, thousands
from gen.atlas import layer_words
from gen.atlas.addresses import unit_name
from gen.atlas.net_strip import net_strip

Facts = Mapping[str, Any]

SECTIONS = (
    "field", "weights", "activations", "scores", "gradients", "training", "distribution",
)  # fmt: skip
"""Of a page, in order; which of them a layer has, the facts say ("shown")."""

FEW = 32
"""So many links to units stand on a page; more are folded away."""

# net → chapter, its title, and the section of each layer; others link to the top of the chapter.
_CHAPTERS: dict[str, tuple[str, tuple[str, str], dict[str, str]]] = {
    "lenet": (
        "lenet.md",
        ("逐层看 LeNet", "LeNet, layer by layer"),
        {
            "conv1": "conv1",
            "relu1": "conv1-maps",
            "pool1": "conv1-maps",
            **dict.fromkeys(("conv2", "relu2", "pool2"), "conv2"),
            **dict.fromkeys(("flatten", "fc1", "relu3", "fc2", "relu4"), "fully-connected"),
            "output": "output",
        },
    ),
    "mlp": (
        "mlp.md",
        ("从神经元到多层感知机", "From a neuron to an MLP"),
        {
            **dict.fromkeys(("flatten", "fc2"), "layers"),
            "fc1": "first-layer",
            **dict.fromkeys(("relu1", "relu2"), "relu"),
            **dict.fromkeys(("dropout1", "dropout2"), "layers"),
            "output": "loss",
        },
    ),
}


def atlas_pages(numbers: Mapping[str, Any], language: str) -> dict[str, str]:
    """Path → Markdown of every layer's page.

    Args:
        numbers: of the chapter "atlas".
        language: "zh" or "en".
    """
    pages = {}
    for net, layers in numbers["nets"].items():
        for index, layer in enumerate(layers):
            page = _Page(net, numbers, layers, index, language)
            pages[f"atlas/{net}/{layer['name']}.md"] = page.markdown()
    return pages


def atlas_nav(nav: list[Any] | None, numbers: Mapping[str, Any], language: str) -> list[Any] | None:
    """The navigation with every layer, net by net, in the section that holds atlas/index.md.

    Args:
        numbers: of all chapters.
    """
    if nav is None:
        return None
    atlas = numbers["atlas"]
    added = [
        {atlas["titles"][net]: [{x["name"]: f"atlas/{net}/{x['name']}.md"} for x in layers]}
        for net, layers in atlas["nets"].items()
    ]

    def extended(item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        title, inside = next(iter(item.items()))
        if not isinstance(inside, list):
            return item
        here = any("atlas/index.md" in _paths(entry) for entry in inside)
        return {title: [*inside, *added] if here else [extended(entry) for entry in inside]}

    return [extended(item) for item in nav]


def _paths(entry: Any) -> list[Any]:
    return list(entry.values()) if isinstance(entry, dict) else [entry]


class _Page:
    """One layer's page in one language."""

    def __init__(
        self,
        net: str,
        numbers: Mapping[str, Any],
        layers: Sequence[Facts],
        index: int,
        language: str,
    ) -> None:
        self.net, self.language = net, language
        self.title: str = numbers["titles"][net]
        self.images: int = numbers["images"]
        self.examples: int = numbers["examples"]
        self.inputs: int = numbers["inputs"]
        self.misread: int = numbers["misread"][net]
        self.steps = len(numbers["steps"][net])
        self.layers, self.index = layers, index
        self.layer = layers[index]
        self.name: str = self.layer["name"]

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def markdown(self) -> str:
        called = self.layer["called"][self.language]
        shape = self.layer["after"]
        title = self.say(f"{self.title}：{self.name}", f"{self.title}: {self.name}")
        description = self.say(
            f"{self.title} 的 {self.name} 层（{called}，输出 {shape}）："
            f"{'全部权重，' if self.layer['form'] else ''}它对所选输入的激活"
            f"{'与梯度，它在测试图上的取值' if 'gradients' in self.layer['shown'] else ''}。",
            f"Layer {self.name} of the network {self.title} ({called}, output {shape}): "
            f"{'all its weights, ' if self.layer['form'] else ''}"
            "its activations and gradients for an input of your choice, its values over test images.",
        )
        parts = [
            f"---\ntitle: '{title}'\ndescription: >-\n  {description}\nsearch:\n  boost: 0.3\n---",
            net_strip(self.net, self.layers, self.name, self.language, "../../"),
            f"# {title} {{ #{self.name.replace('.', '-')} }}",
            self._what() + self._explained() + self._weights_elsewhere(),
            self._table(),
            self._code(),
        ]
        for section in SECTIONS:
            if section in self.layer["shown"]:
                parts.append(f"## {self._heading(section)} {{ #{section} }}")
                parts += self._section(section)
        return "\n\n".join(parts) + "\n"

    def _heading(self, section: str) -> str:
        kernels = self.say("卷积核", "Kernels") if self.layer["kind"] == "conv" else ""
        maps = self.say("特征图", "Feature maps") if self.layer["spatial"] else ""
        return {
            "field": self.say("感受野", "Receptive field"),
            "weights": kernels or self.say("权重", "Weights"),
            "activations": maps or self.say("激活", "Activations"),
            "scores": self.say("全部输入的得分与概率", "Scores and probabilities of all inputs"),
            "gradients": self.say("梯度", "Gradients"),
            "training": self.say("训练中的变化", "In the course of training"),
            "distribution": self.say("取值的分布", "Distribution of the values"),
        }[section]

    def _section(self, section: str) -> list[str]:
        """The figures of a section, with what stands between them."""
        layer = self.layer
        parts = [self._figure(section, self._caption(section))]
        if section == "activations":
            others = self.inputs - self.examples
            choice = layer_words.inputs(self.title, self.examples, others, self.misread)
            parts.insert(0, self._figure("inputs", self.say(*choice)))
        if section == ("weights" if layer["form"] else "activations") and layer["owner"]:
            parts.append(self._units())
        return parts

    def _caption(self, section: str) -> str:
        layer = self.layer
        if section == "weights":
            return self.say(*layer_words.weights(layer)) + self._dead()
        words = {
            "field": lambda: layer_words.field(layer),
            "activations": lambda: layer_words.activations(layer),
            "scores": lambda: layer_words.SCORES,
            "gradients": lambda: layer_words.gradients(self._facts()),
            "training": lambda: layer_words.training(layer, self.steps),
            "distribution": lambda: layer_words.distribution(self._seen(), self.images),
        }
        return self.say(*words[section]())

    def _facts(self) -> Facts:
        """The layer's, with what follows it."""
        later = [x["kind"] for x in self.layers[self.index + 1 : self.index + 3]]
        pool = later[:1] == ["pool"] or later == ["relu", "pool"]
        return {**self.layer, "relu_next": later[:1] == ["relu"], "pool_next": pool}

    def _seen(self) -> Facts:
        """Of the layer whose values the lower chart of the distribution counts."""
        second = self.layer["compared"][1]
        if self.layer["owner"] == self.layer["compared"][0] and second:
            return next(x for x in self.layers if x["name"] == second)
        return self.layer

    def _units(self) -> str:
        """Links to the pages of the units that are seen."""
        owner = next(x for x in self.layers if x["name"] == self.layer["owner"])
        count, name = owner["units"], owner["name"]
        numbers = [unit_name(index, count) for index in range(count)]
        items = "".join(f'<li><a href="../{name}/{n}/">{n}</a></li>' for n in numbers)
        part = self.say("单元", "unit")
        if owner["spatial"]:
            part = self.say("通道", "channel")
        title = self.say(f"{name} 的每个{part}都有一页：", f"Each {part} of {name} has a page:")
        if count <= FEW:
            return f'<div class="unit-list"><p>{title}</p><ol>{items}</ol></div>'
        title = self.say(
            f"{name} 的 {count} 个{part}，每个都有一页", f"Pages of the {count} {part}s of {name}"
        )
        return f'<details class="unit-list"><summary>{title}</summary><ol>{items}</ol></details>'

    def _what(self) -> str:
        """What such a layer does."""
        layer = self.layer
        kind, before, after = layer["kind"], layer["before"], layer["after"]
        bias = (
            ("", "") if layer["parameters"] and not layer["bias"] else ("和一个偏置", " and a bias")
        )
        more = ("", "") if not bias[0] else ("，再加一个偏置", " together with a bias")
        if kind == "conv":
            return self._what_conv(bias)
        if kind == "pool":
            return self.say(
                f"把每张图分成 {layer['window']} 的小格，每格只留最大的数。图变小了，通道之间互不相干。",
                f"Divides every map into cells of {layer['window']} and keeps only the largest number "
                "of each. The maps get smaller; channels are not mixed.",
            )
        if kind == "dropout":
            return self._what_dropout()
        said = {
            "relu": (
                "负数变成零，正数原样通过。它没有参数，却是网络里不可少的非线性：没有它，几层叠在一起也只相当于一层。",
                "Negative numbers become zero, positive ones pass unchanged. It has no parameters, yet "
                "without such a bend between them several layers could do no more than one.",
            ),
            "flatten": (
                f"把前面的数按通道、行、列的次序排成一行，一共 {after} 个。数值都没变，只是谁和谁相邻，从此看不出来了。",
                f"Lines up the numbers in one row, channel by channel and row by row: {after} in all. "
                "No value changes, but from here on nothing tells which of them were neighbours.",
            ),
            "linear": (
                f"每个单元都与前面的 {before} 个数相连：每个数乘以一个权重，全部相加{more[0]}。",
                f"Every unit is connected to all {before} numbers before it: each is multiplied by a "
                f"weight, and the products are added up{more[1]}.",
            ),
            "output": (
                f"每一类有一个单元，与前面的 {before} 个数相连，算出这一类的得分（logit）。得分最高的一类就是网络的回答；"
                "softmax 再把得分变成概率。",
                f"One unit for each class, connected to all {before} numbers before it, computes the "
                "score of that class, its logit. The class with the highest score is the network's "
                "answer; softmax turns scores into probabilities.",
            ),
            "other": (f"这一层是 `{layer['code']}`。", f"This layer is `{layer['code']}`."),
        }
        return self.say(*said[kind])

    def _what_conv(self, bias: tuple[str, str]) -> str:
        layer = self.layer
        channels = int(layer["before"].split("×")[0])
        over = self.say(f"全部 {channels} 个输入通道", f"all {channels} input channels at once")
        if channels == 1:
            over = self.say("输入图像", "the input image")
        return self.say(
            f"每个输出通道有一个卷积核。它滑过{over}，在每个位置上把 {layer['terms']} 个乘积{bias[0]}加起来。"
            "结果有正有负：与核相像的地方为正，与核相反的地方为负。",
            f"Each output channel has one kernel. It slides over {over}, and at every position "
            f"{layer['terms']} products{bias[1]} are added up. The result has either sign: "
            "positive where the input looks like the kernel, negative where it looks like its "
            "opposite.",
        )

    def _what_dropout(self) -> str:
        layer = self.layer
        before = self.layers[self.index - 1]["name"]
        rate, gain = percent(layer["rate"], 0), f"{1 / (1 - layer['rate']):.3g}"
        return self.say(
            f"训练时，每个单元每一步都有 {rate} 的可能被置零，留下的乘以 {gain}，后面的层就不能只靠其中某几个单元。"
            f"测试时它什么也不做，所以出去的和进来的（`{before}`）一模一样。",
            f"In training, each unit is set to zero with a probability of {rate} in every step, and "
            f"those that stay are multiplied by {gain}, so that the layers after it cannot rely on "
            f"a few units. In testing it does nothing: what comes out is what came in from `{before}`.",
        )

    def _explained(self) -> str:
        """Where the text explains it."""
        if self.net not in _CHAPTERS:
            return ""
        path, title, sections = _CHAPTERS[self.net]
        anchor = f"#{sections[self.name]}" if self.name in sections else ""
        link = f"[{self.say(*title)}](../../{path}{anchor})"
        return self.say(f"详见{link}。", f" More in {link}.")

    def _weights_elsewhere(self) -> str:
        """Where the weights are whose units a layer without weights shows."""
        owner = next((x for x in self.layers if x["name"] == self.layer["owner"]), None)
        if self.layer["form"] or not owner:
            return ""
        name, training = owner["name"], "training" in owner["shown"]
        link = f"[`{name}`]({name}.md)"
        return self.say(
            f"前面的权重{'，以及它们在训练中的变化，' if training else ''}见 {link}。",
            f" The weights before it{', and how training changes them,' if training else ''} are on the "
            f"page of {link}.",
        )

    def _table(self) -> str:
        layer = self.layer
        rows = [
            (self.say("种类", "Kind"), layer["called"][self.language]),
            (self.say("输入 → 输出", "Input → output"), f"{layer['before']} → {layer['after']}"),
        ]
        parameters = self.say("没有", "none")
        if layer["parameters"]:
            parameters = f"{thousands(layer['parameters'])} = {layer['sum']}"
        rows.append((self.say("参数", "Parameters"), parameters))
        if layer["field"]:
            pixels = self.say(f"{layer['field']} 像素", f"{layer['field']} pixels")
            rows.append((self.say("一个单元的感受野", "Receptive field of a unit"), pixels))
        if layer["kind"] == "relu":
            dead = self.say("死单元", "Dead units")
            if layer["spatial"]:
                dead = self.say("死通道", "Dead channels")
            of = self.say(
                f"{layer['units']} 个中有 {layer['dead']} 个",
                f"{layer['dead']} of {layer['units']}",
            )
            rows.append((self.say("零的占比", "Share of zeros"), percent(layer["zeros"])))
            rows.append((dead, of))
        span = f"{fixed(layer['low'])} {self.say('到', 'to')} {fixed(layer['high'])}"
        rows.append((self.say("取值范围", "Values"), span))
        lines = [f"| {self.say('层', 'Layer')} | `{self.name}` |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in rows]
        tested = thousands(self.images)
        note = self.say(
            f"取值范围在 {tested} 张测试图上统计。", f"Values over {tested} test images."
        )
        if layer["kind"] == "relu":
            note = self.say(
                f"后三项在 {tested} 张测试图上统计；对每一张图都为零的叫作死{'通道' if layer['spatial'] else '单元'}。",
                f"The last three are counted over {tested} test images; dead means zero for every one.",
            )
        return "\n".join(lines) + f"\n\n{note}"

    def _code(self) -> str:
        after = ", ".join(self.layer["after"].split("×"))
        made = f"nn.{self.layer['code']}\n" if self.layer["code"] else ""
        if made and all(part.isidentifier() for part in self.name.split(".")):
            made = f"{self.name} = {made}"
        return (
            "``` python\n"
            f"{made}"
            f'record(model, images)["{self.name}"].shape  # ({self.examples}, {after})\n'
            "```"
        )

    def _figure(self, section: str, caption: str) -> str:
        address = self.layer["shown"][section]
        return f'[[% call figure("{address}") %]]\n{caption}\n[[% endcall %]]'

    def _dead(self) -> str:
        """Why some units of a fully connected layer are pale, where some are."""
        layer, after = self.layer, self.layers[self.index + 1 :]
        before_relu = bool(after) and after[0]["kind"] == "relu"
        if (
            layer["kind"] != "linear"
            or not before_relu
            or layer["dead"] < 2
            or layer["dead_strength"] > 0.3
        ):
            return ""
        share = percent(layer["dead_strength"], 0)
        return self.say(
            f"其中 {layer['dead']} 个单元在测试图上从不大于零。它们经过后面的 ReLU 总是零，导数也就是零，"
            f"只剩权重衰减让权重不断变小：它们最大的权重，平均只有其他单元的 {share}。"
            "按“整层”看，它们的颜色比别的单元淡得多；按“每个单元”看，只见噪声。",
            f" {layer['dead']} of the units never rise above zero on the test images. The ReLU after "
            "them gives zero, no gradient comes back, and all that is left is weight decay, which "
            f"shrinks them: their largest weight is on average {share} of that of the others. On the "
            "scale of the whole layer they are nearly white, on scales of their own they show noise.",
        )
