"""The ablation table against passes in which a unit is switched off, for nets from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cnnviz.atlas.figures import ablation
from cnnviz.data import catalogue
from gen import settings
from gen.context import Context
from gen.figures.atlas import ablation as atlas_ablation
from gen.nets import atlas_net
from gen.texts.words import SITE
from tests.atlas_nets import DOTTED, PLAIN, context_of


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "MADE", {"train": (20, 1), "test": (200, 2)})
        patch.setattr(settings, "ATLAS_NETS", {})
        yield context_of(tmp_path_factory.mktemp("atlas"), dotted=DOTTED, plain=PLAIN)


def changes(context: Context, layer: str, unit: int) -> tuple[float, float]:
    """Change of mean loss (thousandths) and of accuracy (points) without a unit, by a hook."""
    net = atlas_net(context, "dotted")
    labels = context.test.labels[: len(net.tested)]

    def off(module: object, inputs: object, output: torch.Tensor) -> torch.Tensor:
        return output.index_fill(1, torch.tensor([unit]), 0)

    with torch.no_grad():
        before = net.model(net.tested)
        hook = net.model.get_submodule(layer).register_forward_hook(off)
        after = net.model(net.tested)
        hook.remove()
    loss = F.cross_entropy(after, labels) - F.cross_entropy(before, labels)
    right = (after.argmax(1) == labels).float().mean() - (before.argmax(1) == labels).float().mean()
    return 1000 * float(loss), 100 * float(right)


@pytest.mark.parametrize(
    ("layer", "unit"),
    [("features.a", 2), ("features.b", 3), ("features.c", 0), ("head.0", 3), ("head.0", 17),
     ("head.2", 9)],
)  # fmt: skip
def test_a_row_says_what_a_pass_without_the_unit_does(
    context: Context, layer: str, unit: int
) -> None:
    rows = ablation.rows_of(atlas_net(context, "dotted"))
    row = next(r for r in rows if (r.layer, r.unit) == (layer, unit))
    loss, points = changes(context, layer, unit)
    assert row.loss[0] == pytest.approx(loss, abs=0.02)
    assert row.points[0] == pytest.approx(points, abs=0.01)


def test_the_table_has_each_unit_once_and_leads_to_its_page(context: Context) -> None:
    draw = atlas_ablation.table(context).variants[0].panels[0].content
    assert callable(draw)
    markup = str(draw(SITE.catalogue("en", "figures.ablation_table")))
    links = re.findall(r'href="\.\./dotted/([^"]+)/"', markup)
    expected = [f"{layer}/{u:02d}" for layer, n in
                (("features.a", 4), ("features.b", 4), ("features.c", 1), ("head.0", 30),
                 ("head.2", 10)) for u in range(n)]  # fmt: skip
    assert sorted(links) == sorted(expected)
    assert {row.count("<td") for row in markup.split("<tr>")} == {0, 22}


def test_the_dearest_come_first(context: Context) -> None:
    losses = [row.loss[0] for row in ablation.rows_of(atlas_net(context, "dotted"))]
    assert losses == sorted(losses, reverse=True)


def test_a_dead_unit_changes_nothing(context: Context) -> None:
    rows = ablation.rows_of(atlas_net(context, "dotted"))
    dead = next(r for r in rows if (r.layer, r.unit) == ("head.0", 3))
    assert np.nan_to_num(dead.loss).tolist() == pytest.approx([0] * 11, abs=1e-3)
    assert np.nan_to_num(dead.points).tolist() == [0] * 11


def test_numbers_of_a_net_without_hidden_units(context: Context) -> None:
    facts = atlas_ablation.numbers(context)["nets"]["plain"]
    assert (facts["units"], facts["hidden"], facts["together"]) == (10, 0, {})
    assert 0 < facts["accuracy"] < 1


def test_together_begins_with_the_whole_net(context: Context) -> None:
    net = atlas_net(context, "dotted")
    labels = context.test.labels[: len(net.tested)]
    with torch.no_grad():
        whole = float((net.model(net.tested).argmax(1) == labels).double().mean())
    curves = atlas_ablation._together(context, net)
    assert [curves[key][0] for key in ("least", "random")] == pytest.approx([whole, whole])


def test_cells() -> None:
    steps = ablation.LOSS_STEPS
    assert ablation.cell(float("nan"), steps) == ("", "–")
    assert ablation.cell(-0.04, steps) == ("", "−0.0")
    assert ablation.cell(1234.5, steps) == ("p6", "+1234")
    assert ablation.cell(-0.5, ablation.POINT_STEPS, "a") == ("a m2", "−0.5")


def test_a_cell_has_the_colour_of_its_step(context: Context) -> None:
    net = atlas_net(context, "dotted")
    draw = ablation.ablation_table(net).panels[0].content
    assert callable(draw)
    first = str(draw(SITE.catalogue("en", "figures.ablation_table"))).split("<tr>")[2]
    cells = re.findall(r'<td(?: class="([^"]*)")?>([^<]*)</td>', first)
    assert cells == ablation.rows_of(net)[0].cells


def test_the_steps_of_colour_are_those_of_the_stylesheet() -> None:
    css = (settings.ROOT / "cnnviz/atlas/assets/sortable.css").read_text("utf-8")
    assert tuple(map(int, re.findall(r"--strength: (\d+)%", css))) == ablation.STRENGTHS
