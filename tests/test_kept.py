"""What is kept of a chapter: written and read again the same, and refused in one line if not."""

import json

import msgspec
import pytest

from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import (
    Chapter,
    KeptDrawing,
    KeptFigure,
    KeptPicture,
    Legend,
    Passport,
    opened,
    sealed,
)
from cnnviz.files import DamagedError
from cnnviz.words import message
from gen.draw import manifest
from gen.settings import Settings
from tests import small_bundle
from tests.small_bundle import figure

KEY = "0123456789ab"


@pytest.fixture
def chapter():
    """One with all that a figure can have."""
    map_ = msgspec.convert(figure("relu/map.png"), KeptFigure)
    numbers = {"n": 1, "share": 0.5, "small": 1e-7, "written": "1 − 0.5", "names": ["a", None]}
    return Chapter(KEY, {"map": map_}, numbers, {"relu/map.png": KEY}, {"lenet": KEY})


def test_what_is_written_is_read_again(chapter):
    content = sealed(chapter)
    assert opened(content) == chapter
    assert sealed(opened(content)) == content
    first, second, rest = content.split(b"\n")
    assert not rest
    assert first.startswith(b'{"digest":"')
    assert second.startswith(b'"chapter":{"key":"0123456789ab","figures":{')


def test_it_is_plain_json_and_reading_gives_types(chapter):
    assert json.loads(sealed(chapter))["chapter"]["figures"]["map"] == figure("relu/map.png")
    shown = opened(sealed(chapter)).figures["map"].shown
    sprite, drawing = shown.panels
    assert isinstance(sprite, KeptPicture)
    assert isinstance(drawing, KeptDrawing)
    assert sprite.label == message("signs")
    assert sprite.seen == (6, 1)
    assert shown.pictures == [sprite]
    assert opened(sealed(chapter)).figures["map"].weights == {"lenet": Passport(0, KEY)}


WRONG = [
    (("chosen",), 2, "expected 'chosen' to be the number of a variant - at `$.figures[...]`"),
    (("chosen",), "1", "Expected `int`, got `str` - at `$.figures[...].chosen`"),
    (("layout",), "heap", "Invalid enum value 'heap' - at `$.figures[...].layout`"),
    (
        ("variants", 0, "panels", 0, "type"),
        "film",
        "Invalid value 'film' - at `$.figures[...].variants[0].panels[0].type`",
    ),
    (
        ("variants", 1, "panels", 0, "width"),
        0,
        "Expected `int` >= 1 - at `$.figures[...].variants[1].panels[0].width`",
    ),
    (
        ("variants", 1, "panels", 0, "bands", "height"),
        9,
        "expected bands that are no higher than the picture - at "
        "`$.figures[...].variants[1].panels[0]`",
    ),
    (
        ("variants", 1, "panels", 0, "more"),
        1,
        "Object contains unknown field `more` - at `$.figures[...].variants[1].panels[0]`",
    ),
    (
        ("alt",),
        ["two", "languages"],
        "Expected `str | object`, got `array` - at `$.figures[...].alt`",
    ),
]


@pytest.mark.parametrize(("place", "value", "said"), WRONG)
def test_another_shape_is_said_in_one_line(place, value, said):
    at = described = figure("relu/map.png")
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    chapter = {"key": KEY, "figures": {"map": described}}
    with pytest.raises(CnnvizError) as raised:
        opened(small_bundle.sealed(chapter))
    assert str(raised.value) == f"is no description of a chapter: {said}"


def test_what_differs_from_what_was_written(chapter):
    with pytest.raises(DamagedError, match="^differs from what was written$"):
        opened(sealed(chapter).replace(b'"n":1', b'"n":2'))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"legends": [Legend("value", "url(x)")]}, r"regex .*legends\[0\].gradient`"),
        ({"legends": [Legend("value", low="x" * 2001)]}, r"<= 2000 - at .*\.low`"),
        ({"name": "\ud800"}, "surrogates not allowed"),
        ({"name": object()}, "objects of type object is unsupported"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(chapter, tmp_path, change, said):
    map_ = chapter.figures["map"]
    variant = msgspec.structs.replace(map_.variants[0], **change)
    map_ = msgspec.structs.replace(map_, variants=[variant], chosen=0)
    chapter.figures["map"] = map_
    settings = Settings(build_dir=tmp_path)
    line = rf"^What was drawn for the chapter 'relu' is no description of a chapter: .*{said}.*\.$"
    with pytest.raises(CnnvizError, match=line) as raised:
        manifest.write("relu", chapter, settings)
    assert str(raised.value).isprintable()
    assert not list(tmp_path.rglob("*"))
