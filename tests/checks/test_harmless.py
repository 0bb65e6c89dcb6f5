"""What no text may say in its front matter or title, no snippet, and which files a text is."""

import os

import pytest

from cnnviz.errors import CnnvizError
from gen.checks import writing
from gen.checks.harmless import check_frame, check_snippets, no_plain_files
from gen.settings import ROOT
from gen.texts.languages import read

RUNS = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("meta", "title"),
    [
        ({"title": RUNS}, "A page"),
        ({"description": '"><script>alert(1)</script>'}, "A page"),
        ({"description": "&lt;script&gt;"}, "A page"),
        ({"needs": ["mlp", RUNS]}, "A page"),
        ({"search": {"boost": RUNS}}, "A page"),
        ({"author": "me"}, "A page"),
        ({"template": "redirect.html"}, "A page"),
        ({}, "A page&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
        ({}, "A page&#60;script&#x3e;"),
    ],
)
def test_a_frame_of_words_alone(meta, title):
    with pytest.raises(CnnvizError, match=r"page\.md: "):
        check_frame("page.md", meta, title)


def test_a_frame_as_ours():
    meta = {"title": "R&D", "description": "5 × 5 “maps”", "needs": ["mlp"], "hide": ["toc"]}
    check_frame("page.md", meta, "Pooling &amp; strides")


def test_the_words_of_the_menu_hold_no_markup():
    """An attribute of a heading, data-toc-label, puts any words there."""
    check_frame("page.md", {}, "A page", ["a &lt; b", "R&amp;D"])
    with pytest.raises(CnnvizError, match=r"page\.md: no markup in the words of a menu"):
        check_frame("page.md", {}, "A page", ["a", RUNS])


@pytest.mark.parametrize("line", ['--8<-- "x.md"', "-8<- x.py", ";--8<-- 'x.py'", "a --8<--"])
def test_no_file_is_put_into_a_page_but_a_program(line):
    with pytest.raises(CnnvizError, match=r"page\.md:3: .*example\("):
        check_snippets("page.md", f"# A\n\n{line}\n", "en")
    with pytest.raises(CnnvizError, match=r"page\.md:3: .*怎么办"):
        check_snippets("page.md", f"# A\n\n{line}\n", "zh")
    assert "snippets" not in (ROOT / "mkdocs.yml").read_text("utf-8")


def test_a_link_is_no_text(tmp_path):
    docs = tmp_path / "docs"
    (docs / "en").mkdir(parents=True)
    (docs / "examples").mkdir()
    (docs / "en" / "index.md").write_text("# A { #a }\n", "utf-8")
    assert no_plain_files(docs) == []
    (tmp_path / "secret").write_text("secret\n", "utf-8")
    (docs / "en" / "x.md").symlink_to(tmp_path / "secret")
    (docs / "examples" / "y.md").symlink_to("nowhere")
    (docs / "zh").symlink_to(docs / "en")
    os.mkfifo(docs / "en" / "z.md")
    said = [finding.text("en") for finding in writing.check(docs, tmp_path)]
    assert sorted(line.split(": this is a link")[0] for line in said) == [
        "docs/en/x.md",
        "docs/en/z.md",
        "docs/examples/y.md",
        "docs/zh",
    ]
    assert "secret" not in " ".join(said)


def test_there_is_no_link_among_our_texts():
    assert no_plain_files(ROOT / "docs") == []


def test_a_text_is_markdown_and_its_pictures():
    """Every other file is copied as it is, and an HTML page or an SVG drawing may run scripts."""
    allowed = {".md", ".yml", ".png", ".jpg", ".webp"}
    for language in read(ROOT):
        files = (p for p in (ROOT / "docs" / language.code).rglob("*") if p.is_file())
        assert [str(p) for p in files if p.suffix not in allowed] == []
