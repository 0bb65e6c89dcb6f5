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

from gen.checks import in_step, since, word_files, word_pairs
from gen.checks.kinds import KINDS, Kind, Place, Text, places, read_page
from gen.checks.word_files import WordsFile
from gen.settings import ROOT
from gen.texts.finding import Finding, name, spoken, workflow_commands
from gen.texts.glossary import Finder, Term
from gen.texts.glossary import read as read_glossary
from gen.texts.sections import (
    languages,
    pages,
    prose,
)

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
    file = f"mkdocs.{language}.yml"
    return Finding(
        f"docs/{language}/index.md",
        0,
        f"网站还不会生成这种语言：没有 {file}。怎么办：照 .github/CONTRIBUTING.zh.md 的“加一种语言”新建它。",
        f"the site does not build this language: there is no {file}. What to do: add it as "
        "'Add a language' in .github/CONTRIBUTING.md says.",
    )


def _no_counterpart(page: str, language: str, other: str) -> Finding:
    mine, theirs = f"docs/{language}/{page}.md", f"docs/{other}/{page}.md"
    config = f"mkdocs.{other}.yml" if other != "zh" else "mkdocs.yml"
    return Finding(
        mine,
        0,
        f"这一页没有{name(other)[0]}版 {theirs}。怎么办：新建这个文件，锚点、图和断言照抄，文字用"
        f"{name(other)[0]}写，并把它加进 {config} 的 nav；不会{name(other)[0]}也没关系，"
        "在拉取请求里说一声，会有人接着译。",
        f"this page has no {name(other)[1]} version {theirs}. What to do: add that file with the "
        f"same anchors, figures and claims, its text in {name(other)[1]}, and name it in the nav "
        f"of {config}. If you do not write {name(other)[1]}, say so in the pull request: somebody "
        "else can go on.",
    )


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
    what, choice = (
        kind.names,
        ("如果你只改了一边，就改回去。", "change back what you changed alone."),
    )
    if kind is KINDS["section"]:
        what = ("锚点", "anchor")
        choice = ("用原来的那个，链接都指向它。", "keep the older one, since links lead to it.")
    return Finding(
        text.file,
        place.line,
        f"这里的{what[0]}是 '{place.value}'，{other.file}:{twin.line} 同样的位置上是 "
        f"'{twin.value}'。怎么办：两边写成一样的；{choice[0]}",
        f"the {what[1]} here is '{place.value}', and at the same place of "
        f"{other.file}:{twin.line} '{twin.value}'. What to do: write the same in both; {choice[1]}",
    )


def _no_anchor(here: tuple[Text, Place], there: tuple[Text, Place] | None = None) -> Finding:
    """A heading that does not end as headings do; `there`: its twin, which does."""
    text, place = here
    heading = text.markdown.splitlines()[place.line - 1].rstrip()
    anchor = f"{{ #{there[1].value} }}" if there else ""
    as_there = f"{there[0].file}:{there[1].line}" if there else ""
    return Finding(
        text.file,
        place.line,
        f"标题“{heading}”的末尾没有锚点。怎么办：在行末加上 "
        + (
            f"{anchor}，和 {as_there} 一样。"
            if there
            else "{ #锚点 }，用小写英文单词，各语言的同一节用同一个锚点。"
        ),
        f"the heading '{heading}' does not end in its anchor. What to do: end the line with "
        + (
            f"{anchor}, as {as_there} does."
            if there
            else "{ #anchor }, in small English words, the same in every language."
        ),
    )


def _missing(kind: Kind, here: Text, there: Text, place: Place) -> Finding:
    """Something that `here` has and `there` lacks."""
    if not place.value:
        return _no_anchor((here, place))
    own = name(there.language)
    zh_place, en_place = there.place(place.around)
    what = "" if kind is KINDS["exercise"] else f" '{place.value}'"
    return Finding(
        here.file,
        place.line,
        f"这里有{kind.names[0]}{what}，{there.file} 没有。怎么办：到 {zh_place}，"
        f"{kind.todo[0].format(own=own[0], value=place.value)}",
        f"the {kind.names[1]}{what} is here and not in {there.file}. What to do: in "
        f"{en_place}, {kind.todo[1].format(own=own[1], value=place.value)}",
    )


def _order(kind: Kind, here: Text, there: Text) -> list[Finding]:
    mine, theirs = places(kind, here), places(kind, there)
    values = [place.value for place in theirs]
    if sorted(values) != sorted(place.value for place in mine):
        return []  # said already
    for place, other in zip(mine, values, strict=True):
        if place.value != other:
            return [
                Finding(
                    here.file,
                    place.line,
                    f"这里的{kind.names[0]}是 '{place.value}'，{there.file} 同样的位置上是 '{other}'。"
                    "怎么办：把两边排成同样的顺序。",
                    f"here stands the {kind.names[1]} '{place.value}', at the same place of {there.file} "
                    f"'{other}'. What to do: give both the same order.",
                )
            ]
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
                mine, theirs = term.name(one.language), term.name(other.language)
                found.append(
                    Finding(
                        other.file,
                        0,
                        f"{one.file} 用了 {often} 次“{mine}”，这里一次也没有用“{theirs}”。怎么办："
                        f"看看它在这里叫什么，改成“{theirs}”；若确是另一个词，请改 docs/glossary.yml。",
                        f"{one.file} says “{mine}” {often} times, and “{theirs}” is not here even "
                        f"once. What to do: see what it is called here and write “{theirs}”; if "
                        "another word is right, change docs/glossary.yml.",
                    )
                )
    return found


def report(docs: Path, base: str, say: Callable[[str], None]) -> int:
    """Print what differs and what to do; the number of differences that must be mended.

    Args:
        base: the commit to compare with; "" to choose one.
    """
    structure = differences(docs)
    changes = since.changes(docs, base)
    language = spoken({k for change in changes.pages for k in change.changed})
    zh = language == "zh"
    fresh = changes.findings()
    settled = in_step.settled(docs)
    one_sided = [f for key, said in fresh.items() if key not in settled for f in said]
    stale = in_step.findings(docs, but=fresh)
    for title, found in (
        (("必须改：各语言不一样的地方", "To mend: what the languages do not share"), structure),
        (
            (
                f"请看：自 {changes.base} 以来只改了一种语言的地方",
                f"To look at: what was changed in one language only since {changes.base}",
            ),
            one_sided,
        ),
        (
            ("请看：早先改过、译文还没有跟上的地方", "To look at: what waited before"),
            stale,
        ),
    ):
        if found:
            say(f"\n{title[0 if zh else 1]}")
            for finding in found:
                say(f"  {finding.text(language)}")
    if os.environ.get("GITHUB_ACTIONS"):
        for line in workflow_commands(structure, language, "error"):
            say(line)
        for line in workflow_commands([*one_sided, *stale], language, "notice"):
            say(line)
    if changes.problem:
        say(changes.problem[0 if zh else 1])
    say(_summary(len(structure), len(one_sided) + len(stale), zh))
    return len(structure)


def _summary(must: int, may: int, zh: bool) -> str:
    if zh:
        first = f"有 {must} 处必须改。" if must else "各语言的结构一致。"
        rest = f"另有 {may} 处可能要跟着译，不译也能合并；正文里的，网站会注明。" if may else ""
    else:
        first = f"{must} to mend." if must else "All languages have the same structure."
        rest = (
            f" {may} to look at: that stops nothing. Of pages, the site tells its readers."
            if may
            else ""
        )
    return f"\n{first}{rest}"


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
