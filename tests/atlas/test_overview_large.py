"""The overview of a large net: every layer a row, blocks folded, branches named, maps PyTorch's."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image
from selectolax.lexbor import LexborHTMLParser
from torch import nn

from cnnviz.atlas.figures import overview_large
from cnnviz.atlas.figures.overview_large import block_names, large_overview
from cnnviz.atlas.subject import AtlasNet, Subject
from cnnviz.words import PackageWords
from tests.nets.zoo import ZOO


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 3, 3, padding=1)
        self.conv2 = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.conv2(torch.relu(self.conv1(x))) + x)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 3, 3, padding=1)
        self.layer1 = nn.Sequential(Block(), Block())
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        return self.fc(self.layer1(self.stem(x)).amax((2, 3)))


def net_of(model, shape=(3, 16, 20)):
    torch.manual_seed(0)
    images = torch.rand(3, *shape)
    return AtlasNet(Subject("net", "Net", model.eval(), images, None, [], shown=[1, 2], examples=2))


def markup(net, language="en"):
    (panel,) = large_overview(net).panels
    return panel.content(PackageWords().catalogue(language, "figures.large_overview"))


@pytest.fixture(scope="module")
def residual():
    torch.manual_seed(1)
    return net_of(Residual())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_layer_has_a_row_that_leads_to_its_page(residual, language):
    page = LexborHTMLParser(markup(residual, language))
    names = [layer.name for layer in residual.layers]
    assert [b.text() for b in page.css("li b")] == names
    links = [row.css_first("a").attributes["href"] for row in page.css("li")]
    assert links == [f"net/{name}/" for name in names]


def test_blocks_are_folded(residual):
    page = LexborHTMLParser(markup(residual))
    assert [b.text() for b in page.css("summary b")] == ["layer1.0", "layer1.1"]
    rows = page.css_first("details").css("li b")
    assert {row.text().rpartition(".")[0] for row in rows} == {"layer1.0"}


def test_branches_are_named_where_they_come_from(residual):
    page = LexborHTMLParser(markup(residual))
    found = {
        row.css_first("b").text(): [a.text() for a in row.css(".large-from a")]
        for row in page.css("li")
        if row.css_first(".large-from")
    }
    assert found == {
        "layer1.0.add": ["layer1.0.conv2", "stem"],
        "layer1.1.add": ["layer1.1.conv2", "layer1.0.relu_1"],
    }


def test_the_strongest_map_is_shown(residual, monkeypatch):
    """The map of the first layer, as large as it is: blue and orange where PyTorch says so."""
    monkeypatch.setattr(overview_large, "SIDE", 20)
    html = markup(residual)
    sheet = re.search(r"--maps:url\(data:image/webp;base64,([^)]*)\)", html)[1]
    pixels = np.asarray(Image.open(io.BytesIO(b64decode(sheet))).convert("RGB")).astype(int)
    with torch.no_grad():
        maps = residual.model.stem(residual.inputs[:1])[0]
    channel = int(maps.flatten(1).amax(1).argmax())
    assert f"strongest: channel {channel}" in html
    expected = maps[channel][torch.arange(20) * 16 // 20].numpy()  # (20, 20)
    warm = pixels[:20, :20, 0] - pixels[:20, :20, 2]  # red over blue
    assert np.corrcoef(warm.ravel(), expected.ravel())[0, 1] > 0.9


def test_a_long_network_stays_light():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Conv2d(3, 3, 1), *(Block() for _ in range(60)))
    assert len(markup(net_of(model)).encode()) < 250_000


@pytest.mark.parametrize(
    ("layers", "blocks"),
    [
        (["features.0", "features.1", "flatten", "fc"], ["features", "features", "", ""]),
        (["a.0.x.conv", "a.0.add", "a.1.conv"], ["a.0", "a.0", ""]),
        (["3a.b1.conv", "3a.b1.relu", "3a.b2.0", "3a.cat"], ["3a"] * 4),
        (
            [f"e.l{i}.{k}" for i in range(30) for k in "ab"],
            [f"e.l{i}" for i in range(30) for _ in "ab"],
        ),
    ],
)
def test_blocks(layers, blocks):
    assert block_names(layers) == blocks


@pytest.mark.parametrize("name", sorted(ZOO))
def test_any_network(name):
    make, shape = ZOO[name]
    if len(shape) != 3:
        pytest.skip("the atlas shows images")
    net = net_of(make(), shape)
    page = LexborHTMLParser(markup(net))
    assert len(page.css("li")) == len(net.layers)
