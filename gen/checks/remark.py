"""A page to check, what it is held against, and what a rule says of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnnviz.words import Message
from gen.checks.typed_numbers import Numbers
from gen.texts.glossary import Term


@dataclass(frozen=True)
class Remark:
    """What a rule says of a piece of text; `text` is what an entry of the allow list names."""

    rule: str
    text: str
    line: int
    what: Message


@dataclass(frozen=True)
class Page:
    """A page to check.

    Attributes:
        name: its address, such as "atlas/index".
    """

    language: str
    name: str
    markdown: str


@dataclass(frozen=True)
class Site:
    """What pages are held against.

    Attributes:
        anchors: language → page → anchors that a link may lead to.
        numbers: of the last build, chapter → name → value.
        values: language → page#anchor → the `[[= … ]]` of that section that show something.
    """

    terms: list[Term]
    anchors: dict[str, dict[str, set[str]]]
    numbers: Numbers
    values: dict[str, dict[str, list[str]]] = field(default_factory=dict)
