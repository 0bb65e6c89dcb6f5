"""One thing that a checker has to say: where, what, and what to do, in the reader's language."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from cnnviz.words import FALLBACK, Message, message, read
from gen.texts.words import CHECKS, DOCS, check_words


def name(language: str) -> Message | str:
    """What a language is called, as a value of a message; its code, if English has no name for it."""
    own = message(f"languages.{language}")
    return own if own.key in read(DOCS / FALLBACK / CHECKS) else language


@dataclass(frozen=True)
class Finding:
    """A place in the text, what is wrong with it and what to do.

    `line` counts from 1; 0 is the whole file. In order: by file, line and what is said in Chinese.
    """

    file: str
    line: int
    what: Message

    def __hash__(self) -> int:
        return hash((self.file, self.line, self.what.key))

    def __lt__(self, other: Finding) -> bool:
        here, there = (self.file, self.line), (other.file, other.line)
        return self.sentence("zh") < other.sentence("zh") if here == there else here < there

    def sentence(self, language: str) -> str:
        """What is wrong and what to do."""
        return check_words(language)(self.what)

    def text(self, language: str) -> str:
        """One line, as compilers write: file, line, sentence."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.sentence(language)}"


def workflow_commands(findings: Iterable[Finding], language: str, level: str) -> list[str]:
    """Commands that make GitHub show the findings beside the changed lines."""
    lines = []
    for finding in findings:
        sentence = finding.sentence(language)
        # What a pull request wrote must not become a command of its own.
        for mark, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
            sentence = sentence.replace(mark, code)
        file = finding.file.translate({ord(c): f"%{ord(c):02X}" for c in "%\r\n:,"})
        lines.append(f"::{level} file={file},line={max(1, finding.line)}::{sentence}")
    return lines


def spoken(changed: Iterable[str] = ()) -> str:
    """The language to speak to a contributor: that of the text they changed, or of their system.

    >>> spoken({"zh"}), spoken({"en"})
    ('zh', 'en')
    """
    languages = set(changed)
    if len(languages) == 1:
        return languages.pop()
    system = next((v for k in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := os.environ.get(k))), "")
    return "zh" if system.startswith("zh") else "en"
