"""What one language has and the other lacks, said so that it can be mended without help."""

from pathlib import Path

import pytest

from cnnviz.errors import CnnvizError
from cnnviz.words import message
from gen.checks.kinds import KINDS
from gen.checks.parity import differences
from gen.texts.finding import Finding, spoken, workflow_commands
from gen.texts.words import check_words

ROOT = Path(__file__).parents[2]

ZH = """# 题 { #title }

[[% call figure("a/one") %]]图注[[% endcall %]]

## 小结 { #summary }

[[= claim(a > b, "a is more than b") ]]

## 练习 { #exercises }

1. 问

    ??? success "答案"
        答
"""
EN = (
    ZH.replace("题", "Title").replace("图注", "Caption").replace("小结", "Summary")
    .replace("练习", "Exercises").replace("答案", "Answer").replace("问", "Why").replace("答", "So")
)  # fmt: skip
GLOSSARY = """
- id: kernel
  zh: 卷积核
  en: kernel
  page: page
  means: {zh: 一小块权重。, en: Weights.}
"""


@pytest.fixture
def docs(tmp_path):
    def write(zh, en, **others):
        for language, text in {"zh": zh, "en": en, **others}.items():
            (tmp_path / language).mkdir(exist_ok=True)
            (tmp_path / language / "index.md").write_text("# Home { #home }\n", "utf-8")
            (tmp_path / language / "page.md").write_text(text, "utf-8")
        return tmp_path

    return write


def said(folder, language="en"):
    return [finding.text(language) for finding in differences(folder)]


def test_our_texts_are_parallel():
    assert said(ROOT / "docs") == []


def test_same_structure_is_no_difference(docs):
    assert said(docs(ZH, EN)) == []


def test_a_page_of_one_language(docs):
    folder = docs(ZH, EN)
    (folder / "zh" / "more.md").write_text("# 多 { #more }", "utf-8")
    (line,) = said(folder)
    assert line.startswith("docs/zh/more.md: this page has no English version docs/en/more.md.")
    assert "mkdocs.en.yml" in line
    assert "这一页没有英文版 docs/en/more.md" in said(folder, "zh")[0]


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        (
            '"a/one"',
            '"a/two"',
            [
                "docs/en/page.md:3: the figure here is 'a/two', and at the same place of "
                "docs/zh/page.md:3 'a/one'. What to do: write the same in both; change back what "
                "you changed alone.",
            ],
        ),
        (
            '[[% call figure("a/one") %]]Caption[[% endcall %]]',
            "",
            [
                "docs/zh/page.md:3: the figure 'a/one' is here and not in docs/en/page.md. What to "
                "do: in docs/en/page.md, section “Title” (from line 1), put [[% call figure("
                '"a/one") %]] caption [[% endcall %]] into that section, with the caption in',
            ],
        ),
        (
            "{ #summary }",
            "{ #sum }",
            [
                "docs/en/page.md:5: the anchor here is 'sum', and at the same place of "
                "docs/zh/page.md:5 'summary'. What to do: write the same in both; keep the older "
                "one, since links lead to it.",
            ],
        ),
        (
            "## Summary { #summary }",
            "",
            [
                "docs/zh/page.md:5: the section 'summary' is here and not in docs/en/page.md. What "
                "to do: in docs/en/page.md, section “Title” (from line 1), add it below: a",
            ],
        ),
        (
            " { #summary }",
            "",
            [
                "docs/en/page.md:5: the heading '## Summary' does not end in its anchor. What to "
                "do: end the line with { #summary }, as docs/zh/page.md:5 does.",
            ],
        ),
        (
            "## Summary {",
            "## New\n\n## Summary {",
            ["docs/en/page.md:5: the heading '## New' does not end in its anchor. What to do: end"],
        ),
        (
            "a is more",
            "a is less",
            ["docs/en/page.md:7: the claim here is 'a is less than b', and"],
        ),
        (
            '    ??? success "Answer"\n        So\n',
            "",
            ["docs/zh/page.md:13: the answer to an exercise is here and not in docs/en/page.md."],
        ),
    ],
)
def test_what_differs_is_said_with_line_and_remedy(docs, old, new, sentences):
    lines = said(docs(ZH, EN.replace(old, new)))
    assert len(lines) == len(sentences), lines  # one sentence for one mistake
    for sentence in sentences:
        assert any(line.startswith(sentence) for line in lines), lines
    assert all("What to do: " in line for line in lines)
    assert all("怎么办：" in line for line in said(docs(ZH, EN.replace(old, new)), "zh"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_remedy_can_be_filled_in(kind, language):
    say, kind = check_words(language), KINDS[kind]
    assert say(kind.name)
    todo = say(kind.todo("Elvish", "x-y-z"))
    assert ("x-y-z" in todo) == bool(kind.written)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (EN.encode() + "café\n".encode("latin-1"), "page.md:15: this file is not UTF-8 and cannot"),
        (b"\xef\xbb\xbf" + EN.encode(), "page.md: this file is saved as UTF-8 with a byte order"),
        (EN.encode("utf-16"), "page.md:1: this file is not UTF-8"),
    ],
)
def test_a_file_that_an_editor_saved_otherwise(docs, data, sentence):
    folder = docs(ZH, EN)
    (folder / "en" / "page.md").write_bytes(data)
    with pytest.raises(CnnvizError, match=sentence) as caught:
        differences(folder)
    assert "怎么办：用编辑器另存为 UTF-8" in str(caught.value)


def test_line_ends_of_windows_are_no_difference(docs):
    assert said(docs(ZH, EN.replace("\n", "\r\n"))) == []


def test_order_of_sections(docs):
    moved = (
        EN.replace("#summary", "#x").replace("#exercises", "#summary").replace("#x", "#exercises")
    )
    lines = said(docs(ZH, moved))
    assert (
        "docs/en/page.md:5: here stands the section 'exercises', at the same place of "
        "docs/zh/page.md 'summary'. What to do: give both the same order." in lines
    )


def test_code_is_not_structure(docs):
    code = "\n``` text\n## not a heading\n??? success\n```\n"
    assert said(docs(ZH + code, EN)) == []


def test_a_term_that_got_a_second_name(docs):
    folder = docs(ZH + "卷积核" * 4, EN + "filter " * 4)
    (folder / "glossary.yml").write_text(GLOSSARY, "utf-8")
    (line,) = said(folder)
    assert line.startswith(
        "docs/en/page.md: docs/zh/page.md says “卷积核” 4 times, and “kernel” is not here even once"
    )


def test_a_third_language_may_lack_pages_but_not_parts_of_a_page(docs):
    folder = docs(ZH, EN, xx=EN.replace('"a/one"', '"a/two"'))
    (folder / "zh" / "more.md").write_text("# 多 { #more }", "utf-8")
    (folder / "en" / "more.md").write_text("# More { #more }", "utf-8")
    lines = said(folder)
    assert [line.split(":")[0] for line in lines] == ["docs/xx/page.md"]


def test_a_language_that_nothing_builds(tmp_path):
    folder = tmp_path / "docs"
    for language in ("zh", "en", "xx"):
        (folder / language).mkdir(parents=True)
        (folder / language / "index.md").write_text("# Home { #home }\n", "utf-8")
    (tmp_path / "mkdocs.yml").touch()
    (line,) = said(folder)
    assert line.startswith("docs/xx/index.md: the site does not build this language: there is no ")
    (tmp_path / "mkdocs.xx.yml").touch()
    assert said(folder) == []


def test_who_changed_one_language_is_spoken_to_in_it(monkeypatch):
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert (spoken({"zh"}), spoken({"en"}), spoken(), spoken({"zh", "en"})) == (
        "zh",
        "en",
        "zh",
        "zh",
    )


def test_words_of_a_request_cannot_become_commands_of_the_workflow():
    what = message("parity.not built", file="100%\n::set-env name=X::y")
    (command,) = workflow_commands([Finding("a,b\n.md", 0, what)], "en", "error")
    assert command.startswith("::error file=a%2Cb%0A.md,line=1::the site does not build")
    assert "100%25%0A::set-env name=X::y" in command
    assert len(command.splitlines()) == 1
