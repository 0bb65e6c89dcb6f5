"""Numbers in the prose that look as if they had been measured, and that the build may know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from cnnviz.numbers import fixed, percent, thousands
from gen.texts.course import DIRECTIVE
from gen.texts.sections import blank, line_of, prose

Numbers = Mapping[str, Mapping[str, Any]]

_NUMBER = re.compile(r"(?<![\w.,−/])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,−/])\d+\.\d+%?(?!\w|\.\d)")
_ARITHMETIC = re.compile(r"[×÷=+−*/^≈]")
_EXERCISES = re.compile(r"^## [^\n]*\{ #exercises \}.*?(?=^## |\Z)", re.M | re.S)


def read(figures: Path) -> dict[str, dict[str, Any]]:
    """The numbers of all chapters that were rendered; empty without a build."""
    return {
        path.stem: json.loads(path.read_text("utf-8"))["chapter"]["numbers"]
        for path in sorted(figures.glob("*.json"))
        if not path.stem.startswith(("units-", "examples"))
    }


def suspects(markdown: str, page: str, numbers: Numbers) -> Iterator[tuple[str, int, str]]:
    """Typed numbers with their line, and the metric that each equals, "" if none is known.

    A percentage with a decimal looks measured in any case; other numbers if the chapters that the
    page shows numbers of have one with the same digits, three or more. Arithmetic that the reader
    can follow and exercises, which set numbers of their own, are let be.
    """
    own = {page} | {name for name in numbers if _shows(markdown, name)}
    known = forms({name: numbers[name] for name in own & set(numbers)})
    yield from typed(_EXERCISES.sub(blank, markdown), known)


def typed(markdown: str, known: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    """The same, of a text that shows the numbers whose `forms` are known."""
    text = prose(markdown, mark="x")
    for match in _NUMBER.finditer(text):
        number = match.group()
        around = text[max(0, match.start() - 3) : match.start()] + text[match.end() :][:3]
        if _ARITHMETIC.search(around):
            continue
        digits = re.sub(r"\D", "", number).lstrip("0").rstrip("0")
        metric = known.get(number, "") if len(digits) >= 3 else ""
        if metric or re.search(r"\.\d+%", number):
            yield number, line_of(text, match.start()), metric


def _shows(markdown: str, chapter: str) -> bool:
    return any(re.search(rf"\b{chapter}[.\[]", d) for d in DIRECTIVE.findall(markdown))


def forms(numbers: Numbers) -> dict[str, str]:
    """How each number may be written → how a page asks for it."""
    found: dict[str, str] = {}
    for path, value in _leaves("", numbers):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            continue
        if abs(value) <= 1:
            for digits in (1, 2):
                found.setdefault(percent(value, digits), f"{path} | percent({digits})")
        if isinstance(value, float):
            for digits in (1, 2, 3, 4):
                found.setdefault(fixed(value, digits), f"{path} | fixed({digits})")
        if abs(value) >= 1000:
            found.setdefault(thousands(value), f"{path} | thousands")
    return found


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            step = key if str(key).isidentifier() else f'["{key}"]'
            dot = "." if path and str(key).isidentifier() else ""
            yield from _leaves(f"{path}{dot}{step}", inner)
    elif isinstance(value, list):
        if len(value) <= 20:  # longer ones are curves and maps, which hold every number
            for index, inner in enumerate(value):
                yield from _leaves(f"{path}[{index}]", inner)
    else:
        yield path, value
