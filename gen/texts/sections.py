"""A page of Markdown, taken apart: its sections, and its text without what is not prose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.words import Message, message
from gen.settings import ROOT
from gen.texts.course import DIRECTIVE
from gen.texts.finding import Finding

CODE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
HEADING = re.compile(r"^#{1,4} +(.*?) *\{ #([\w-]+) \}", re.M)
_REFERENCES = re.compile(r"^## [^\n]*\{ #further-reading \}.*", re.M | re.S)
_NOT_READ = re.compile(r"`[^`\n]*`|\]\([^)]*\)|\{[:\s]*[#.][^}\n]*\}|<[^>]*>")
_FORMULA = re.compile(r"\$\$.*?\$\$|\\\(.*?\\\)|\\\[.*?\\\]", re.S)
NAMED_ONLY = re.compile(r"也叫\w+(?:、\w+)*|译作“\w+”|also called [^.;:)\n]+")
"""Where the text tells another name of a thing."""


@dataclass(frozen=True)
class Section:
    """From a heading to the next: its anchor, title, first line (from 1) and text."""

    anchor: str
    title: str
    line: int
    text: str

    @property
    def digest(self) -> str:
        """Changes when a word does; not by line breaks or spaces at the end of lines."""
        return sha256(" ".join(self.text.split()).encode()).hexdigest()[:8]


def source(path: Path) -> str:
    """The text of a file.

    Raises:
        CnnvizError: an editor has saved it in another encoding than plain UTF-8; says so in both
            languages, since nobody knows yet who reads it.
    """
    data = path.read_bytes()
    file = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
    if data.startswith(b"\xef\xbb\xbf"):
        raise _in_both(file, 0, message("sections.byte order mark"))
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _in_both(file, line, message("sections.not UTF-8")) from error


def _in_both(file: str, line: int, what: Message) -> CnnvizError:
    return CnnvizError("\n".join(Finding(file, line, what).text(k) for k in ("zh", "en")))


def blank(match: re.Match[str]) -> str:
    """Nothing, on as many lines: the lines after it keep their numbers."""
    return "\n" * match.group().count("\n")


def without_code(markdown: str) -> str:
    """The page with its blocks of code emptied."""
    return CODE.sub(blank, markdown)


def sections(markdown: str) -> list[Section]:
    """The sections of a page in order; what stands before the first heading belongs to it."""
    # Of the same length, so that places in it are places in the page.
    seen = CODE.sub(lambda code: re.sub(r"[^\n]", " ", code.group()), markdown)
    headings = list(HEADING.finditer(seen))
    found = []
    for index, heading in enumerate(headings):
        start = heading.start() if index else 0
        end = headings[index + 1].start() if index + 1 < len(headings) else len(markdown)
        found.append(
            Section(
                heading[2],
                heading[1],
                line_of(markdown, heading.start()),
                markdown[start:end],
            )
        )
    return found


def line_of(text: str, place: int) -> int:
    """The line, from 1, of a place in a text."""
    return text.count("\n", 0, place) + 1


def prose(markdown: str, mark: str = "", value: str = "") -> str:
    """The running text, line by line where it was.

    No code, directives, formulas, addresses or references at the end.

    Args:
        mark: stands where a piece of code or a formula was; "" for nothing.
        value: stands where a value of the build, or what steers the page, was.
    """

    def emptied(match: re.Match[str]) -> str:
        return mark + blank(match)

    def filled(match: re.Match[str]) -> str:
        return value + blank(match)

    text = _REFERENCES.sub(blank, without_code(markdown))
    text = re.sub(r"\A---\n.*?\n---\n", blank, text, flags=re.S)
    text = _FORMULA.sub(emptied, DIRECTIVE.sub(filled, text))
    # A reader may know a term under another name, and is told so where it is explained.
    text = NAMED_ONLY.sub("", text)
    return _NOT_READ.sub(lambda m: mark if m.group()[0] == "`" else "", text)


def pages(docs: Path, language: str) -> dict[str, Path]:
    """Pages of a language: address such as "atlas/index" → file."""
    folder = docs / language
    return {
        path.relative_to(folder).as_posix().removesuffix(".md"): path
        for path in sorted(folder.rglob("*.md"))
    }
