"""No sentence for readers stands in code: Python names a key, words files say it."""

import ast
import re

import pytest

from gen.settings import ROOT

CHINESE = re.compile(r"[\u3400-\u9fff]")
RULES = {
    "gen/checks/typography.py",  # how one addresses readers
    "gen/texts/course.py",  # an example of a docstring
    "gen/texts/glossary.py",  # an example of an entry
    "gen/texts/sections.py",  # what names a word without using it
}
"""Files with Chinese that no reader is told."""

CODE = sorted(
    path
    for folder in ("cnnviz", "gen")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".html", ".md"}
)
FIGURES = [path for path in CODE if path.suffix == ".py" and "figures" in path.parts]
SAID = {"alt", "title", "x_label", "y_label", "label", "name", "scrub", "row_title", "column_title"}
"""Arguments that readers see, of figures and charts."""


def spelt_out(source):
    """Texts with several words that are given where readers see them, with their lines."""
    return [
        (keyword.value.lineno, constant.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in SAID
        for constant in ast.walk(keyword.value)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
        # A key is given to a function that says it.
        if " " in constant.value.strip() and not isinstance(keyword.value, ast.Call)
    ]


def test_chinese_stands_in_words_files_alone():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in CODE
        if CHINESE.search(path.read_text("utf-8"))
    }
    assert found == RULES


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_figures_spell_no_label_out(path):
    assert spelt_out(path.read_text("utf-8")) == []


def test_a_label_is_found():
    assert spelt_out('chart(title="loss of it", name=f"{n} a b", x_label="z", alt=say("a b"))') == [
        (1, "loss of it"),
        (1, " a b"),
    ]
