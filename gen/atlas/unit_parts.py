"""A unit as its page sees it, and the small pieces of HTML that all sections of the page use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from gen.atlas.addresses import UP, unit_name

Facts = Mapping[str, Any]


class Unit:
    """One unit of a layer of a net, in one language.

    Attributes:
        numbers: of the chapter "units-<net>"; `layer` and `unit` are the parts of them for this one.
        number: as in its address.
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

    def say(self, zh: str, en: str) -> str:
        """The text in the language of the page."""
        return zh if self.language == "zh" else en

    def file(self, picture: Facts) -> str:
        """The address of a picture."""
        return f"{UP}figures/{escape(picture['file'])}"

    @staticmethod
    def bar(value: float, largest: float, text: str) -> str:
        """A cell of a table, with a bar behind its number."""
        sign = "minus" if value < 0 else "plus"
        return f'<td class="bar {sign}" style="--v:{abs(value) / largest:.3f}">{text}</td>'

    @staticmethod
    def details(title: str, body: str) -> str:
        """What opens on demand."""
        return f'<details class="unit-details"><summary>{title}</summary>{body}</details>'
