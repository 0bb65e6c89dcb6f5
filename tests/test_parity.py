from pathlib import Path

import pytest

from gen.parity import differences

ROOT = Path(__file__).parent.parent

ZH = """# 题 { #title }
[[% call figure("a/one") %]]图注[[% endcall %]]
## 小结 { #summary }
[[= claim(a > b, "a is more than b") ]]
"""
EN = ZH.replace("题", "Title").replace("图注", "Caption").replace("小结", "Summary")


@pytest.fixture
def docs(tmp_path):
    def write(zh, en):
        for language, text in (("zh", zh), ("en", en)):
            (tmp_path / language).mkdir(exist_ok=True)
            (tmp_path / language / "page.md").write_text(text, "utf-8")
        return tmp_path

    return write


def test_our_texts_are_parallel():
    assert differences(ROOT / "docs") == []


def test_same_structure_is_no_difference(docs):
    assert differences(docs(ZH, EN)) == []


def test_a_page_of_one_language(docs):
    folder = docs(ZH, EN)
    (folder / "zh" / "more.md").write_text("# 多 { #more }")
    assert differences(folder) == ["docs/zh/more.md has no counterpart docs/en/more.md."]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"a/one"', '"a/two"', "docs/en/page.md has the figure 'a/two', docs/zh/page.md has not."),
        ("{ #summary }", "{ #sum }", "docs/zh/page.md has the heading 'summary'"),
        (" { #summary }", "", "docs/en/page.md: the heading '## Summary' has no { #anchor }."),
        ("a is more", "a is less", "docs/en/page.md has the claim 'a is less than b'"),
    ],
)
def test_what_differs_is_said(docs, old, new, sentence):
    assert any(sentence in line for line in differences(docs(ZH, EN.replace(old, new))))


def test_order_of_headings(docs):
    lines = EN.splitlines()
    swapped = "\n".join([lines[2], lines[1], lines[0], lines[3]])
    assert differences(docs(ZH, swapped)) == [
        "page.md: the headings come in another order in zh than in en."
    ]
