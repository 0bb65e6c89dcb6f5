"""What stands in double brackets, and the front matter: can the build read it?

The build itself says so too, but minutes later and for one page at a time; this needs no figures,
no numbers and no PyTorch.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import yaml
from jinja2 import TemplateSyntaxError, nodes

from cnnviz.words import Message, message
from gen.chapters import figure_files
from gen.settings import ROOT
from gen.texts.course import DIRECTIVE
from gen.texts.fill import Prose, unreadable
from gen.texts.sections import blank, line_of, without_code

_OPENING = re.compile(r"\[\[[=%#]")
_SINGLE = re.compile(r"(?<!\[)\[[=%] [^\[\]\n]*\](?!\])")
_STRAY = re.compile(r"\[\[(?= ?[a-z])|【【|】】|［［|］］")
_CALL = re.compile(r"\[\[%\s*(call|endcall)\b([^%\n]*)")
_FIGURE = re.compile(r'call figure\("([\w-]+)/([\w-]+)"\)')
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*\n", re.S)


@dataclass(frozen=True)
class Fault:
    """A line, and what is wrong there and what to do."""

    line: int
    what: Message


def faults(markdown: str, pages: set[str]) -> list[Fault]:
    """What the build would stumble over.

    Args:
        pages: of the same language, which `needs:` may name.
    """
    # Each of these can be said in plain words; what remains, only in those of the template engine.
    found = [*ends(markdown), *_calls(markdown)] or [*stray(markdown), *_names(markdown)]
    return [*front_matter(markdown, pages), *found]


def front_matter(markdown: str, pages: set[str]) -> Iterator[Fault]:
    """The lines between two --- at the top say what search engines and the course map show."""
    if not markdown.startswith("---"):
        yield Fault(1, message("brackets.no front matter"))
        return
    match = _FRONT.match(markdown)
    if match is None:
        yield Fault(1, message("brackets.front matter without end"))
        return
    try:
        values: Any = yaml.safe_load(match[1])
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        yield Fault(line, message("brackets.unreadable front matter", problem=error.problem))
        return
    yield from _values(values if isinstance(values, dict) else {}, match[1], pages)


def _values(values: dict[Any, Any], source: str, pages: set[str]) -> Iterator[Fault]:
    if not str(values.get("description") or "").strip():
        yield Fault(1, message("brackets.no description"))
    needs = values.get("needs", [])
    line = line_of(source, max(0, source.find("needs:"))) + 1
    for need in needs if isinstance(needs, list) else [needs]:
        if str(need) not in pages:
            near = did_you_mean(str(need), pages)
            yield Fault(line, message("brackets.no page", page=str(need), near=near))


def single_brackets(markdown: str) -> Iterator[Fault]:
    """What steers nothing for want of a second bracket."""
    for single in _SINGLE.finditer(markdown):
        found = single.group()
        what = message("brackets.single", found=found, doubled=f"[{found}]")
        yield Fault(line_of(markdown, single.start()), what)


def ends(markdown: str) -> Iterator[Fault]:
    """Each [[ has its ]] before the next one begins, and both brackets."""
    yield from single_brackets(markdown)
    openings = list(_OPENING.finditer(markdown))
    for index, opening in enumerate(openings):
        next_one = openings[index + 1].start() if index + 1 < len(openings) else len(markdown)
        mark = opening.group()
        end = f"{mark[2]}]]" if mark[2] in "%#" else "]]"
        if end not in markdown[opening.end() : next_one]:
            words = markdown[opening.start() :].split("\n", maxsplit=1)[0][:40]
            what = message("brackets.no end", words=words, end=end)
            yield Fault(line_of(markdown, opening.start()), what)


def _calls(markdown: str) -> Iterator[Fault]:
    """Each [[% call … %]] has its [[% endcall %]]."""
    calls = list(_CALL.finditer(markdown))
    for index, call in enumerate(calls):
        follows = calls[index + 1][1] if index + 1 < len(calls) else ""
        before = calls[index - 1][1] if index else ""
        if call[1] == "call" and follows != "endcall":
            what = message("brackets.caption without end", figure=call[2].strip())
            yield Fault(line_of(markdown, call.start()), what)
        elif call[1] == "endcall" and before != "call":
            what = message("brackets.end without figure")
            yield Fault(line_of(markdown, call.start()), what)


def stray(markdown: str) -> Iterator[Fault]:
    """Double brackets that steer nothing, such as those of a Chinese keyboard."""
    text = re.sub(r"`[^`\n]*`", "", DIRECTIVE.sub(blank, without_code(markdown)))
    for match in _STRAY.finditer(text):
        what = message("brackets.stray", found=match.group())
        yield Fault(line_of(text, match.start()), what)


def _names(markdown: str) -> Iterator[Fault]:
    """The template engine can read it, and everything that is named there exists."""
    try:
        tree = _environment().parse(markdown)
    except TemplateSyntaxError as error:
        yield Fault(error.lineno, unreadable(str(error.message)))
        return
    names = list(tree.find_all(nodes.Name))
    ours = {"loop", *(name.name for name in names if name.ctx != "load")}
    ours |= _environment().globals.keys() | _figures().keys()
    for name in names:
        if name.name not in ours:
            yield unknown(name.lineno, name.name, ours, message("brackets.number"))
    formats = _environment().filters
    for wanted in tree.find_all(nodes.Filter):
        if wanted.name not in formats:
            yield unknown(wanted.lineno, wanted.name, formats, message("brackets.format"))
    for match in _FIGURE.finditer(markdown):
        chapter, title = match[1], match[2]
        titles = _figures().get(chapter)
        if titles is None or (titles and title not in titles):
            every = {f"{c}/{t}" for c, titles in _figures().items() for t in titles}
            line = line_of(markdown, match.start())
            yield unknown(line, f"{chapter}/{title}", every, message("brackets.figure"))


def unknown(line: int, word: str, known: Iterable[str], kind: Message) -> Fault:
    """A name that does not exist, and the one that was probably meant."""
    near = did_you_mean(word, known)
    return Fault(line, message("brackets.unknown", kind=kind, name=word, near=near))


def did_you_mean(word: str, known: Iterable[str]) -> Message | str:
    """A question for the word that was probably meant; "" if none is near."""
    near = get_close_matches(word, sorted(known), n=1)
    return message("brackets.did you mean", word=near[0]) if near else ""


@cache
def _environment() -> Any:
    """The template engine as the build has it."""
    prose = Prose("en", {}, set(), {}, "digits", ROOT, "")
    prose.add_course({}, [])
    return prose.environment


@cache
def _figures() -> dict[str, set[str]]:
    """Chapter → its figures, from the source; an empty set where some are made in a loop."""
    found: dict[str, set[str]] = {}
    for name, path in figure_files().items():
        functions = [
            node
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.FunctionDef)
        ]
        drawing = {f.name for f in functions if f.returns and ast.unparse(f.returns) == "Figure"}
        looped = any(f.name == "generated" for f in functions)
        found[name] = set() if looped else drawing
    return found
