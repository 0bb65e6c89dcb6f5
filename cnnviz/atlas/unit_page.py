"""The pages of units: chooses and computes what templates/unit.html shows. Imports no torch.

There are thousands, so what all units of a layer have in common is said once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.describe import looks_like, stripes, summary, tuned
from cnnviz.atlas.facts import Drawn, LayerFacts, NetUnits, Place, UnitFacts
from cnnviz.atlas.strip import net_strip
from cnnviz.atlas.unit_parts import (
    INPUT_COLUMNS,
    Bar,
    Sheet,
    Thumb,
    bars,
    listed,
    part,
    picture,
    rows_of,
    shape_of,
)  # fmt: skip
from cnnviz.drawing.tuning import tuning_curves
from cnnviz.figure.html import environment
from cnnviz.numbers import fixed, small, times, with_minus
from cnnviz.words import Library, Message, message

NINE = 3
"""Rows of nine patches in a unit's sheet: see cnnviz.atlas.units."""

MANY, NAMED = 20, 5
"""Of more classes than that a page names so many, those that excite a unit most."""

# Without `finalize`, which costs as much as all else where there are 400 values on a page: a quote
# becomes &#34; rather than &quot;.
_TEMPLATES = environment(Path(__file__).parent / "templates").overlay(finalize=None)

_MARK = "\0"
"""In the strip of a layer, where the number of a unit will stand."""


class UnitPage(NamedTuple):
    """The page of one unit.

    Attributes:
        number: as in its address.
        title, description: for the head of the document, plain text.
        html: everything between the heading of the site and its foot.
    """

    number: str
    title: str
    description: str
    html: str


class UnitPages:
    """The pages of the units of a layer, in one language.

    Args:
        net: name of the network as in addresses.
        units: those of the network.
        layers: all layers of the network.
        layer: the name of the one with these units.
        library: says the words.
    """

    def __init__(
        self,
        net: str,
        units: NetUnits,
        layers: Sequence[LayerFacts],
        layer: str,
        library: Library,
        language: str,
    ) -> None:
        self._net, self._units, self._layers, self._name = net, units, layers, layer
        self._layer = units.layers[layer]
        self._count = len(self._layer.units)
        self._spatial = len(self._layer.shape) > 1
        height = self._layer.height or self._layer.side
        high, wide = self._layer.field
        self._whole = high >= height and wide >= self._layer.side
        # What its values are before, if they reach it as they are.
        direct = "ReLU" if self._layer.relu else self._layer.function
        self._function = "" if self._layer.between else direct
        self._say = library.catalogue(language, "unit")
        self._say_html = library.catalogue(language, "unit", escape=True)
        # What the pages share.
        self._template = _TEMPLATES.get_template("unit.html")
        self._values = self._say("values", function=self._function)
        self._layout = self._say_layout()
        self._inputs = self._say_inputs()
        self._shared = self._of_all()
        self._strip = net_strip(net, layers, layer, self._say, "../../../", _MARK)

    def page(self, index: int) -> UnitPage:
        """The page of a unit.

        Raises:
            CnnvizError: a sentence is missing, or asks for a value that is not given.
        """
        unit, number = self._layer.units[index], unit_name(index, self._count)
        told = {"index": index, "spatial": self._spatial}
        title = self._say("title", net=self._units.title, layer=self._name, **told)
        lead = self._say("summary", sentences=summary(self._units, self._layer, index))
        html = self._template.render(
            **self._shared,
            strip=Markup(self._strip.replace(_MARK, number)),
            number=self._say("number", **told),
            before=self._sibling(index - 1),
            after=self._sibling(index + 1),
            lead=lead,
            sheets=self._sheets(unit),
            places=[
                ("excites.strongest", self._places(unit.most)),
                ("excites.weakest", self._places(unit.least)),
            ],
            **self._weights(unit, index),
            **self._answers(unit),
            classes=self._by_class(unit),
            **self._gratings(unit),
            links=self._links(index),
        )
        description = self._say("description", title=title, summary=lead)
        return UnitPage(number, title, description, html)

    # --- What the units of a layer share ------------------------------------------------------

    def _of_all(self) -> dict[str, Any]:
        """What is the same on all pages."""
        units, layer, say = self._units, self._layer, self._say_html
        spatial, tested = self._spatial, units.tested
        tuned_ones = any(unit.optimum for unit in layer.units)
        seen = {
            "images": units.all, "whole": self._whole, "field": times(layer.field),
            "colour": units.colour, "channels": units.channels, "optimised": tuned_ones,
        }  # fmt: skip
        passport = {"seed": units.passport.seed, "digest": units.passport.digest}
        inputs, shown = units.inputs, [self._class(i) for i in units.inputs.labels]
        weights = layer.units[0].weights
        slices = range(len(weights.numbers) if weights.tiles > 1 else 0)
        after = layer.relu or layer.activation
        return {
            "words": self._say,
            "net": units.title,
            "layer": self._name,
            "siblings": self._say("siblings.all", spatial=spatial, last=self._count - 1),
            "excites_legend": say("excites.legend", **seen),
            "conv": layer.kind in ("conv", "transposed"),
            "slices": [self._say("weights.slice", slice=i) for i in slices],
            "too_many": "" if weights.numbers else say("weights.too many", count=weights.count),
            "inputs": picture(inputs, 420, self._say("maps.inputs alt", classes=shown)),
            "thumbs": [] if spatial else self._thumbs(),
            "columns": INPUT_COLUMNS,
            "rows": rows_of(self._shown),
            "classes_legend": say(
                "classes.legend", after=after, tested=tested, spatial=spatial, off=self._measured
            ),
            "measured": self._measured,
            "links_legend": say("links.legend", tested=tested),
            "made": say("made.text", net=self._net, **passport),
        }

    @property
    def _shown(self) -> int:
        """How many inputs are shown."""
        return self._units.inputs.count or len(self._units.inputs.labels)

    @property
    def _measured(self) -> bool:
        """Is it known what each class loses without a unit?"""
        return bool(self._layer.units[0].loss)

    def _class(self, label: int) -> str:
        """Name of a class; its number where it has none, "" where nobody knows it."""
        classes = self._units.classes
        if label < 0:
            return ""
        return classes[label] if label < len(classes) else str(label)

    def _say_layout(self) -> str:
        """How the weights lie in their picture."""
        weights = self._layer.units[0].weights
        tiles = weights.tiles
        if self._layer.kind in ("conv", "transposed"):
            pointwise = next(x for x in self._layers if x.name == self._name).form == "matrix"
            key = "channels" if pointwise else "one slice" if tiles == 1 else "slices"
        elif tiles > 1:
            key = "maps"
        else:
            flattened = next(x for x in self._layers if x.name == self._name).maps
            key = "pixels" if flattened and flattened[0] == 1 else "rows"
        return self._say_html(f"weights.layout.{key}", tiles=tiles)

    def _say_inputs(self) -> str:
        """Which inputs are shown, and which of them the network misreads."""
        inputs, classes = self._units.inputs, self._units.classes
        read = zip(inputs.labels, inputs.answers, strict=True)
        wrong = [f"{self._class(a)}→{self._class(b)}" for a, b in read if a != b]
        return self._say_html(
            "maps.inputs" if self._spatial else "answers.inputs",
            count=self._shown,
            extra=self._shown - len(classes),
            misread=message("misread", wrong=wrong) if wrong else "",
        )

    def _thumbs(self) -> list[Thumb]:
        inputs = self._units.inputs
        last_row = max(rows_of(self._shown) - 1, 1)
        thumbs = []
        for i in range(self._shown):
            row, column = divmod(i, INPUT_COLUMNS)
            x, y = 100 * column / (INPUT_COLUMNS - 1), 100 * row / last_row
            name = read = ""
            if inputs.labels:
                label, answer = inputs.labels[i], inputs.answers[i]
                name = read = self._class(label)
                read = name if label == answer else f"{name}→{self._class(answer)}"
            thumbs.append(Thumb(name or str(i), f"{x:g}% {y:g}%", read))
        return thumbs

    def _sibling(self, index: int) -> tuple[int, str]:
        """Another unit of the layer and its address; after the last comes the first."""
        index %= self._count
        return index, unit_name(index, self._count)

    # --- What excites it ----------------------------------------------------------------------

    def _sheets(self, unit: UnitFacts) -> list[Sheet]:
        """The nine strongest patches, the nine weakest, and three optimised inputs."""
        say, rows = self._say, 2 * NINE + bool(unit.optimum)
        sheets = [
            self._nine(say("excites.most"), unit.patches, unit.most, 0, rows),
            self._nine(say("excites.least"), unit.patches, unit.least, NINE, rows),
        ]
        if unit.optimum:
            best = listed(unit.optimum)
            compared = self._compared(unit)
            values = {"values": self._values, "optimum": best, "compared": compared}
            alt = say("excites.optimised alt", optimum=best)
            shown = part(unit.patches, 1, 2 * NINE, rows, alt)
            said = say("excites.optimised values", **values)
            sheets.append(Sheet(say("excites.optimised"), shown, "", said))
        return sheets

    def _nine(
        self, name: str, sheet: Drawn, places: Sequence[Place], first: int, rows: int
    ) -> Sheet:
        shown = [self._class(place.label) for place in places]
        known = any(shown)
        comma = ", " if any(" " in name for name in shown) else " "
        alt = self._say("excites.alt", name=name, classes=shown if known else [])
        ends = {"first": places[0].value, "last": places[-1].value}
        return Sheet(
            name,
            part(sheet, NINE, first, rows, alt),
            " / ".join(comma.join(shown[i : i + 3]) for i in (0, 3, 6)) if known else "",
            self._say("excites.values", values=self._values, **ends),
        )

    def _compared(self, unit: UnitFacts) -> Message | str:
        """The best optimised input beside the strongest patch."""
        optimised, strongest = max(unit.optimum), unit.most[0].value
        if not unit.moved:
            return message("excites.compared.not moved")
        if optimised <= strongest:
            return message("excites.compared.no better", whole=self._whole)
        if strongest <= 0:
            return ""
        more = optimised / strongest
        if fixed(more, 1) == "1.0":
            return message("excites.compared.alike", whole=self._whole)
        return message("excites.compared.times", times=more, whole=self._whole)

    def _places(self, places: Sequence[Place]) -> list[tuple[int, str, str, str]]:
        """Image, class, place and value of each."""
        return [
            (x.image, self._class(x.label), f"{x.row}, {x.column}", fixed(x.value, 4))
            for x in places
        ]

    # --- Its weights --------------------------------------------------------------------------

    def _weights(self, unit: UnitFacts, index: int) -> dict[str, Any]:
        """Its weights as a picture, in words and as numbers."""
        weights, means = unit.weights, unit.means
        best = self._class(max(range(len(means)), key=means.__getitem__) if means else -1)
        shapes = [looks_like(shape) for shape in weights.shapes]
        alt = self._say("weights.alt", index=index, best=best)
        if self._layer.kind in ("conv", "transposed"):
            alt = self._say("weights.kernel alt", index=index, best=best, shape=shape_of(shapes))
        return {
            "weights": picture(weights, 380, alt, most=28),
            "weights_legend": self._say_html(
                "weights.legend",
                layout=self._layout,
                named=self._layer.image and len(shapes) == 1 and bool(shapes[0]),
                limit=weights.limit,
                bias=weights.bias,
            ),
            "numbers": [with_minus(block) for block in weights.numbers],
        }

    # --- What it makes of the shown inputs ------------------------------------------------------

    def _answers(self, unit: UnitFacts) -> dict[str, Any]:
        """Its maps of them, before the ReLU, or its values where it has none."""
        layer, inputs = self._layer, self._inputs
        if not unit.maps:
            legend = self._say_html("answers.legend", inputs=inputs, relu=bool(layer.relu))
            return {
                "maps": None,
                "answers": bars(unit.answers, [fixed(value) for value in unit.answers]),
                "inputs_legend": legend,
            }
        answers = listed(unit.answers)
        alt = self._say("maps.alt", answers=answers)
        legend = self._say_html(
            "maps.legend", inputs=inputs, limit=unit.maps.limit, relu=layer.relu, answers=answers,
            activation=layer.activation, function=layer.function, between=layer.between,
        )  # fmt: skip
        return {"maps": picture(unit.maps, 420, alt), "inputs_legend": legend}

    # --- Classes, stripes, connections ----------------------------------------------------------

    def _by_class(self, unit: UnitFacts) -> list[tuple[str, Bar, str, Bar]]:
        """Name, mean activation, and what changes without it: accuracy and loss."""
        if not unit.means:
            return []
        chosen = list(range(len(unit.means)))
        if len(chosen) > MANY:
            chosen = sorted(chosen, key=lambda i: -unit.means[i])[:NAMED]
        own = [unit.means[i] for i in chosen]
        means = bars(own, [small(value) for value in own])
        names = [self._class(i) for i in chosen]
        if not unit.loss:
            none = [Bar("plus", "0", "")] * len(chosen)
            return list(zip(names, means, [""] * len(chosen), none, strict=True))
        points = [small(round(100 * unit.accuracy[i], 1), plus=True) for i in chosen]
        lost = [unit.loss[i] for i in chosen]
        loss = bars(lost, [small(value, plus=True) for value in lost], least=5e-5)
        return list(zip(names, means, points, loss, strict=True))

    def _gratings(self, unit: UnitFacts) -> dict[str, Any]:
        """Its answers to stripes of each direction."""
        if not unit.tuning:
            return {"curves": None, "gratings_legend": ""}
        waves, relu = self._units.wavelengths, bool(self._layer.relu)
        tuning = tuned(unit.tuning, waves)
        prefers = {
            "stripes": self._say(stripes(tuning.angle)),
            "wavelength": tuning.wavelength,
            "share": tuning.share,
        }
        alt = self._say("gratings.alt", **prefers)
        drawn = tuning_curves(unit.tuning, waves, alt, self._say("gratings.direction"))
        return {
            "curves": Markup(drawn),
            "gratings_legend": self._say_html(
                "gratings.legend",
                relu=relu,
                spatial=self._spatial,
                never=relu and max(map(max, unit.tuning)) <= 0,
                **prefers,
            ),
        }

    def _links(self, index: int) -> list[tuple[str, list[tuple[str, str, str, Bar]]]]:
        """The units that feed it, and those that it feeds: caption, units."""
        layer, tables = self._layer, []
        for caption, other, every in (
            ("links.incoming", layer.before, layer.incoming),
            ("links.outgoing", layer.after, layer.outgoing),
        ):
            if other:
                links, count = every[index], len(self._units.layers[other].units)
                given = [link.contribution for link in links]
                drawn = bars(given, [small(value, plus=True) for value in given])
                rows = [
                    (
                        f"{other}/{unit_name(link.unit, count)}",
                        f"{other} {link.unit}",
                        fixed(link.weight, 3),
                        bar,
                    )
                    for link, bar in zip(links, drawn, strict=True)
                ]
                tables.append((caption, rows))
        return tables
