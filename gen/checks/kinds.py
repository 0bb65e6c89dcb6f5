"""What both texts of a page have: sections, figures, exercises and the like, and where each stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cnnviz.words import Message, message
from gen.texts.sections import Section, line_of, sections, source, without_code


@dataclass(frozen=True)
class Kind:
    """Something that both texts of a page have, and how to find it.

    Attributes:
        id: what the words file calls it.
        written: how a page writes it, with "{}" for what tells it from others.
    """

    id: str
    pattern: re.Pattern[str]
    written: str = ""
    ordered: bool = False

    @property
    def name(self) -> Message:
        """What it is called."""
        return message(f"kinds.{self.id}.name")

    def todo(self, own: Message | str, value: str) -> Message:
        """How to add one to the text that lacks it.

        Args:
            own: the language of that text.
        """
        return message(f"kinds.{self.id}.todo", own=own, written=self.written.format(value))


KINDS = {
    kind.id: kind
    for kind in (
        Kind(
            "section",
            re.compile(r"^#{1,4} .*?\{ #([\w-]+|\[\[=.*?\]\]) \}", re.M),
            "{{ #{} }}",
            ordered=True,
        ),
        Kind(
            "figure",
            re.compile(r'call figure\("([^"]+)"\)'),
            '[[% call figure("{}") %]]',
            ordered=True,
        ),
        Kind("exercise", re.compile(r"^ *\?\?\? (success)\b", re.M)),
        Kind("claim", re.compile(r'claim\(.*?, "([^"]+)"\)')),
        Kind("source", re.compile(r'source\("([^)]+)\)')),
        Kind("program", re.compile(r'example\("([^"]+)"\)'), '[[= example("{}") ]]'),
        Kind("box", re.compile(r"^ *!!! (\w+)", re.M), "!!! {}"),
        Kind("formula", re.compile(r"^ *(\$\$.*?\$\$)", re.M)),
    )
}


_HEADING_WITHOUT_ANCHOR = re.compile(r"^#{1,4} (?!.*\{ #(?:[\w-]+|\[\[=.*\]\]) \}).*", re.M)


@dataclass(frozen=True)
class Text:
    """A page in one language: its file as messages name it, its Markdown, its sections."""

    language: str
    file: str
    markdown: str
    sections: list[Section]

    def section(self, anchor: str) -> Section | None:
        """The section of an anchor."""
        return next((s for s in self.sections if s.anchor == anchor), None)

    def around(self, line: int) -> str:
        """The anchor of the section that a line is in."""
        return next((s.anchor for s in reversed(self.sections) if s.line <= line), "")

    def place(self, anchor: str) -> Message | str:
        """Where to work: the section of that anchor if there is one, or the file."""
        if section := self.section(anchor):
            return message("kinds.place", file=self.file, section=section.title, line=section.line)
        return self.file


def read_page(path: Path, language: str) -> Text:
    """A page; its file is named from the folder above docs."""
    markdown = source(path)
    parts = path.parts[path.parts.index(language) :] if language in path.parts else (path.name,)
    return Text(language, "/".join(["docs", *parts]), markdown, sections(markdown))


@dataclass(frozen=True)
class Place:
    """Where something of a kind stands.

    Attributes:
        value: what tells it from others; of exercises, the section; "" of a heading without anchor.
        around: the anchor of the section that it is in, of a section that of the one before.
    """

    value: str
    line: int
    around: str


def places(kind: Kind, text: Text) -> list[Place]:
    """All of a kind, in order of the page."""
    seen = without_code(text.markdown)
    is_section = kind is KINDS["section"]
    found = []
    for match in kind.pattern.finditer(seen):
        line = line_of(seen, match.start(1))
        around = text.around(line - is_section)
        found.append(Place(around if kind is KINDS["exercise"] else match[1], line, around))
    if is_section:
        for match in _HEADING_WITHOUT_ANCHOR.finditer(seen):
            line = line_of(seen, match.start())
            found.append(Place("", line, text.around(line - 1)))
    return sorted(found, key=lambda place: place.line)
