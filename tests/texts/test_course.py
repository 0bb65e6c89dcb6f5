"""The chapters in their order, what they need, how long they take."""

import pytest
import yaml

from cnnviz.errors import CnnvizError
from gen.settings import ROOT
from gen.texts.course import chapters, course_map, facts_html, minutes, pages_of

PAGE = """---
needs: [{needs}]
---

# {title} {{ #x }}

!!! question "The question"
    Why {title}?
"""
NOT_CHAPTERS = {"index", "start", "lab", "your-network", "glossary", "about", "api", "changelog"}
NOT_CHAPTERS |= {"atlas/index", "atlas/ablation", "atlas/twins"}


def course(folder, *pages):
    """A course of (page, needs) in the folder, in that order."""
    (folder / "en").mkdir()
    for page, needs in pages:
        (folder / "en" / f"{page}.md").write_text(PAGE.format(needs=needs, title=page.title()))
    return chapters(folder, "en", [f"{page}.md" for page, _ in pages])


def nav(config):
    return yaml.load((ROOT / config).read_text("utf-8"), _Loader)["nav"]


class _Loader(yaml.SafeLoader):
    """Reads !ENV and the like as nothing: only the nav matters here."""


_Loader.add_multi_constructor("", lambda *_: None)


@pytest.mark.parametrize(("language", "config"), [("zh", "mkdocs.yml"), ("en", "mkdocs.en.yml")])
def test_every_page_of_the_nav_is_a_chapter_or_known_not_to_be(language, config):
    pages = pages_of(nav(config))
    found = chapters(ROOT / "docs", language, nav(config))
    assert list(found) == [page for page in pages if page not in NOT_CHAPTERS]
    assert all(chapter.needs or chapter.number == 1 for chapter in found.values())


def test_both_languages_have_the_same_course():
    zh = chapters(ROOT / "docs", "zh", nav("mkdocs.yml"))
    en = chapters(ROOT / "docs", "en", nav("mkdocs.en.yml"))
    assert [(c.page, c.needs) for c in zh.values()] == [(c.page, c.needs) for c in en.values()]


def test_a_chapter_knows_its_place_title_and_question(tmp_path):
    found = course(tmp_path, ("pixels", ""), ("kernels", "pixels"))
    kernels = found["kernels"]
    assert (kernels.number, kernels.title, kernels.question) == (2, "Kernels", "Why Kernels?")
    assert kernels.needs == ("pixels",)


def test_what_a_chapter_needs_comes_before_it(tmp_path):
    with pytest.raises(CnnvizError, match=r"^docs/en/pixels.md:2: 'kernels' in needs"):
        course(tmp_path, ("pixels", "kernels"), ("kernels", ""))


@pytest.mark.parametrize(
    ("was", "now", "line", "zh", "en"),
    [
        ("needs: []", "needs: [pixels", 2, "文件头看不懂", "front matter cannot be read"),
        ("needs: []", "description: 看: 图\nneeds: []", 2, "半角冒号", "colon in quotes"),
        ("needs: []", "needs: pixels", 2, r"needs: \[pixels\]", r"needs: \[pixels\]"),
        ("needs: []", "needs: [pixels]", 2, "needs 里的 pixels", "'pixels' in needs"),
        ("needs: []\n---\n", "needs: []\n", 1, "没有结尾", "has no end"),
        ("!!! question", "!!! note", 0, "提问的方框", "title and question"),
    ],
)
def test_what_is_wrong_at_the_top_of_a_chapter_is_said_plainly(tmp_path, was, now, line, zh, en):
    text = PAGE.format(needs="", title="X")
    assert was in text
    for language, said in (("zh", zh), ("en", en)):
        page = tmp_path / language / "x.md"
        page.parent.mkdir()
        page.write_text(text.replace(was, now), "utf-8")
        where = f"{page.parent.name}/x.md:{line}" if line else f"{page.parent.name}/x.md"
        with pytest.raises(CnnvizError, match=rf"^docs/{where}: .*{said}"):
            chapters(tmp_path, language, ["x.md"])


def test_a_file_of_windows_is_read_or_named(tmp_path):
    text = PAGE.format(needs="", title="像素")
    page = tmp_path / "zh" / "x.md"
    page.parent.mkdir()
    page.write_text(text.replace("\n", "\r\n"), "utf-8-sig", newline="")
    assert chapters(tmp_path, "zh", ["x.md"])["x"].title == "像素"
    page.write_text(text, "gb18030")
    with pytest.raises(CnnvizError, match=r"^docs/zh/x.md:5: 这个文件不是 UTF-8"):
        chapters(tmp_path, "zh", ["x.md"])


def test_the_map_and_the_facts(tmp_path):
    found = course(tmp_path, ("pixels", ""), ("kernels", "pixels"))
    listed = course_map(found, "en")
    assert "2. **[Kernels](kernels.md)**" in listed
    assert "about 1 min · after 1" in listed
    facts = facts_html(found, "kernels", "en", "../")
    assert "Chapter 2 of 2" in facts
    assert '<a href="../pixels/">Pixels</a>' in facts
    assert 'href="../notebooks/kernels.ipynb"' in facts


@pytest.mark.parametrize("marks", ["<b>", "[x](y.md)", "`x`", "*x*", "[[= x ]]", "\\(x\\)", "<"])
def test_a_title_is_plain_words_since_other_pages_show_it(tmp_path, marks):
    text = PAGE.format(needs="", title="X").replace("# X", f"# X {marks}")
    for language, said in (("zh", "标题只能是普通的文字"), ("en", "is plain words")):
        page = tmp_path / language / "x.md"
        page.parent.mkdir()
        page.write_text(text, "utf-8")
        with pytest.raises(CnnvizError, match=rf"^docs/{language}/x\.md:5: .*{said}"):
            chapters(tmp_path, language, ["x.md"])


def test_an_ampersand_in_a_title_is_no_markup(tmp_path):
    found = course(tmp_path, ("r&d", ""), ("kernels", "r&d"))
    assert ">R&amp;D</a>" in facts_html(found, "kernels", "en", "../")


def test_code_and_directives_are_not_read_aloud():
    text = "word " * 360
    code = "\n``` python\n" + "print() " * 1000 + "\n```\n"
    assert minutes(text + code + '[[= claim(x, "many words here") ]]', "en") == 2
    assert minutes("[[= a ]] " + text + "[[% if b %]]", "en") == 2
    assert minutes(text + '[[% call figure("a/b") %]]' * 4, "en") == 3


def test_pages_of_figures_that_could_not_be_drawn_are_no_chapters(tmp_path):
    for page, needs, figure in (("a", "", "lines"), ("b", "a", "photo"), ("c", "a", "lines")):
        text = (
            f"---\ndescription: D.\nneeds: [{needs}]\n---\n\n# {page} {{ #{page} }}\n\n"
            f'!!! question "Q"\n    What?\n\n[[% call figure("{figure}/x") %]]\n[[% endcall %]]\n'
        )
        (tmp_path / "en").mkdir(exist_ok=True)
        (tmp_path / "en" / f"{page}.md").write_text(text, "utf-8")
    nav = ["a.md", "b.md", "c.md"]
    assert list(chapters(tmp_path, "en", nav)) == ["a", "b", "c"]
    found = chapters(tmp_path, "en", nav, {"photo"})
    assert {page: chapter.number for page, chapter in found.items()} == {"a": 1, "c": 2}
