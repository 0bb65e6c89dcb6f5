"""The glossary, and the prose held to it."""

import re
from pathlib import Path

import pytest

from cnnviz.errors import CnnvizError
from gen.course import DIRECTIVE
from gen.glossary import LANGUAGES, Finder, Term, glossary_markdown, link_first_uses, pattern, read
from gen.settings import ROOT

TERMS = read(ROOT / "docs" / "glossary.yml")
PAGES = {
    language: {p.relative_to(ROOT / "docs" / language): p for p in
               (ROOT / "docs" / language).rglob("*.md") if p.stem != "glossary"}
    for language in LANGUAGES
}  # fmt: skip
MEANS = "means: {zh: 甲。, en: A.}"
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
    text = re.sub(r"也叫\w+|译作“\w+”", "", text)
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)|\{ #[^}]*\}", "", text)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.id)
def test_a_term_is_complete(term):
    page, _, anchor = term.page.partition("#")
    for language in LANGUAGES:
        path = ROOT / "docs" / language / f"{page}.md"
        assert path.exists(), f"'{term.id}' is explained on '{page}', which docs/{language} lacks"
        assert not anchor or f"#{anchor} }}" in path.read_text("utf-8")
        assert "\n" not in term.means[language].strip()
        assert term.means[language].endswith("。" if language == "zh" else ".")


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.id)
def test_the_chapter_that_explains_a_term_uses_it(term):
    for language in LANGUAGES:
        path = ROOT / "docs" / language / f"{term.page.split('#')[0]}.md"
        assert pattern(term.forms(language), language).search(prose(path)), (
            f"{path.relative_to(ROOT)} should explain '{term.name(language)}', and does not use it"
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_term_is_translated_a_second_way(language):
    forbidden = {word: term for term in TERMS for word in term.never.get(language, [])}
    for page, path in PAGES[language].items():
        for word, term in forbidden.items():
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


def test_only_the_first_use_is_linked_and_the_longest_term_wins():
    html = "<h2>卷积</h2><p>卷积核与卷积，<code>卷积</code>，卷积核。</p>"
    assert link_first_uses(html, [CONVOLUTION, KERNEL], "zh", "../glossary/") == (
        '<h2>卷积</h2><p><a class="term" href="../glossary/#kernel" title="一小块权重。">'
        '卷积核</a>与<a class="term" href="../glossary/#convolution" title="滑。">卷积</a>，'
        "<code>卷积</code>，卷积核。</p>"
    )


def test_english_terms_are_whole_words_with_their_plural():
    html = '<p>Subkernels, <a href="x">kernel</a>, <b>Kernels</b>.</p>'
    assert link_first_uses(html, [KERNEL], "en", "") == (
        '<p>Subkernels, <a href="x">kernel</a>, '
        '<b><a class="term" href="#kernel" title="Weights.">Kernels</a></b>.</p>'
    )


def test_a_void_element_in_a_heading_does_not_hide_the_rest():
    html = "<h2>One<br>kernel<img src='x'></h2><p>kernel</p>"
    assert link_first_uses(html, [KERNEL], "en", "").endswith(">kernel</a></p>")


def test_the_page_has_each_term_under_its_chapter():
    text = glossary_markdown([KERNEL, CONVOLUTION], "en", {"image": "Image", "convolution": "Conv"})
    assert text.startswith("## Conv { #in-convolution }")
    assert (
        '<span id="kernel"></span>**[kernel](convolution.md)** · <span lang="zh">卷积核</span>'
        in text
    )
    assert "Image" not in text


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("- id: a\n  zh: 甲\n", "docs/glossary.yml:1: the term 'a' lacks en, page, means. What to"),
        (
            "\n- id: a\n  zh: 甲\n  en: x\n  page: p\n  means: {en: A.}",
            ":2: .*lacks means: {zh: …}",
        ),
        (f"- {{id: a, zh: 甲, en: x, page: p, pages: q, {MEANS}}}", "'a' has pages. What to do"),
        (f"- &t {{id: a, zh: 甲, en: x, page: p, {MEANS}}}\n- *t", "id stands more than once: a"),
        ("- id: a\n  means:\n    en: A: b", "docs/glossary.yml:3: this line cannot be read"),
    ],
)
def test_a_bad_entry_is_named(tmp_path, entry, message):
    (tmp_path / "glossary.yml").write_text(entry, "utf-8")
    with pytest.raises(CnnvizError, match=message):
        read(tmp_path / "glossary.yml")
