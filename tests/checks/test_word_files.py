"""The words files are read by the rules of the pages, and held against each other."""

import pytest

from gen.checks.word_files import findings
from gen.settings import ROOT

HEAD = "# 词句\n\n"


@pytest.fixture
def docs(tmp_path):
    """Two languages that say the same."""
    write(tmp_path, "zh", HEAD + 'seen: "看到 [[= count ]] 张图"\nspeed: 300\n')
    write(tmp_path, "en", HEAD + 'seen: "[[= count ]] maps seen"\nspeed: 180\n')
    return tmp_path


def write(docs, language, text):
    (docs / language).mkdir(exist_ok=True)
    (docs / language / "index.md").write_text("# A { #a }\n", "utf-8")
    (docs / language / "words.yml").write_text(text, "utf-8")


def said(docs, language="en"):
    return [finding.text(language) for finding in findings(docs)]


def test_ours_are_in_order():
    assert said(ROOT / "docs") == []


def test_the_same_in_both_is_in_order(docs):
    assert said(docs) == []


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("zh", HEAD + "speed: 300\n", "docs/zh/words.yml: 'seen' is missing, and English has it"),
        (
            "en",
            HEAD + 'seen: "maps seen"\nspeed: 180\n',
            "docs/en/words.yml:3: 'seen' does not show count, which Chinese does",
        ),
        (
            "zh",
            HEAD + 'seen: "看到[[= count ]]张图, 很多"\nspeed: 300\n',
            "docs/zh/words.yml:3: ",
        ),
        (
            "en",
            HEAD + 'seen: "[[= count ]] colors of maps"\nspeed: 180\n',
            "docs/en/words.yml:3: ",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(docs, language, text, words):
    write(docs, language, text)
    (finding,) = {line.partition(". What to do")[0] for line in said(docs)}
    assert finding.startswith(words)


def test_a_third_language_may_be_silent(docs):
    write(docs, "xx", "speed: 100\n")
    assert said(docs) == []
