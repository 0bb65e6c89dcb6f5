"""What is said of a unit in two to four sentences, in either language, from its measured values."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnviz.numbers import percent, signed, thousands
from gen.atlas.unit_words import edge_words, stripes_words

Facts = Mapping[str, Any]

ALIKE = 1.3
"""A class stands out if its mean is this many times the mean over classes."""

SELDOM = 0.005
"""On a smaller share of the images than this, a mean is about the one or two that excite it."""

TUNED = 0.25
"""A unit prefers a direction if this share of its answers (of the vector sum) points there."""

HARMED = 0.005
"""A change of a class's mean loss that is worth telling."""


def unit_summary(numbers: Facts, layer: str, index: int, language: str) -> list[str]:
    """Sentences that are true of the unit; `numbers` of the chapter "units-<net>"."""
    return _Summary(numbers, layer, index, language).sentences()


@dataclass(frozen=True)
class Tuning:
    """The most varied tuning curve of a unit.

    Attributes:
        wavelength: of its stripes, pixels.
        angle: the direction it prefers, radians.
        share: how much it prefers it, 0 (all alike) to 1 (that direction only).
        highest: its largest answer.
    """

    wavelength: float
    angle: float
    share: float
    highest: float


def tuned(curves: Sequence[Sequence[float]], wavelengths: Sequence[float]) -> Tuning:
    """What the curves, one a wavelength over evenly spaced directions, say of the unit."""
    which = max(range(len(curves)), key=lambda i: max(curves[i]) - min(curves[i]))
    curve = curves[which]
    above = [value - min(curve) for value in curve]
    # Directions turn back into themselves after 180°, so angles are doubled.
    total = sum(r * cmath.exp(2j * math.pi * i / len(curve)) for i, r in enumerate(above))
    angle = (cmath.phase(total) / 2) % math.pi
    return Tuning(wavelengths[which], angle, abs(total) / max(sum(above), 1e-12), max(curve))


class _Summary:
    def __init__(self, numbers: Facts, layer: str, index: int, language: str) -> None:
        self.numbers, self.index, self.language = numbers, index, language
        self.layer: Facts = numbers["layers"][layer]
        self.unit: Facts = self.layer["units"][index]
        self.classes: Sequence[str] = numbers["classes"]

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def sentences(self) -> list[str]:
        active = bool(self.unit["active"])
        parts = [
            self._kernel(),
            self._of_classes() if active else self._dead(),
            self._stripes() if active else "",
            self._when_off(),
        ]
        return [part for part in parts if part]

    def _kernel(self) -> str:
        """Its shape, where there is only one: in a first layer that sees one channel."""
        shapes = self.unit["weights"]["shapes"]
        if len(shapes) != 1 or not (shape := edge_words(shapes[0], self.language)):
            return ""
        return self.say(f"它的卷积核要找的图案大致这样：{shape}。", f"Its kernel is {shape}. ")

    def _dead(self) -> str:
        tested = thousands(self.numbers["tested"])
        return self.say(
            f"在 {tested} 张测试图上，它从不大于零：经过 ReLU，它总是零（死单元）。",
            f"It never rises above zero on {tested} test images: after the ReLU it is always "
            "zero, a dead unit. ",
        )

    def _of_classes(self) -> str:
        means: Sequence[float] = self.unit["means"]
        ranks = sorted(range(len(means)), key=lambda i: -means[i])
        name = self.classes[ranks[0]]
        if self.layer["kind"] == "output":
            own = self.classes[self.index]
            return self.say(
                f"它是“{own}”这一类的得分，遇到 {name} 时平均最高。",
                f"It is the score of class {own}, and on average highest for {name}. ",
            )
        often = self.unit["active"]
        share = percent(often, 0 if often > 0.1 else 1)
        if often < SELDOM:
            return self.say(
                f"它只在 {share} 的测试图上大于零，激活最强的一类是 {name}。",
                f"It is above zero on only {share} of the test images, most strongly for {name}. ",
            )
        often_words = self._above_zero(share) if often < 0.995 else ""
        # After the ReLU several classes may have zero: then none of them is the weakest.
        silent, least = means.count(0), self.classes[ranks[-1]]
        weakest = self.say(f"遇到 {least} 最弱", f"It is weakest for {least}. ")
        if silent > 1:
            weakest = self.say(
                f"有 {silent} 类的图从不激活它", f"For {silent} classes it is always zero. "
            )
        overall = sum(means) / len(means)
        if overall <= 0 or means[ranks[0]] < ALIKE * overall:
            return self.say(
                f"它不特别偏向哪一类：遇到 {name} 平均激活最强，{weakest}。{often_words}",
                f"It favours no class much: its mean activation is highest for {name}. "
                f"{weakest}{often_words}",
            )
        times = f"{means[ranks[0]] / overall:.1f}"
        also = [self.classes[i] for i in ranks[1:3] if means[i] >= ALIKE * overall]
        zh_also = f"，其次是 {'、'.join(also)}" if also else ""
        en_also = f"; {' and '.join(also)} come{'s' * (len(also) == 1)} next" if also else ""
        return self.say(
            f"它偏向 {name}：平均激活值是各类平均的 {times} 倍{zh_also}；{weakest}。{often_words}",
            f"Class {name} excites it most: its mean activation there is {times} times that over "
            f"all classes{en_also}. {weakest}{often_words}",
        )

    def _above_zero(self, share: str) -> str:
        return self.say(
            f"它在 {share} 的测试图上大于零。", f"It is above zero on {share} of the test images. "
        )

    def _stripes(self) -> str:
        tuning = tuned(self.unit["tuning"], self.numbers["wavelengths"])
        if tuning.highest <= 0 or tuning.share < TUNED:
            return ""
        stripes = stripes_words(tuning.angle, self.language)
        return self.say(
            f"它挑条纹的方向，最偏爱{stripes}（波长 {tuning.wavelength:g} 像素）。",
            f"It is choosy about direction: it likes {stripes} best (wavelength "
            f"{tuning.wavelength:g} pixels). ",
        )

    def _when_off(self) -> str:
        accuracy, loss = self.unit["accuracy"], self.unit["loss"]
        ranks = sorted(range(len(loss)), key=loss.__getitem__)
        best, worst = ranks[0], ranks[-1]
        if max(map(abs, loss)) < 1e-6:
            return self.say(
                "关掉它，对这些图什么也不变。", "Without it nothing changes for these images."
            )
        gain = ""  # some class is better off without it
        if loss[best] <= -HARMED:
            change = signed(loss[best], 3)
            gain = self.say(
                f"；{self.classes[best]} 的损失反而下降，平均 {change}",
                f"; that of {self.classes[best]} even falls ({change})",
            )
        if loss[worst] < HARMED:
            start = "" if gain else self.say("几乎什么也不变：", "hardly anything changes: ")
            return self.say(
                f"关掉它，{start}没有哪一类的平均损失上升 {HARMED} 以上{gain}。",
                f"Without it {start}the mean loss of no class rises by {HARMED} or more{gain}.",
            )
        name, points = self.classes[worst], 100 * accuracy[worst]
        right = ""
        if abs(points) >= 0.05:
            right = self.say(
                f"，准确率变化 {signed(points, 1)} 个百分点",
                f", its accuracy changes by {signed(points, 1)} points",
            )
        return self.say(
            f"关掉它，{name} 的损失上升最多：平均 {signed(loss[worst], 3)}{right}{gain}。",
            f"Without it the mean loss of class {name} rises most ({signed(loss[worst], 3)}){right}{gain}.",
        )
