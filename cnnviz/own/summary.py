"""A table of a network's layers: name, kind, shape, parameters, multiplications, field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.batches import place
from cnnviz.inside.costs import layer_costs
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.recording import eval_mode
from cnnviz.numbers import thousands, times
from cnnviz.own.prepared import channels_of
from cnnviz.own.sample import SIDES
from cnnviz.own.shown import Table

HEADINGS = ("layer", "kind", "output", "parameters", "multiplications", "field")


class Row(NamedTuple):
    """One layer.

    Attributes:
        kind: the class of the module, or the name of the operation.
        shape: of its output for one image.
        field: height and width of what a unit sees; None where there is none, or nobody knows.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiplications: int
    field: tuple[int, int] | None


@dataclass(frozen=True)
class Summary:
    """Layers in order of execution; printed, it is a table, also in a notebook.

    Attributes:
        title: of the network.
        input_size: (C, H, W) of one image.
        rows: one a layer; `pandas.DataFrame(summary.rows)` takes them.
        parameters: of the whole network, each counted once.
    """

    title: str
    input_size: tuple[int, ...]
    rows: Sequence[Row]
    parameters: int

    @property
    def multiplications(self) -> int:
        """For one image, of all layers."""
        return sum(row.multiplications for row in self.rows)

    @property
    def table(self) -> Table:
        """The rows as readers see them."""
        written = [
            (
                row.name,
                row.kind,
                times(row.shape) or "1",
                thousands(row.parameters) if row.parameters else "",
                thousands(row.multiplications) if row.multiplications else "",
                times(row.field) if row.field else "",
            )
            for row in self.rows
        ]
        totals = (
            f"{self.title}: {len(self.rows)} layers, {thousands(self.parameters)} parameters, "
            f"{thousands(self.multiplications)} multiplications for an image of "
            f"{times(self.input_size)}"
        )
        return Table(HEADINGS, self.rows, written, totals)

    def __str__(self) -> str:
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    def save(self, path: Path | str) -> Path:
        """Write it as .csv, .html or .txt."""
        return self.table.save(path)


def summary(model: nn.Module, input_size: Sequence[int] | None = None, title: str = "") -> Summary:
    """The table of a network's layers.

    Args:
        input_size: (C, H, W) of one image; if not given, one that the network takes.
        title: of the network; its class if not given.

    Raises:
        CnnvizError: the network does not take such images.
    """
    channels = channels_of(model) or 3
    if input_size is None:
        input_size = (channels, *side_of(model, channels))
    elif len(input_size) == 2:
        input_size = (channels, *input_size)
    costs = layer_costs(model, input_size)
    where, dtype = place(model)
    fields = receptive_fields(model, torch.zeros(1, *input_size, device=where, dtype=dtype))
    modules = dict(model.named_modules(remove_duplicate=False))
    rows = [
        Row(
            name,
            _kind(name, modules),
            cost.shape,
            cost.parameters,
            cost.multiplications,
            fields[name].size if name in fields else None,
        )
        for name, cost in costs.items()
    ]
    parameters = sum(p.numel() for p in model.parameters())
    return Summary(title or type(model).__name__, tuple(input_size), rows, parameters)


def _kind(name: str, modules: Mapping[str, nn.Module]) -> str:
    """The class of a module, or the operation: "add" of "layer1.0.add_1"."""
    plain = re.sub(r"\[.*|_\d+(?=\[|$)", "", name)
    module = modules.get(name) or modules.get(plain)
    return type(module).__name__ if module is not None else plain.rpartition(".")[2]


def side_of(model: nn.Module, channels: int) -> tuple[int, int]:
    """A size of images that the network takes: 224×224 if it can.

    Raises:
        CnnvizError: none of those that are tried.
    """
    some = next(model.parameters(), torch.empty(0))
    with eval_mode(model), torch.no_grad():
        for side in (224, *SIDES):
            with suppress(Exception):
                image = torch.zeros(2, channels, side, side, device=some.device, dtype=some.dtype)
                model(image)
                return side, side
    raise CnnvizError("The network's size of images is not known. Say it: --size HEIGHTxWIDTH.")
