import ast
import re
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz import models, networks, photos, record
from cnnviz.drawing.palettes import CENTRE, HIGHEST, LOWEST
from cnnviz.recipes import Recipe
from gen.atlas_net import layers_of as layers_of_net
from gen.atlas_pages import atlas_nav, atlas_pages
from gen.figures import about, atlas
from gen.layer_mosaics import WIDTH, beside_inputs, blocks, divisor, images, matrix, slices
from gen.prose import Prose
from gen.settings import ATLAS_NETS

ROOT = Path(__file__).parent.parent


@cache
def layers_of(net):
    torch.manual_seed(0)
    model = networks.build(net)
    with torch.no_grad():
        outputs = record(model, torch.rand(4, 1, 28, 28), functional=False)
    return layers_of_net(model, outputs, (1, 28, 28), net), outputs


@cache
def numbers():
    nets = {}
    for net in ATLAS_NETS:
        layers, outputs = layers_of(net)
        nets[net] = [atlas.facts(layer, outputs[layer.name], None) for layer in layers]
    return {"titles": ATLAS_NETS, "nets": nets, "images": 4, "examples": 10}


# ---------- What is found in a net ----------


def test_layers_of_lenet():
    layers, _ = layers_of("lenet")
    assert [(layer.name, layer.kind) for layer in layers][-5:] == [
        ("fc1", "linear"),
        ("relu3", "relu"),
        ("fc2", "linear"),
        ("relu4", "relu"),
        ("output", "output"),
    ]
    forms = {layer.name: layer.form for layer in layers if layer.form}
    assert forms == {
        "conv1": "slices",
        "conv2": "slices",
        "fc1": "blocks",
        "fc2": "matrix",
        "output": "matrix",
    }


def test_the_first_linear_layer_of_the_mlp_sees_an_image():
    layers, _ = layers_of("mlp")
    assert {layer.name: layer.form for layer in layers if layer.form} == {
        "fc1": "images",
        "fc2": "matrix",
        "output": "matrix",
    }


def test_other_nets_need_no_case_of_their_own():
    """Colour input, names with dots, an operation without a module."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Conv2d(2, 3, 3))
            self.head = nn.Linear(3 * 4 * 4, 5)

        def forward(self, x):
            return self.head(torch.tanh(self.body(x)).flatten(1))

    model = Net()
    with torch.no_grad():
        outputs = record(model, torch.rand(2, 3, 8, 8))
    layers = layers_of_net(model, outputs, (3, 8, 8), "net")
    assert [(layer.name, layer.kind, layer.form) for layer in layers] == [
        ("body.0", "conv", "colours"),
        ("body.1", "relu", ""),
        ("body.2", "conv", "slices"),
        ("flatten", "flatten", ""),
        ("head", "output", "blocks"),
    ]
    facts = [atlas.facts(layer, outputs[layer.name], None) for layer in layers]
    pages = atlas_pages(
        {"titles": {"net": "Net"}, "nets": {"net": facts}, "images": 2, "examples": 2}, "en"
    )
    assert "# Net: body.0 { #body-0 }" in pages["atlas/net/body.0.md"]


def test_facts_count_zeros_dead_units_and_parameters():
    """Unit 0 is always 0, unit 1 once, unit 2 never: 3 zeros of 6, one dead unit."""
    relu = nn.ReLU()
    layer = atlas.Layer("net", "relu", "relu", relu, (3,), (3,), None, True)
    facts = atlas.facts(layer, torch.tensor([[0.0, 0, 2], [0, 5, 1]]), None)
    assert (facts["zeros"], facts["dead"], facts["low"], facts["high"]) == (0.5, 1, 0, 5)
    assert facts["parameters"] == 0

    for net in ATLAS_NETS:
        counted = sum(facts["parameters"] for facts in numbers()["nets"][net])
        assert counted == models.parameter_count(networks.build(net))


def test_dead_units_are_compared_with_the_others():
    """Two dead units with weights up to 0.1, one alive with up to 0.4: a quarter."""
    linear = nn.Linear(2, 3)
    linear.weight.data = torch.tensor([[0.1, -0.05], [0, -0.1], [0.2, -0.4]])
    layer = atlas.Layer("net", "fc", "linear", linear, (2,), (3,), None, True)
    facts = atlas.facts(layer, torch.tensor([[-1.0, 0, 1], [-2, -1, 3]]), None)
    assert facts["dead_strength"] == pytest.approx(0.25)
    relu = {**numbers()["nets"]["lenet"][1], "name": "relu"}
    nets = {"net": [facts, relu]}
    page = atlas_pages({**numbers(), "titles": {"net": "Net"}, "nets": nets}, "en")
    assert "2 of the units never rise above zero" in page["atlas/net/fc.md"]
    assert "25% of that of the others" in page["atlas/net/fc.md"]


def test_the_sum_beside_the_parameters_adds_up():
    for layers in numbers()["nets"].values():
        for facts in layers:
            if facts["sum"]:
                assert eval(facts["sum"].replace("×", "*")) == facts["parameters"]


def test_the_code_of_a_page_builds_the_layer():
    for layers in numbers()["nets"].values():
        for facts in layers:
            assert repr(eval(f"nn.{facts['code']}")) == facts["code"]


# ---------- Pictures ----------


def test_slices_have_input_channels_as_rows():
    """Two outputs of three inputs, each slice one number: 3 rows of 2."""
    weight = np.arange(6.0).reshape(2, 3, 1, 1)
    drawn = slices(weight, None, "layer")
    assert (drawn.rows, drawn.columns) == (3, 2)
    order = np.argsort(drawn.indices[::2, ::2], axis=None)
    assert weight[:, :, 0, 0].T.ravel()[order].tolist() == [0, 1, 2, 3, 4, 5]


def test_blocks_fold_every_weight_once_and_part_the_units():
    """Four units over four maps of 1×1: blocks of 2×2 pixels a gap apart, three gaps between."""
    weight = np.arange(1.0, 17).reshape(4, 4)
    drawn = blocks(weight, (4, 1, 1), "layer")
    assert drawn.indices.shape == (9, 9)
    at = [0, 2, 6, 8]  # pixels that are not gap
    shown = drawn.indices[np.ix_(at, at)].astype(float)
    assert (drawn.indices > 0).sum() == 16
    expected = [[1, 2, 5, 6], [3, 4, 7, 8], [9, 10, 13, 14], [11, 12, 15, 16]]
    np.testing.assert_allclose((shown - CENTRE) / (HIGHEST - CENTRE) * 16, expected, atol=0.07)


def test_blocks_scaled_each_reach_the_end_of_the_palette():
    weight = np.array([[1.0, -0.5, 0, 0], [0.01, 0, 0, -0.002]])
    drawn = blocks(weight, (4, 1, 1), "map")
    assert (drawn.indices == HIGHEST).sum() == 2


def test_a_large_mosaic_keeps_zero_and_the_ends():
    weight = np.zeros((300, 784))
    weight[:, 0], weight[:, 1], weight[:, 2] = 1, -1, 0.013
    drawn = images(weight, (1, 28, 28), "layer")
    assert {LOWEST, CENTRE, HIGHEST} < set(np.unique(drawn.indices).tolist())
    levels = np.unique(drawn.indices)
    assert all((levels[(levels > LOWEST) & (levels < HIGHEST)] - CENTRE) % 4 == 0)


def test_few_rows_of_a_matrix_are_thick():
    ten = matrix(np.ones((10, 84)), None, "layer")
    assert ten.tile_height * WIDTH / 84 == pytest.approx(22, abs=4)
    assert matrix(np.ones((84, 120)), None, "layer").tile_height == 1


def test_divisor():
    assert [divisor(n) for n in (7, 16, 84, 120, 512)] == [1, 4, 7, 10, 16]


def test_inputs_stand_beside_maps_of_any_size():
    pictures = np.full((2, 1, 28, 28), 255, np.uint8)
    for shape in ((2, 3, 28, 28), (2, 3, 10, 10), (2, 3, 5, 5), (2, 40)):
        shown = np.ones(shape)
        drawn, pixels = beside_inputs(pictures, shown, "layer")
        assert pixels.shape == (drawn.height, drawn.width + drawn.tile_height + 4, 4)
        side = drawn.tile_height
        assert side >= 28
        middle = pixels[side // 2, side // 2]
        assert middle.tolist() == [255] * 4  # the input, in grey
        assert (pixels[:, side : side + 4, 3] == 0).all()  # nothing between


def test_a_vector_gives_one_stripe_for_each_unit():
    drawn, pixels = beside_inputs(np.zeros((1, 1, 28, 28), np.uint8), np.eye(1, 56), "layer")
    stripe = pixels[0, 28 + 4 :, :3]  # ten pixels a unit
    assert len(stripe) == 560
    assert (stripe[:10] == drawn.palette[HIGHEST]).all()
    assert (stripe[10:] == drawn.palette[LOWEST]).all()


# ---------- Pages ----------


def headings(text):
    return re.findall(r"^#+ .*\{ #([\w-]+) \}$", text, re.M)


def test_one_page_a_layer_with_the_same_anchors_and_figures_in_both_languages():
    zh, en = (atlas_pages(numbers(), language) for language in ("zh", "en"))
    names = [f"atlas/{net}/{f['name']}.md" for net, x in numbers()["nets"].items() for f in x]
    assert list(zh) == list(en) == names
    for page in names:
        assert headings(zh[page]) == headings(en[page])
        found = [re.findall(r'figure\("(.*?)"\)', pages[page]) for pages in (zh, en)]
        assert found[0] == found[1]
        assert not re.search(r"[一-鿿]", en[page])


def test_pages_ask_for_the_figures_that_the_generator_makes():
    pages = atlas_pages(numbers(), "zh")
    asked = {a for page in pages.values() for a in re.findall(r'figure\("(.*?)"\)', page)}
    made = set()
    for net in ATLAS_NETS:
        for layer in layers_of(net)[0]:
            made |= {f"atlas/{net}_{layer.name}_activations"}
            made |= {f"atlas/{net}_{layer.name}_weights"} if layer.form else set()
    assert asked == made


def test_links_lead_to_pages_and_sections_that_exist():
    for language in ("zh", "en"):
        pages = atlas_pages(numbers(), language)
        for path, text in pages.items():
            for link in re.findall(r"\]\(([^)]+)\)", text):
                target, _, anchor = link.partition("#")
                if "/" not in target:
                    assert f"{Path(path).parent}/{target}" in pages
                else:
                    file = (
                        ROOT
                        / "docs"
                        / language
                        / target.replace("../../", "").replace("../", "atlas/")
                    )
                    assert not anchor or anchor in headings(file.read_text("utf-8"))


def test_navigation_is_added_in_the_section_of_the_overview():
    nav = [{"Home": "index.md"}, {"Atlas": [{"Overview": "atlas/index.md"}]}]
    extended = atlas_nav(nav, {"atlas": numbers()}, "en")
    assert extended is not None
    assert nav[1] == {"Atlas": [{"Overview": "atlas/index.md"}]}
    overview, lenet, mlp = extended[1]["Atlas"]
    assert overview == {"Overview": "atlas/index.md"}
    assert lenet["LeNet"][0] == {"conv1": "atlas/lenet/conv1.md"}
    assert mlp["MLP"][-1] == {"output": "atlas/mlp/output.md"}
    assert extended[0] == {"Home": "index.md"}
    assert atlas_nav(None, {}, "en") is None


# ---------- About this build ----------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_field_of_a_recipe_has_words(language):
    text = (ROOT / "docs" / language / "about.md").read_text("utf-8")
    block = re.search(r"set words = (\{.*?\})", text, re.S)
    assert block
    assert set(ast.literal_eval(block[1])) == {field.name for field in fields(Recipe)}


def test_every_photograph_that_a_chapter_uses_is_credited():
    sources = [*(ROOT / "gen").rglob("*.py"), *(ROOT / "docs" / "examples").glob("*.py")]
    used = {
        name
        for path in sources
        for name in re.findall(r'photos\.load\("(\w+)"\)', path.read_text("utf-8"))
    }
    assert used == set(about.PHOTOS)


@pytest.mark.parametrize(
    ("dataset", "lenet", "said"),
    [
        ("digits", {"real": {"accuracy": 0.981, "count": 500}}, "98.10%"),
        ("digits", {}, "had no MNIST at hand"),
        ("mnist", {}, "The LeNet of the default build"),
    ],
)
def test_the_page_tells_how_real_handwriting_is_read(dataset, lenet, said):
    run = {
        **{field.name: 1 for field in fields(Recipe)},
        "seconds": 2.0,
        "accuracy": 0.9,
        "digest": "ab",
        "parameters": 3,
    }
    numbers = {
        "fields": [field.name for field in fields(Recipe)],
        "runs": {"lenet": run},
        "short": {},
        "run_count": 1,
        "versions": {"python": "3"},
        "photos": {name: asdict(photos.credit(name)) for name in about.PHOTOS},
        "dataset": dataset,
        "seeds": {"train": 1, "test": 2},
        **dict.fromkeys(("device", "machine", "cores", "train_count", "test_count"), 1),
    }
    page = (ROOT / "docs" / "en" / "about.md").read_text("utf-8")
    prose = Prose("en", {"about": numbers, "lenet": lenet}, set(), {}, dataset, ROOT, "")
    filled = prose.fill(page, "about.md")
    assert said in filled
    assert "| [china.jpg](https://www.flickr.com/" in filled
    assert ("are not MNIST" in filled) == (dataset == "digits")
