"""What both texts of a page have: sections, figures, exercises and the like, and where each stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gen.texts.sections import Section, line_of, sections, source, without_code


@dataclass(frozen=True)
class Kind:
    """Something that both texts of a page have: how to find it, its name, what to do."""

    pattern: re.Pattern[str]
    names: tuple[str, str]
    todo: tuple[str, str]
    ordered: bool = False


KINDS = {
    "section": Kind(
        re.compile(r"^#{1,4} .*?\{ #([\w-]+|\[\[=.*?\]\]) \}", re.M),
        ("小节", "section"),
        (
            "接着加上这一节：标题用{own}写，行末照抄 {{ #{value} }}，再把正文译过去。",
            "add it below: a heading in {own} that ends with the same {{ #{value} }}, and its text "
            "in {own}.",
        ),
        ordered=True,
    ),
    "figure": Kind(
        re.compile(r'call figure\("([^"]+)"\)'),
        ("图", "figure"),
        (
            '把 [[% call figure("{value}") %]] 图注 [[% endcall %]] 加到那一节里，图注用{own}写。',
            'put [[% call figure("{value}") %]] caption [[% endcall %]] into that section, with '
            "the caption in {own}.",
        ),
        ordered=True,
    ),
    "exercise": Kind(
        re.compile(r"^ *\?\?\? (success)\b", re.M),
        ("练习的答案", "answer to an exercise"),
        (
            "把这道练习和答案译成{own}，放在那里同样的位置。",
            "translate the exercise and its answer into {own}, at the same place there.",
        ),
    ),
    "claim": Kind(
        re.compile(r'claim\(.*?, "([^"]+)"\)'),
        ("断言", "claim"),
        (
            "把同一个 [[= claim(…) ]] 照抄到那里说同一件事的句子后面；引号里的英文两边相同，不必翻译。",
            "copy the same [[= claim(…) ]] behind the sentence there which says the same; its "
            "words in quotes stay English in every language.",
        ),
    ),
    "source": Kind(
        re.compile(r'source\("([^)]+)\)'),
        ("源码", "piece of source code"),
        ("把 [[= source(…) ]] 这一行照抄过去。", "copy the line [[= source(…) ]]."),
    ),
    "program": Kind(
        re.compile(r'example\("([^"]+)"\)'),
        ("程序", "program"),
        (
            '把 [[= example("{value}") ]] 这一行照抄过去。',
            'copy the line [[= example("{value}") ]].',
        ),
    ),
    "box": Kind(
        re.compile(r"^ *!!! (\w+)", re.M),
        ("方框", "box"),
        (
            "在那里加上同类的方框（!!! {value}），文字用{own}写。",
            "add a box of the same kind there (!!! {value}), its text in {own}.",
        ),
    ),
    "formula": Kind(
        re.compile(r"^ *(\$\$.*?\$\$)", re.M),
        ("公式", "formula"),
        ("把这个公式照抄过去。", "copy the formula."),
    ),
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

    def place(self, anchor: str) -> tuple[str, str]:
        """Where to work, in words: the section of that anchor if there is one."""
        if section := self.section(anchor):
            return (
                f"{self.file} 的“{section.title}”一节（第 {section.line} 行起）",
                f"{self.file}, section “{section.title}” (from line {section.line})",
            )
        return (self.file, self.file)


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
