"""The words files of two languages have the same names, and their sentences the same values."""

import pytest

from gen.checks.parity import differences
from gen.settings import ROOT

ZH = """\
signs: "蓝为负"
speed: 300
relu:
  zeros:
    alt: "零：[[% for layer, share in layers %]][[= layer ]] [[= share | percent ]][[% endfor %]]"
    title: "零的占比"
  curves: {alt: "曲线 [[= count ]]"}
"""
EN = """\
signs: "blue negative"
speed: 180
relu:
  zeros:
    alt: "Zeros: [[% for name, part in layers %]][[= name ]] [[= part | fixed ]][[% endfor %]]"
    title: "Share of zeros"
  curves: {alt: "[[= count ]] curves"}
"""


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    for language, text in (("zh", ZH), ("en", EN)):
        (folder / language).mkdir(parents=True)
        (folder / language / "index.md").write_text("# A { #a }\n", "utf-8")
        write(folder, language, text)
    return folder


def write(docs, language, text, name="relu.yml"):
    (docs / language).mkdir(exist_ok=True)
    (docs / language / "index.md").write_text("# A { #a }\n", "utf-8")
    (docs / language / name).write_text(text, "utf-8")


def said(docs, language="en"):
    return [finding.text(language) for finding in differences(docs)]


def test_ours_say_the_same():
    assert said(ROOT / "docs") == []


def test_loop_variables_and_formats_may_differ(docs):
    assert said(docs) == []


@pytest.mark.parametrize(
    ("language", "old", "new", "sentence"),
    [
        (
            "zh", '    title: "零的占比"\n', "",
            "docs/zh/relu.yml: 'relu.zeros.title' is missing, and English has it "
            "(docs/en/relu.yml:6). What to do: add it at the same place, in Chinese",
        ),
        (
            "en", '  curves: {alt: "[[= count ]] curves"}\n', "",
            "docs/en/relu.yml: 'relu.curves' is missing, and Chinese has it (docs/zh/relu.yml:7).",
        ),
        (
            "en", EN[EN.index("relu:") :], "",
            "docs/en/relu.yml: 'relu' is missing, and Chinese has it (docs/zh/relu.yml:5).",
        ),
        (
            "en", "speed: 180\n", "",
            "docs/en/relu.yml: 'speed' is missing, and Chinese has it (docs/zh/relu.yml:2).",
        ),
        (
            "en", "[[= count ]] curves", "curves",
            "docs/en/relu.yml:7: 'relu.curves.alt' does not show count, which Chinese does.",
        ),
        (
            "zh", "曲线 [[= count ]]", "曲线",
            "docs/zh/relu.yml:7: 'relu.curves.alt' does not show count, which English does.",
        ),
        (
            "en", "[[= count ]] curves", "[[= cuont ]] curves",
            "docs/zh/relu.yml:7: 'relu.curves.alt' shows count, and docs/en/relu.yml:7 shows "
            "cuont. What to do: name the same values in both",
        ),
    ],
)  # fmt: skip
def test_what_differs_is_said_once_with_its_place(docs, language, old, new, sentence):
    text = {"zh": ZH, "en": EN}[language]
    assert old in text
    write(docs, language, text.replace(old, new))
    (line,) = said(docs)
    assert line.startswith(sentence), line
    assert "What to do: " in line
    (line,) = said(docs, "zh")
    assert "怎么办：" in line


def test_on_what_a_word_hangs_is_a_language_s_own_affair(docs):
    write(docs, "zh", "a: 共 [[= count ]] 张\n", "image.yml")
    one = "[[= count ]] map[[= 's' if many ]][[% if whole or count > 1 %]] in all[[% endif %]]"
    write(docs, "en", f'a: "{one}"\n', "image.yml")
    assert said(docs) == []
    write(docs, "zh", "a: 共 [[= count ]] 张[[% if hole %]]。[[% endif %]]\n", "image.yml")
    (line,) = said(docs)
    assert "'a' shows hole, and docs/en/image.yml:1 shows many, whole" in line


def test_a_file_of_one_language(docs):
    (docs / "zh" / "relu.yml").unlink()
    (line,) = said(docs)
    assert line.startswith("docs/en/relu.yml: there is no docs/zh/relu.yml, its Chinese version.")


def test_a_third_language_may_be_silent_but_says_nothing_else(docs):
    write(docs, "xx", "signs: xxx\nrelu: {zeros: {title: xxx}}\n")
    assert said(docs) == []
    write(docs, "xx", "relu: {zeros: {titel: xxx, alt: '[[= shares ]]'}}\n")
    assert [line.partition(" What to do")[0] for line in said(docs)] == [
        "docs/xx/relu.yml:1: docs/en/relu.yml has no 'relu.zeros.titel', so nobody says this.",
        "docs/xx/relu.yml:1: 'relu.zeros.alt' shows shares, and docs/en/relu.yml:5 shows layers.",
    ]
    write(docs, "xx", "relu: {zeros: {title: '[[= share ]]'}}\n")
    (line,) = said(docs)
    assert "shows share, which English does not and no program gives" in line
    write(docs, "xx", "relu: {}\n")
    write(docs, "xx", "a: b\n", "other.yml")
    (line,) = said(docs)
    assert line.startswith("docs/xx/other.yml: there is no docs/en/other.yml, its English version.")


def test_a_file_that_cannot_be_read_is_compared_with_none(docs):
    write(docs, "en", "a: [")
    assert said(docs) == []  # what is wrong, `make prose` says


def test_a_sentence_that_cannot_be_read_has_no_values(docs):
    write(docs, "en", EN.replace("[[= count ]]", "[[= count"))
    assert said(docs) == []
    write(docs, "en", EN.replace("[[= count ]]", "[[= count | percnt ]]"))
    assert said(docs) == []


def test_words_of_the_atlas_are_compared(docs):
    folder = docs.parent / "cnnviz" / "atlas" / "words"
    folder.mkdir(parents=True)
    (folder / "en-unit.yml").write_text("layer: {dead: '[[= count ]] dead'}\n")
    (line,) = said(docs)
    assert line.startswith("cnnviz/atlas/words/en-unit.yml: there is no cnnviz/atlas/words/zh-unit")
    (folder / "zh-unit.yml").write_text("layer: {dead: 死了}\n", "utf-8")
    (line,) = said(docs)
    assert line.startswith("cnnviz/atlas/words/zh-unit.yml:1: 'layer.dead' does not show count")


def test_words_count_among_the_terms_of_their_page(docs):
    (docs / "glossary.yml").write_text(
        "- {id: kernel, zh: 卷积核, en: kernel, page: page, means: {zh: 权重。, en: Weights.}}\n",
        "utf-8",
    )
    for language, word in (("zh", "滤波器"), ("en", "kernel")):
        (docs / language / "image.md").write_text(
            f"# A {{ #a }}\n\n{word}\n\n## B {{ #further-reading }}\n", "utf-8"
        )
        write(docs, language, "".join(f"{n}: {word}\n" for n in "abc"), "image.yml")
    (line,) = said(docs)
    assert line.startswith("docs/zh/image.md: docs/en/image.md says “kernel” 4 times")
    write(docs, "zh", "a: 卷积核\nb: 核\nc: 核\n", "image.yml")
    assert said(docs) == []
