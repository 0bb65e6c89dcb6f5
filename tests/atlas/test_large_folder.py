"""The folder of a network with tiles instead of pages of units: all that it links to is there."""

import json
import re
from pathlib import Path
from urllib.parse import urldefrag

import pytest
import torch
from selectolax.lexbor import LexborHTMLParser
from torch import nn

from cnnviz.atlas.folder import Options, write_atlas
from cnnviz.atlas.subject import Subject


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 3),
    )  # fmt: skip
    images, labels = torch.rand(20, 3, 18, 24), torch.arange(20) % 3
    subject = Subject(
        "net", "A net", model.eval(), images, labels, ["a", "b, c", "<d>"], shown=[0, 1], examples=2
    )
    folder = tmp_path_factory.mktemp("large") / "atlas"
    write_atlas(subject, folder, ("en", "zh"), Options(grid=True, layers="none"), lambda line: None)
    return folder


def pages(out):
    return {file: LexborHTMLParser(file.read_text("utf-8")) for file in out.rglob("*.html")}


def test_every_link_and_picture_is_there(out):
    opened = pages(out)
    wrong = []
    for file, page in opened.items():
        for tag in page.css("a[href], img[src], script[src], link[href]"):
            address = tag.attributes.get("href") or tag.attributes.get("src")
            if address.startswith("data:"):
                continue
            target, fragment = urldefrag(address)
            there = (file.parent / target).resolve() if target else file
            if not there.is_file() or (fragment and not opened[there].css(f'[id="{fragment}"]')):
                wrong.append((file, address))
    assert wrong == []


def test_units_have_tiles_and_no_pages(out):
    files = {
        file.relative_to(out / "en").parent.as_posix() for file in (out / "en").rglob("*.html")
    }
    assert files == {".", *(f"net/{i}" for i in range(8))}
    page = LexborHTMLParser((out / "zh" / "net" / "3" / "index.html").read_text("utf-8"))
    section = page.css_first(".units-grid")
    assert len(section.css(".grid-block a")) == 12
    script = (out / "zh" / "net" / "3" / section.attributes["data-script"]).resolve()
    facts = json.loads(re.fullmatch(r"cnnvizUnits\((.*)\);\n", script.read_text("utf-8"))[1])
    assert facts["incoming"]["layer"] == "0"
    for sheet in facts["sheets"]:
        folder = out / "zh" / "net" / "3" / section.attributes["data-files"]
        assert (folder / sheet["file"]).resolve().is_file()


def test_the_search_knows_every_layer_and_the_classes(out):
    script = (out / "en" / "search-index.js").read_text("utf-8")
    layers = json.loads(re.fullmatch(r"cnnvizSearch\((.*)\);\n", script)[1])
    assert [layer[0] for layer in layers] == [str(i) for i in range(8)]
    assert layers[7][6] == ["a", "b, c", "‹d›"]
    for name, _, address, units, unit, digits, _ in layers:
        assert (out / "en" / address).is_file(), name
        if units:
            file, place = urldefrag(unit.replace("{unit}", "0".zfill(digits)))
            page = LexborHTMLParser((out / "en" / file).read_text("utf-8"))
            assert page.css(f'[id="{place}"]'), name
