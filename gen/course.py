"""The course as a whole: its chapters in order, what each needs, how long it takes to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cnnviz.errors import CnnvizError
from gen.words import WORDS

# Reading is slower here than in a novel: there are figures to look at.
WORDS_A_MINUTE = {"zh": 300, "en": 180}
SECONDS_A_FIGURE = 15

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_TITLE = re.compile(r"^# (.*?) *\{ #", re.M)
_QUESTION = re.compile(r"^!!! question .*\n((?: {4}.*\n)+)", re.M)
_CODE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
DIRECTIVE = re.compile(r"\[\[=.*?\]\]|\[\[%.*?%\]\]|\[\[#.*?#\]\]", re.S)
_FIGURE = re.compile(r"call figure\(")


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


def chapters(docs: Path, language: str, nav: Iterable[Any]) -> dict[str, Chapter]:
    """The chapters of a language by page, in the order of the nav.

    A page is a chapter if its front matter has `needs`.

    Raises:
        CnnvizError: a chapter needs one which does not come before it, or asks no question.
    """
    found: dict[str, Chapter] = {}
    for page in pages_of(nav):
        path = docs / language / f"{page}.md"
        if not path.exists():  # shown in English in a third language
            path = docs / "en" / f"{page}.md"
        text = path.read_text("utf-8") if path.exists() else ""
        front = _FRONT_MATTER.match(text)
        meta = yaml.safe_load(front.group(1)) if front else {}
        if "needs" not in meta:
            continue
        needs = tuple(meta["needs"] or ())
        title, question = _TITLE.search(text), _QUESTION.search(text)
        if title is None or question is None:
            raise CnnvizError(
                f"docs/{language}/{page}.md: a chapter begins with a title and a box "
                "`!!! question`, which the course map shows."
            )
        for need in needs:
            if need not in found:
                raise CnnvizError(
                    f"docs/{language}/{page}.md needs '{need}', which is not a chapter before it. "
                    "Mend `needs:` or the order of the nav."
                )
        found[page] = Chapter(
            page,
            len(found) + 1,
            title.group(1),
            " ".join(line.strip() for line in question.group(1).splitlines()),
            needs,
            minutes(text, language),
        )
    return found


def minutes(markdown: str, language: str) -> int:
    """Minutes to read a page.

    >>> minutes("word " * 360, "en"), minutes("字" * 600, "zh")
    (2, 2)
    """
    text = DIRECTIVE.sub(" ", _CODE.sub(" ", _FRONT_MATTER.sub("", markdown)))
    length = len(re.findall(r"[\u4e00-\u9fff]" if language == "zh" else r"[^\W\d_][\w’'-]*", text))
    seconds = 60 * length / WORDS_A_MINUTE["zh" if language == "zh" else "en"]
    seconds += SECONDS_A_FIGURE * len(_FIGURE.findall(markdown))
    return max(1, round(seconds / 60))


def course_map(course: Mapping[str, Chapter], language: str) -> str:
    """All chapters as a numbered Markdown list: title, question, what each needs, time."""
    pick = 0 if language == "zh" else 1
    lines = []
    for chapter in course.values():
        facts = [WORDS["minutes"][pick].format(minutes=chapter.minutes)]
        if chapter.needs:
            numbers = WORDS["list comma"][pick].join(str(course[n].number) for n in chapter.needs)
            facts.append(WORDS["needs chapters"][pick].format(chapters=numbers))
        lines.append(
            f"{chapter.number}. **[{chapter.title}]({chapter.page}.md)**  \n    {chapter.question} "
            f'<span class="course-facts">{WORDS["dot"][pick].join(facts)}</span>'
        )
    return "\n".join(["", *lines, ""])


def facts_html(course: Mapping[str, Chapter], page: str, language: str, up: str) -> str:
    """The line below a chapter's title: number, time, what to read first, notebook.

    Args:
        up: the way from the page to the root of the site, such as "../".
    """
    pick = 0 if language == "zh" else 1
    chapter = course[page]
    say = {key: text[pick] for key, text in WORDS.items()}
    facts = [
        say["chapter"].format(number=chapter.number, count=len(course)),
        say["minutes"].format(minutes=chapter.minutes),
    ]
    if chapter.needs:
        links = (f'<a href="{up}{need}/">{course[need].title}</a>' for need in chapter.needs)
        facts.append(say["read first"] + say["colon"] + say["list comma"].join(links))
    facts.append(f'<a href="{up}notebooks/{page}.ipynb" download>{say["notebook"]}</a>')
    items = "".join(f"<li>{fact}</li>" for fact in facts)
    return f'<ul class="chapter-facts" data-search-exclude>{items}</ul>'
