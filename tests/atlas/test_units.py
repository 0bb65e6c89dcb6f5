"""Pages of units, against PyTorch and brute force, for a tiny build and a network from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.describe import summary
from cnnviz.atlas.facts import AtlasFacts, NetUnits
from cnnviz.atlas.measure import net_facts
from cnnviz.atlas.unit_page import UnitPages
from cnnviz.atlas.units import render_units
from cnnviz.data import catalogue
from cnnviz.errors import CnnvizError
from cnnviz.nets.outside import from_file
from cnnviz.training.runs import RECIPES
from gen.draw import manifest
from gen.draw.render import site_context
from gen.nets import atlas_net
from gen.settings import Settings, from_environment
from gen.site import units as site_units
from gen.site.units import BODY, DESCRIPTION, TITLE, template_page, write_units
from gen.texts.words import SITE

OUTSIDE = '''
import torch
from torch import nn
from torch.nn import functional as F

class Small(nn.Module):
    """Functional ReLU and pooling, a name with a dot, a stride, batch normalisation."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 3, 3, stride=2), nn.BatchNorm2d(3))
        self.second = nn.Conv2d(3, 4, 3, bias=False)
        self.head = nn.Linear(4 * 5 * 5, 10)

    def forward(self, x):
        x = F.relu(self.body(x))
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return self.head(torch.flatten(x, 1))

def load():
    torch.manual_seed(5)
    return Small()
'''
NETS = ("lenet", "mlp", "outside")


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """600 digits to learn from, 300 to test, 60 steps."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "net.py").write_text(OUTSIDE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "MADE", {"train": (600, 1), "test": (300, 2)})
        for name in ("lenet", "mlp"):
            patch.setitem(RECIPES, name, replace(RECIPES[name], steps=60, batch_size=32))
        settings = Settings(
            build_dir=tmp_path_factory.mktemp("build"), atlas_files={"outside": folder / "net.py"}
        )
        yield site_context(settings)


@pytest.fixture(scope="module")
def chapters(context):
    folder = context.settings.figures_dir
    return {
        net: render_units(atlas_net(context, net), "key", context.passport(net), folder)
        for net in NETS
    }


def some_units(context, chapters):
    """Of each layer of each net two units, with the facts on their pages."""
    for net in NETS:
        for layer in atlas_net(context, net).weighted:
            units = chapters[net].numbers["layers"][layer.name]["units"]
            for index in sorted({0, len(units) * 2 // 3}):
                yield atlas_net(context, net), layer, index, units[index]


def plain(net, layer, images):
    """The layer's output by a hook of our own."""
    kept = []
    handle = net.model.get_submodule(layer.name).register_forward_hook(
        lambda module, inputs, output: kept.append(output.detach().clone())
    )
    with torch.no_grad():
        logits = net.model(images)
    handle.remove()
    return kept[0], logits


def test_every_unit_is_there(context, chapters):
    counts = {
        net: {name: len(facts["units"]) for name, facts in chapters[net].numbers["layers"].items()}
        for net in NETS
    }
    assert counts["lenet"] == {"conv1": 6, "conv2": 16, "fc1": 120, "fc2": 84, "output": 10}
    assert counts["mlp"] == {"fc1": 512, "fc2": 512, "output": 10}
    assert counts["outside"] == {"body.0": 3, "second": 4, "head": 10}


def test_strongest_and_weakest_places_hold_what_pytorch_gives(context, chapters):
    for net, layer, index, unit in some_units(context, chapters):
        values = plain(net, layer, net.subject.images)[0][:, index]  # (N, …)
        maps = values[:, None, None] if values.dim() == 1 else values
        for key, best in (("most", maps.amax((1, 2))), ("least", maps.amin((1, 2)))):
            told = torch.tensor([place[4] for place in unit[key]])
            expected = best.sort(descending=key == "most").values[:9]
            torch.testing.assert_close(told, expected, rtol=1e-4, atol=1e-5)
            for image, label, row, column, value in unit[key]:
                assert maps[int(image), int(row), int(column)] == pytest.approx(value, abs=1e-4)
                assert label == context.test.labels[int(image)]


def test_classes_and_switching_off(context, chapters):
    labels = context.test.labels
    for net, layer, index, unit in some_units(context, chapters):
        output, logits = plain(net, layer, net.tested)
        followed = {x.kind for x in net.after(layer)}
        seen = output.relu() if "relu" in followed else output
        if net.name == "outside" and layer.name == "body.0":
            continue  # normalised before the ReLU: checked by its own name below
        for label in range(10):
            of_class = seen[labels == label][:, index]
            assert unit["means"][label] == pytest.approx(float(of_class.mean()), abs=1e-4)

        handle = net.model.get_submodule(layer.name).register_forward_hook(
            lambda module, inputs, out, index=index: out.index_fill(1, torch.tensor([index]), 0)
        )
        with torch.no_grad():
            off = net.model(net.tested)
        handle.remove()
        loss = F.cross_entropy(off, labels, reduction="none") - F.cross_entropy(
            logits, labels, reduction="none"
        )
        right = off.argmax(1).eq(labels).double() - logits.argmax(1).eq(labels).double()
        for label in range(10):
            of_class = labels == label
            assert unit["loss"][label] == pytest.approx(float(loss[of_class].mean()), abs=1e-4)
            assert unit["accuracy"][label] == pytest.approx(float(right[of_class].mean()), abs=1e-6)


def test_contributions_and_bias_add_up_to_the_mean_output(context, chapters):
    """Where all channels before are named: LeNet's conv2 has six, the net from outside three."""
    for name, layer_name in (("lenet", "conv2"), ("outside", "second")):
        net = atlas_net(context, name)
        layer = net.layer(layer_name)
        mean = plain(net, layer, net.tested)[0].mean((0, 2, 3))
        told = chapters[name].numbers["layers"][layer_name]
        for index, unit in enumerate(told["units"]):
            given = sum(link[2] for link in told["incoming"][index])
            bias = unit["weights"]["bias"] or 0
            assert given + bias == pytest.approx(float(mean[index]), abs=1e-3)


def test_links_name_the_layers_on_both_sides(chapters):
    layers = chapters["lenet"].numbers["layers"]
    assert [(x["before"], x["after"]) for x in layers.values()] == [
        ("", "conv2"), ("conv1", "fc1"), ("conv2", "fc2"), ("fc1", "output"), ("fc2", ""),
    ]  # fmt: skip


def test_the_picture_of_the_maps_holds_them(context, chapters):
    """Palette levels, read back: the value within half a level."""
    net = atlas_net(context, "lenet")
    maps = plain(net, net.layer("conv2"), net.inputs)[0][:, 5]  # (14, 10, 10)
    told = chapters["lenet"].numbers["layers"]["conv2"]["units"][5]
    picture = Image.open(context.settings.figures_dir / told["maps"]["file"])
    levels = np.asarray(picture).astype(float)
    limit = told["maps"]["limit"]
    for i in (0, 8, 13):
        row, column = divmod(i, 7)
        tile = levels[row * 11 : row * 11 + 10, column * 11 : column * 11 + 10]
        np.testing.assert_allclose((tile - 128) / 127 * limit, maps[i], atol=limit / 127)
    assert told["answers"] == pytest.approx(maps.flatten(1).amax(1).tolist(), rel=1e-4)


def test_weights_are_printed_in_full(context, chapters):
    for net, layer, index, unit in some_units(context, chapters):
        printed = np.array(
            [float(x) for block in unit["weights"]["numbers"] for x in block.split()]
        )
        weight = net.model.get_submodule(layer.name).weight[index].detach().flatten().numpy()
        np.testing.assert_allclose(printed, weight, atol=5.1e-5)


def test_optimised_inputs_beat_noise(context, chapters):
    """The input sought for a unit excites it more than its mean test image does."""
    for net, layer, index, unit in some_units(context, chapters):
        values = plain(net, layer, net.tested)[0][:, index]
        assert max(unit["optimum"]) > float(values.mean()), (net.name, layer.name, index)


# ---------- The pages ----------


@pytest.fixture(scope="module")
def atlas(context):
    """Numbers of the chapter "atlas", as far as pages of units ask for them."""
    nets = {net: net_facts(atlas_net(context, net)) for net in NETS}
    counts = {"misread": {}, "steps": {}, "images": 300, "examples": 10, "inputs": 14}
    return {"titles": dict.fromkeys(NETS, "Net"), "nets": nets} | counts


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("net", NETS)
def test_every_page_says_something_in_its_language(atlas, chapters, net, language):
    units = msgspec.convert(chapters[net].numbers, NetUnits)
    layers = msgspec.convert(atlas, AtlasFacts).nets[net]
    for layer, facts in units.layers.items():
        pages = UnitPages(net, units, layers, layer, SITE, language)
        for index in range(0, len(facts.units), 7):
            page = pages.page(index)
            html = page.html
            assert len(summary(units, facts, index)) >= 2
            assert html.count("<h1") == 1
            ids = re.findall(r' id="([^"]+)"', html)
            assert len(ids) == len(set(ids))
            assert all(alt.strip() for alt in re.findall(r' alt="([^"]*)"', html))
            assert not re.search(r"\b(nan|None|inf)\b", html), (layer, index)
            han = re.search("[\u4e00-\u9fff]", html + page.description)
            assert bool(han) == (language == "zh"), (layer, index)


def test_addresses_are_as_wide_as_the_largest_number():
    assert [unit_name(7, n) for n in (3, 16, 120, 512)] == ["07", "07", "007", "007"]


def test_pages_are_written_into_the_built_site(context, atlas, chapters, tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "read", lambda name, settings: chapters[name.split("-", 1)[1]])
    entries = ""
    for net in NETS:
        for layer in chapters[net].numbers["layers"]:
            path, markdown = template_page(net, layer)
            assert "template: unit.html" in markdown
            folder = tmp_path / path.removesuffix(".md")
            folder.mkdir(parents=True)
            address = f"https://host/{path.removesuffix('.md')}/"
            (folder / "index.html").write_text(
                f'<title>{TITLE}</title><meta content="{DESCRIPTION}"><link href="{address}">'
                f"<h1>{BODY}</h1><footer>",
                "utf-8",
            )
            entries += f"    <url>\n         <loc>{address}</loc>\n    </url>\n"
    (tmp_path / "sitemap.xml").write_text(f"<urlset>\n{entries}</urlset>", "utf-8")
    written = write_units(tmp_path, context.settings, atlas, "en")
    assert {net: len(pages) for net, pages in written.items()} == {
        "lenet": 236, "mlp": 1034, "outside": 17,
    }  # fmt: skip
    page = (tmp_path / "atlas/lenet/conv2/07/index.html").read_text("utf-8")
    assert "<title>LeNet conv2, channel 7</title>" in page
    assert "https://host/atlas/lenet/conv2/07/" in page
    assert page.endswith("<footer>")
    assert not list(tmp_path.glob("atlas/*/*/unit"))
    sitemap = (tmp_path / "sitemap.xml").read_text("utf-8")
    assert sitemap.count("<loc>") == 236 + 1034 + 17
    assert "/unit/" not in sitemap
    for picture in re.findall(r'src="([^"]+)"', page):
        assert (tmp_path / "atlas/lenet/conv2/07" / picture).resolve().is_file()


def test_pages_of_facts_from_a_bundle_are_looked_at(
    context, atlas, chapters, tmp_path, monkeypatch
):
    chapter = chapters["lenet"]
    for layer in chapter.numbers["layers"]:
        folder = tmp_path / template_page("lenet", layer)[0].removesuffix(".md")
        folder.mkdir(parents=True)
        (folder / "index.html").write_text(f"<h1>{BODY}</h1>", "utf-8")
    monkeypatch.setattr(manifest, "read", lambda name, settings: chapter)
    settings = SimpleNamespace(atlas_nets=["lenet"], figures_dir=context.settings.figures_dir)
    lenet = {**atlas, "nets": {"lenet": atlas["nets"]["lenet"]}}
    write_units(tmp_path, settings, lenet, "en", keep=True, foreign=True)

    class Hostile(UnitPages):
        def page(self, index):
            page = super().page(index)
            return page._replace(html=page.html.replace(' alt="', ' onload="hit()" alt="', 1))

    monkeypatch.setattr(site_units, "UnitPages", Hostile)
    with pytest.raises(CnnvizError, match=r"^unit lenet/conv1/00: <img onload> 'hit\(\)'"):
        write_units(tmp_path, settings, lenet, "en", keep=True, foreign=True)
    weights = chapter.numbers["layers"]["conv2"]["units"][3]["weights"]
    monkeypatch.setitem(weights, "height", '9" onload="hit()')
    with pytest.raises(CnnvizError, match=r"^Expected `int`, got `str` - at .*height"):
        write_units(tmp_path, settings, lenet, "en", keep=True, foreign=True)


# ---------- Networks from outside ----------


def test_bad_files_are_named(tmp_path, monkeypatch):
    empty, wrong = tmp_path / "empty.py", tmp_path / "wrong.py"
    empty.write_text("x = 1\n")
    wrong.write_text("def load():\n    return 3\n")
    with pytest.raises(CnnvizError, match="has no function 'load'"):
        from_file(empty)
    with pytest.raises(CnnvizError, match="returned int; expected a module"):
        from_file(wrong)
    monkeypatch.setenv("ATLAS_NETS", f"mine={empty}, other={tmp_path / 'nowhere.py'}")
    with pytest.raises(CnnvizError, match="nowhere.py' is not a file"):
        from_environment()
    monkeypatch.setenv("ATLAS_NETS", f"lenet={empty}")
    with pytest.raises(CnnvizError, match="'lenet' cannot be the name"):
        from_environment()
    monkeypatch.setenv("ATLAS_NETS", f"mine={empty}")
    assert from_environment().atlas_nets == {"lenet": "LeNet", "mlp": "MLP", "mine": "mine"}


def test_a_random_twin_shares_nothing_but_the_shape(context):
    net = atlas_net(context, "outside")
    assert isinstance(net.random, nn.Module)
    trained, random = net.model.state_dict(), net.random.state_dict()
    assert trained.keys() == random.keys()
    assert not torch.equal(trained["second.weight"], random["second.weight"])
