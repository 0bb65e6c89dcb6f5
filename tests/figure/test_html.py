"""HTML of a figure: what a reader, a screen reader and a keyboard get."""

import re
from html.parser import HTMLParser
from pathlib import Path
from tempfile import mkdtemp

import pytest
from msgspec.structs import replace

from cnnviz.drawing.charts import line_chart
from cnnviz.errors import CnnvizError
from cnnviz.figure import html as figures_html
from cnnviz.figure.html import environment, figure_html
from cnnviz.figure.kept import (
    Bands,
    KeptDrawing,
    KeptFigure,
    KeptPicture,
    KeptVariant,
    Legend,
    Links,
    Passport,
)
from cnnviz.words import PackageWords, message, package_files

PICTURE = KeptPicture(
    label=message("after"),
    alt=None,
    file="net/maps-0-abc.png",
    width=29,
    height=5,
    scale=4.5,
    photo=False,
)
DRAWING = KeptDrawing(
    label=None, alt=None, markup={"zh": "<svg>层</svg>", "en": "<svg>layer</svg>"}
)
LEGEND = Legend(message("weight"), "linear-gradient(x)", "−1", "1")


ZH = """
net:
  maps:
    alt: "[[= count ]] 个核"
    note: "<b>[[= what ]]</b>"
    step: "步数"
after: "训练之后"
weight: "权重"
"""
EN = """
net:
  maps:
    alt: '[[= count ]] "kernels"'
    note: "<b>[[= what ]]</b>"
    step: "Step"
after: "after training"
weight: "weight"
"""


class Words(PackageWords):
    """The package's words, and those of the figures of these tests."""

    def __init__(self, **texts):
        self.folder = Path(mkdtemp())
        for language, text in ({"zh": ZH, "en": EN} | texts).items():
            (self.folder / f"{language}.yml").write_text(text, "utf-8")

    def files(self, language, scope):
        return [self.folder / f"{language}.yml", *package_files(language)]


def figure(panels, variants=1, legends=(LEGEND,), **changes):
    described = {
        "alt": message("alt", count=6),
        "layout": "row",
        "columns": 0,
        "chosen": 0,
        "scrub": None,
        "notes": [],
        "variants": [KeptVariant("per map", panels, list(legends))] * variants,
        "scope": "net.maps",
        "source": "gen/figures/net.py#L7",
        "weights": {"lenet": Passport(3, "0123abcd")},
    }
    return KeptFigure(**described | changes)


def html_of(described, language="en"):
    return figure_html(
        "net/maps",
        described,
        language,
        "<p>Caption</p>",
        lambda file: f"../figures/{file}",
        "https://example.org/blob/main/",
        "c0ffee",
        Words(),
    )


class Balanced(HTMLParser):
    """Fails unless every element that is opened is closed, in order."""

    VOID = ("img", "input")

    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(html):
    parser = Balanced()
    parser.feed(html)
    assert not parser.open
    return parser.seen


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("variants", [1, 3])
def test_it_is_well_formed(language, variants):
    parsed(html_of(figure([PICTURE, DRAWING], variants), language))


def test_a_picture_has_its_size_scale_and_alternative_text():
    ((_, image),) = [e for e in parsed(html_of(figure([PICTURE]))) if e[0] == "img"]
    assert image["src"] == "../figures/net/maps-0-abc.png"
    assert (image["width"], image["height"]) == ("29", "5")
    assert image["style"] == "--w:29;--scale:4.5"
    assert image["alt"] == "after training"


def test_without_label_the_alternative_text_is_that_of_the_figure():
    html = html_of(figure([replace(PICTURE, label=None)]))
    ((_, image),) = [e for e in parsed(html) if e[0] == "img"]
    assert image["alt"] == '6 "kernels"'


def test_several_panels_are_a_named_group():
    name, attributes = parsed(html_of(figure([PICTURE, PICTURE])))[0]
    assert (name, attributes["role"]) == ("figure", "group")
    assert attributes["aria-label"] == '6 "kernels"'
    assert attributes["id"] == "fig-net-maps"


def test_each_language_gets_its_own_words():
    zh, en = (html_of(figure([DRAWING]), language) for language in ("zh", "en"))
    assert "<svg>层</svg>" in zh
    assert "<svg>layer</svg>" in en
    assert "这张图是怎样生成的" in zh
    assert "How this figure was made" in en


def test_drawings_scroll_and_can_be_reached_by_keyboard():
    boxes = [a for _, a in parsed(html_of(figure([DRAWING]))) if a.get("class") == "fig-scroll"]
    assert [box["tabindex"] for box in boxes] == ["0"]


def test_names_at_the_ends_of_lines_are_repeated_for_phones():
    chart = line_chart({"a & b": ([0, 1], [0, 1]), "c": ([0, 1], [1, 0])}, title="t")
    html = html_of(figure([replace(DRAWING, markup={"zh": chart, "en": chart})]))
    names = html[html.index('<ul class="line-names"') : html.index("</ul>")]
    assert re.findall(">([^<>]+)<", names) == ["a &amp; b", "c"]
    dashed = [a for tag, a in parsed(html) if tag == "path" and a.get("d") == "M0 4h24"]
    assert [a["stroke"] for a in dashed] == ["var(--cnnviz-1)", "var(--cnnviz-2)"]
    assert [a["stroke-dasharray"] for a in dashed] == ["none", "10 4"]


def test_signed_scales_mark_the_zero():
    assert "legend-diverging" in html_of(figure([PICTURE]))
    unsigned = replace(LEGEND, low="0")
    assert "legend-diverging" not in html_of(figure([PICTURE], legends=[unsigned]))


def test_variants_are_radio_buttons_with_one_chosen():
    elements = parsed(html_of(figure([PICTURE], variants=3, chosen=1)))
    radios = [a for name, a in elements if name == "input"]
    assert [("checked" in radio) for radio in radios] == [False, True, False]
    assert {radio["name"] for radio in radios} == {"fig-net-maps-tab"}
    labels = [a["for"] for name, a in elements if name == "label"]
    assert labels == [radio["id"] for radio in radios]


def test_the_passport_tells_function_weights_commit_and_command():
    html = html_of(figure([PICTURE]))
    for fact in (
        "gen/figures/net.py:7",
        "seed 3",
        "0123abcd",
        "c0ffee",
        "python -m gen draw net",
    ):
        assert fact in html
    assert "https://example.org/blob/main/gen/figures/net.py#L7" in html


def test_a_scrubber_says_what_it_moves():
    html = html_of(figure([PICTURE], variants=3, scrub=message("step")))
    assert 'data-scrub="Step"' in html
    assert "data-scrub" not in html_of(figure([PICTURE], variants=3))


def test_a_figure_can_be_linked_to():
    elements = parsed(html_of(figure([PICTURE])))
    (identity,) = [a["id"] for name, a in elements if name == "figure"]
    assert ("a", {"href": f"#{identity}"}) in elements


def test_sprites_show_one_band_and_tiles_lead_to_units():
    sprite = replace(PICTURE, bands=Bands(5, 1), links=Links("conv1", 6, 3))
    elements = parsed(html_of(figure([sprite])))
    ((_, image),) = [e for e in elements if e[0] == "img"]
    assert (image["class"], image["data-bands"]) == ("pixels sprite", "5")
    assert (image["height"], image["style"]) == ("1", "--w:29;--scale:4.5;aspect-ratio:29/1")
    tiles = {"class": "tiles", "data-layer": "conv1", "data-count": "6", "data-columns": "3"}
    assert ("div", tiles) in elements


def test_of_several_inputs_each_has_its_note_and_its_ends_of_the_scale():
    notes = [message("note", what="one"), message("note", what="a < b")]
    ends = replace(LEGEND, ends=[("0", "1"), ("−2", "2")])
    html = html_of(figure([PICTURE], notes=notes, legends=[ends]))
    assert '<div class="fig-notes"><p><b>one</b></p><p hidden><b>a &lt; b</b></p></div>' in html
    assert '<div class="legend" data-ends="0 1|−2 2">' in html


HOSTILE = "<script>\"'&"
ESCAPED = "&lt;script&gt;&quot;&#x27;&amp;"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_all_words_are_escaped(language):
    """Whatever stands in the figure; only drawings, notes and captions are markup."""
    said = message("evil", what=HOSTILE)
    library = Words(zh="evil: '[[= what ]]'", en="evil: '[[= what ]]'")
    picture = replace(PICTURE, label=said, alt=said, links=Links(HOSTILE, 1, 1), file=HOSTILE)
    legend = Legend(said, HOSTILE, HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)])
    hostile = figure([picture, replace(DRAWING, label=said, alt=said)], 2, [legend])
    hostile = replace(
        hostile,
        alt=said,
        scrub=said,
        source=f"{HOSTILE}#L7",
        variants=[replace(variant, name=said) for variant in hostile.variants],
        weights={HOSTILE: Passport(0, HOSTILE)},
    )
    html = figure_html("net/x", hostile, language, "<i>", str, HOSTILE, HOSTILE, library)
    assert "<script" not in html
    assert html.count(ESCAPED) == html.count("script")
    assert "<svg>" in html
    assert "<figcaption><i></figcaption>" in html


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("<p>\n{{ captoin }}</p>", "figure.html:2 cannot be filled in: 'captoin' is undefined."),
        ("{{ figure.atl }}", "figure.html:1 cannot be filled in: '.*KeptFigure.*' has no .*'atl'."),
        ("{{ words['nwe'] }}", r".*/en\.yml has no 'nwe'\. Write .*"),
        ("\n\n{% if caption %}", "figure.html:3 cannot be filled in: .*'endif'.*"),
    ],
)
def test_an_unknown_value_in_the_template_stops(tmp_path, monkeypatch, template, said):
    """In one line, which names template, line and value."""
    (tmp_path / "figure.html").write_text(template)
    monkeypatch.setattr(figures_html, "_PACKAGE", tmp_path / "cnnviz")
    monkeypatch.setattr(figures_html, "TEMPLATE", tmp_path / "figure.html")
    monkeypatch.setattr(figures_html, "_ENVIRONMENT", environment(tmp_path))
    with pytest.raises(CnnvizError, match=rf"^{said}$") as raised:
        html_of(figure([PICTURE]))
    assert str(raised.value).isprintable()


def test_lines_of_a_template_are_not_written(tmp_path):
    (tmp_path / "x").write_text("<p\n  class='a'>\n  {{ one }}\n  <b>\n b c </b>\n</p>\n")
    html = environment(tmp_path).get_template("x").render(one=" 1\n ")
    assert html == "<p class='a'> 1\n <b> b c </b></p>"


def test_a_language_without_a_drawing_or_a_word_gets_the_english_one():
    html = html_of(figure([DRAWING], scrub=message("step")), "xx")
    assert "<svg>layer</svg>" in html
    assert "weight" in html
    assert "How this figure was made" in html
