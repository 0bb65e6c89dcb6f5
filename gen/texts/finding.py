"""One thing that a checker has to say: where, what, and what to do, in Chinese and in English."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

NAMES = {"zh": ("中文", "Chinese"), "en": ("英文", "English")}
"""What languages are called in our two; another is called by its code."""


def name(language: str) -> tuple[str, str]:
    """What a language is called, in Chinese and in English."""
    return NAMES.get(language, (language, language))


@dataclass(frozen=True, order=True)
class Finding:
    """A place in the text, what is wrong with it and what to do, in both languages.

    `line` counts from 1; 0 is the whole file.
    """

    file: str
    line: int
    zh: str
    en: str

    def text(self, language: str) -> str:
        """One line, as compilers write: file, line, sentence."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.zh if language == 'zh' else self.en}"


def workflow_commands(findings: Iterable[Finding], language: str, level: str) -> list[str]:
    """Commands that make GitHub show the findings beside the changed lines."""
    lines = []
    for finding in findings:
        sentence = finding.zh if language == "zh" else finding.en
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
