"""The grid of a layer as markup, its script, and what a layer of 2,048 units weighs."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from selectolax.lexbor import LexborHTMLParser
from torch.nn import functional as F

import cnnviz
from cnnviz.atlas.grid import write_sheet
from cnnviz.atlas.grid_facts import (
    ACROSS,
    BLOCK,
    PER_SHEET,
    GridFacts,
    JoinedFacts,
    OffFacts,
    Places,
    units_script,
)  # fmt: skip
from cnnviz.atlas.grid_page import grid_html
from cnnviz.drawing.sheets import HEAVIEST, rows, tiles
from cnnviz.words import PackageWords

ASSETS = Path(cnnviz.__file__).parent / "atlas/assets"


def photographs(count, side=48, seed=0):
    """Smooth random pictures with some noise, as bytes (count, side, side, 4)."""
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.zeros(count, 3, side, side)
    for coarse in (3, 6, 12, 24, side):
        noise = torch.randn(count, 3, coarse, coarse, generator=generator) / coarse**0.7
        pictures += F.interpolate(noise, (side, side), mode="bilinear")
    shown = (255 * (0.5 + 0.4 * pictures).clamp(0, 1)).byte()
    return F.pad(shown, (0, 0, 0, 0, 0, 1), value=255).permute(0, 2, 3, 1).numpy()


def numbers(generator, *shape):
    return [[float(f"{v:.5g}") for v in row] for row in generator.normal(size=shape)]


def places(generator, units):
    def whole(top):
        return generator.integers(0, top, (units, 9)).tolist()

    return Places(
        image=whole(1000), row=whole(7), column=whole(7), value=numbers(generator, units, 9)
    )


def facts_of(folder, units, classes=1000, pictures=None):
    """Everything that can be told of a layer, at random."""
    generator = np.random.default_rng(0)
    pictures = photographs(600) if pictures is None else pictures
    which = generator.integers(0, len(pictures), (units, 18))
    most, least = places(generator, units), places(generator, units)
    images = {i for found in (most, least) for row in found.image for i in row}
    one = generator.normal(size=(5, units)).round(4).tolist()
    links = JoinedFacts(
        layer="layer4.0.conv1", count=512, shown=512,
        unit=generator.integers(0, 512, (units, 6)).tolist(),
        weight=numbers(generator, units, 6), contribution=numbers(generator, units, 6),
    )  # fmt: skip
    return GridFacts(
        net="net", title="A net", layer="layer4.1.conv2", kind="conv", units=units, of=units,
        spatial=True, field=(435, 435), whole=True, relu="layer4.1.relu_1",
        images=1000, counted=1000,
        patch=pictures.shape[1:3],
        tiles=[
            write_sheet(tiles(pictures[which[i : i + BLOCK, :4]], ACROSS), folder, f"net/t{i}")
            for i in [0] * (units // BLOCK) + [units // BLOCK * BLOCK]  # the first stands for all
        ],
        sheets=[
            write_sheet(rows(pictures[which[i : i + PER_SHEET]]), folder, f"net/s{i}")
            for i in (range(0, units, PER_SHEET) if units < BLOCK else [0])
        ],
        most=most, least=least,
        labels={image: image % classes for image in sorted(images)},
        classes={i: f"class <{i}>" for i in range(classes)},
        active=np.abs(one[0]).tolist(), low=one[1], high=one[2], mean=one[3],
        best=generator.integers(0, classes, (units, 5)).tolist(),
        best_mean=numbers(generator, units, 5), norm=one[4], bias=one[0],
        off=OffFacts(units=[0, 2], loss=[0.1, -0.2], accuracy=[-0.01, 0.02], images=100),
        incoming=links, outgoing=links,
    )  # fmt: skip


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    return facts_of(folder, 2048), folder


def parsed(facts, language="en"):
    return LexborHTMLParser(grid_html(facts, PackageWords(), language, files="../../files/"))


def test_a_layer_of_2048_units_opens_on_a_phone(large):
    """What is fetched before anything is chosen: the page, its looks, the sheets in open blocks."""
    facts, folder = large
    html = grid_html(facts, PackageWords(), "en")
    page = LexborHTMLParser(html)
    shown = [
        image.attributes["src"]
        for image in page.css("img")
        if image.parent.parent.tag != "details" or "open" in image.parent.parent.attributes
    ]
    sheets = sum((folder / name).stat().st_size for name in shown)
    assets = sum((ASSETS / f"grid.{kind}").stat().st_size for kind in ("js", "css"))
    total = len(html.encode()) + assets + sheets
    print(
        f"html {len(html.encode())}, sheets {sheets}, assets {assets}; script of the facts "
        f"{len(units_script(facts))}, {len(gzip.compress(units_script(facts)))} compressed"
    )
    assert len(shown) == 1
    assert total < 450_000  # the rest of the page of a layer may have the other 150 kB
    assert all(image.attributes["loading"] == "lazy" for image in page.css("img"))


def test_a_sheet_is_never_heavy_even_of_noise(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (BLOCK, 4, 48, 48, 4), dtype=np.uint8)
    noise[..., 3] = 255
    assert len(tiles(noise, ACROSS).webp) < 2 * HEAVIEST


def test_every_unit_has_a_tile_and_an_address(large):
    facts, _ = large
    page = parsed(facts)
    links = page.css(".grid-block a")
    assert [link.attributes["id"] for link in links] == [f"u-{i:04}" for i in range(2048)]
    assert all(link.attributes["href"] == "#" + link.attributes["id"] for link in links)
    assert [link.text() for link in links[:2]] == ["0000", "0001"]
    blocks = page.css(".grid-block")
    assert [len(block.css("a")) for block in blocks] == [120] * 17 + [8]
    assert [block.parent.tag for block in blocks] == ["details"] * 18
    assert "--rows:2" in blocks[-1].attributes["style"]


def test_the_script_holds_the_facts_and_cannot_leave_its_place(large):
    script = units_script(large[0]).decode()
    match = re.fullmatch(r"cnnvizUnits\((.*)\);\n", script)
    told = json.loads(match[1])
    assert told["most"]["image"][2047] == large[0].most.image[2047]
    assert told["classes"]["7"] == "class <7>"
    assert "<" not in script
    assert told["off"]["units"] == [0, 2]


def test_both_languages_say_all(large):
    for language in ("en", "zh"):
        words = json.loads(parsed(large[0], language).css_first("script").text())
        assert set(words) >= {"most", "least", "legend", "failed"}
        assert "{share}" in words["active share"]
        assert "{file}" in words["failed"]


def test_one_block_is_not_folded(tmp_path):
    facts = facts_of(tmp_path, 10, pictures=photographs(20, side=7))
    page = parsed(facts)
    assert not page.css("details")
    block = page.css_first(".grid-block")
    assert "pixels" in block.attributes["class"]
    assert facts.tiles[0].scale == 6
    assert [link.text() for link in page.css(".grid-block a")] == [f"{i:02}" for i in range(10)]
