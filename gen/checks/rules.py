"""What may be wrong with a page as it is written: each rule reads one page and says what to mend."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from cnnviz.words import Message, message
from gen.checks import spelling, typed_numbers, typography
from gen.checks.remark import Page, Remark, Site
from gen.settings import ROOT
from gen.texts.glossary import pattern
from gen.texts.sections import blank, line_of, prose, sections, without_code

OUR_SITES = tuple(
    re.findall(r'!ENV \[SITE_URL, "([^"]+)"\]', (ROOT / "mkdocs.yml").read_text("utf-8"))
    + [address for address in [os.environ.get("SITE_URL", "")] if address]
)
ALLOW = "prose-allow.yml"
"""The file of docs that names what is right although a rule says otherwise."""
RULES = ("typography", "spelling", "term", "link", "alt", "number")
VALUE = re.compile(r"\[\[= (?!claim|source|example|glossary|\")[^\]\n]*(?:\][^\]\n]+)*\]\]")


def _words(page: Page) -> Iterator[Remark]:
    """Misspelt words, and American spelling, in English."""
    if page.language != "en":
        return
    for number, line in enumerate(prose(page.markdown).split("\n"), 1):
        for word, better, american in spelling.mistakes(line):
            several = [one.strip() for one in better.split(",") if one.strip()]
            if american:
                what = message("rules.american", word=word, better=several)
            else:
                what = message("rules.misspelt", word=word, better=several)
            yield Remark("spelling", word, number, what)


def names_of_terms(page: Page, site: Site) -> Iterator[Remark]:
    """No term translated a second way."""
    if page.name == "glossary":
        return
    text = prose(page.markdown)
    for term in site.terms:
        for word in term.unused(page.language):
            for match in pattern([word], page.language).finditer(text):
                if page.language == "en" and _in_british(match.group()) in term.forms("en"):
                    continue  # the rule for spelling says so
                found, ours = match.group(), term.name(page.language)
                what = message("rules.term", word=found, ours=ours)
                yield Remark("term", found, line_of(text, match.start()), what)


def _in_british(words: str) -> str:
    return " ".join(spelling.american().get(word, word) for word in words.lower().split())


def _links(page: Page, site: Site) -> Iterator[Remark]:
    """Links to pages and anchors of the same language lead somewhere."""
    text = without_code(page.markdown)
    known = site.anchors[page.language]
    for match in re.finditer(r"\]\(([^)\s]*)\)", text):
        target, line = match[1], line_of(text, match.start())
        of_ours = target.startswith(OUR_SITES)
        if "[[" in target or (":" in target and not of_ours):
            continue
        path, _, anchor = target.partition("#")
        if of_ours or path.endswith("/") or path.startswith("/"):
            page_of_ours = f"{path.strip('/').split('/')[-1] or 'index'}.md"
            what = message("rules.address of the site", link=target, file=page_of_ours)
            yield Remark("link", target, line, what)
            continue
        if path and not path.endswith(".md"):
            continue  # files and pages that the build makes; MkDocs checks those
        file = Path(os.path.normpath(Path(page.name).parent / path.removesuffix(".md"))).as_posix()
        name = file if path else page.name
        if name not in known:
            if name.startswith("atlas/"):
                continue  # made by the build
            folder, near = f"docs/{page.language}", _near(file, known, "{}.md")
            what = message("rules.no page", link=target, folder=folder, near=near)
            yield Remark("link", target, line, what)
        elif anchor and anchor not in known[name] and "*" not in known[name]:
            near = _near(anchor, known[name], "#{}")
            what = message("rules.no anchor", link=target, anchor=anchor, near=near)
            yield Remark("link", target, line, what)


def _near(word: str, known: Iterable[str], written: str) -> Message | str:
    """A question for the word that was probably meant; "" if none is near."""
    near = get_close_matches(word, sorted(known), n=1)
    return message("rules.did you mean", word=written.format(near[0])) if near else ""


def _pictures(page: Page) -> Iterator[Remark]:
    """Pictures say what they show to those who cannot see them."""
    text = without_code(page.markdown)
    for match in re.finditer(r"!\[\s*\]\(([^)]*)\)|<img(?![^>]*\balt=)[^>]*>", text):
        what = message("rules.no alternative text", picture=match.group())
        yield Remark("alt", match.group(), line_of(text, match.start()), what)


def _numbers(page: Page, site: Site) -> Iterator[Remark]:
    """Measured numbers come from the build."""
    text = re.sub(r"\A---\n.*?\n---\n", blank, page.markdown, flags=re.S)
    for number, line, metric in typed_numbers.suspects(text, page.name, site.numbers):
        # Who typed over a value has taken it from here, and the other language still has it.
        lacking = [] if metric else _values_lacking(page, line, site)
        known = message("rules.looks measured")
        instead: Message | str = message("rules.any value")
        if metric:
            known, instead = message("rules.in the build", metric=metric), f"[[= {metric} ]]"
        elif lacking:
            instead = message("rules.values there", values=lacking)
        allow = f"docs/{ALLOW}"
        what = message("rules.typed", number=number, known=known, instead=instead, allow=allow)
        yield Remark("number", number, line, what)


def _values_lacking(page: Page, line: int, site: Site) -> list[str]:
    """Values that the other language shows in this section and this page does not, a few at most."""
    mine = [s for s in sections(page.markdown) if s.line <= line]
    if not mine:
        return []
    here = VALUE.findall(mine[-1].text)
    there = site.values.get("en" if page.language == "zh" else "zh", {})
    return [v for v in there.get(f"{page.name}#{mine[-1].anchor}", []) if v not in here][:3]


def remarks_on_words(page: Page) -> list[Remark]:
    """What the rules say of words, wherever they stand."""
    return [*typography.chinese(page), *typography.english(page), *_words(page)]


def remarks(page: Page, site: Site) -> list[Remark]:
    """All that the rules say of a page."""
    return [
        *remarks_on_words(page),
        *names_of_terms(page, site),
        *_links(page, site),
        *_pictures(page),
        *_numbers(page, site),
    ]
