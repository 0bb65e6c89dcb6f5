"""The chapters in their order, what they need, how long they take."""

import pytest
import yaml

from cnnviz.errors import CnnvizError
from gen.course import chapters, course_map, facts_html, minutes, pages_of
from gen.settings import ROOT

PAGE = """---
needs: [{needs}]
---

# {title} {{ #x }}

!!! question "The question"
    Why {title}?
"""
NOT_CHAPTERS = {"index", "lab", "glossary", "about", "api", "changelog"}
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
    with pytest.raises(CnnvizError, match=r"needs.md|pixels.md needs 'kernels'"):
        course(tmp_path, ("pixels", "kernels"), ("kernels", ""))


def test_the_map_and_the_facts(tmp_path):
    found = course(tmp_path, ("pixels", ""), ("kernels", "pixels"))
    listed = course_map(found, "en")
    assert "2. **[Kernels](kernels.md)**" in listed
    assert "about 1 min · after 1" in listed
    facts = facts_html(found, "kernels", "en", "../")
    assert "Chapter 2 of 2" in facts
    assert '<a href="../pixels/">Pixels</a>' in facts
    assert 'href="../notebooks/kernels.ipynb"' in facts


def test_code_and_directives_are_not_read_aloud():
    text = "word " * 360
    code = "\n``` python\n" + "print() " * 1000 + "\n```\n"
    assert minutes(text + code + '[[= claim(x, "many words here") ]]', "en") == 2
    assert minutes("[[= a ]] " + text + "[[% if b %]]", "en") == 2
    assert minutes(text + '[[% call figure("a/b") %]]' * 4, "en") == 3
