"""Misspelt and American words in English text, by the lists that the package codespell ships."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_WORD = re.compile(r"[A-Za-z][A-Za-z’']*[A-Za-z]")
BRITISH_TOO = {"analog", "check", "checks", "draft", "license", "meter", "practice", "story"}
"""Words that are American for one thing and British for another."""


def mistakes(text: str) -> Iterator[tuple[str, str, bool]]:
    """Each word that is wrong, what is right, and whether it is merely American."""
    for match in _WORD.finditer(text):
        word = match.group().lower()
        if word in misspelt():
            yield match.group(), misspelt()[word], False
        elif word in american():
            yield match.group(), american()[word], True


@cache
def misspelt() -> dict[str, str]:
    """Common misspellings → what was meant."""
    return dict(_pairs("dictionary.txt"))


@cache
def american() -> dict[str, str]:
    """American → British spelling, where it is not good British for something else."""
    british = {word for word, _ in _pairs("dictionary_en-GB_to_en-US.txt")}
    return {
        us: gb
        for gb, us in _pairs("dictionary_en-GB_to_en-US.txt")
        if us not in british and us not in BRITISH_TOO and not us.startswith("program")
    }


def _pairs(name: str) -> Iterator[tuple[str, str]]:
    spec = find_spec("codespell_lib")
    if spec is None or spec.origin is None:
        return
    for line in (Path(spec.origin).parent / "data" / name).read_text("utf-8").splitlines():
        word, _, better = line.partition("->")
        yield word, better.rstrip(",").strip()
