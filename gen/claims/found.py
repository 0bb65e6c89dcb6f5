"""What the claims of a page are worth in a build: does each hold, and with which values?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.runtime import Context

from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import Chapter
from gen.draw.keys import EXAMPLES
from gen.settings import ROOT, Settings
from gen.texts.fill import Prose

LONGEST = 100
"""Characters of a value that are shown."""

Way = tuple[str | int, ...]
"""From a chapter to a number, such as ("lenet", "layers", 0, "units")."""


@dataclass(frozen=True)
class Tried:
    """A claim in one build.

    Attributes:
        holds: False also where something else kept the page from being filled in.
        values: expression → value, as the claim has seen them.
    """

    holds: bool
    values: Mapping[str, str]


def tried(
    pages: Mapping[str, str], chapters: Mapping[str, Chapter], language: str, settings: Settings
) -> dict[tuple[str, str], Tried]:
    """Page and claim → how it fares with these numbers.

    Args:
        pages: name → Markdown.
        chapters: all that were drawn, by name.
    """
    numbers = {name: chapter.numbers for name, chapter in chapters.items()}
    printed = numbers.pop(EXAMPLES, {})
    figures = {f"{name}/{title}" for name, chapter in chapters.items() for title in chapter.figures}
    prose = Prose(language, numbers, figures, printed, settings.dataset, ROOT, "")
    prose.add_course({}, [])
    found: dict[tuple[str, str], Tried] = {}
    for page, markdown in pages.items():
        ways = _ways(prose, markdown)

        @pass_context
        def claim(context: Context, holds: bool, what: str, page: str = page) -> str:
            values = dict(_value(context, way) for way in ways.get(what, []))  # noqa: B023
            before = found.get((page, what), Tried(True, {}))
            found[page, what] = Tried(before.holds and bool(holds), {**before.values, **values})
            return ""

        prose.environment.globals["claim"] = claim
        try:
            prose.fill(markdown, page)
        except CnnvizError as error:
            found[page, str(error)] = Tried(False, {})
    return found


def _ways(prose: Prose, markdown: str) -> dict[str, list[Way]]:
    """Claim → the numbers that it looks at."""
    ways: dict[str, list[Way]] = {}
    for call in prose.environment.parse(markdown).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "claim" and len(call.args) == 2:
            ways.setdefault(call.args[1].as_const(), []).extend(_in(call.args[0]))
    return ways


def _in(node: nodes.Node) -> Iterator[Way]:
    if way := _way(node):
        yield way
        return
    for child in node.iter_child_nodes():
        yield from _in(child)


def _way(node: nodes.Node) -> Way:
    """The names that lead to a number; () if it is something else, or its place is computed."""
    match node:
        case nodes.Name():
            return (node.name,)
        case nodes.Getattr():
            return (*way, node.attr) if (way := _way(node.node)) else ()
        case nodes.Getitem(arg=nodes.Const(value=step)):
            return (*way, step) if (way := _way(node.node)) else ()
    return ()


def _value(context: Context, way: Way) -> tuple[str, str]:
    """An expression and its value, as far as there is one: `values()` is not a number's name."""
    value: Any = context.resolve_or_missing(str(way[0]))
    said = str(way[0])
    for step in way[1:]:
        try:
            value = value[step]
        except (LookupError, TypeError):
            break
        said += f"[{step!r}]" if isinstance(step, int) or not step.isidentifier() else f".{step}"
    return said, _brief(value)


def _brief(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        text = f"[{', '.join(map(_brief, value))}]"
    elif isinstance(value, Mapping):
        text = f"{{{', '.join(f'{k}: {_brief(v)}' for k, v in value.items())}}}"
    else:
        text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def pages_of(paths: Mapping[str, Path]) -> dict[str, str]:
    """Page → Markdown."""
    return {page: path.read_text("utf-8") for page, path in paths.items()}
