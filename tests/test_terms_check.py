"""A term whose page does not explain it is said, with its line."""

import pytest

from gen.checks.terms import findings
from gen.glossary import read

TERM = """
- id: kernel
  zh: 卷积核
  en: kernel
  page: {page}
  means: {{zh: 一小块权重。, en: Weights.}}
"""
ANCHORS = {"zh": {"page": {"top"}}, "en": {"page": {"top"}}}


def said(folder, page):
    (folder / "glossary.yml").write_text(TERM.format(page=page), "utf-8")
    for language, text in (("zh", "一个卷积核。"), ("en", "A filter.")):
        (folder / language).mkdir()
        (folder / language / "page.md").write_text(text, "utf-8")
    return list(findings(folder, read(folder / "glossary.yml"), ANCHORS))


def test_a_page_that_does_not_use_the_term(tmp_path):
    (finding,) = said(tmp_path, "page#top")
    assert finding.text("en").startswith(
        "docs/glossary.yml:2: docs/en/page.md should explain 'kernel' and does not use the word."
    )


@pytest.mark.parametrize("page", ["pages", "page#end"])
def test_a_page_or_anchor_that_is_not_there(tmp_path, page):
    zh, en = said(tmp_path, page)
    assert f"the term 'kernel' names the page {page}, which English has not. What" in en.en
    assert f"术语“卷积核”的 page 写的是 {page}，中文版没有这一处。怎么办：" in zh.zh
