"""The terms of the course (docs/glossary.yml): their page, and links from their first use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import yaml

from cnnviz.errors import CnnvizError
from cnnviz.words import Message, message
from gen.texts.finding import Finding, spoken
from gen.texts.words import words as words_of

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Term:
    """A term in both languages; `also`, `elsewhere` and `never` map a language to other words for it.

    The text may use those of `also`. Those of `elsewhere` are what other books say: the glossary
    page names them, the text does not use them.

    A third language has its word in `also` and its line in `means`.

    Attributes:
        page: where it is explained, such as "convolution" or "image#tensors".
        link: whether its first use in a chapter becomes a link; words as common as "layer" do not.
    """

    id: str
    zh: str
    en: str
    page: str
    means: dict[str, str]
    also: dict[str, list[str]] = field(default_factory=dict)
    elsewhere: dict[str, list[str]] = field(default_factory=dict)
    never: dict[str, list[str]] = field(default_factory=dict)
    link: bool = True

    def name(self, language: str) -> str:
        """The term in one language; the first of `also` in a third, English if it has none."""
        own = {"zh": self.zh, "en": self.en}
        return own.get(language) or next(iter(self.also.get(language, [])), self.en)

    def meaning(self, language: str) -> str:
        """What it means, in English if a third language does not say."""
        return self.means.get(language, self.means["en"])

    def forms(self, language: str) -> list[str]:
        """All words under which the text of a language may use it."""
        return [self.name(language), *self.also.get(language, [])]

    def unused(self, language: str) -> list[str]:
        """Words that would give the term a second name in our text."""
        return [*self.elsewhere.get(language, []), *self.never.get(language, [])]


_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_EXAMPLES = {list: "{zh: [词, 词]}", str: "zh: 一句话"}
_REQUIRED, _OPTIONAL = ("id", "zh", "en", "page", "means"), ("also", "elsewhere", "never", "link")


def read(path: Path) -> list[Term]:
    """The terms of a glossary file.

    Raises:
        CnnvizError: a term lacks a field, has an unknown one, or stands twice; says where.
    """
    text = path.read_text("utf-8-sig")
    terms = [_term(entry, text, path) for entry in _entries(text, path)]
    names = {"id": [term.id for term in terms]}
    for language in LANGUAGES:
        names[language] = [form.lower() for term in terms for form in term.forms(language)]
    for what, values in names.items():
        if twice := sorted({value for value in values if values.count(value) > 1}):
            last = next(
                term
                for term in reversed(terms)
                if twice[0] in ([term.id] if what == "id" else map(str.lower, term.forms(what)))
            )
            said = message("glossary.twice", words=twice, field=what)
            raise _error(path, line_of_term(text, last.id), said)
    return terms


def line_of_term(text: str, name: str) -> int:
    """The line where the last entry of that id begins; 0 if it is written in another way."""
    found = [match.start() for match in re.finditer(rf"^- id: {re.escape(name)}\s*$", text, re.M)]
    return text.count("\n", 0, found[-1]) + 1 if found else 0


def _entries(text: str, path: Path) -> list[Any]:
    try:
        entries = yaml.safe_load(text) or []
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        what = message("glossary.unreadable", problem=error.problem)
        raise _error(path, line, what) from error
    if not isinstance(entries, list):
        raise _error(path, 1, message("glossary.no list"))
    return entries


def _term(entry: Any, text: str, path: Path) -> Term:
    given = entry if isinstance(entry, dict) else {}
    line = line_of_term(text, str(given.get("id")))
    missing = [name for name in _REQUIRED if not given.get(name)]
    odd = [str(name) for name in given if name not in (*_REQUIRED, *_OPTIONAL)]
    if missing or odd:
        what = message(
            "glossary.fields",
            term=str(given.get("id", entry)),
            missing=missing,
            odd=odd,
            every=[*_REQUIRED, *_OPTIONAL],
        )
        raise _error(path, line, what)
    if not _ID.fullmatch(str(given["id"])):
        raise _error(path, line, message("glossary.id", id=str(given["id"])))
    for field_, form in (("also", list), ("elsewhere", list), ("never", list), ("means", str)):
        value = given.get(field_, {})
        if not isinstance(value, dict) or not all(isinstance(v, form) for v in value.values()):
            term, example = str(given["id"]), _EXAMPLES[form]
            what = message("glossary.form", term=term, field=field_, example=example)
            raise _error(path, line, what)
    return Term(**given)


def _error(path: Path, line: int, what: Message) -> CnnvizError:
    return CnnvizError(Finding(f"docs/{path.name}", line, what).text(spoken()))


def pattern(words: list[str], language: str) -> re.Pattern[str]:
    """Finds any of the words, longest first: whole words and their plural, but in Chinese."""
    ordered = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    if language != "zh":
        return re.compile(rf"(?<![\w-])(?:{ordered})(?:s|es)?(?![\w-])", re.I)
    return re.compile(ordered)


class Finder:
    """Finds the terms in a text of one language, the longest at each place."""

    def __init__(self, terms: list[Term], language: str) -> None:
        self.pattern = pattern([form for t in terms for form in t.forms(language)], language)
        self.owner = {form.lower(): term for term in terms for form in term.forms(language)}

    def term(self, match: re.Match[str]) -> Term:
        """The term of which `match`, found by `pattern`, is a form."""
        word = match.group().lower()
        singular = (word.removesuffix(ending) for ending in ("", "s", "es"))
        return next(self.owner[form] for form in singular if form in self.owner)

    def count(self, text: str) -> Counter[str]:
        """How often each term is used, by its id."""
        return Counter(self.term(match).id for match in self.pattern.finditer(text))


class FirstUses:
    """Finds the first use of each term in the running text of a page, which comes in pieces.

    Args:
        glossary_url: address of the glossary as seen from the page.
    """

    def __init__(self, terms: list[Term], language: str, glossary_url: str) -> None:
        self.finder, self.language, self.url = Finder(terms, language), language, glossary_url
        self.seen = {term.id for term in terms if not term.link}

    def linked(self, text: str, mark: Callable[[str], str]) -> str:
        """The next piece of the text, with a link to the glossary around each first use.

        Args:
            mark: what stands in the text for a piece of HTML.
        """

        def link(match: re.Match[str]) -> str:
            word, term = match.group(), self.finder.term(match)
            # A single Chinese character is part of too many other words.
            if term.id in self.seen or len(word) == 1:
                return word
            self.seen.add(term.id)
            meaning = escape(term.meaning(self.language))
            start = f'<a class="term" href="{self.url}#{term.id}" title="{meaning}">'
            return f"{mark(start)}{word}{mark('</a>')}"

        return self.finder.pattern.sub(link, text)


def glossary_markdown(terms: list[Term], language: str, titles: dict[str, str]) -> str:
    """The list of all terms, by the chapter that explains them.

    Args:
        titles: page → title of the chapter, in the order of the course.
    """
    other = "en" if language == "zh" else "zh"
    lines = []
    for page, title in titles.items():
        of_page = [term for term in terms if term.page.split("#")[0] == page]
        if of_page:
            lines += [f"## {title} {{ #in-{page} }}", ""]
        for term in of_page:
            path, _, anchor = term.page.partition("#")
            target = f"{path}.md{'#' + anchor if anchor else ''}"
            same = term.name(language) == term.name(other)
            translated = f' · <span lang="{other}">{term.name(other)}</span>' if not same else ""
            lines += [
                f'<span id="{term.id}"></span>**[{term.name(language)}]({target})**{translated}',
                f":   {term.meaning(language)}{_other_names(term, language)}",
                "",
            ]
    return "\n".join(lines)


def _other_names(term: Term, language: str) -> str:
    """What other books call it, as a sentence; nothing if they call it the same."""
    names = term.elsewhere.get(language, [])
    words = words_of(language)
    # Only Chinese puts no space between two sentences.
    space = "" if language == "zh" else " "
    return space + words("also called", names=words["list comma"].join(names)) if names else ""
