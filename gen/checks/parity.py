"""What one language has that another lacks: pages, sections, figures, exercises, claims, terms, words.

`make parity` (`python -m gen parity`) says it in plain words, with what to do, and which sections
were changed in one language only: since `--base`, a commit, and since they were last known to say
the same (docs/in-step.txt; `--record` brings that file up to date).
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cnnviz.words import message
from gen.checks import in_step, since, word_files, word_pairs
from gen.checks.kinds import KINDS, Kind, Place, Text, places, read_page
from gen.checks.word_files import WordsFile
from gen.settings import ROOT
from gen.texts.finding import Finding, name, spoken, workflow_commands
from gen.texts.glossary import Finder, Term
from gen.texts.glossary import read as read_glossary
from gen.texts.sections import pages, prose
from gen.texts.words import check_words, languages

USED_OFTEN = 4
"""A term used so often in one language and never in the other has got a second name there."""


def differences(docs: Path) -> list[Finding]:
    """What zh and en do not both have, and what pages of a third language have beyond en.

    Checks which pages there are, the order of sections and figures, and which exercises, claims,
    sources, programs, boxes, formulas and terms each has; and which words files, names and values.
    """
    all_pages = {language: pages(docs, language) for language in languages(docs)}
    glossary = docs / "glossary.yml"
    terms = read_glossary(glossary) if glossary.exists() else []
    words = word_files.read_all(docs)
    found: list[Finding] = []
    for language, mine in all_pages.items():
        config = docs.parent / f"mkdocs.{language}.yml"
        if language not in ("zh", "en") and (docs.parent / "mkdocs.yml").exists():
            found += [] if config.exists() else [_not_built(language)]
        # A third language may have fewer pages than English, but no others.
        other = "zh" if language == "en" else "en"
        for page in sorted(set(mine) - set(all_pages[other])):
            found.append(_no_counterpart(page, language, other))
        if language == "zh":
            continue  # compared already: English with it
        for page in sorted(set(mine) & set(all_pages[other])):
            here, there = (read_page(all_pages[k][page], k) for k in (language, other))
            found += _page(here, there)
            found += _terms(_with_words(here, page, words), _with_words(there, page, words), terms)
    return sorted({*found, *word_pairs.differences(words)})


def _with_words(text: Text, page: str, words: Sequence[WordsFile]) -> Text:
    """The page, and what its figures say."""
    said = [
        entry.text
        for file in words
        if (file.page, file.language) == (page, text.language)
        for entry in file.entries
        if entry.sentence
    ]
    return replace(text, markdown="\n\n".join([prose(text.markdown), *said]))


def _not_built(language: str) -> Finding:
    what = message("parity.not built", file=f"mkdocs.{language}.yml")
    return Finding(f"docs/{language}/index.md", 0, what)


def _no_counterpart(page: str, language: str, other: str) -> Finding:
    what = message(
        "parity.missing page",
        other=name(other),
        file=f"docs/{other}/{page}.md",
        config=f"mkdocs.{other}.yml" if other != "zh" else "mkdocs.yml",
    )
    return Finding(f"docs/{language}/{page}.md", 0, what)


def _page(here: Text, there: Text) -> list[Finding]:
    found: list[Finding] = []
    for kind in KINDS.values():
        found += _different(kind, here, there)
        if kind.ordered:
            found += _order(kind, here, there)
    return found


def _without(mine: list[Place], theirs: list[Place]) -> list[Place]:
    """Those of `mine` whose value `theirs` lacks."""
    spare = Counter(place.value for place in theirs)
    found = []
    for place in mine:
        if spare[place.value] and place.value:
            spare[place.value] -= 1
        else:
            found.append(place)
    return found


def _different(kind: Kind, here: Text, there: Text) -> list[Finding]:
    """What one text has of a kind and the other lacks, or has under another name."""
    both = places(kind, here), places(kind, there)
    only_here, only_there = _without(*both), _without(*reversed(both))
    found = []
    for place in [*only_here]:
        twin = next((p for p in only_there if p.around == place.around), None)
        if twin and (place.value or twin.value):
            only_here.remove(place)
            only_there.remove(twin)
            found.append(_renamed(kind, (here, place), (there, twin)))
    for one, other, left in ((here, there, only_here), (there, here, only_there)):
        found += [_missing(kind, one, other, place) for place in left]
    return found


def _renamed(kind: Kind, here: tuple[Text, Place], there: tuple[Text, Place]) -> Finding:
    """The same thing, under two names: most likely one of them was changed by mistake."""
    if not here[1].value:  # a heading whose anchor the other text knows
        return _no_anchor(here, there)
    if not there[1].value:
        return _no_anchor(there, here)
    (text, place), (other, twin) = here, there
    values = {"here": place.value, "there": twin.value, "place": f"{other.file}:{twin.line}"}
    if kind is KINDS["section"]:
        what = message("parity.other anchor", **values)
    else:
        what = message("parity.other name", kind=kind.name, **values)
    return Finding(text.file, place.line, what)


def _no_anchor(here: tuple[Text, Place], there: tuple[Text, Place] | None = None) -> Finding:
    """A heading that does not end as headings do; `there`: its twin, which does."""
    text, place = here
    heading = text.markdown.splitlines()[place.line - 1].rstrip()
    if there:
        anchor, where = f"{{ #{there[1].value} }}", f"{there[0].file}:{there[1].line}"
        what = message("parity.its anchor", heading=heading, anchor=anchor, place=where)
    else:
        what = message("parity.no anchor", heading=heading)
    return Finding(text.file, place.line, what)


def _missing(kind: Kind, here: Text, there: Text, place: Place) -> Finding:
    """Something that `here` has and `there` lacks."""
    if not place.value:
        return _no_anchor((here, place))
    what = message(
        "parity.missing",
        kind=kind.name,
        value="" if kind is KINDS["exercise"] else place.value,
        file=there.file,
        place=there.place(place.around),
        todo=kind.todo(name(there.language), place.value),
    )
    return Finding(here.file, place.line, what)


def _order(kind: Kind, here: Text, there: Text) -> list[Finding]:
    mine, theirs = places(kind, here), places(kind, there)
    values = [place.value for place in theirs]
    if sorted(values) != sorted(place.value for place in mine):
        return []  # said already
    for place, other in zip(mine, values, strict=True):
        if place.value != other:
            what = message(
                "parity.order", kind=kind.name, here=place.value, there=other, file=there.file
            )
            return [Finding(here.file, place.line, what)]
    return []


def _terms(here: Text, there: Text, terms: list[Term]) -> list[Finding]:
    if {here.language, there.language} != {"zh", "en"} or not terms:
        return []
    count = {t.language: Finder(terms, t.language).count(prose(t.markdown)) for t in (here, there)}
    found = []
    for term in terms:
        for one, other in ((here, there), (there, here)):
            often = count[one.language][term.id]
            if often >= USED_OFTEN and not count[other.language][term.id]:
                what = message(
                    "parity.second name",
                    file=one.file,
                    count=often,
                    there=term.name(one.language),
                    here=term.name(other.language),
                )
                found.append(Finding(other.file, 0, what))
    return found


def report(docs: Path, base: str, say: Callable[[str], None]) -> int:
    """Print what differs and what to do; the number of differences that must be mended.

    Args:
        base: the commit to compare with; "" to choose one.
    """
    structure = differences(docs)
    changes = since.changes(docs, base)
    language = spoken({k for change in changes.pages for k in change.changed})
    words = check_words(language)
    fresh = changes.findings()
    settled = in_step.settled(docs)
    one_sided = [f for key, said in fresh.items() if key not in settled for f in said]
    stale = in_step.findings(docs, but=fresh)
    for title, found in (
        (message("parity.to mend"), structure),
        (message("parity.one language", base=changes.base), one_sided),
        (message("parity.waiting"), stale),
    ):
        if found:
            say(f"\n{words(title)}")
            for finding in found:
                say(f"  {finding.text(language)}")
    if os.environ.get("GITHUB_ACTIONS"):
        for line in workflow_commands(structure, language, "error"):
            say(line)
        for line in workflow_commands([*one_sided, *stale], language, "notice"):
            say(line)
    if changes.problem:
        say(words(changes.problem))
    must, may = len(structure), len(one_sided) + len(stale)
    first = message("parity.must", count=must) if must else message("parity.same structure")
    say(f"\n{words(first)}{words(message('parity.may', count=may)) if may else ''}")
    return len(structure)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m gen parity", description=__doc__)
    parser.add_argument("--base", default="", help="the commit to compare with")
    parser.add_argument(
        "--record",
        nargs="*",
        metavar="PAGE[#ANCHOR]",
        help="write into docs/in-step.txt that these sections (all, if none is named) say the same",
    )
    chosen = parser.parse_args(arguments)
    docs = ROOT / "docs"
    if chosen.record is not None:
        count = in_step.record(docs, chosen.record)
        print(f"docs/in-step.txt: {count} sections recorded as saying the same.")
        return 0
    return 1 if report(docs, chosen.base, print) else 0
