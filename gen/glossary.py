"""The terms of the course (docs/glossary.yml): their page, and links from their first use."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import MISSING, dataclass, field, fields
from html import escape
from pathlib import Path
from typing import Any

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
        CnnvizError: it is no YAML; a term lacks a field, has an unknown one, or stands twice.
    """
    source = path.read_text("utf-8")
    try:
        entries = yaml.safe_load(source) or []
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CnnvizError(
            f"docs/{path.name}:{line}: this line cannot be read ({error.problem}). What to do: "
            "indent it as the terms above it are; put a text that holds a colon in double quotes."
        ) from error
    terms = [_term(entry, path.name, source) for entry in entries]
    names = {"id": [term.id for term in terms]}
    for language in LANGUAGES:
        names[language] = [form.lower() for term in terms for form in term.forms(language)]
    for what, values in names.items():
        if twice := sorted({value for value in values if values.count(value) > 1}):
            raise CnnvizError(
                f"docs/{path.name}: {what} stands more than once: {', '.join(twice)}. What to do: "
                "keep one of them; a word belongs to one term."
            )
    return terms


def _term(entry: Any, file: str, source: str) -> Term:
    known = {f.name: f for f in fields(Term)}
    needed = [n for n, f in known.items() if f.default is f.default_factory is MISSING]
    given = set(entry) if isinstance(entry, dict) else set()
    lacking = [name for name in needed if name not in given]
    lacking += [f"means: {{{k}: …}}" for k in LANGUAGES if "means" in given and not _says(entry, k)]
    if not lacking and given <= known.keys():
        return Term(**entry)
    name = str(entry.get("id", entry)) if isinstance(entry, dict) else str(entry)
    line = source.count("\n", 0, max(0, source.find(f"id: {name}\n"))) + 1
    wrong = (
        f"lacks {', '.join(lacking)}" if lacking else f"has {', '.join(sorted(given - set(known)))}"
    )
    raise CnnvizError(
        f"docs/{file}:{line}: the term '{name}' {wrong}. What to do: give it {', '.join(needed)}, "
        f"as the terms above it have, and of the rest only "
        f"{', '.join(n for n in known if n not in needed)}; means has a line for zh and one for en."
    )


def _says(entry: dict[str, Any], language: str) -> bool:
    means = entry["means"]
    return isinstance(means, dict) and bool(str(means.get(language) or "").strip())


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
