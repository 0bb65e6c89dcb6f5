"""The pages of an atlas that is a folder, in one language. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from cnnviz.atlas.drawn import Drawn
from cnnviz.atlas.frame import Frame, Page
from cnnviz.atlas.grid_facts import units_script
from cnnviz.atlas.grid_page import SCRIPT, grid_html
from cnnviz.atlas.layer_html import layer_html
from cnnviz.atlas.pages import pages
from cnnviz.atlas.search import INDEX, found_layer, search_script
from cnnviz.atlas.subject import AtlasNet
from cnnviz.atlas.templating import filled
from cnnviz.atlas.unit_page import UnitPages
from cnnviz.figure.html import figure_html
from cnnviz.files import write_atomically
from cnnviz.words import Library

_LIST = re.compile(r'<(details|div) class="unit-list">.*?</\1>', re.S)
_UNIT = re.compile(r'(\shref=")(\.\./[\w.-]+/)(\d+)/(?=")')

DEEP = "../../../figures/"
"""From the page of a layer to the pictures."""


class FolderPages:
    """Writes them: the first page, one a layer, one a unit, and what each unit is good for."""

    def __init__(
        self,
        net: AtlasNet,
        drawn: Drawn,
        out: Path,
        language: str,
        languages: Sequence[str],
        library: Library,
    ) -> None:
        self.name, self.title, self.drawn = net.name, net.title, drawn
        self.language, self.library = language, library
        self.say = library.catalogue(language, "folder")
        self.out, self.classes = out, net.classes
        self.frame = Frame(out, net.title, language, languages, library)

    def write(self) -> None:
        """Write all pages."""
        self._write_home()
        self._write_layers()
        self._write_units()
        self._write_ablation()
        self._write_search()

    @property
    def has_ablation(self) -> bool:
        """Was every unit switched off in turn?"""
        address = f"atlas/ablation_{self.name}"
        return address in self.drawn.figures or address in self.drawn.failed

    def figure(self, address: str, caption: str, folder: str) -> str:
        """A figure as HTML, or why there is none."""
        if address in self.drawn.figures:
            return figure_html(
                address, self.drawn.figures[address], self.language, caption,
                lambda file: f"{folder}{file}", "", "", self.library, self.drawn.options.command,
            )  # fmt: skip
        failed = self.drawn.failed.get(address)
        said = self.say("left out") if failed is None else self.say("failed", reason=failed)
        return f'<p class="atlas-notes">{escape(said)}</p>'

    # --- Pages ------------------------------------------------------------------------------------

    def _write_home(self) -> None:
        facts, say = self.drawn.facts, self.say
        layers = [
            {
                "name": layer.name,
                "kind": self.library.catalogue(self.language)(f"kinds.{layer.kind}"),
                "shape": layer.after,
                "parameters": f"{layer.parameters:,}" if layer.parameters else "",
                "field": layer.field,
            }
            for layer in facts.nets[self.name]
        ]
        overview = "home.overview large" if self.drawn.grids else "home.overview"
        caption = str(escape(say(overview)))
        body = filled(
            "home.html",
            say=say,
            net={"title": self.title, "name": self.name, "layers": layers},
            lead=say("home.lead", title=self.title, images=facts.images, layers=len(layers)),
            notes=self._notes(),
            overview=Markup(self.figure(f"atlas/overview_{self.name}", caption, "../figures/")),
            hint=Markup(f'<a href="ablation/">{escape(say("ablation.title"))}</a>')
            if self.has_ablation
            else "",
            scores="",
        )
        self.frame.write(Page("", self.title, say("home.description", title=self.title), body))

    def _notes(self) -> list[str]:
        """How well it answers, and what there is not."""
        drawn, say, notes = self.drawn, self.say, []
        if drawn.accuracy is None or drawn.chance is None:
            notes.append(say("home.no labels"))
        else:
            notes.append(say("home.accuracy", accuracy=drawn.accuracy, chance=drawn.chance))
        if drawn.grids:
            grids = drawn.grids.values()
            notes.append(
                say(
                    "home.large",
                    optimised=any(grid.optimised for grid in grids),
                    off=any(grid.off for grid in grids),
                    units=drawn.options.units or 0,
                    layers="" if drawn.options.layers == "*" else drawn.options.layers,
                )
            )
        if drawn.failed:
            notes.append(say("home.failed", count=len(drawn.failed)))
        return notes

    def _write_layers(self) -> None:
        say = self.library.catalogue(self.language, "layer")
        for path, markdown in pages(self.drawn.facts, say).items():
            layer = path.removeprefix(f"atlas/{self.name}/").removesuffix(".md")
            title, description, html = layer_html(
                markdown, lambda address, caption: self.figure(address, caption, DEEP)
            )
            if layer in self.drawn.grids:
                html = self._with_grid(layer, html)
            if not self.drawn.units:  # units have no pages, but places on those of their layers
                place = r"\1\2index.html#u-\3" if self.drawn.grids else r"\1\2index.html"
                html = _LIST.sub("", _UNIT.sub(place, html))
            self.frame.write(Page(f"{self.name}/{layer}/", title, description, html))

    def _with_grid(self, layer: str, html: str) -> str:
        """The page of a layer with its units, before the first of its figures."""
        facts = self.drawn.grids[layer]
        script = f"{self.name}/{layer}/{SCRIPT}"
        write_atomically(self.out / "figures" / script, units_script(facts))
        self.drawn.files.add(script)
        unit = "../{layer}/index.html#u-{unit}"
        grid = grid_html(
            facts, self.library, self.language, files=DEEP, script=f"{DEEP}{script}", unit=unit
        )
        before, heading, behind = html.partition("<h2")
        return f"{before}{grid}{heading}{behind}"

    def _write_units(self) -> None:
        units = self.drawn.units
        if units is None:
            return
        for layer, facts in units.layers.items():
            made = UnitPages(
                self.name,
                units,
                self.drawn.facts.nets[self.name],
                layer,
                self.library,
                self.language,
            )
            for page in map(made.page, range(len(facts.units))):
                address = f"{self.name}/{layer}/{page.number}/"
                path = [(layer, "../index.html")]
                self.frame.write(Page(address, page.title, page.description, page.html, path))

    def _write_ablation(self) -> None:
        if not self.has_ablation:
            return
        title: Any = self.say("ablation.title")
        caption = str(escape(self.say("ablation.caption")))
        shown = self.figure(f"atlas/ablation_{self.name}", caption, "../../figures/")
        body = f"<h1>{escape(title)}</h1>\n{shown}"
        self.frame.write(Page("ablation/", f"{self.title}: {title}", title, body))

    def _write_search(self) -> None:
        """The index of the search, in words of this language."""
        kinds, drawn = self.library.catalogue(self.language), self.drawn
        pages = drawn.units.layers if drawn.units else {}
        found = []
        for layer in drawn.facts.nets[self.name]:
            named = layer.kind == "output" and layer.units == len(self.classes)
            shown = layer.units if layer.name in pages else 0
            if layer.name in drawn.grids:
                shown = drawn.grids[layer.name].units
            found.append(
                found_layer(
                    layer.name,
                    kinds(f"kinds.{layer.kind}"),
                    f"{self.name}/{layer.name}/",
                    shown,
                    pages=layer.name in pages,
                    of=layer.units,
                    classes=self.classes[:shown] if named else (),
                )
            )
        write_atomically(self.out / self.language / INDEX, search_script(found))
