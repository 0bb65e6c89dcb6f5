"""gen.site.parts: figures, formulas and links are put into a page while Markdown makes it."""

import pytest

from cnnviz.errors import CnnvizError
from gen.checks.allowed_html import problems
from gen.checks.html_lists import TEXT
from gen.site.parts import Parts
from gen.texts.glossary import FirstUses, Term
from tests.site_markdown import parser

KERNEL = Term("kernel", "卷积核", "kernel", "convolution", {"zh": "权重。", "en": "It's weights."})


def figure(address, caption):
    if caption is None:
        raise CnnvizError(f"{address}: no plain caption")
    return f"<figure id='{address}'><svg></svg><figcaption>{caption}</figcaption></figure>"


def slot(caption, address="a/b"):
    start = f'<div class="figure-slot" data-figure="{address}" markdown="1">'
    return f"{start}\n\n{caption}\n\n</div>"


def made(text):
    """What the first look sees, and the finished page."""
    parts = Parts()
    md = parser(parts)
    parts.page(figure, FirstUses([KERNEL], "en", "../glossary/"))
    first = md.convert(text)
    return first, parts.finished(parts.filled(first))


def test_a_figure_stands_around_its_caption():
    caption = r"A **kernel**, \(x\)."
    first, finished = made(f"before\n\n{slot(caption)}\n\nbehind")
    assert finished.startswith(
        "<p>before</p>\n<figure id='a/b'><svg></svg><figcaption><p>A <strong>"
        '<a class="term" href="../glossary/#kernel" title="It&#x27;s weights.">kernel</a>'
        '</strong>, <span class="math-then"><span class="math math-inline"'
    )
    assert finished.count("<svg") == 2
    assert "figure-slot" not in finished
    assert finished.endswith("</span>.</span></p></figcaption></figure>\n<p>behind</p>")
    assert "svg" not in first
    assert problems(first, TEXT) == []


def test_what_reads_a_page_before_it_is_finished_reads_captions_and_no_drawings():
    parts = Parts()
    md = parser(parts)
    parts.page(figure)
    filled = parts.filled(md.convert(slot("A caption.")))
    assert "A caption." in filled
    assert "svg" not in filled
    parts.page()  # the next one of the build
    assert parts.finished(filled) == figure("a/b", "<p>A caption.</p>")
    assert parts.finished("<!--0123456789abcdefx0x-->") == "<!--0123456789abcdefx0x-->"


def test_a_figure_without_a_caption_and_two_of_them():
    _, finished = made(f"{slot('')}\n\n{slot('text', 'c/d')}")
    one, other = finished.split("\n")
    assert one == figure("a/b", "")
    assert other == figure("c/d", "<p>text</p>")


@pytest.mark.parametrize(
    "caption",
    ["``` python\nx = 1\n```", "!!! note\n    text", r"\[ x \]", "<div>text</div>"],
)
def test_a_caption_is_plain(caption):
    with pytest.raises(CnnvizError, match="a/b: no plain caption"):
        made(slot(caption))


def test_the_first_error_is_said():
    box = slot("<div>text</div>")
    with pytest.raises(CnnvizError, match=r"Cannot draw the formula 'x\^'"):
        made(f"\\(x^\\)\n\n{box}")


def test_what_somebody_wrote_by_hand_is_left_alone():
    text = r'<p title="a > kernel">a kernel <span class="arithmatex">\(x\)</span></p>'
    first, finished = made(text)
    assert first == finished == text


def test_what_only_looks_like_a_place_is_left_alone():
    text = "*x*{ .arithmatex } and *y*{ .figure-slot data-figure=a/b }"
    first, finished = made(text)
    assert first == finished
    assert "<svg" not in finished


def test_each_page_begins_anew():
    parts = Parts()
    md = parser(parts)
    parts.page(figure)
    md.convert(slot("<div>text</div>"))
    parts.page(figure, FirstUses([KERNEL], "en", ""))
    assert parts.filled(md.reset().convert("kernel")).count('class="term"') == 1
