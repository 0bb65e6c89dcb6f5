"""Each term is explained where its entry says."""

import pytest

from gen.checks.terms import findings
from gen.settings import ROOT
from gen.texts.glossary import read

CHAPTER = "---\nneeds: []\n---\n\n# {word} {{ #top }}\n\n{word}。\n"
TERM = "- id: a\n  zh: 甲\n  en: alpha\n  page: one#top\n  means: {zh: 第一。, en: First.}\n"


def found(tmp_path, glossary):
    for language, word in (("zh", "甲"), ("en", "alpha")):
        (tmp_path / language).mkdir()
        (tmp_path / language / "one.md").write_text(CHAPTER.format(word=word), "utf-8")
        (tmp_path / language / "index.md").write_text(f"# {word}\n", "utf-8")
    (tmp_path / "glossary.yml").write_text(f"# head\n\n{glossary}", "utf-8")
    return findings(tmp_path, read(tmp_path / "glossary.yml"))


def test_our_glossary_is_in_order():
    assert [
        finding.text("en")
        for finding in findings(ROOT / "docs", read(ROOT / "docs" / "glossary.yml"))
    ] == []


def test_a_good_entry_passes(tmp_path):
    assert found(tmp_path, TERM) == []


@pytest.mark.parametrize(
    ("was", "now", "zh", "en"),
    [
        (", en: First.", "", "缺英文", "in no English"),
        ("First.", "First", "没有以 . 结尾", "ends in ."),
        ("one#top", "lab", "docs/zh/lab.md 不是一章", "docs/zh/lab.md is no chapter"),
        ("one#top", "index", "docs/zh/index.md 不是一章", "docs/zh/index.md is no chapter"),
        ("one#top", "one#end", "没有这个锚点", "which docs/zh/one.md lacks"),
        ("zh: 甲", "zh: 乙", "应当讲解“乙”", "should explain '乙'"),
    ],
)
def test_what_is_wrong_is_said_at_the_entry(tmp_path, was, now, zh, en):
    said = found(tmp_path, TERM.replace(was, now))[0]
    assert (said.file, said.line) == ("docs/glossary.yml", 3)
    assert zh in said.sentence("zh")
    assert en in said.sentence("en")
