"""The pages of layers, as Markdown: gives templates/layer.md what it asks for. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec.structs import asdict

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.facts import AtlasFacts, LayerFacts
from cnnviz.atlas.strip import net_strip
from cnnviz.numbers import times
from cnnviz.words import Catalogue

SECTIONS = (
    "field", "weights", "activations", "scores", "gradients", "training", "distribution",
)  # fmt: skip
"""Of a page, in order; which of them a layer has, the facts say (`shown`)."""

FEW = 32
"""So many links to units stand on a page; more are folded away."""

Explained = Callable[[str, str], str]
"""Network and layer → a sentence that says where more is to be read, or ""."""

_MARKDOWN = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=False,  # Markdown, made of facts whose types allow no markup
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def _nowhere(net: str, layer: str) -> str:
    return ""


def pages(facts: AtlasFacts, say: Catalogue, explained: Explained = _nowhere) -> dict[str, str]:
    """Path → Markdown of every layer's page.

    Figures stand in it as `[[% call figure("…") %]]` with their captions.

    Args:
        say: the words of one language, in the scope "layer".
    """
    return {
        f"atlas/{net}/{layer.name}.md": _Page(facts, say, explained, net, index).markdown()
        for net, layers in facts.nets.items()
        for index, layer in enumerate(layers)
    }


@dataclass(frozen=True)
class _Units:
    """Links to the pages of units."""

    owner: str
    title: str
    numbers: list[str]
    folded: bool


@dataclass(frozen=True)
class _Section:
    """A heading, and below it figures, each an address and its caption, and links to units."""

    name: str
    heading: str
    figures: list[tuple[str, str]]
    units: _Units | None


class _Page:
    """The page of one layer in one language."""

    def __init__(
        self, facts: AtlasFacts, say: Catalogue, explained: Explained, net: str, index: int
    ) -> None:
        self.facts, self.say, self.net = facts, say, net
        self.layers = facts.nets[net]
        self.layer = self.layers[index]
        self.explained = explained(net, self.layer.name)
        self.named = {layer.name: layer for layer in self.layers}
        self.owner = self.named[self.layer.owner] if self.layer.owner else None

    def markdown(self) -> str:
        """The page."""
        layer, table = self.layer, "dead" if self._rectifies else "range"
        return _MARKDOWN.get_template("layer.md").render(
            title=self._said("title"),
            description=self._said("description"),
            strip=net_strip(self.net, self.layers, layer.name, self.say, "../../"),
            anchor=layer.name.replace(".", "-"),
            introduction=self._introduction(),
            label=self._said("table.layer"),
            rows=[(self._said(f"table.{row}"), self._said(f"cells.{row}")) for row in self._rows()]
            + self._vectors(),
            counted=self._said(f"counted.{table}"),
            layer=layer,
            assigned=all(part.isidentifier() for part in layer.name.split(".")),
            examples=self.facts.examples,
            sections=[self._section(name) for name in SECTIONS if name in layer.shown],
            notes=self._joined(self._said(f"missing.{why}") for why in layer.notes.values()),
        )

    @property
    def _rectifies(self) -> bool:
        return self.layer.rectifies or self.layer.kind == "relu"

    # --- Words ----------------------------------------------------------------------------------

    def _said(self, key: str) -> str:
        return self.say(key, **self._values(self.layer))

    def _joined(self, sentences: Iterable[str]) -> str:
        return self.say("between sentences").join(filter(None, sentences))

    def _values(self, layer: LayerFacts) -> dict[str, Any]:
        """What a sentence about a layer may name: its facts, those of its net, and some more."""
        facts, net, owner = self.facts, self.net, self.owner
        first, second = layer.compared
        return asdict(layer) | {
            "net": facts.titles[net],
            "steps": len(facts.steps[net]),
            "wrong": facts.misread[net],
            "images": facts.images,
            "examples": facts.examples,
            "inputs": facts.inputs,
            "kind": self.say(f"kinds.{layer.kind}"),
            "named": layer.kind in ("activation", "other") or layer.kind.endswith("_norm"),
            "channels": int(layer.before.partition("×")[0] or 0),
            "features": (layer.before if layer.kind != "embedding" else layer.after).rpartition(
                "×"
            )[2],
            "whole": set(layer.after.split("×")[1:]) <= {"1"} and "×" in layer.before,
            "convolution": layer.kind in ("conv", "transposed"),
            "weights": layer.units * layer.terms if layer.form else 0,
            "drawn": layer.drawn_units or layer.units,
            "answers": facts.unlabelled.get(net, False),
            "between": [f"`{name}`" for name in layer.between],
            "sources": [f"[`{name}`]({name}.md)" for name in layer.fed_by],
            "maps": layer.maps[0] if layer.maps else 0,
            "map": times(layer.maps[1:]),
            "gradients": "gradients" in layer.shown,
            "first": self.say("image or layer", layer=first),
            "second": self.say("image or layer", layer=second),
            "owner_units": owner.units if owner else 0,
            "owner_spatial": bool(owner and owner.spatial),
            "owner_trained": bool(owner and "training" in owner.shown),
        }

    # --- Above the figures ----------------------------------------------------------------------

    def _introduction(self) -> str:
        """What such a layer does, and where more of it is to be seen."""
        layer = self.layer
        elsewhere = self.owner and not layer.form
        several = len(layer.fed_by) + layer.image > 1
        return self._joined(
            [
                self._said("what.again" if layer.same_as else f"what.{layer.kind}"),
                self._said("scores of maps") if layer.answer and layer.kind != "output" else "",
                self._said("fed by") if several else "",
                self.explained,
                self._said("weights elsewhere") if elsewhere else "",
            ]
        )

    def _vectors(self) -> list[tuple[str, str]]:
        """Rows for the numbers of normalisation."""
        return [
            (
                self._said(f"table.{name}"),
                self.say("cells.vector", least=least, middle=middle, most=most),
            )
            for name, (least, middle, most) in self.layer.vectors.items()
        ]

    def _rows(self) -> list[str]:
        relu = self._rectifies
        return _true(
            {
                "kind": True,
                "shapes": True,
                "parameters": True,
                "field": bool(self.layer.field),
                "zeros": relu,
                "dead": relu,
                "range": True,
            }
        )

    # --- Sections -------------------------------------------------------------------------------

    def _section(self, name: str) -> _Section:
        layer, heading = self.layer, name
        if name == "weights" and layer.kind in ("conv", "transposed"):
            heading = "kernels"
        if name == "activations" and layer.spatial:
            heading = "maps"
        figures = [(layer.shown[name], self._caption(name))]
        if name == "activations":
            told = "inputs without classes" if self.net in self.facts.unlabelled else "inputs"
            figures.insert(0, (layer.shown["inputs"], self._said(f"captions.{told}")))
        here = name == ("weights" if layer.form else "activations")
        units = self._units(self.owner) if here and self.owner else None
        return _Section(name, self._said(f"headings.{heading}"), figures, units)

    def _units(self, owner: LayerFacts) -> _Units:
        numbers = [unit_name(index, owner.units) for index in range(owner.units)]
        folded = owner.units > FEW
        title = self._said(f"pages of units.{'many' if folded else 'few'}")
        return _Units(owner.name, title, numbers, folded)

    def _caption(self, section: str) -> str:
        """How to read the figure of a section."""
        layer, keys = self.layer, [section]
        if section == "field":
            keys = _true({"field.marked": True, "field.padding": layer.padded})
        elif section == "weights":
            part = 0 < layer.drawn_units < layer.units
            keys = _true(
                {
                    f"weights.{layer.form}": True,
                    "weights.part": part,
                    "weights.dead": self._faded(),
                }
            )
        elif section == "activations":
            keys = [f"activations.{key}" for key in self._activations()]
        elif section == "gradients":
            keys = [f"gradients.{key}" for key in self._gradients()]
        elif section == "distribution":
            layer = self._counted()
        values = self._values(layer)
        return self._joined(self.say(f"captions.{key}", **values) for key in keys)

    def _faded(self) -> bool:
        """Are units of a fully connected layer pale, since they are dead behind their ReLU?"""
        layer, behind_relu = self.layer, self.layer.followed[:1] == ["relu"]
        dead = layer.kind == "linear" and behind_relu and layer.dead > 1
        return dead and layer.dead_strength <= 0.3

    def _activations(self) -> list[str]:
        layer, (first, second) = self.layer, self.layer.compared
        if layer.kind in ("dropout", "flatten") and second:
            return [layer.kind]
        if layer.kind == "output":
            return ["output", "random"]
        random = _true({"random": not layer.silent})
        if not second:
            return ["one", "order", *random]
        pair = "weights" if layer.activated or layer.name == first else "both"
        return [pair, "order", *random]

    def _gradients(self) -> list[str]:
        following, conv = self.layer.followed, self.layer.kind in ("conv", "transposed")
        return _true(
            {
                "outputs": True,
                "relu": following[:1] == ["relu"],
                "pool": following[:1] == ["pool"] or following == ["relu", "pool"],
                "kernels": conv and bool(self.layer.form),
                "product": bool(self.layer.form) and not conv and not self.layer.spatial,
            }
        )

    def _counted(self) -> LayerFacts:
        """The layer whose values the lower chart of the distribution counts."""
        first, second = self.layer.compared
        return self.named[second] if second and self.layer.owner == first else self.layer


def _true(chosen: Mapping[str, bool]) -> list[str]:
    return [key for key, holds in chosen.items() if holds]
