"""The overview of nets from outside: every unit has its tile, and the lines say who feeds whom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import torch

from cnnviz.atlas.figures import overview
from cnnviz.data import catalogue
from gen import settings
from gen.context import Context
from gen.figures.atlas import overview as atlas_overview
from gen.nets import atlas_net
from gen.texts.words import SITE
from tests.atlas_nets import DOTTED, PLAIN, context_of


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "MADE", {"train": (20, 1), "test": (200, 2)})
        patch.setattr(settings, "ATLAS_NETS", {})
        yield context_of(tmp_path_factory.mktemp("atlas"), dotted=DOTTED, plain=PLAIN)


@pytest.fixture(scope="module")
def markup(context: Context) -> str:
    draw = atlas_overview.net(context).variants[0].panels[0].content
    assert callable(draw)
    return str(draw(SITE.catalogue("en", "figures.net_overview")))


def row(markup: str, layer: str) -> str:
    """The tag that holds the units of a layer."""
    return re.search(rf'<div class="overview-units[^>]*data-layer="{layer}"[^>]*>', markup)[0]  # type: ignore[index]


def test_every_unit_has_one_tile(markup: str) -> None:
    links = re.findall(r'href="dotted/([^"]+)/\d+/"', markup)
    counts = {layer: links.count(layer) for layer in links}
    assert counts == {
        "features.a": 4, "features.b": 4, "features.c": 1, "head.0": 30, "head.2": 10
    }  # fmt: skip
    assert 'href="dotted/head.0/29/"' in markup


def test_only_the_unit_that_never_speaks_is_silent(markup: str) -> None:
    assert re.findall(r'class="silent" aria-label="([^"]+)"', markup) == ["head.0/03"]


def test_lines_say_which_mean_input_contributes_most(context: Context, markup: str) -> None:
    net = atlas_net(context, "dotted")
    outputs = net.recorded(net.model, net.tested)
    mean = outputs["head.0"].relu().mean(0)  # (30,)
    weight = net.model.state_dict()["head.2.weight"]
    parts = weight * mean  # (10, 30)
    found = json.loads(re.search(r'data-in="([^"]+)"', row(markup, "head.2"))[1])  # type: ignore[index]
    for unit in range(10):
        order = parts[unit].abs().argsort(descending=True)[: overview.LINKS]
        assert [other for other, _ in found[unit]] == order.tolist()
        assert found[unit][0][1] == (100 if parts[unit, order[0]] > 0 else -100)
    leads = json.loads(re.search(r'data-out="([^"]+)"', row(markup, "head.0"))[1])  # type: ignore[index]
    assert leads[3] == []  # of a dead unit nothing comes
    assert leads[5][0][0] == int(parts[:, 5].abs().argmax())


def test_a_layer_whose_channels_are_not_the_units_before_has_no_lines(markup: str) -> None:
    assert "data-in" not in row(markup, "features.a")
    assert "data-in" in row(markup, "features.b")  # in groups, each unit to those of its own
    assert "data-in" in row(markup, "features.c")


def test_strongest_of_small_numbers() -> None:
    matrix = torch.tensor([[0.0, -4.0, 1.0], [0.0, 0.0, 0.0]])
    assert overview.strongest(matrix) == [[[1, -100], [2, 25]], []]


def test_numbers(context: Context) -> None:
    nets = atlas_overview.numbers(context)["nets"]
    assert (nets["dotted"]["units"], nets["dotted"]["silent"]) == (49, 1)
    assert nets["plain"] == {
        "title": "plain", "layers": 1, "units": 10, "silent": 0, "top": {}, "even": {}
    }  # fmt: skip
    assert nets["dotted"]["even"]["head.2"] == pytest.approx(overview.LINKS / 30)
    assert 0 < nets["dotted"]["top"]["head.2"] < 1
