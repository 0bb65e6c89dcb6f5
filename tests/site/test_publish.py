"""Cards, structured data, feed, robots, notices: what surrounds a page."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import KeptDrawing, KeptFigure, KeptPicture, KeptVariant
from gen.checks import in_step
from gen.settings import ROOT
from gen.site import cards, feed, structured
from gen.site.frame import Frame
from gen.texts import languages
from gen.texts.course import Chapter

CONFIG = """
INHERIT: mkdocs.yml
site_url: !ENV [SITE_URL, "x"]
extra:
  words: {{own_name: {0}, read_here: Read {0}, behind: Behind {0}, untranslated: Not {0}}}
"""


def figure(file, width, height, panels=1):
    return of_panels([KeptPicture(None, None, file, width, height, 1, False)] * panels)


def of_panels(panels):
    variant = KeptVariant("one", panels, [])
    return KeptFigure("figure", "row", 0, None, 0, [], [variant], "x.y", "gen/x.py#L1", {})


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture
def source(tmp_path):
    """Noise, which compresses worst, as large as figures are."""
    pixels = np.random.default_rng(0).integers(0, 256, (300, 1000, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    Image.fromarray(pixels[:28, :28]).save(tmp_path / "small.png")
    return tmp_path


@pytest.mark.parametrize(
    "title", ["Pooling", "汇聚", "A title so long that it needs two lines, or three"]
)
def test_a_card_has_its_size_and_is_drawn_once(source, title):
    figures = {"a/noise": figure("noise.png", 1000, 300)}
    path = cards.card(title, "Site", "a/noise", figures, source, source / "cards")
    assert path.stat().st_size <= cards.LARGEST
    assert pixels_of(path).shape == (cards.HEIGHT, cards.WIDTH, 3)
    time = path.stat().st_mtime_ns
    assert cards.card(title, "Site", "a/noise", figures, source, source / "cards") == path
    assert path.stat().st_mtime_ns == time
    assert cards.card(title + "!", "Site", "a/noise", figures, source, source / "cards") != path


@pytest.mark.parametrize("damage", [b"", b"another picture"])
def test_a_damaged_card_is_drawn_again(source, damage):
    figures = {"a/small": figure("small.png", 28, 28)}
    path = cards.card("Pooling", "Site", "a/small", figures, source, source / "cards")
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert cards.card("Pooling", "Site", "a/small", figures, source, source / "cards") == path
    assert path.read_bytes() == whole


def test_without_a_chinese_font_the_figure_stands_alone(source, monkeypatch):
    monkeypatch.setattr(cards, "_HAN_FONTS", (("/nowhere.ttc", 0),))
    figures = {"a/small": figure("small.png", 28, 28)}
    path = cards.card("汇聚", "看见", "a/small", figures, source, source / "cards")
    pixels = pixels_of(path)
    assert (pixels[40:250] == pixels[40, 0]).all()  # no empty boxes where the title would be
    assert not (pixels[300:] == pixels[40, 0]).all()


def test_pixels_are_enlarged_without_blur(source):
    figures = {"a/small": figure("small.png", 28, 28)}
    pixels = pixels_of(cards.card("A", "B", "a/small", figures, source, source / "cards"))
    top = cards.HEIGHT - 60 - 300 + (300 - 280) // 2
    assert (pixels[top : top + 10, 60:70] == pixels[top, 60]).all()


def test_the_figure_of_a_card_is_the_first_that_fills_it():
    figures = {
        "a/chart": of_panels([KeptDrawing(None, None, {"en": "<svg/>"})]),
        "a/one": figure("x.png", 28, 28),
        "a/row": figure("x.png", 28, 28, panels=6),
    }
    assert cards.figure_for(["a/chart", "a/one", "a/row"], figures) == "a/row"
    assert cards.figure_for(["a/chart", "a/one"], figures) == "a/one"
    assert cards.figure_for(["a/chart", "a/none"], figures) == ""


def test_a_page_as_a_learning_resource():
    chapter = Chapter("pooling", 7, "Pooling", "What is **lost** in [[= n ]]?", (), 11)
    text = structured.learning_resource(
        "A </script> title", "About", "en", "u", "i", ("Site", "s"), chapter
    )
    assert "</" not in text
    facts = json.loads(text)
    assert facts["name"] == "A </script> title"
    assert (facts["@type"], facts["timeRequired"], facts["position"]) == (
        "LearningResource",
        "PT11M",
        7,
    )
    assert facts["abstract"] == "What is lost in …?"


CHANGES = """# Changes { #changelog }

## 2026-11-24: A & B { #b }

- One [link](x.md), **bold**.

## 2026-01-02：第一次 { #a }

Text.
"""


def test_what_looks_like_html_in_the_feed_is_text():
    """Readers of feeds take a description for HTML."""
    changes = "## 2026-11-30: A `<b>` { #a }\n\nNow `<img src=x>` & more.\n"
    text = feed.rss(changes, "T", "D", "en", "https://example.org/en/")
    assert "&amp;lt;img src=x&amp;gt; &amp;amp; more." in text


def test_the_feed():
    text = feed.rss(CHANGES, "T", "D", "en", "https://example.org/en/")
    channel = ElementTree.fromstring(text)[0]
    items = channel.findall("item")
    assert [item.findtext("title") for item in items] == ["A & B", "第一次"]
    assert items[0].findtext("link") == "https://example.org/en/changelog/#b"
    assert items[0].findtext("pubDate") == "Tue, 24 Nov 2026 00:00:00 +0000"
    assert items[0].findtext("description") == "One link, bold."
    with pytest.raises(CnnvizError, match="begins with its date"):
        feed.rss("## Today { #a }\n", "T", "D", "en", "https://example.org/en/")


def test_robots_name_every_sitemap():
    assert feed.robots("https://x.org/", ["", "en/"]).count("Sitemap: https://x.org/") == 2


@pytest.fixture
def root(tmp_path):
    for code, config in (("zh", "mkdocs.yml"), ("en", "mkdocs.en.yml"), ("xx", "mkdocs.xx.yml")):
        (tmp_path / config).write_text(CONFIG.format(code))
        (tmp_path / "docs" / code).mkdir(parents=True)
        (tmp_path / "docs" / code / "index.md").write_text("# A { #a }\n\n## B { #b }\n\nText.\n")
    for code in ("zh", "en"):
        (tmp_path / "docs" / code / "more.md").write_text("# C { #c }\n")
    in_step.record(tmp_path / "docs")
    return tmp_path


def frame(root, code, url="https://x.org/s/"):
    folder = "" if code == "zh" else f"{code}/"
    return Frame(root, code, ("S", "D", url + folder), {}, root, root / "cards")


def test_languages_are_found_by_their_files(root):
    assert [language.code for language in languages.read(root)] == ["zh", "en", "xx"]
    assert [language.code for language in languages.read(ROOT)][:2] == ["zh", "en"]


def test_a_page_knows_its_twins(root):
    paths = [(o["code"], o["path"]) for o in frame(root, "en").others("index", "")]
    assert paths == [("zh", "/../"), ("xx", "/../xx/")]
    assert [o["path"] for o in frame(root, "zh").others("more", "more/")] == ["/en/more/"]
    assert [a["url"] for a in frame(root, "xx").alternates("index", "")] == [
        "https://x.org/s/",
        "https://x.org/s/en/",
        "https://x.org/s/xx/",
        "https://x.org/s/",
    ]
    # Made by the build, in all languages.
    assert len(frame(root, "zh").others("atlas/lenet/conv1", "atlas/lenet/conv1/")) == 2


def test_readers_are_told_what_is_behind(root):
    path = root / "docs" / "zh" / "index.md"
    path.write_text(path.read_text().replace("Text.", "New."))
    html = '<h1 id="a">A</h1><h2 id="b">B</h2><p>Text.</p>'
    told = frame(root, "en").with_notices(html, "index", "", ".")
    assert re.search(
        r'<h2 id="b">B</h2><div class="cv-behind" role="note"[^>]*><p>Behind en <a', told
    )
    assert 'href="./../#b" lang="zh" hreflang="zh">Read zh</a>' in told
    assert told.count('role="note"') == 1
    assert frame(root, "zh").with_notices(html, "index", "", ".") == html


def test_a_notice_at_the_top_stands_below_the_facts_of_the_chapter(root):
    path = root / "docs" / "zh" / "index.md"
    path.write_text(path.read_text().replace("# A", "# Z", 1))
    html = '<h1 id="a">A</h1><ul class="chapter-facts"><li>x</li></ul><p>Text.</p>'
    told = frame(root, "en").with_notices(html, "index", "", ".")
    assert "</ul><div" in told


def test_an_untranslated_page_says_so_in_the_language_of_its_reader(root):
    told = frame(root, "xx").with_notices("<h1>C</h1>", "more", "more/", "..")
    assert told == (
        '<div lang="en"><div class="cv-behind" role="note" lang="xx"><p>Not xx</p></div>'
        "<h1>C</h1></div>"
    )
