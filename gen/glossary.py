"""The terms of the course (docs/glossary.yml): their page, and links from their first use."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import yaml

from cnnviz.errors import CnnvizError

LANGUAGES = ("zh", "en")

_TAG = re.compile(r"(<[^>]*>)")
_CLOSED = re.compile(r"<(?:area|br|col|hr|img|input|source|wbr|meta|link)\b|/>$|<!")
# Where a link would be wrong: headings, links, code, formulas, tables of numbers, controls.
_NO_LINKS = re.compile(
    r'<(?:h[1-6]|a|code|pre|svg|script|style|summary|button|label|table)\b|class="arithmatex"'
    r'|class="admonition-title"|class="filename"|class="footnote'
)


@dataclass(frozen=True)
class Term:
    """A term in both languages; `also` and `never` map a language to other words for it.

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


def read(path: Path) -> list[Term]:
    """The terms of a glossary file.

    Raises:
        CnnvizError: a term lacks a field, has an unknown one, or stands twice.
    """
    terms: list[Term] = []
    for entry in yaml.safe_load(path.read_text("utf-8")):
        try:
            terms.append(Term(**entry))
        except TypeError as error:
            raise CnnvizError(
                f"{path.name}: the term {entry.get('id', entry)!r} does not fit: {error}."
            ) from error
    names = {"id": [term.id for term in terms]}
    for language in LANGUAGES:
        names[language] = [form.lower() for term in terms for form in term.forms(language)]
    for what, values in names.items():
        if twice := sorted({value for value in values if values.count(value) > 1}):
            raise CnnvizError(f"{path.name}: {what} stands more than once: {', '.join(twice)}.")
    return terms


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


def link_first_uses(html: str, terms: list[Term], language: str, glossary_url: str) -> str:
    """The page with a link to the glossary at the first use of each term in its running text."""
    finder = Finder(terms, language)
    seen = {term.id for term in terms if not term.link}

    def link(match: re.Match[str]) -> str:
        word, term = match.group(), finder.term(match)
        # A single Chinese character is part of too many other words.
        if term.id in seen or len(word) == 1:
            return word
        seen.add(term.id)
        return (
            f'<a class="term" href="{glossary_url}#{term.id}" '
            f'title="{escape(term.meaning(language))}">{word}</a>'
        )

    parts: list[str] = []
    depth = 0  # how many elements are open inside one where no link may stand; 0 outside
    for part in _TAG.split(html):
        if not part.startswith("<"):
            parts.append(part if depth else finder.pattern.sub(link, part))
            continue
        if not _CLOSED.search(part):
            if part.startswith("</"):
                depth = max(0, depth - 1)
            elif depth or _NO_LINKS.search(part):
                depth += 1
        parts.append(part)
    return "".join(parts)


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
                f":   {term.meaning(language)}",
                "",
            ]
    return "\n".join(lines)
