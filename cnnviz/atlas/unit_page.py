"""The pages of units: chooses and computes what templates/unit.html shows. Imports no torch.

There are thousands, so what all units of a layer have in common is said once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from cnnviz.atlas.addresses import UP, unit_name
from cnnviz.atlas.describe import looks_like, stripes, summary, tuned
from cnnviz.atlas.facts import Drawn, LayerFacts, NetUnits, Place, UnitFacts
from cnnviz.atlas.strip import net_strip
from cnnviz.drawing.tuning import tuning_curves
from cnnviz.figure.html import environment
from cnnviz.numbers import fixed, small, times, with_minus
from cnnviz.words import Library, Message, message

SHEET_ROWS, INPUT_COLUMNS = 7, 7
"""Of a unit's sheet of patches, and of the picture of the inputs: see cnnviz.atlas.units."""

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


class _Picture(NamedTuple):
    """As it is shown, `scale` times as large; `offset`: where that begins in a sheet, else ""."""

    file: str
    width: int
    height: int
    scale: int
    alt: str
    offset: str = ""


class _Sheet(NamedTuple):
    """A part of a unit's sheet: patches with their classes, or optimised inputs."""

    name: str
    picture: _Picture
    classes: str
    values: str


class _Thumb(NamedTuple):
    """One of the shown inputs: its class, where it lies in their picture, how it is read."""

    name: str
    place: str
    read: str


class _Bar(NamedTuple):
    """A number with a bar behind it, which is `share` of the longest."""

    sign: str
    share: str
    text: str


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
        self._spatial = len(self._layer.shape) == 3
        self._whole = self._layer.field == (self._layer.side, self._layer.side)
        self._say = library.catalogue(language, "unit")
        self._say_html = library.catalogue(language, "unit", escape=True)
        # What the pages share.
        self._template = _TEMPLATES.get_template("unit.html")
        self._values = self._say("values", function="ReLU" if self._layer.relu else "")
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
        title = self._say("title", net=self._units.title, layer=self._name, index=index)
        lead = self._say("summary", sentences=summary(self._units, self._layer, index))
        html = self._template.render(
            **self._shared,
            strip=Markup(self._strip.replace(_MARK, number)),
            number=self._say("number", index=index),
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
        spatial, relu, tested = self._spatial, bool(layer.relu), units.tested
        seen = {"images": units.all, "whole": self._whole, "field": times(layer.field)}
        passport = {"seed": units.passport.seed, "digest": units.passport.digest}
        inputs, shown = units.inputs, [units.classes[i] for i in units.inputs.labels]
        weights = layer.units[0].weights
        slices = range(len(weights.numbers) if weights.tiles > 1 else 0)
        return {
            "words": self._say,
            "net": units.title,
            "layer": self._name,
            "siblings": self._say("siblings.all", spatial=spatial, last=self._count - 1),
            "excites_legend": say("excites.legend", **seen),
            "conv": layer.kind == "conv",
            "slices": [self._say("weights.slice", slice=i) for i in slices],
            "inputs": _picture(inputs, 420, self._say("maps.inputs alt", classes=shown)),
            "thumbs": [] if spatial else self._thumbs(),
            "columns": INPUT_COLUMNS,
            "rows": _rows(len(inputs.labels)),
            "classes_legend": say("classes.legend", relu=relu, tested=tested, spatial=spatial),
            "links_legend": say("links.legend", tested=tested),
            "made": say("made.text", net=self._net, **passport),
        }

    def _say_layout(self) -> str:
        """How the weights lie in their picture."""
        tiles = self._layer.units[0].weights.tiles
        if self._layer.kind == "conv":
            key = "one slice" if tiles == 1 else "slices"
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
        wrong = [f"{classes[label]}→{classes[answer]}" for label, answer in read if label != answer]
        return self._say_html(
            "maps.inputs" if self._spatial else "answers.inputs",
            count=len(inputs.labels),
            extra=len(inputs.labels) - len(classes),
            misread=message("misread", wrong=wrong) if wrong else "",
        )

    def _thumbs(self) -> list[_Thumb]:
        inputs, classes = self._units.inputs, self._units.classes
        last_row = max(_rows(len(inputs.labels)) - 1, 1)
        thumbs = []
        for i, (label, answer) in enumerate(zip(inputs.labels, inputs.answers, strict=True)):
            row, column = divmod(i, INPUT_COLUMNS)
            x, y = 100 * column / (INPUT_COLUMNS - 1), 100 * row / last_row
            name = classes[label]
            read = name if label == answer else f"{name}→{classes[answer]}"
            thumbs.append(_Thumb(name, f"{x:g}% {y:g}%", read))
        return thumbs

    def _sibling(self, index: int) -> tuple[int, str]:
        """Another unit of the layer and its address; after the last comes the first."""
        index %= self._count
        return index, unit_name(index, self._count)

    # --- What excites it ----------------------------------------------------------------------

    def _sheets(self, unit: UnitFacts) -> list[_Sheet]:
        """The nine strongest patches, the nine weakest, and three optimised inputs."""
        say, best = self._say, _list(unit.optimum)
        alt = say("excites.optimised alt", optimum=best)
        compared = self._compared(max(unit.optimum), unit.most[0].value)
        values = {"values": self._values, "optimum": best, "compared": compared}
        optimised = _part(unit.patches, 1, "100%", alt)
        return [
            self._nine(say("excites.most"), unit.patches, unit.most, "0%"),
            self._nine(say("excites.least"), unit.patches, unit.least, "75%"),
            _Sheet(
                say("excites.optimised"), optimised, "", say("excites.optimised values", **values)
            ),
        ]

    def _nine(self, name: str, sheet: Drawn, places: Sequence[Place], offset: str) -> _Sheet:
        shown = [self._units.classes[place.label] for place in places]
        alt = self._say("excites.alt", name=name, classes=shown)
        ends = {"first": places[0].value, "last": places[-1].value}
        return _Sheet(
            name,
            _part(sheet, 3, offset, alt),
            " / ".join(" ".join(shown[i : i + 3]) for i in (0, 3, 6)),
            self._say("excites.values", values=self._values, **ends),
        )

    def _compared(self, optimised: float, strongest: float) -> Message | str:
        """The best optimised input beside the strongest patch."""
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
        classes = self._units.classes
        return [
            (x.image, classes[x.label], f"{x.row}, {x.column}", fixed(x.value, 4)) for x in places
        ]

    # --- Its weights --------------------------------------------------------------------------

    def _weights(self, unit: UnitFacts, index: int) -> dict[str, Any]:
        """Its weights as a picture, in words and as numbers."""
        weights, classes = unit.weights, self._units.classes
        best = classes[max(range(len(classes)), key=unit.means.__getitem__)]
        shapes = [looks_like(shape) for shape in weights.shapes]
        alt = self._say("weights.alt", index=index, best=best)
        if self._layer.kind == "conv":
            alt = self._say("weights.kernel alt", index=index, best=best, shape=_shape(shapes))
        return {
            "weights": _picture(weights, 380, alt, most=28),
            "weights_legend": self._say_html(
                "weights.legend",
                layout=self._layout,
                named=len(shapes) == 1 and bool(shapes[0]),
                limit=weights.limit,
                bias=weights.bias,
            ),
            "numbers": [with_minus(block) for block in weights.numbers],
        }

    # --- What it makes of the shown inputs ------------------------------------------------------

    def _answers(self, unit: UnitFacts) -> dict[str, Any]:
        """Its maps of them, before the ReLU, or its values where it has none."""
        relu, inputs = self._layer.relu, self._inputs
        if not unit.maps:
            legend = self._say_html("answers.legend", inputs=inputs, relu=bool(relu))
            return {
                "maps": None,
                "answers": _bars(unit.answers, [fixed(value) for value in unit.answers]),
                "inputs_legend": legend,
            }
        answers = _list(unit.answers)
        alt = self._say("maps.alt", answers=answers)
        legend = self._say_html(
            "maps.legend", inputs=inputs, limit=unit.maps.limit, relu=relu, answers=answers
        )
        return {"maps": _picture(unit.maps, 420, alt), "inputs_legend": legend}

    # --- Classes, stripes, connections ----------------------------------------------------------

    def _by_class(self, unit: UnitFacts) -> list[tuple[str, _Bar, str, _Bar]]:
        """Name, mean activation, and what changes without it: accuracy and loss."""
        means = _bars(unit.means, [small(value) for value in unit.means])
        points = [small(round(100 * value, 1), plus=True) for value in unit.accuracy]
        loss = _bars(unit.loss, [small(value, plus=True) for value in unit.loss], least=5e-5)
        return list(zip(self._units.classes, means, points, loss, strict=True))

    def _gratings(self, unit: UnitFacts) -> dict[str, Any]:
        """Its answers to stripes of each direction."""
        waves, relu = self._units.wavelengths, bool(self._layer.relu)
        tuning = tuned(unit.tuning, waves)
        prefers = {"stripes": self._say(stripes(tuning.angle)), "share": tuning.share}
        alt = self._say("gratings.alt", wavelength=tuning.wavelength, **prefers)
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

    def _links(self, index: int) -> list[tuple[str, list[tuple[str, str, str, _Bar]]]]:
        """The units that feed it, and those that it feeds: caption, units."""
        layer, tables = self._layer, []
        for caption, other, every in (
            ("links.incoming", layer.before, layer.incoming),
            ("links.outgoing", layer.after, layer.outgoing),
        ):
            if other:
                links, count = every[index], len(self._units.layers[other].units)
                given = [link.contribution for link in links]
                bars = _bars(given, [small(value, plus=True) for value in given])
                rows = [
                    (
                        f"{other}/{unit_name(link.unit, count)}",
                        f"{other} {link.unit}",
                        fixed(link.weight, 3),
                        bar,
                    )
                    for link, bar in zip(links, bars, strict=True)
                ]
                tables.append((caption, rows))
        return tables


def _picture(drawn: Drawn, wide: int, alt: str, most: int = 1000) -> _Picture:
    """A picture about `wide` pixels wide on the page, at most `most` times as large as it is."""
    scale = max(1, min(most, round(wide / drawn.width)))
    return _Picture(f"{UP}figures/{drawn.file}", drawn.width, drawn.height, scale, alt)


def _part(sheet: Drawn, rows: int, offset: str, alt: str) -> _Picture:
    """So many rows of a sheet; there is a line between two rows."""
    height = rows * (sheet.height + 1) // SHEET_ROWS - 1
    return _picture(sheet, 190, alt)._replace(height=height, offset=offset)


def _shape(shapes: Sequence[Message | None]) -> Message:
    """What a kernel looks like, of which these are the slices."""
    if len(shapes) == 1:
        return shapes[0] or message("weights.no shape")
    named = [[i, shape] for i, shape in enumerate(shapes) if shape]
    return message("weights.slices", slices=named) if named else message("weights.no shapes")


def _bars(values: Sequence[float], texts: Sequence[str], least: float = 0) -> list[_Bar]:
    """The longest bar is that of the largest value, or of `least` if all are smaller."""
    longest = max(least, *map(abs, values)) or 1
    return [
        _Bar("minus" if value < 0 else "plus", f"{abs(value) / longest:.3f}", text)
        for value, text in zip(values, texts, strict=True)
    ]


def _list(values: Sequence[float]) -> str:
    return ", ".join(map(fixed, values))


def _rows(inputs: int) -> int:
    """Of the picture of so many inputs."""
    return -(-inputs // INPUT_COLUMNS)
