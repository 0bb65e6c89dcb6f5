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
    """A line, and what is wrong there and what to do, in Chinese and in English."""

    line: int
    zh: str
    en: str


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
        yield Fault(
            1,
            "这一页没有文件头。怎么办：第一行写 ---，然后 description: 一句话，再一行 ---。",
            "the page has no front matter. What to do: begin it with a line ---, a line "
            "'description: one sentence' and another line ---.",
        )
        return
    match = _FRONT.match(markdown)
    if match is None:
        yield Fault(
            1,
            "文件头没有结束。怎么办：在 description、needs 这几行后面加上单独一行 ---。",
            "the front matter at the top has no end. What to do: put a line --- of its own behind "
            "the lines description, needs and the like.",
        )
        return
    try:
        values: Any = yaml.safe_load(match[1])
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        yield Fault(
            line,
            f"文件头读不懂（{error.problem}）。怎么办：每行写成“名字: 值”；"
            '值里有半角冒号，就给它加上双引号："…"。',
            f"the front matter cannot be read ({error.problem}). What to do: write each line as "
            "'name: value', and put a value that holds a colon in double quotes.",
        )
        return
    yield from _values(values if isinstance(values, dict) else {}, match[1], pages)


def _values(values: dict[Any, Any], source: str, pages: set[str]) -> Iterator[Fault]:
    if not str(values.get("description") or "").strip():
        yield Fault(
            1,
            "文件头缺 description。怎么办：加一行 description: 这一页讲什么，一句话。",
            "the front matter lacks a description. What to do: add a line 'description: what the "
            "page is about, in a sentence'.",
        )
    needs = values.get("needs", [])
    line = line_of(source, max(0, source.find("needs:"))) + 1
    for need in needs if isinstance(needs, list) else [needs]:
        if str(need) not in pages:
            near = get_close_matches(str(need), sorted(pages), n=1)
            yield Fault(
                line,
                f"needs 里的“{need}”不是这里的页面。怎么办：写 docs 里的文件名，不带 .md，放在方括号里："
                "needs: [mlp, image]。" + (f"是不是“{near[0]}”？" if near else ""),
                f"'{need}' in needs is no page of ours. What to do: name files of docs without "
                ".md, in brackets: needs: [mlp, image]."
                + (f" Did you mean '{near[0]}'?" if near else ""),
            )


def single_brackets(markdown: str) -> Iterator[Fault]:
    """What steers nothing for want of a second bracket."""
    for single in _SINGLE.finditer(markdown):
        yield Fault(
            line_of(markdown, single.start()),
            f"“{single.group()}”只有一层方括号，读者会照样看到它。怎么办：两边都写两层：[{single.group()}]。",
            f"'{single.group()}' has single brackets; readers would see it as it stands. What to "
            f"do: double them at both ends: [{single.group()}].",
        )


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
            yield Fault(
                line_of(markdown, opening.start()),
                f"“{words}…”后面没有 {end}。怎么办：在它该结束的地方补上 {end}，对照另一种语言的同一处。",
                f"'{words}…' has no {end} behind it. What to do: write {end} where it ends; the "
                "same place in the other language shows where.",
            )


def _calls(markdown: str) -> Iterator[Fault]:
    """Each [[% call … %]] has its [[% endcall %]]."""
    calls = list(_CALL.finditer(markdown))
    for index, call in enumerate(calls):
        follows = calls[index + 1][1] if index + 1 < len(calls) else ""
        before = calls[index - 1][1] if index else ""
        if call[1] == "call" and follows != "endcall":
            yield Fault(
                line_of(markdown, call.start()),
                f"“{call[2].strip()}”这张图的图注没有结束。怎么办：在图注后面加一行 [[% endcall %]]。",
                f"the caption of {call[2].strip()} has no end. What to do: put a line "
                "[[% endcall %]] behind the caption.",
            )
        elif call[1] == "endcall" and before != "call":
            yield Fault(
                line_of(markdown, call.start()),
                "这里有 [[% endcall %]]，前面却没有它的 [[% call figure(…) %]]。怎么办：补上那一行，"
                "或者删掉这一行。",
                "[[% endcall %]] stands here without its [[% call figure(…) %]] before it. What to "
                "do: put that line back, or delete this one.",
            )


def stray(markdown: str) -> Iterator[Fault]:
    """Double brackets that steer nothing, such as those of a Chinese keyboard."""
    text = re.sub(r"`[^`\n]*`", "", DIRECTIVE.sub(blank, without_code(markdown)))
    for match in _STRAY.finditer(text):
        yield Fault(
            line_of(text, match.start()),
            f"{match.group()} 会原样出现在网页上。怎么办：数写成 [[= … ]]，图写成 [[% call … %]]，都用"
            "半角的方括号；若不是指令，请放进 `代码` 里。",
            f"{match.group()} would be seen on the page. What to do: a number is written [[= … ]], "
            "a figure [[% call … %]]; what is neither belongs in `code`.",
        )


def _names(markdown: str) -> Iterator[Fault]:
    """The template engine can read it, and everything that is named there exists."""
    try:
        tree = _environment().parse(markdown)
    except TemplateSyntaxError as error:
        yield Fault(error.lineno, *unreadable(str(error.message)))
        return
    names = list(tree.find_all(nodes.Name))
    ours = {"loop", *(name.name for name in names if name.ctx != "load")}
    ours |= _environment().globals.keys() | _figures().keys()
    for name in names:
        if name.name not in ours:
            yield unknown(name.lineno, name.name, ours, ("数", "number"))
    for wanted in tree.find_all(nodes.Filter):
        if wanted.name not in _environment().filters:
            yield unknown(
                wanted.lineno,
                wanted.name,
                _environment().filters,
                ("格式", "format of numbers"),
            )
    for match in _FIGURE.finditer(markdown):
        chapter, title = match[1], match[2]
        titles = _figures().get(chapter)
        if titles is None or (titles and title not in titles):
            every = {f"{c}/{t}" for c, titles in _figures().items() for t in titles}
            yield unknown(
                line_of(markdown, match.start()), f"{chapter}/{title}", every, ("图", "figure")
            )


def unknown(line: int, word: str, known: Iterable[str], kind: tuple[str, str]) -> Fault:
    """A name that does not exist, and the one that was probably meant."""
    near = get_close_matches(word, sorted(known), n=1)
    return Fault(
        line,
        f"没有叫“{word}”的{kind[0]}。怎么办：对照另一种语言的同一处。"
        + (f"是不是“{near[0]}”？" if near else ""),
        f"there is no {kind[1]} '{word}'. What to do: compare it with the same place in the other "
        "language." + (f" Did you mean '{near[0]}'?" if near else ""),
    )


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
