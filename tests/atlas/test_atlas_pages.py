import ast
import re
from dataclasses import asdict, fields
from functools import cache
from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from cnnviz.atlas.facts import AtlasFacts
from cnnviz.atlas.measure import layer_facts, net_facts
from cnnviz.atlas.pages import pages
from cnnviz.atlas.sprites import bands, sprite, tiles
from cnnviz.atlas.strip import net_strip
from cnnviz.atlas.subject import AtlasNet, Subject
from cnnviz.data import photos
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.palettes import CENTRE, HIGHEST, LOWEST
from cnnviz.drawing.weights import WIDTH, blocks, coarse, divisor, images, matrix, slices, small_png
from cnnviz.inside.gradients import kernel_gradients, layer_gradients
from cnnviz.inside.layers import Layer, layers_of
from cnnviz.inside.statistics import statistics
from cnnviz.nets import models, networks
from cnnviz.training.recipe import Recipe
from cnnviz.words import PackageWords
from gen.figures import photographs
from gen.figures.about import about
from gen.settings import ATLAS_NETS
from gen.site.atlas import atlas_nav, layer_pages
from gen.texts.fill import Prose
from gen.texts.words import SITE

ROOT = Path(__file__).parents[2]


def subject_of(name, model, images, steps=(0, 60)):
    """What the atlas asks of a net, without a build."""
    labels, classes = torch.zeros(len(images), dtype=torch.long), [str(n) for n in range(10)]
    shown = range(len(images))
    title = ATLAS_NETS.get(name, name)
    return AtlasNet(
        Subject(name, title, model.eval(), images, labels, classes, shown, 1, steps=steps)
    )


@cache
def net_of(name):
    torch.manual_seed(0)
    return subject_of(name, networks.build(name), torch.rand(4, 1, 28, 28))


def numbers_of(*nets):
    return {
        "titles": {net.name: net.title for net in nets},
        "nets": {net.name: net_facts(net) for net in nets},
        "misread": {net.name: 4 for net in nets},
        "steps": {net.name: net.steps for net in nets},
        "images": 4,
        "examples": 10,
        "inputs": 14,
    }


@cache
def numbers():
    return numbers_of(*(net_of(net) for net in ATLAS_NETS))


def pages_of(numbers, language):
    return layer_pages(msgspec.convert(numbers, AtlasFacts), language)


# ---------- What is found in a net ----------


def test_layers_of_lenet():
    layers = net_of("lenet").layers
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
    layers = net_of("mlp").layers
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
    layers = layers_of(model, torch.rand(2, 3, 8, 8), "net")
    assert [(layer.name, layer.kind, layer.form) for layer in layers] == [
        ("body.0", "conv", "colours"),
        ("body.1", "relu", ""),
        ("body.2", "conv", "slices"),
        ("tanh", "activation", ""),
        ("flatten", "flatten", ""),
        ("head", "output", "blocks"),
    ]
    net = subject_of("net", model, torch.rand(2, 3, 8, 8), steps=())
    made = pages_of(numbers_of(net), "en")
    assert "# net: body.0 { #body-0 }" in made["atlas/net/body.0.md"]
    assert "#training" not in made["atlas/net/body.0.md"]  # no snapshots
    assert 'href="../body.2/02/"' in made["atlas/net/body.2.md"]


@pytest.mark.parametrize(
    ("language", "said"), [("zh", ("相加", "拼接")), ("en", ("sum", "concat"))]
)
def test_layers_that_bring_branches_together_have_pages(language, said):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.pool = nn.Conv2d(1, 2, 3, padding=1), nn.AdaptiveAvgPool2d(1)
            self.head = nn.Linear(4, 10)

        def forward(self, x):
            x = self.conv(x)
            x = torch.cat([x, x + torch.relu(x)], 1)
            return self.head(self.pool(x).flatten(1))

    net = subject_of("net", Net(), torch.rand(2, 1, 8, 8), steps=())
    made = pages_of(numbers_of(net), language)
    assert [layer.kind for layer in net.layers][2:5] == ["add", "cat", "average"]
    for name, kind in zip(("add", "cat"), said, strict=True):
        assert f"| {kind}" in made[f"atlas/net/{name}.md"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_package_alone_speaks_of_no_site(language):
    facts = msgspec.convert(numbers(), AtlasFacts)
    made = pages(facts, PackageWords().catalogue(language, "layer"))["atlas/mlp/fc1.md"]
    assert "LeNet" not in made
    assert "mlp.md" not in made
    assert "✗" in made


def test_facts_count_zeros_dead_units_and_parameters():
    """Unit 0 is always 0, unit 1 once, unit 2 never: 3 zeros of 6, one dead unit."""
    relu = nn.ReLU()
    layer = Layer("net", "relu", "relu", relu, (3,), (3,), None, True)
    facts = layer_facts(layer, statistics(torch.tensor([[0.0, 0, 2], [0, 5, 1]])), None)
    assert (facts["zeros"], facts["dead"], facts["low"], facts["high"]) == (0.5, 1, 0, 5)
    assert facts["parameters"] == 0

    for net in ATLAS_NETS:
        counted = sum(facts["parameters"] for facts in numbers()["nets"][net])
        assert counted == models.parameter_count(networks.build(net))


def test_dead_units_are_compared_with_the_others():
    """Two dead units with weights up to 0.1, one alive with up to 0.4: a quarter."""
    linear = nn.Linear(2, 3)
    linear.weight.data = torch.tensor([[0.1, -0.05], [0, -0.1], [0.2, -0.4]])
    layer = Layer("net", "fc", "linear", linear, (2,), (3,), None, True)
    facts = layer_facts(layer, statistics(torch.tensor([[-1.0, 0, 1], [-2, -1, 3]])), None)
    assert facts["dead_strength"] == pytest.approx(0.25)
    shared = {"owner": "fc", "compared": ["fc", "relu"]}
    relu = {**numbers()["nets"]["lenet"][1], "name": "relu", **shared}
    fc = {**numbers()["nets"]["mlp"][1], **facts, "name": "fc", **shared}
    given = {**numbers(), "titles": {"net": "Net"}, "nets": {"net": [fc, relu]}}
    page = pages_of({**given, "misread": {"net": 0}, "steps": {"net": []}}, "en")
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
    assert len(np.unique(drawn.indices)) <= 16  # 4 bits a pixel


def test_few_rows_of_a_matrix_are_thick():
    ten = matrix(np.ones((10, 84)), None, "layer")
    assert ten.tile_height * WIDTH / 84 == pytest.approx(22, abs=4)
    assert matrix(np.ones((84, 120)), None, "layer").tile_height == 1


def test_divisor():
    assert [divisor(n) for n in (7, 16, 84, 120, 512)] == [1, 4, 7, 10, 16]


# ---------- Sprites: a band for each input ----------


def test_a_band_for_each_input_at_the_place_where_the_page_looks():
    """Band k begins at k/(n − 1) of what the picture is higher than one band."""
    maps = np.arange(3 * 4 * 5 * 5, dtype=float).reshape(3, 4, 5, 5)
    drawn = bands(maps, (0.0, float(maps.max())), signed=False)
    made = sprite(drawn, 3)
    height, band = made.picture.height, made.band
    assert band == drawn.rows * 5 + (drawn.rows - 1)
    for k in range(3):
        top = k / 2 * (height - band)
        assert top == int(top)
        alone = mosaic(maps[k], scale=(0, float(maps.max())), signed=False)
        assert (drawn.pixels[int(top) : int(top) + band] == alone.pixels).all()


def test_every_unit_of_a_vector_is_a_square():
    squares = tiles(torch.tensor([[1.0, -2.0, 3.0]]))
    assert squares.shape[:2] == (1, 3)
    assert (squares[0, 1] == -2).all()


@pytest.mark.parametrize(("signed", "steps"), [(True, 7), (True, 32), (False, 16)])
def test_fewer_levels_keep_gap_zero_and_ends(signed, steps):
    values = np.linspace(-1 if signed else 0, 1, 999).reshape(1, 3, 333)
    drawn = coarse(mosaic(values, scale="layer", gap=2, signed=signed), steps)
    zero = CENTRE if signed else LOWEST
    levels = np.unique(drawn.pixels)
    assert {zero, LOWEST, HIGHEST} <= set(levels.tolist())
    assert len(levels) == (2 * steps + 1 if signed else steps + 1)


def test_a_small_png_shows_the_same_colours():
    values = np.random.default_rng(0).normal(size=(4, 9, 9))
    for steps in (7, 32):
        drawn = coarse(mosaic(values, scale="layer"), steps)
        small, plain = (
            Image.open(BytesIO(png)).convert("RGBA") for png in (small_png(drawn), drawn.png())
        )
        opaque = np.asarray(plain)[..., 3] > 0
        assert (np.asarray(small)[..., 3] == np.asarray(plain)[..., 3]).all()
        assert (np.asarray(small)[opaque] == np.asarray(plain)[opaque]).all()


# ---------- Gradients ----------


def test_gradients_are_those_of_each_input_alone():
    """Against one backward pass an input, with hooks."""
    net, labels = net_of("lenet"), torch.tensor([1, 2, 3, 4])
    found = layer_gradients(net.model, net.layers, net.inputs, labels)
    for index in range(4):
        kept = {}
        hooks = [
            module.register_forward_hook(
                lambda m, given, output, name=name, kept=kept: kept.setdefault(
                    name, output
                ).retain_grad()
            )
            for name, module in net.model.named_children()
        ]
        net.model.zero_grad()
        logits = net.model(net.inputs[index : index + 1])
        loss = F.cross_entropy(logits, labels[index : index + 1])
        loss.backward()
        for hook in hooks:
            hook.remove()
        torch.testing.assert_close(found.losses[index], loss.detach())
        for name, output in kept.items():
            torch.testing.assert_close(found.outputs[name][index], output.grad[0])
        for layer in net.weighted:
            own = layer.module.weight.grad
            inputs, outputs = found.inputs[layer.name], found.outputs[layer.name]
            if layer.kind == "conv":
                torch.testing.assert_close(
                    kernel_gradients(layer, inputs, outputs)[index], own, rtol=1e-4, atol=1e-7
                )
            else:
                torch.testing.assert_close(torch.outer(outputs[index], inputs[index]), own)
    net.model.zero_grad()


def test_gradients_need_no_trainable_weights():
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 3), nn.ReLU(inplace=True), nn.Linear(3, 10))
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    net = subject_of("net", model, torch.rand(2, 1, 28, 28))
    found = layer_gradients(net.model, net.layers, net.inputs, torch.tensor([0, 1]))
    assert set(found.outputs) == {"0", "1", "2", "3"}
    assert found.inputs["3"].shape == (2, 3)


# ---------- Pages ----------


def headings(text):
    return re.findall(r"^#+ .*\{ #([\w-]+) \}$", text, re.M)


def test_one_page_a_layer_with_the_same_anchors_and_figures_in_both_languages():
    zh, en = (pages_of(numbers(), language) for language in ("zh", "en"))
    names = [f"atlas/{net}/{f['name']}.md" for net, x in numbers()["nets"].items() for f in x]
    assert list(zh) == list(en) == names
    for page in names:
        assert headings(zh[page]) == headings(en[page])
        found = [re.findall(r'figure\("(.*?)"\)', made[page]) for made in (zh, en)]
        assert found[0] == found[1]
        assert not re.search(r"[一-鿿]", en[page])


def test_a_relu_shares_the_figures_of_the_layer_before_it():
    conv1, relu1 = numbers()["nets"]["lenet"][:2]
    for section in ("inputs", "activations", "distribution"):
        assert conv1["shown"][section] == relu1["shown"][section]
    assert conv1["shown"]["gradients"] != relu1["shown"]["gradients"]
    assert relu1["owner"] == "conv1"


def test_every_section_has_its_figure_and_heading():
    for net, layers in numbers()["nets"].items():
        for language in ("zh", "en"):
            made = pages_of(numbers(), language)
            for layer in layers:
                page = made[f"atlas/{net}/{layer['name']}.md"]
                asked = re.findall(r'figure\("(.*?)"\)', page)
                assert sorted(asked) == sorted(layer["shown"].values())
                sections = [name for name in layer["shown"] if name != "inputs"]
                assert sorted(headings(page)[1:]) == sorted(sections)


def test_links_to_all_units_and_to_all_layers():
    page = pages_of(numbers(), "en")["atlas/mlp/relu1.md"]
    assert page.count('href="../fc1/') == 512
    assert 'href="../fc1/007/"' in page
    assert '<a href="../../mlp/relu1/" aria-current="page">' in page
    for layer in numbers()["nets"]["mlp"]:
        assert f'href="../../mlp/{layer["name"]}/"' in page


def test_the_strip_on_the_page_of_a_unit():
    layers = msgspec.convert(numbers(), AtlasFacts).nets["lenet"]
    strip = net_strip("lenet", layers, "conv2", SITE.catalogue("zh"), "../../../", "07")
    assert '<a href="../../../lenet/conv2/" aria-current="true"><b>conv2 / 07</b>' in strip
    assert strip.count("aria-current") == 1


def test_links_lead_to_pages_and_sections_that_exist():
    for language in ("zh", "en"):
        made = pages_of(numbers(), language)
        for path, text in made.items():
            for link in re.findall(r"\]\(([^)]+)\)", text):
                target, _, anchor = link.partition("#")
                if "/" not in target:
                    assert f"{Path(path).parent}/{target}" in made
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
    extended = atlas_nav(nav, numbers())
    assert extended is not None
    assert nav[1] == {"Atlas": [{"Overview": "atlas/index.md"}]}
    overview, lenet, mlp = extended[1]["Atlas"]
    assert overview == {"Overview": "atlas/index.md"}
    assert lenet["LeNet"][0] == {"conv1": "atlas/lenet/conv1.md"}
    assert mlp["MLP"][-1] == {"output": "atlas/mlp/output.md"}
    assert extended[0] == {"Home": "index.md"}
    assert atlas_nav(None, {}) is None


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
    assert used | set(photographs.NAMES) == set(about.PHOTOS)


@pytest.mark.parametrize(
    ("dataset", "lenet", "said"),
    [
        ("digits", {"real": {"accuracy": 0.981, "count": 500}}, "98.1%"),
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
