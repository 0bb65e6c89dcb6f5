"""The rules for prose: each finds what it should, and lets good text pass."""

import json
from dataclasses import replace

import pytest

from cnnviz.errors import CnnvizError
from gen.checks import spelling, typed_numbers
from gen.checks.remark import Page, Site
from gen.checks.rules import OUR_SITES, remarks
from gen.checks.writing import check
from gen.settings import ROOT, from_environment
from gen.texts.glossary import Term
from gen.texts.words import check_words

POOLING = Term(
    "pooling", "汇聚", "pooling", "page", {"zh": "。", "en": "."}, never={"zh": ["池化"], "en": []}
)
FRONT = "---\ndescription: A page.\n---\n\n"
SITE = Site(
    [POOLING],
    {"zh": {"page": {"top"}, "other": {"end"}}, "en": {"page": {"top"}, "made": {"*"}}},
    {"net": {"accuracy": 0.98412, "parameters": 61706, "shape": [3, 4.56789]}},
)


SAY = check_words("en")


def said(language, text):
    return [(r.rule, r.text, r.line) for r in remarks(Page(language, "page", text), SITE)]


def test_our_prose_is_in_order():
    found = check(ROOT / "docs", from_environment().figures_dir)
    assert [finding.text("en") for finding in found] == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("一张3通道的图", "张3"),
        ("一个LeNet", "个L"),
        ("用PyTorch写", "h写"),
        ("是 5%的", "%的"),
        ("先卷积,再汇聚", "积,"),
        ("感受野(看得见的范围)", "野("),
        ("叫作“汇聚” 。", "” 。"),
        ("先卷积， 再汇聚", "， 再"),
        ("您好", "您"),
        ("等等...", "..."),
        ("先卷积,再汇聚.", "聚."),
        ("`fc1`有 120 个单元", "`…`有"),
        ("![小猫,在睡觉](cat.png)", "猫,"),
        ('所谓"汇聚"', '"'),
    ],
)
def test_chinese_typography(text, part):
    found = said("zh", f"第一行\n\n{text}\n")
    assert found
    assert all(rule == "typography" and line == 3 for rule, _, line in found)
    assert any(part in around for _, around, _ in found)


@pytest.mark.parametrize(
    "text",
    [
        "一张 3 通道的图，`conv1` 之后是 28×28。",
        "**卷积。** 一个核滑过图。",
        "![小猫在睡觉](cat.png)",
        "形状是 (N, C, H, W) 的张量。",
        "第 [[= net.step ]] 步，[[% if net.good %]]很好[[% endif %]]。",
        '!!! question "这一章的问题"',
        '    ??? success "答案"',
        "| 列（单位） | 3 |",
        "``` text\n中文code，没有关系\n```",
        r"权重 \(w\) 乘以输入。",
        '看看？ <button type="button">做给我看</button>',
        "## 小结 { #summary }",
    ],
)
def test_good_chinese_passes(text):
    assert said("zh", text) == []


def test_full_width_marks_in_english():
    assert said("en", "One，two.") == [("typography", "One，two.", 1)]
    assert said("en", 'The term <span lang="zh">卷积，核</span>.') == []


def test_spelling():
    assert said("en", "A seperate colour.") == [("spelling", "seperate", 1)]
    assert said("en", "A separate color.") == [("spelling", "color", 1)]
    assert said("en", "`color` and [colour](color.html): a program that checks a story.") == []
    assert spelling.american()["normalized"] == "normalised"
    assert len(spelling.misspelt()) > 40_000


def test_a_term_has_one_name():
    assert said("zh", "先池化。") == [("term", "池化", 1)]
    assert said("zh", "汇聚，也叫池化。") == []
    assert said("zh", "空洞率，也叫扩张率、膨胀率。") == []
    assert said("en", "A feature map (also called activation map).") == []


def test_links_and_anchors():
    text = (
        "[a](other.md#end) [b](othr.md)\n[c](other.md#no) [d](#top) [e](#no) [f](https://x.org/#q)"
    )
    assert said("zh", text) == [
        ("link", "othr.md", 1),
        ("link", "other.md#no", 2),
        ("link", "#no", 2),
    ]
    assert said("en", "[a](made.md#whatever) [b](atlas/lenet/conv1.md)") == []


def test_pictures_without_words():
    assert [
        rule for rule, *_ in said("en", '![](a.png) ![map](b.png) <img src="c"> <img alt="">')
    ] == [
        "alt",
        "alt",
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It reads 98.4% right.", "98.4%"),
        ("It has [[= net.count ]] of 61,706 parameters.", "61,706"),
        ("[[= net.count ]] and 4.568 of it.", "4.568"),
        ("About 12.3% of them.", "12.3%"),
    ],
)
def test_a_typed_measurement(text, number):
    assert said("en", text) == [("number", number, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "It has 61,706 parameters.",  # shows no number of that chapter
        "[[= net.count ]]: 6 × 61,706 = 370,236",
        "[[= net.count ]] `61,706`",
        "Half of it, 50%, or 0.5.",
        "## Exercises { #exercises }\n\n1. A network reads 98.4% right.\n",
        "---\ndescription: 98.4%\n---\n",
    ],
)
def test_numbers_that_may_be_typed(text):
    assert said("en", text) == []


def test_the_metric_is_named():
    ((number, line, metric),) = typed_numbers.suspects("[[= net.x ]]\n98.4%", "p", SITE.numbers)
    assert (number, line, metric) == ("98.4%", 2, "net.accuracy | percent(1)")


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "glossary.yml").write_text("[]")
    for language in ("zh", "en"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "index.md").write_text(FRONT + "# A { #a }\n\ncolor\n")
    return tmp_path


def test_the_numbers_of_a_build_are_those_that_were_written(tmp_path):
    """The check runs where no package is that reads a build otherwise."""
    for name, numbers in {"net": {"accuracy": 0.984}, "examples": {"program": "1.25"}}.items():
        chapter = {"digest": "abcd", "chapter": {"numbers": numbers}}
        (tmp_path / f"{name}.json").write_text(json.dumps(chapter))
    assert typed_numbers.read(tmp_path) == {"net": {"accuracy": 0.984}}
    assert typed_numbers.read(tmp_path / "nothing") == {}


def test_a_third_language_may_link_to_what_it_has_not_translated(docs):
    (docs / "xx").mkdir()
    page = FRONT + "# X { #a }\n\n[one](more.md) [two](none.md)\n"
    (docs / "xx" / "index.md").write_text(page, "utf-8")
    (docs / "en" / "more.md").write_text(FRONT + "# More { #more }\n", "utf-8")
    (remark,) = [f.sentence("en") for f in check(docs, docs) if f.file == "docs/xx/index.md"]
    assert remark.startswith("the link none.md leads to no page.")


def test_the_allow_list(docs):
    assert [f.text("en") for f in check(docs, docs)] == [
        "docs/en/index.md:7: 'color': American; we write British English. What to do: write colour."
    ]
    entry = "- rule: spelling\n  text: {}\n  pages: [index]\n  why: {}\n"
    (docs / "prose-allow.yml").write_text(entry.format("color", "A word of CSS."))
    assert check(docs, docs) == []
    (docs / "prose-allow.yml").write_text(
        entry.format("color", "CSS.") + entry.format("gray", "No.")
    )
    (left,) = check(docs, docs)
    assert left.text("en").startswith("docs/prose-allow.yml:6: 'gray' (spelling, index) is in the")
    (docs / "prose-allow.yml").write_text(entry.format("color", '""'))
    with pytest.raises(CnnvizError, match="should have rule, text, pages and why"):
        check(docs, docs)


@pytest.mark.parametrize(
    "entry",
    [
        "{rule: spellin, text: color, pages: [index], why: So.}",
        "{rule: spelling, text: color, pages: index, why: So.}",
        "{rule: spelling, text: yes, pages: [index], why: So.}",
        "{rule: spelling, text: color, pages: [index]}",
        "color",
    ],
)
def test_an_entry_of_the_allow_list_that_is_wrong(docs, entry):
    (docs / "prose-allow.yml").write_text(f"- {entry}\n")
    with pytest.raises(CnnvizError, match=r"the entry .* should have .* What to do: name one of"):
        check(docs, docs)


def test_an_allow_list_that_cannot_be_read(docs):
    (docs / "prose-allow.yml").write_text("- rule: spelling\n  why: one: two\n")
    with pytest.raises(CnnvizError, match=r"docs/prose-allow.yml:2: this line cannot be read"):
        check(docs, docs)


def test_where_several_corrections_are_known():
    ((_, sentence),) = [(r.rule, SAY(r.what)) for r in remarks(Page("en", "page", "lerned"), SITE)]
    assert sentence == "'lerned': misspelt. What to do: write learned or learnt or leaned."


def test_an_american_term_is_a_matter_of_spelling_alone():
    term = Term("normalisation", "归一化", "normalisation", "page", {"en": "."})
    site = Site([replace(term, never={"en": ["normalization"]})], SITE.anchors, {})
    assert [r.rule for r in remarks(Page("en", "page", "Normalization."), site)] == ["spelling"]


@pytest.mark.parametrize("target", ["../other/", "/en/other/", f"{OUR_SITES[0]}en/other/"])
def test_an_address_of_the_site_is_no_link_in_a_text(target):
    (remark,) = remarks(Page("en", "page", f"[other]({target}#end)"), SITE)
    assert "is an address of the site. What to do: write the name of the file" in SAY(remark.what)
    assert "such as other.md" in SAY(remark.what)


def test_the_nearest_page_and_anchor_are_named():
    page, anchor = remarks(Page("zh", "page", "[a](othr.md) [b](other.md#ends)"), SITE)
    assert "Did you mean other.md?" in SAY(page.what)
    assert "Did you mean #end?" in SAY(anchor.what)


def test_a_typed_number_is_answered_with_what_the_other_language_has():
    values = {"zh": {"page#top": ["[[= net.a | percent ]]", "[[= net.b | percent ]]"]}}
    site = Site([], SITE.anchors, {}, values)
    text = "# A { #top }\n\n[[= net.a | percent ]] and 12.3%."
    (remark,) = remarks(Page("en", "page", text), site)
    there = "write [[= net.b | percent ]] (as the other language has in this section)"
    assert there in SAY(remark.what)
