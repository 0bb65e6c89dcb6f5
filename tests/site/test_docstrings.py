"""The API pages: every public name is there, in both languages, and nothing is lost on the way."""

import re

import pytest

import cnnviz
from gen.settings import ROOT
from gen.site.docstrings import as_code


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_public_name_is_on_the_page(language):
    text = (ROOT / "docs" / language / "api.md").read_text("utf-8")
    shown = set(re.findall(r"^::: cnnviz\.(?:\w+\.)+(\w+)$", text, re.M))
    assert set(cnnviz._HOME) <= shown
    for module in cnnviz._MODULES:
        assert f"`cnnviz.{module}`" in text


@pytest.mark.parametrize("folder", ["", "en"])
def test_the_built_page(folder):
    html = (ROOT / "site" / folder / "api" / "index.html").read_text("utf-8")
    for name in cnnviz._HOME:
        assert re.search(rf'id="cnnviz\.(?:\w+\.)+{name}"', html), name


def test_names_with_brackets_are_code():
    assert as_code('entries "lstm[1][0]", "x" and `"y[0]"`') == (
        'entries `"lstm[1][0]"`, "x" and `"y[0]"`'
    )
