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
from cnnviz.errors import CnnvizError
from cnnviz.inside.recording import record
from cnnviz.inside.replacing import replaced


def subject() -> Subject:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 3),
    )  # fmt: skip
    images, labels = torch.rand(20, 3, 18, 24), torch.arange(20) % 3
    return Subject(
        "net", "A net", model.eval(), images, labels, ["a", "b, c", "<d>"], shown=[0, 1], examples=2
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "atlas"
    options = Options(grid=True, layers="none")
    write_atlas(subject(), folder, ("en", "zh"), options, lambda line: None)
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


def facts_of(out, layer):
    """What the panel of a layer's units reads."""
    script = out / "figures" / "net" / layer / "units.js"
    return json.loads(re.fullmatch(r"cnnvizUnits\((.*)\);\n", script.read_text("utf-8"))[1])


def test_units_have_tiles_and_no_pages(out):
    files = {
        file.relative_to(out / "en").parent.as_posix() for file in (out / "en").rglob("*.html")
    }
    assert files == {".", *(f"net/{i}" for i in range(8))}
    page = LexborHTMLParser((out / "zh" / "net" / "3" / "index.html").read_text("utf-8"))
    section = page.css_first(".units-grid")
    assert len(section.css(".grid-block a")) == 12
    facts = facts_of(out, "3")
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


def test_units_that_stand_out_are_switched_off(out):
    made = subject()
    told = facts_of(out, "3")["off"]
    assert len(told["units"]) == 2
    assert told["images"] == 20
    scores = made.model(made.images)
    for unit, accuracy in zip(told["units"], told["accuracy"], strict=True):
        with replaced(made.model, {"3": lambda x, u=unit: x.index_fill(1, torch.tensor(u), 0.0)}):
            without = made.model(made.images)
        changes = [
            (without.argmax(1) == made.labels)[made.labels == c].double().mean()
            - (scores.argmax(1) == made.labels)[made.labels == c].double().mean()
            for c in range(3)
        ]
        assert accuracy == pytest.approx(float(sum(changes)) / 3, abs=1e-4)


def test_of_each_layer_the_first_few_units(tmp_path):
    options = Options(grid=True, layers="none", optimise=1, units=5)
    write_atlas(subject(), tmp_path, ("en",), options, lambda line: None)
    page = LexborHTMLParser((tmp_path / "en" / "net" / "3" / "index.html").read_text("utf-8"))
    assert [tile.id for tile in page.css(".grid-block a")] == [f"u-0{i}" for i in range(5)]
    assert "The first 5 of 12 channels" in page.text()
    facts, whole = facts_of(tmp_path, "3"), subject()
    assert (facts["units"], facts["of"], facts["incoming"]["shown"]) == (5, 12, 5)
    assert len(facts["incoming"]["unit"]) == len(facts["active"]) == len(facts["norm"]) == 5
    reached = record(whole.model, whole.images)["3"].amax((0, 2, 3))
    assert [row[0] for row in facts["most"]["value"]] == pytest.approx(reached[:5].tolist(), 1e-4)
    home = LexborHTMLParser((tmp_path / "en" / "index.html").read_text("utf-8"))
    assert "of each layer the first 5" in home.text()
    test_every_link_and_picture_is_there(tmp_path)


def test_units_cannot_be_chosen_among_pages(tmp_path):
    with pytest.raises(CnnvizError, match="--units 5 chooses among tiles, and the 23 units"):
        write_atlas(subject(), tmp_path, ("en",), Options(units=5), lambda line: None)


def test_inputs_of_another_size_are_prepared_like_the_images(tmp_path):
    """What is optimised is at most 128 pixels high and wide, however large the images are."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    subject = Subject(
        "net", "A net", model.eval(), 255 * torch.rand(3, 3, 140, 132), None, [], shown=[0, 1],
        examples=2, show=lambda images: images / 255,
    )  # fmt: skip
    told: list[str] = []
    write_atlas(subject, tmp_path, ("en",), Options(grid=True, layers="none"), told.append)
    assert not [line for line in told if "optimised" in line]
    optimised = facts_of(tmp_path, "0")["optimised"]
    assert len(optimised["units"]) == 2
    # Of pixels from 0 to 1 the network sees 0 to 255; without that it would reach a 255th.
    weight, bias = model[0].weight.detach(), model[0].bias.detach()
    most = 255 * weight.clamp(min=0).sum((1, 2, 3)) + bias
    for unit, (value,) in zip(optimised["units"], optimised["value"], strict=True):
        assert 10 < value <= most[unit] + 1e-3
