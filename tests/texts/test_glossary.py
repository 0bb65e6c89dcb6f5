"""The glossary, and the prose held to it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cnnviz.errors import CnnvizError
from gen.settings import ROOT
from gen.site.parts import Parts
from gen.texts.course import DIRECTIVE
from gen.texts.glossary import (
    LANGUAGES,
    Finder,
    FirstUses,
    Term,
    glossary_markdown,
    pattern,
    read,
)
from gen.texts.sections import NAMED_ONLY
from tests.site_markdown import parser

TERMS = read(ROOT / "docs" / "glossary.yml")
PAGES = {
    language: {p.relative_to(ROOT / "docs" / language): p for p in
               (ROOT / "docs" / language).rglob("*.md") if p.stem != "glossary"}
    for language in LANGUAGES
}  # fmt: skip
KERNEL = Term("kernel", "卷积核", "kernel", "convolution", {"zh": "一小块权重。", "en": "Weights."})
CONVOLUTION = Term(
    "convolution", "卷积", "convolution", "convolution", {"zh": "滑。", "en": "Slide."}
)


def prose(path: Path) -> str:
    """The running text: no code, no directives, no references at the end, no addresses."""
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text("utf-8"), flags=re.M | re.S)
    text = re.sub(r"^## [^\n]*\{ #further-reading \}.*", "", text, flags=re.M | re.S)
    text = DIRECTIVE.sub("", text)
    # A reader may know the term under another name, and is told so where it is explained.
    text = NAMED_ONLY.sub("", text)
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)|\{ #[^}]*\}", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_term_is_translated_a_second_way(language):
    forbidden = {word: term for term in TERMS for word in term.unused(language)}
    allowed = {
        (page, entry["text"])
        for entry in yaml.safe_load((ROOT / "docs" / "prose-allow.yml").read_text("utf-8"))
        if entry["rule"] == "term"
        for page in entry["pages"]
    }
    for page, path in PAGES[language].items():
        for word, term in forbidden.items():
            if (page.with_suffix("").as_posix(), word) in allowed:
                continue
            assert not pattern([word], language).search(prose(path)), (
                f"docs/{language}/{page} says '{word}'; our word is '{term.name(language)}'"
            )


@pytest.mark.parametrize("page", sorted(PAGES["zh"]), ids=str)
def test_both_languages_of_a_page_speak_of_the_same_terms(page):
    """A term used often in one language and never in the other has got a second name there."""
    zh, en = (Finder(TERMS, lang).count(prose(PAGES[lang][page])) for lang in LANGUAGES)
    for term in TERMS:
        counts = zh[term.id], en[term.id]
        assert min(counts) > 0 or max(counts) < 4, (
            f"{page}: '{term.zh}' {counts[0]} times in zh, '{term.en}' {counts[1]} times in en"
        )


def linked(markdown, terms, language, glossary_url):
    """The page that Markdown makes, with links to the glossary."""
    parts = Parts()
    md = parser(parts)
    parts.page(uses=FirstUses(terms, language, glossary_url))
    return parts.filled(md.convert(markdown))


def test_only_the_first_use_is_linked_and_the_longest_term_wins():
    text = "卷积\n---\n\n卷积核与卷积，`卷积`，卷积核。"
    assert linked(text, [CONVOLUTION, KERNEL], "zh", "../glossary/").endswith(
        '</h2>\n<p><a class="term" href="../glossary/#kernel" title="一小块权重。">'
        '卷积核</a>与<a class="term" href="../glossary/#convolution" title="滑。">卷积</a>，'
        "<code>卷积</code>，卷积核。</p>"
    )


def test_english_terms_are_whole_words_with_their_plural():
    text = "Subkernels, [kernel](x), **Kernels**."
    assert linked(text, [KERNEL], "en", "") == (
        '<p>Subkernels, <a href="x">kernel</a>, '
        '<strong><a class="term" href="#kernel" title="Weights.">Kernels</a></strong>.</p>'
    )


def test_a_void_element_in_a_heading_does_not_hide_the_rest():
    text = "## One<br>kernel ![x](x.png)\n\nkernel"
    html = linked(text, [KERNEL], "en", "")
    assert html.endswith(">kernel</a></p>")
    assert html.count('class="term"') == 1


def test_the_page_has_each_term_under_its_chapter():
    text = glossary_markdown([KERNEL, CONVOLUTION], "en", {"image": "Image", "convolution": "Conv"})
    assert text.startswith("## Conv { #in-convolution }")
    assert (
        '<span id="kernel"></span>**[kernel](convolution.md)** · <span lang="zh">卷积核</span>'
        in text
    )
    assert "Image" not in text


def test_the_page_tells_what_other_books_call_it():
    pooling = replace(CONVOLUTION, elsewhere={"zh": ["池化"], "en": ["a", "b"]})
    titles = {"convolution": "Conv"}
    assert ":   滑。也叫池化。" in glossary_markdown([pooling], "zh", titles)
    assert ":   Slide. Also called a, b." in glossary_markdown([pooling], "en", titles)


GOOD = "- id: a\n  zh: 甲\n  en: alpha\n  page: p\n  means: {zh: 第一。, en: First.}\n"


@pytest.mark.parametrize(
    ("entries", "zh", "en"),
    [
        (GOOD.replace("id: a", "id: a&b"), ":1: .*链接的一部分", ":1: .*becomes part of a link"),
        (GOOD.replace("  page: p\n", ""), ":1: 术语 a：缺少 page", ":1: the term a lacks page"),
        (
            GOOD.replace("means", "mean"),
            "缺少 means。没有 mean 这样",
            "lacks means and has .* mean",
        ),
        (f"{GOOD}\n{GOOD}", ":7: a 在这里又出现", ":7: a stands here a second time"),
        (GOOD + GOOD.replace("id: a", "id: b"), ":6: 甲 在这里又", ":6: 甲 stands here a second"),
        (f"{GOOD}  also: {{zh: 子}}\n", "also: {zh: \\[词, 词\\]}", "also .* not as it should be"),
        (GOOD.replace("  en: a", " en: a"), ":3: .*看不懂", ":3: .*cannot be read"),
        (GOOD.replace("  zh: 甲", "  zh：甲"), ":3: .*冒号用半角", ":3: .*cannot be read"),
        ("a: b", ":1: .*每条以", ":1: .*begin each with"),
    ],
)
def test_a_bad_entry_is_named_with_its_line(tmp_path, monkeypatch, entries, zh, en):
    (tmp_path / "glossary.yml").write_text(entries, "utf-8")
    for locale, said in (("zh_CN.UTF-8", zh), ("C.UTF-8", en)):
        monkeypatch.setenv("LC_ALL", locale)
        with pytest.raises(CnnvizError, match=rf"^docs/glossary.yml.*{said}"):
            read(tmp_path / "glossary.yml")
