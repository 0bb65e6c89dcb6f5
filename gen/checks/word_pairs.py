"""What the words files of one language have and those of another lack: files, keys and values.

A language of somebody else's may be silent where it likes: English is said in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cnnviz.words import FALLBACK, message
from gen.checks import word_templates
from gen.checks.word_files import Entry, WordsFile, file_of
from gen.checks.word_templates import Template
from gen.texts.finding import Finding, name

Keys = Mapping[str, list[Entry]]


def pairs(files: Sequence[WordsFile]) -> list[tuple[WordsFile, WordsFile]]:
    """Each words file with the English one, where both are there and can be read."""
    english = {words.name: words for words in files if words.language == FALLBACK}
    return [
        (words, english[words.name])
        for words in files
        if words.language != FALLBACK
        and words.name in english
        and not (words.faults or english[words.name].faults)
    ]


def differences(files: Sequence[WordsFile]) -> list[Finding]:
    """What zh and en do not both say, and what a third language says beyond English.

    A file that cannot be read is compared with none; `make prose` says why.
    """
    present = {(words.name, words.language) for words in files}
    found = []
    for words in files:
        other = "zh" if words.language == FALLBACK else FALLBACK
        if (words.name, other) not in present:
            found.append(_alone(words, other))
    for words, english in pairs(files):
        mine, theirs = _keys(words), _keys(english)
        if words.language == "zh":
            found += _missing(words, mine, english, theirs)
        found += _missing(english, theirs, words, mine)
        for key in mine.keys() & theirs.keys():
            found += _values(words, mine[key], english, theirs[key])
    return found


def _keys(words: WordsFile) -> Keys:
    found: dict[str, list[Entry]] = {}
    for entry in words.entries:
        found.setdefault(entry.key, []).append(entry)
    return found


def _alone(words: WordsFile, other: str) -> Finding:
    file = file_of(words.name, other)
    return Finding(words.file, 0, message("word_pairs.no file", file=file, own=name(other)))


def _missing(words: WordsFile, mine: Keys, other: WordsFile, theirs: Keys) -> Iterator[Finding]:
    """What `words` lacks and the other file has; a block of which nothing is there, once."""
    said = set()
    for key, (first, *_) in theirs.items():
        if key in mine:
            continue
        parts = key.split(".")
        blocks = (".".join(parts[:n]) for n in range(1, len(parts)))
        what = next((b for b in blocks if not any(_within(k, b) for k in mine)), key)
        if what not in said:
            said.add(what)
            yield _lacks(words, what, other, first.line)


def _within(key: str, block: str) -> bool:
    return key == block or key.startswith(f"{block}.")


def _lacks(words: WordsFile, what: str, other: WordsFile, line: int) -> Finding:
    if words.language == FALLBACK and other.language != "zh":
        nobody = message("word_pairs.nobody says it", name=what, file=words.file)
        return Finding(other.file, line, nobody)
    missing = message(
        "word_pairs.missing",
        name=what,
        own=name(words.language),
        other=name(other.language),
        place=f"{other.file}:{line}",
    )
    return Finding(words.file, 0, missing)


def _values(
    words: WordsFile, mine: Sequence[Entry], english: WordsFile, theirs: Sequence[Entry]
) -> Iterator[Finding]:
    """Both sentences show the same values; on what a word hangs is a language's own affair."""
    here, there = _templates(mine), _templates(theirs)
    if here is None or there is None:
        return
    more, less = _beyond(here, there, "values"), _beyond(there, here, "values")
    if more and less:
        yield _renamed(words, mine[0], more, f"{english.file}:{theirs[0].line}", less)
    elif less := _beyond(there, here, "shown"):
        yield _hidden(words, mine[0], english, less)
    elif more := _beyond(here, there, "shown"):
        if words.language == "zh":
            yield _hidden(english, theirs[0], words, more)
        else:
            what = message("word_pairs.not in English", name=mine[0].key, values=more)
            yield Finding(words.file, mine[0].line, what)


def _templates(entries: Sequence[Entry]) -> list[Template] | None:
    """The sentences under a key; None if one cannot be read."""
    found = [word_templates.read(entry.text) for entry in entries if entry.sentence]
    read = [template for template in found if isinstance(template, Template)]
    return read if len(read) == len(found) else None


def _beyond(some: Sequence[Template], others: Sequence[Template], kind: str) -> list[str]:
    """The values of a kind that some sentences name and the others do not name at all."""
    named = {value for template in some for value in getattr(template, kind)}
    return sorted(named.difference(*(template.values for template in others)))


def _renamed(
    words: WordsFile, entry: Entry, more: list[str], place: str, less: list[str]
) -> Finding:
    what = message("word_pairs.others", name=entry.key, here=more, there=less, place=place)
    return Finding(words.file, entry.line, what)


def _hidden(words: WordsFile, entry: Entry, other: WordsFile, less: list[str]) -> Finding:
    other_one = name(other.language)
    what = message("word_pairs.not shown", name=entry.key, values=less, other=other_one)
    return Finding(words.file, entry.line, what)
