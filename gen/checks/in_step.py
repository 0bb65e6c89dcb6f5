"""Which translations are behind: docs/in-step.txt and what it is for.

The file has a line for each section of a page, and for each figure that says something in a words
file (elsewhere in these for each sentence), with a digest of its text in each language, as it was
when somebody last saw that all of them say the same. From this and the texts alone, without git (a clone
in CI has no history), follows where a translation is behind:

- no language has changed since, or all have: they are in step;
- some have and some have not: those which have not are behind, and their readers are told so.

Who changes a text needs not touch the file. Whoever reviews does, by `make parity RECORD=page` or
by hand (the checker prints the line): when all languages were changed, and when a change in one
needs no translation, such as a misspelt word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.files import write_atomically
from cnnviz.words import message
from gen.checks.word_files import file_of, passages, read_all, whole
from gen.texts.finding import Finding, name
from gen.texts.sections import Section, pages, sections, source
from gen.texts.words import languages

FILE = "in-step.txt"
_LINE = re.compile(r"([\w/.-]+)#([\w.-]+)((?: [\w-]+=[0-9a-f]{8})+)")
_HEAD = """\
# Sections whose languages say the same, with the digest of each text at that time. A text that has
# changed since, while another has not, leaves that other behind: its readers get a notice.
# Words of figures stand here by their names, relu.yml#relu.zeros; of those, `make parity` speaks.
# Bring it up to date with `make parity RECORD=page` (or page#section; RECORD=all for everything).
"""

Record = dict[str, dict[str, str]]
"""page#anchor → language → digest"""


@dataclass(frozen=True)
class Behind:
    """A section that is behind: its language and line, and the languages which have changed."""

    page: str
    anchor: str
    language: str
    line: int
    ahead: tuple[str, ...]
    entry: str

    @property
    def file(self) -> str:
        """The file that is behind."""
        return file_of(self.page, self.language)


def read(path: Path) -> Record:
    """The record; empty if there is none.

    Raises:
        CnnvizError: a line that is not understood, such as the marks of a merge conflict.
    """
    found: Record = {}
    for number, line in enumerate(source(path).splitlines() if path.exists() else [], 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise CnnvizError(
                f"docs/{FILE}:{number}: '{line}' is not understood; expected page#anchor and for "
                "each language en=… of eight letters or digits. After a merge conflict, delete the "
                "marks and either side, then run `make parity`."
            )
        digests = dict(part.split("=") for part in match[3].split())
        found[f"{match[1]}#{match[2]}"] = digests
    return found


def entry(key: str, digests: Mapping[str, str]) -> str:
    """A line of the file."""
    return " ".join([key, *(f"{language}={digests[language]}" for language in sorted(digests))])


def texts(docs: Path) -> dict[str, dict[str, Section]]:
    """All sections: page#anchor → language → section, in the order of the pages, then of words.

    Raises:
        CnnvizError: a words file cannot be read.
    """
    found: dict[str, dict[str, Section]] = {}
    for language in languages(docs):
        for page, path in pages(docs, language).items():
            for section in sections(source(path)):
                found.setdefault(f"{page}#{section.anchor}", {})[language] = section
    for words in whole(read_all(docs)):
        for section in passages(words):
            found.setdefault(f"{words.name}#{section.anchor}", {})[words.language] = section
    return found


def names(key: str) -> set[str]:
    """How one may ask for a section: all of it, its words file, its page.

    >>> sorted(names("relu.yml#relu.zeros"))
    ['relu', 'relu.yml', 'relu.yml#relu.zeros']
    """
    page = key.partition("#")[0]
    return {key, page, page.removesuffix(".yml")}


def settled(docs: Path) -> set[str]:
    """The sections, page#anchor, that are recorded as saying the same just as they are now."""
    recorded = read(docs / FILE)
    return {
        key
        for key, of_section in texts(docs).items()
        if recorded.get(key) == {k: section.digest for k, section in of_section.items()}
    }


def behind(docs: Path) -> list[Behind]:
    """The sections that are behind another language."""
    recorded, found = read(docs / FILE), []
    for key, of_section in texts(docs).items():
        then = recorded.get(key, {})
        known = {k: section for k, section in of_section.items() if k in then}
        ahead = tuple(k for k, section in known.items() if section.digest != then[k])
        page, anchor = key.split("#")
        now = entry(key, {k: section.digest for k, section in of_section.items()})
        for language, section in known.items():
            if ahead and language not in ahead:
                found.append(Behind(page, anchor, language, section.line, ahead, now))
    return found


def findings(docs: Path, but: Collection[str] = ()) -> list[Finding]:
    """A sentence for each section that is behind, with what to do.

    Args:
        but: page#anchor of sections of which something is said already.
    """
    found = []
    for section in (s for s in behind(docs) if f"{s.page}#{s.anchor}" not in but):
        values = {
            "anchor": section.anchor,
            "changed": [name(language) for language in section.ahead],
            "own": name(section.language),
            "file": file_of(section.page, section.ahead[0]),
            "record": f"docs/{FILE}",
            "entry": section.entry,
        }
        if section.page.endswith(".yml"):
            what = message("in_step.words", **values)
        else:
            what = message("in_step.section", **values)
        found.append(Finding(section.file, section.line, what))
    return found


def record(docs: Path, chosen: Collection[str] = ()) -> int:
    """Write that sections say the same as they are now.

    Args:
        chosen: pages or page#anchor; all sections if none.

    Returns:
        How many were recorded.

    Raises:
        CnnvizError: one of them does not exist.
    """
    present = texts(docs)
    wanted = {key for key in present if not chosen or names(key) & set(chosen)}
    known = {name for key in present for name in names(key)}
    for asked in chosen:
        if asked not in known:
            near = get_close_matches(asked, sorted(known), n=1)
            raise CnnvizError(
                f"There is no page or section '{asked}'; expected page or page#anchor, such as "
                "pooling or pooling#aliasing, several with spaces."
                + (f" Did you mean '{near[0]}'?" if near else "")
            )
    before = read(docs / FILE)
    lines = []
    for key in sorted(present):
        now = {k: section.digest for k, section in present[key].items()}
        lines.append(
            entry(key, now) if key in wanted or key not in before else entry(key, before[key])
        )
    write_atomically(docs / FILE, (_HEAD + "\n".join(lines) + "\n").encode())
    return len(wanted)
