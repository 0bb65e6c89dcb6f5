"""What no text may say in its front matter, its title or a directive, and which files a text is."""

import pytest

from cnnviz.errors import CnnvizError
from gen.checks.harmless import check_directives, check_frame
from gen.publish.languages import read
from gen.settings import ROOT

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


@pytest.mark.parametrize(
    "text",
    [
        "::: cnnviz.errors\n    options:\n      extensions: [docs/zh/run.py]",
        "## ::: cnnviz.errors\n    options:\n      force_inspection: true",
        "    ::: antigravity",
        "::: gen.site",
        "a\n\n> ::: cnnviz.errors\n",
    ],
)
def test_a_directive_that_could_load_python(text):
    with pytest.raises(CnnvizError, match="stands alone"):
        check_directives("api.md", text)


def test_a_directive_as_ours():
    check_directives(
        "api.md", "::: cnnviz.recording.record\n\ntext\n\n::: cnnviz.errors.CnnvizError"
    )


def test_a_text_is_markdown_and_its_pictures():
    """Every other file is copied as it is, and an HTML page or an SVG drawing may run scripts."""
    allowed = {".md", ".png", ".jpg", ".webp"}
    for language in read(ROOT):
        files = (p for p in (ROOT / "docs" / language.code).rglob("*") if p.is_file())
        assert [str(p) for p in files if p.suffix not in allowed] == []
