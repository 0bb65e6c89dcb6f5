"""The course as a whole: its chapters in order, what each needs, how long it takes to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import NoneType
from typing import Any

import yaml

from cnnviz.errors import CnnvizError
from cnnviz.words import Message, message
from gen.texts.finding import Finding
from gen.texts.words import words as words_of

# Reading is slower here than in a novel: there are figures to look at.
_COUNTED = {"characters": r"[\u4e00-\u9fff]", "words": r"[^\W\d_][\w’'-]*"}
SECONDS_A_FIGURE = 15

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_TITLE = re.compile(r"^# (.*?) *\{ #", re.M)
_MARKUP = re.compile(r"[<>\[\]{}*`\\]")
_QUESTION = re.compile(r"^!!! question .*\n((?: {4}.*\n)+)", re.M)
_CODE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
DIRECTIVE = re.compile(r"\[\[=.*?\]\]|\[\[%.*?%\]\]|\[\[#.*?#\]\]", re.S)
_FIGURE = re.compile(r"call figure\(")
_SHOWN = re.compile(r'figure\("(\w+)/')


@dataclass(frozen=True)
class Chapter:
    """A chapter of the course in one language.

    Attributes:
        page: name of its file, without ".md".
        number: its place in the course, from 1.
        needs: pages that the reader should have read.
        minutes: to read it and look at its figures, exercises not counted.
    """

    page: str
    number: int
    title: str
    question: str
    needs: tuple[str, ...]
    minutes: int


def pages_of(nav: Iterable[Any]) -> list[str]:
    """The pages of a MkDocs nav in order, without ".md"."""
    pages: list[str] = []
    for entry in nav:
        if isinstance(entry, str):
            pages.append(entry.removesuffix(".md"))
        elif isinstance(entry, Mapping):
            for value in entry.values():
                pages += pages_of([value] if isinstance(value, str) else value)
    return pages


def shown_in(markdown: str) -> set[str]:
    """The chapters of gen/figures of which a page shows figures."""
    return set(_SHOWN.findall(markdown))


def chapters(
    docs: Path, language: str, nav: Iterable[Any], missing: Set[str] = frozenset()
) -> dict[str, Chapter]:
    """The chapters of a language by page, in the order of the nav.

    A page is a chapter if its front matter has `needs`.

    Args:
        missing: chapters of gen/figures that could not be drawn; pages that show them are left out.

    Raises:
        CnnvizError: a chapter needs one which does not come before it, or asks no question, or a
            page cannot be read.
    """
    found: dict[str, Chapter] = {}
    for page in pages_of(nav):
        path = docs / language / f"{page}.md"
        if not path.exists():  # shown in English in a third language
            path = docs / "en" / f"{page}.md"
        text = _read(path, language) if path.exists() else ""
        meta = _front_matter(text, path, language)
        if "needs" not in meta or missing & shown_in(text):
            continue
        title, question = _TITLE.search(text), _QUESTION.search(text)
        if title is None or question is None:
            raise _error(path, 0, language, message("course.no question"))
        if marks := _MARKUP.findall(title[1]):
            line = text.count("\n", 0, title.start()) + 1
            raise _error(path, line, language, message("course.marks in title", marks=marks))
        needs = tuple(meta["needs"] or ())
        for need in needs:
            if need not in found:
                what = message("course.not before", chapter=str(need))
                raise _error(path, _line_of_key(text, "needs"), language, what)
        needs = tuple(sorted(needs, key=list(found).index))
        found[page] = Chapter(
            page,
            len(found) + 1,
            title.group(1),
            " ".join(line.strip() for line in question.group(1).splitlines()),
            needs,
            minutes(text, language),
        )
    return found


def _line_of_key(markdown: str, key: str) -> int:
    """The line of a key of the front matter."""
    return markdown.count("\n", 0, max(0, markdown.find(f"\n{key}:") + 1)) + 1


def _read(path: Path, language: str) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise _error(path, line, language, message("course.not UTF-8")) from error


def _front_matter(text: str, path: Path, language: str) -> dict[str, Any]:
    """What stands between the two --- at the top of a page."""
    front = _FRONT_MATTER.match(text)
    if front is None and text.startswith("---\n"):
        raise _error(path, 1, language, message("course.no end"))
    line, problem = 1, ""
    try:
        meta = yaml.safe_load(front[1]) if front else {}
    except yaml.MarkedYAMLError as error:
        meta, problem = None, str(error.problem)
        line = error.problem_mark.line + 2 if error.problem_mark else 1
    if not isinstance(meta, dict):
        raise _error(path, line, language, message("course.unreadable", problem=problem))
    if not isinstance(meta.get("needs", []), (list, NoneType)):
        what = message("course.no list", list=f"[{meta['needs']}]")
        raise _error(path, _line_of_key(text, "needs"), language, what)
    return meta


def _error(path: Path, line: int, language: str, what: Message) -> CnnvizError:
    file = f"docs/{path.parent.name}/{path.name}"
    return CnnvizError(Finding(file, line, what).text(language))


def minutes(markdown: str, language: str) -> int:
    """Minutes to read a page.

    >>> minutes("word " * 360, "en"), minutes("字" * 600, "zh")
    (2, 2)
    """
    text = DIRECTIVE.sub(" ", _CODE.sub(" ", _FRONT_MATTER.sub("", markdown)))
    words = words_of(language)
    length = len(re.findall(_COUNTED[words["counted in"]], text))
    seconds = 60 * length / words["read in a minute"]
    seconds += SECONDS_A_FIGURE * len(_FIGURE.findall(markdown))
    return max(1, round(seconds / 60))


def course_map(course: Mapping[str, Chapter], language: str) -> str:
    """All chapters as a numbered Markdown list: title, question, what each needs, time."""
    words, lines = words_of(language), []
    for chapter in course.values():
        facts = [words("minutes", minutes=chapter.minutes)]
        if chapter.needs:
            numbers = words["list comma"].join(str(course[n].number) for n in chapter.needs)
            facts.append(words("needs chapters", chapters=numbers))
        lines.append(
            f"{chapter.number}. **[{chapter.title}]({chapter.page}.md)**  \n    {chapter.question} "
            f'<span class="course-facts">{words["dot"].join(facts)}</span>'
        )
    return "\n".join(["", *lines, ""])


def facts_html(course: Mapping[str, Chapter], page: str, language: str, up: str) -> str:
    """The line below a chapter's title: number, time, what to read first, notebook.

    Args:
        up: the way from the page to the root of the site, such as "../".
    """
    words, chapter = words_of(language), course[page]
    facts = [
        words("chapter", number=chapter.number, count=len(course)),
        words("minutes", minutes=chapter.minutes),
    ]
    if chapter.needs:
        links = (
            f'<a href="{up}{need}/">{escape(course[need].title)}</a>' for need in chapter.needs
        )
        facts.append(words["read first"] + words["colon"] + words["list comma"].join(links))
    facts.append(f'<a href="{up}notebooks/{page}.ipynb" download>{words["notebook"]}</a>')
    items = "".join(f"<li>{fact}</li>" for fact in facts)
    return f'<ul class="chapter-facts" data-search-exclude>{items}</ul>'
