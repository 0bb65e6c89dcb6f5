"""The words files are read by the rules of the pages: each mistake is said with file and line."""

import pytest

from gen.checks.word_files import passages, read_all
from gen.checks.writing import check
from gen.settings import ROOT, from_environment

HEAD = "# 词句\n\n"
PAGE = "---\ndescription: A page.\n---\n\n# A { #a }\n"
GLOSSARY = """
- id: pooling
  zh: 汇聚
  en: pooling
  page: index
  means: {zh: 取最大。, en: The largest.}
  never: {zh: [池化], en: []}
"""


@pytest.fixture
def docs(tmp_path):
    """Two languages that say the same."""
    folder = tmp_path / "docs"
    for language in ("zh", "en"):
        (folder / language).mkdir(parents=True)
        (folder / language / "index.md").write_text(PAGE, "utf-8")
    (folder / "glossary.yml").write_text("[]")
    write(folder, "zh", HEAD + 'seen: "看到 [[= count ]] 张图"\nspeed: 300\n')
    write(folder, "en", HEAD + 'seen: "[[= count ]] maps seen"\nspeed: 180\n')
    return folder


def write(docs, language, text, name="words.yml"):
    (docs / language / name).write_text(text, "utf-8")


def said(docs, language="en"):
    """What `make prose` says of words files."""
    return [f.text(language) for f in check(docs, docs / "figures") if f.file.endswith(".yml")]


def test_ours_are_in_order():
    files = read_all(ROOT / "docs")
    assert {(words.name, words.language) for words in files} >= {
        ("relu.yml", "zh"), ("relu.yml", "en"), ("words.yml", "zh"), ("words.yml", "en"),
    }  # fmt: skip
    found = check(ROOT / "docs", from_environment().figures_dir)
    assert [f.text("en") for f in found if f.file.endswith(".yml")] == []


def test_good_words_pass(docs):
    assert said(docs) == []


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("看到[[= count ]]张图, 很多", "a half-width , beside Chinese"),
        ("看到ReLU", "a space is missing between Chinese and Latin"),
        ("叫作'图 '，'", None),
        ("看到 3  张", "'3  张': two spaces in a row"),
        ("您好", "the reader is 你 here"),
    ],
)
def test_the_typography_of_pages(docs, sentence, words):
    write(docs, "zh", HEAD + f'a: "[[= count ]]"\nb:\n  c: "{sentence}"\n')
    found = said(docs)
    assert len(found) == (words is not None), found
    for line in found:
        assert line.startswith("docs/zh/words.yml:5: ")
        assert words in line


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("seperate maps", "'seperate': misspelt"),
        ("[[= count ]] colors", "'colors': American"),
        ("one，two", "the Chinese mark ， in English"),
        ("one  two", "'one  two': two spaces in a row"),
        ("[[= a ]]: [[= b ]]", None),
        ("  ·  ", None),
        ("[[% if a %]] [[% endif %]] one", None),
    ],
)
def test_the_spelling_of_pages(docs, sentence, words):
    write(docs, "en", HEAD + f'b: {{c: "{sentence}", d: "maps"}}\n')
    found = said(docs)
    assert len(found) == (words is not None), found
    assert all(line.startswith("docs/en/words.yml:3: ") and words in line for line in found)


def test_a_term_has_one_name(docs):
    (docs / "glossary.yml").write_text(GLOSSARY, "utf-8")
    write(docs, "zh", 'a: "先池化"\n')
    assert [line for line in said(docs) if "words.yml" in line] == [
        "docs/zh/words.yml:1: '池化': our word for it is '汇聚' (docs/glossary.yml). What to do: "
        "write '汇聚', one word for one thing."
    ]


def test_a_typed_measurement(docs):
    figures = docs / "figures"
    figures.mkdir()
    chapter = '{"chapter": {"numbers": {"accuracy": 0.98412}}}'
    (figures / "relu_dead.json").write_text(chapter)
    text = (
        "relu_dead: {deaths: {alt: '98.4% die', leak: '[[= a ]] of 0.9841', title: '0.5 or 50%'}}\n"
    )
    write(docs, "en", text, "relu.yml")
    found = [line for line in said(docs) if "typed" in line]
    assert [line.partition(" What")[0] for line in found] == [
        "docs/en/relu.yml:1: '0.9841' is typed, and the build has this number: "
        "relu_dead.accuracy | fixed(4).",
        "docs/en/relu.yml:1: '98.4%' is typed, and the build has this number: "
        "relu_dead.accuracy | percent(1).",
    ]
    allowed = "- {{rule: number, text: '{}', pages: [relu], why: Somebody else's result.}}\n"
    (docs / "prose-allow.yml").write_text(allowed.format("98.4%") + allowed.format("0.9841"))
    assert [line for line in said(docs) if "typed" in line or "allow" in line] == []


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("[[= count", "'[[= count…' has no ]] behind it"),
        ("[[% if a %]]b", "what stands in double brackets cannot be read (Unexpected end"),
        ("[[= count | percnt ]]", "no format of numbers 'percnt'. What to do"),
        ("[[= count | percnt ]]", "Did you mean 'percent'?"),
        ("[[= percent(count) ]]", "there is no function 'percent'"),
        ("[[= count | percent（0） ]]", "a full-width （ stands in double brackets"),
        ("[[= say(“signs”) ]]", "a full-width “ stands in double brackets"),
        ("[= count ]", "'[= count ]' has single brackets"),
        ("［［= count ］］", "would be seen on the page"),
        ("[[= say('sings') ]]", "there is no sentence 'sings'"),
        ("[[= say('sings') ]]", "Did you mean 'signs'?"),
        ("[[= say('signs') ]] [[= say('nets.' ~ kind) ]] [[= '[[= ' ]]", None),
        ("[[% raw %]][[= a[[% endraw %]]", None),
        ("[[= 9 ** 9 ** 9 ** 9 ]]", None),  # takes for ever to work out
        ("[[= " + "(" * 5000 + " ]]", "what stands in double brackets cannot be read"),
        ("[[= " + "9" * 5000 + " ]]", "what stands in double brackets cannot be read"),
    ],
)
def test_brackets_that_cannot_be_read_are_one_line(docs, sentence, words):
    write(docs, "en", HEAD + f'signs: "blue"\nb:\n  c: "{sentence}"\n')
    found = said(docs)
    if words is None:
        assert found == []
        return
    assert found
    assert any(words in line for line in found), found
    for line in [*found, *said(docs, "zh")]:
        assert line.startswith(("docs/en/words.yml:5: 'b.c': ", "docs/en/words.yml:5: “b.c”："))
        assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [", 1, "this cannot be read"),
        ("a: one\nb: c: d", 2, "this cannot be read"),
        ("a: one\nb: 'c\nd: e\n", 2, "this cannot be read"),
        ("a: one\nb: \x07\n", 2, "this cannot be read"),
        ("a: " + "[" * 5000, 1, "this cannot be read"),
        ("- a\n", 1, "these are no words under names"),
        ("just words", 1, "these are no words under names"),
        ("1: b\n", 1, "the name '1' is read as a number"),
        ("a: b\nno: No\n", 2, "the name 'no' is read as a number or as yes or no"),
        ("a: b\nc: d\na: c\n", 3, "'a' stands in line 1 already"),
        ("a: b\nc:\n", 2, "what stands under 'c' is no sentence"),
        ("a: yes\n", 1, "what stands under 'a' is no sentence"),
        ("a: [[b]]\n", 1, "what stands under 'a' is no sentence"),
        ("a: &a {b: c}\nd: *a\n", 2, "what stands under 'd' is no sentence"),
        ("a: &a\n  b: *a\n", 2, "what stands under 'a.b' is no sentence"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(docs, text, line, words):
    write(docs, "en", text)
    (found,) = said(docs)
    assert found.startswith(f"docs/en/words.yml:{line}: {words}")
    assert "\n" not in found
    assert "What to do: " in found


def test_each_sentence_has_its_line(docs):
    text = (
        "# head\na: one\nb:\n  c: {d: two, e: three}\n  f: |\n    four\n    color\n  g: >\n"
        "    five\n    color\n  h: [six, color]\n  i:\n    - seven\n    - color\n"
    )
    write(docs, "en", text)
    assert [line.partition(": ")[0] for line in said(docs)] == [
        f"docs/en/words.yml:{line}" for line in (7, 9, 11, 14)
    ]
    (words,) = (w for w in read_all(docs) if w.language == "en")
    assert [(s.anchor, s.line) for s in passages(words)] == [
        ("a", 2), ("b.c", 4), ("b.f", 6), ("b.g", 9), ("b.h", 11), ("b.i", 13),
    ]  # fmt: skip


def test_words_of_the_atlas_are_read_too(docs):
    folder = docs.parent / "cnnviz" / "atlas" / "words"
    folder.mkdir(parents=True)
    (folder / "zh.yml").write_text('layer:\n  kinds:\n    conv: "卷积,核"\n', "utf-8")
    (folder / "en.yml").write_text('layer:\n  kinds:\n    conv: "color"\n', "utf-8")
    assert [line.partition(": ")[0] for line in said(docs)] == [
        "cnnviz/atlas/words/en.yml:3", "cnnviz/atlas/words/zh.yml:3",
    ]  # fmt: skip
    allow = "- {rule: spelling, text: color, pages: [cnnviz/atlas/words], why: A word of CSS.}\n"
    (docs / "prose-allow.yml").write_text(allow)
    assert len(said(docs)) == 1


def test_a_byte_order_mark_is_said(docs):
    (docs / "en" / "words.yml").write_bytes(b"\xef\xbb\xbfa: b\n")
    with pytest.raises(Exception, match="byte order mark"):
        said(docs)
