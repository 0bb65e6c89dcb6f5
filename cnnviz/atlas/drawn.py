"""What an atlas in a folder shows: drawn part by part, each kept until it would differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
from torch import Tensor

from cnnviz.atlas.facts import AtlasFacts, NetUnits
from cnnviz.atlas.figures import activations, distribution, fields, gradients, training, weights
from cnnviz.atlas.figures.ablation import ablation_table
from cnnviz.atlas.figures.overview import net_overview
from cnnviz.atlas.figures.overview_large import large_overview
from cnnviz.atlas.grid import draw_grids, draw_optimised, groups
from cnnviz.atlas.grid_facts import GridFacts, OffFacts, OptimisedFacts
from cnnviz.atlas.grid_units import grid_facts, off_facts
from cnnviz.atlas.made_from import atlas_key, weights_digest
from cnnviz.atlas.measure import atlas_facts
from cnnviz.atlas.sections import shown
from cnnviz.atlas.subject import AtlasNet
from cnnviz.atlas.units import prepare, render_units
from cnnviz.errors import CnnvizError, printable
from cnnviz.figure.figure import Figure
from cnnviz.figure.kept import Chapter, KeptFigure, Passport, opened, sealed
from cnnviz.figure.store import describe
from cnnviz.files import DamagedError, digest, holds, write_atomically
from cnnviz.inside.ablation import ablate, by_class
from cnnviz.inside.contributions import contributions
from cnnviz.inside.evaluation import predict
from cnnviz.inside.feature_visualization import maximise
from cnnviz.inside.gradients import layer_gradients
from cnnviz.inside.images import First
from cnnviz.inside.layers import Layer
from cnnviz.words import Library

FEW = 2
"""Units of a layer of a large network for which inputs are optimised, if nobody says how many."""

OFF_ON = 100
"""On so many images units of a large network are switched off."""

MANY = 2000
"""A network of more units is large: they have no pages, but tiles on those of their layers."""

Report = Callable[[str], None]
Draw = Callable[[], Figure]


@dataclass(frozen=True)
class Options:
    """What an atlas shows.

    Attributes:
        command: the line that makes it again, for the pages.
        layers: patterns such as "layer4*", with commas between: only these have figures.
        optimise: for how many units of a layer of a large network inputs are optimised, those
            whose answers stand out most; None: FEW. In a small one for all, with 0 for none.
        units: of a large network, the first so many units of each layer are shown; None: all.
        budget: seconds after which nothing more is optimised, and no unit is switched off.
        grid: units have tiles on the page of their layer, and no pages; None: where they are many.
    """

    command: str = ""
    layers: str = "*"
    optimise: int | None = None
    units: int | None = None
    budget: float = 15 * 60
    grid: bool | None = None


@dataclass
class Drawn:
    """All that the pages of an atlas show.

    Attributes:
        options: what it was to show.
        units: of a small network, for a page each.
        grids: layer → its units, of a large one.
        accuracy, chance: share of the images that the network reads right, and that the answer
            that is most often right does; None where nobody knows.
        figures: address → figure.
        failed: address of a figure that could not be drawn → the reason.
        files: the pictures, relative to the folder of figures.
    """

    facts: AtlasFacts
    units: NetUnits | None
    grids: dict[str, GridFacts]
    options: Options
    accuracy: float | None
    chance: float | None
    figures: dict[str, KeptFigure] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


def draw(net: AtlasNet, out: Path, library: Library, options: Options, report: Report) -> Drawn:
    """Draw what is not drawn yet."""
    parts = _Parts(net, out, library, options, report)
    numbers = parts.part(
        "facts", lambda chapter: chapter.numbers.update(atlas_facts([net]) | _answering(net))
    ).numbers
    facts = _checked(numbers)
    drawn = Drawn(facts, None, {}, options, numbers["accuracy"], numbers["chance"])
    if has_grids(sum(layer.units for layer in facts.nets[net.name] if layer.form), options):
        chapters = list(parts.grids())
        grids = {name: facts for c in chapters for name, facts in c.numbers.items()}
        grids.pop("failed", None)
        drawn.grids = msgspec.convert(grids, dict[str, GridFacts], str_keys=True)
    else:
        chapters = [parts.part("units", parts.draw_units)]
        if "failed" not in chapters[0].numbers:
            drawn.units = msgspec.convert(chapters[0].numbers, NetUnits)
    for name, figures in _figures(net, options.layers, bool(drawn.grids)):
        chapters.append(parts.part(name, partial(parts.draw_figures, figures)))
    for chapter in chapters:
        drawn.files |= set(chapter.files)
        for name, figure in chapter.figures.items():
            drawn.figures[figure_address(name)] = figure
        drawn.failed |= chapter.numbers.get("failed", {})
    return drawn


def has_grids(units: int, options: Options) -> bool:
    """Whether the units of a network that has so many are shown as tiles.

    Raises:
        CnnvizError: only some were asked for, and they have pages.
    """
    grids = units > MANY if options.grid is None else options.grid
    if options.units is not None and not grids:
        raise CnnvizError(
            f"--units {options.units} chooses among tiles, and the {units} units of this network "
            "have pages. Add --grid, or leave --units out."
        )
    return grids


def _checked(numbers: dict[str, Any]) -> AtlasFacts:
    """The facts of all layers.

    Raises:
        CnnvizError: a name cannot be that of a page.
    """
    try:
        return msgspec.convert(numbers, AtlasFacts)
    except msgspec.ValidationError as error:
        raise CnnvizError(
            f"An atlas cannot be made of this network: {error}. Names of layers become addresses: "
            "expected letters, digits, '_', '.' and '-', at most 100 of them."
        ) from error


def _answering(net: AtlasNet) -> dict[str, float | None]:
    """How many of the images the network reads right."""
    found = net.survey.answering
    if found is None:
        return {"accuracy": None, "chance": None}
    shares = found.images / found.images.sum()  # (classes,)
    return {"accuracy": found.mean(found.accuracy), "chance": float(shares.max())}


def figure_address(name: str) -> str:
    """A figure is kept under the name of its address, whose slash is no part of a name."""
    return name.replace("..", "/", 1)


def _figures(net: AtlasNet, chosen: str, large: bool) -> Iterator[tuple[str, dict[str, Draw]]]:
    """The parts of an atlas with the figures in each: address → what draws it."""
    shared: dict[str, Draw] = {
        f"atlas_activations/{net.name}_inputs": partial(activations.inputs, net),
    }
    if large:
        shared[f"atlas/overview_{net.name}"] = partial(large_overview, net)
    else:
        shared[f"atlas/overview_{net.name}"] = partial(net_overview, net)
        if net.labelled:
            shared[f"atlas/ablation_{net.name}"] = partial(ablation_table, net)
    yield "net", shared
    loss = _Once(lambda: layer_gradients(net.model, net.layers, net.inputs, net.labels))
    for layer in net.layers:
        if not wanted_layer(layer.name, chosen):
            continue
        yield f"layer-{layer.name}", _layer_figures(net, layer, loss)


def wanted_layer(name: str, chosen: str) -> bool:
    """Whether a layer is among those that patterns with commas between them choose."""
    return any(fnmatchcase(name, pattern.strip()) for pattern in chosen.split(","))


class _Once:
    """What is computed for all layers, when the first of them asks."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make, self.made = make, None

    def __call__(self) -> Any:
        if self.made is None:
            self.made = self.make()
        return self.made


def _layer_figures(net: AtlasNet, layer: Layer, loss: _Once) -> dict[str, Draw]:
    """Those of a layer's page that are not another's."""
    draws: dict[str, Draw] = {
        "field": partial(fields.field, net, layer),
        "weights": partial(weights.weights, layer),
        "activations": partial(activations.activations, net, layer),
        "scores": partial(weights.scores, net, layer),
        "gradients": lambda: gradients.gradients(net, layer, loss()),
        "training": partial(training.training, net, layer),
        "distribution": partial(distribution.distribution, net, layer),
    }
    own = f"{net.name}_{layer.name}_"
    return {
        address: draws[section]
        for section, address in shown(net, layer).items()
        if section in draws and address.rpartition("/")[2].startswith(own)
    }


class _Parts:
    """Draws parts and keeps them in the folder of the atlas."""

    def __init__(
        self, net: AtlasNet, out: Path, library: Library, options: Options, report: Report
    ) -> None:
        self.net, self.library, self.report = net, library, report
        self.options, self.began = options, monotonic()
        self.kept, self.folder = out / ".kept", out / "figures"
        self.weights, self.key = weights_digest(net.model), atlas_key(net.subject)
        some = net.subject.images[: net.limits.together // 20 + 1]
        self.into = _Once(lambda: contributions(net.model, net.weighted, some))

    def part(self, name: str, make: Callable[[Chapter], None], chosen: object = "") -> Chapter:
        """The part as it is kept, or made now.

        Args:
            chosen: of the options, those that change it.
        """
        key = digest([self.key.encode(), repr(chosen).encode()])
        path = self.kept / f"{name}.json"
        try:
            chapter = opened(path.read_bytes())
            files = chapter.files.items()
            if chapter.key == key and all(holds(self.folder / f, d) for f, d in files):
                return chapter
        except (OSError, CnnvizError, DamagedError):
            pass  # not there, of an older program or damaged: it is made again
        began = monotonic()
        chapter = Chapter(key)
        try:
            make(chapter)
        except CnnvizError:
            raise
        except Exception as error:  # whatever another network does to it
            raise CnnvizError(
                f"The part '{name}' of the atlas could not be drawn "
                f"({self._said(error)}). What was drawn before is kept."
            ) from error
        self.report(f"drew {name} in {monotonic() - began:.1f} s")
        write_atomically(path, sealed(chapter))
        return chapter

    def draw_units(self, chapter: Chapter) -> None:
        """Facts and pictures of all units."""
        try:
            found = render_units(self.net, self.key, self._passport(self.net.name), self.folder)
        except Exception as error:  # whatever another network does to them
            chapter.numbers["failed"] = {"units": self._reason("pages of units", error)}
        else:
            chapter.numbers, chapter.files = found.numbers, found.files

    def grids(self) -> Iterator[Chapter]:
        """The units of all layers as tiles: a part for as many layers as are drawn together."""
        options = self.options
        chosen = (options.units, options.optimise, options.budget)
        for number, group in enumerate(groups(self.net, options.units)):
            make = partial(self.draw_grids, group)
            yield self.part(f"grids-{number:03}", make, (group, *chosen))

    def draw_grids(self, layers: Sequence[str], chapter: Chapter) -> None:
        """Facts of all units of some layers in columns, and the sheets of their patches."""
        net, units = self.net, self.options.units
        failed: dict[str, str] = {}
        shown = {name: net.extremes[name].first(units) for name in layers}
        for name, drawn in draw_grids(net, shown, self.folder):
            chosen = self._outstanding(name)
            best, off = self._optimised(name, chosen), self._off(name, chosen)
            try:
                facts = grid_facts(net, net.layer(name), drawn, self.into(), best, off, units)
            except Exception as error:
                failed[f"units of {name}"] = self._reason(f"units of {name}", error)
                continue
            chapter.numbers[name] = msgspec.to_builtins(facts, str_keys=True)
            for sheet in [*drawn.tiles, *drawn.sheets, *([best.sheet] if best else [])]:
                chapter.files[sheet.file] = digest([(self.folder / sheet.file).read_bytes()])
        if failed:
            chapter.numbers["failed"] = failed

    def _outstanding(self, layer: str) -> Tensor:
        """The units of a layer, of those shown, whose strongest answers stand out most: numbers."""
        wanted = FEW if self.options.optimise is None else self.options.optimise
        most, spread = self.net.extremes[layer].most.value, self.net.statistics[layer].std
        stand_out = (most[:, 0] / spread.clamp(min=1e-6)).nan_to_num()[: self.options.units]
        return stand_out.topk(min(wanted, len(stand_out))).indices.sort().values

    def _off(self, layer: str, units: Tensor) -> OffFacts | None:
        """What changes without each of some units."""
        net = self.net
        if not (len(units) and net.labelled) or self._spent > self.options.budget:
            return None
        images, labels = First(net.ablated[0], OFF_ON), net.ablated[1][:OFF_ON]
        classes, numbers = len(net.classes), units.tolist()
        try:
            whole = by_class(predict(net.model, images[:]), labels, classes)
            off = ablate(net.model, layer, images, labels, classes, units=numbers)
        except Exception as error:  # a network may break without a unit
            self.report(f"  no unit of {layer} is off: {self._said(error)[:200]}")
            return None
        return off_facts(numbers, off, (whole.accuracy[0], whole.loss[0]), len(labels))

    def _optimised(self, layer: str, units: Tensor) -> OptimisedFacts | None:
        """Inputs for some units of a layer."""
        planes = self.net.inputs.shape[1]
        if not len(units) or planes not in (1, 3) or self._spent > self.options.budget:
            return None
        side = min(128, *self.net.inputs.shape[2:])
        shape = (planes, side, side) if side >= 32 else tuple(self.net.inputs.shape[1:])
        try:
            made = maximise(
                self.net.model, layer, units, shape, starts=1, steps=96,
                parameters="fourier" if side >= 32 else "pixels", prepare=prepare(self.net),
            )  # fmt: skip
            return draw_optimised(self.net, layer, units.tolist(), made, self.folder)
        except Exception as error:  # a network may take images of one size alone
            self.report(f"  nothing is optimised for {layer}: {printable(str(error))[:200]}")
            return None

    @property
    def _spent(self) -> float:
        """Seconds since it began."""
        return monotonic() - self.began

    def draw_figures(self, figures: dict[str, Draw], chapter: Chapter) -> None:
        """Some figures; one that fails is noted with the reason."""
        failed = {}
        for address, make in figures.items():
            try:
                figure = make()
                kept = describe(
                    figure, address, make, chapter, self.folder, self._passport, self.library,
                    shared="pictures/",
                )  # fmt: skip
            except Exception as error:  # whatever another network does to a figure
                failed[address] = self._reason(address, error)
            else:
                chapter.figures[address.replace("/", "..", 1)] = kept
        chapter.numbers = {"failed": failed}

    @staticmethod
    def _said(error: Exception) -> str:
        return printable(f"{type(error).__name__}: {error}")[:300]

    def _reason(self, what: str, error: Exception) -> str:
        reason = self._said(error)
        self.report(f"  {what}: not drawn ({reason})")
        return reason

    def _passport(self, name: str) -> Passport:
        return Passport(self.net.subject.seed, self.weights)
