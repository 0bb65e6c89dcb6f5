"""A chapter as a Jupyter notebook, made from its Markdown once numbers and programs are filled in.

The programs of docs/examples become code cells with what they printed; everything else is text,
also code that a page calls such a program although it is none.
Code of the package is shown, not run; figures stand in it with their captions, and link to the site.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from textwrap import dedent
from typing import Any

from cnnviz.words import Catalogue
from gen.texts.notebook_figures import Attachments, Shown
from gen.texts.words import words

Cell = dict[str, Any]

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.S)
# A program as gen.texts.fill.Prose.example writes it, with the link to its source and its output.
_PROGRAM = re.compile(
    r'^(?P<indent> *)``` \{ \.python title="docs/examples/(?P<name>\w+)\.py" \}\n'
    r"(?P<code>.*?)\n(?P=indent)```\n"
    r"(?:\n? *\[[^\n]*\{ \.code-source \}\n)?"
    r'(?:\n? *``` \{ \.text title="[^"\n]*" \}\n(?P<output>.*?)\n *```\n)?',
    re.M | re.S,
)
_FIGURE = re.compile(
    r'<div class="figure-slot" data-figure="([^"]+)" markdown="1">\n(.*?)</div>', re.S
)
_BOX = re.compile(r'^( *)(?:!!!|\?\?\?\+?) \w+ "([^"]*)"\n((?:(?:\1 {4}.*)?\n)*)', re.M)
_LINK = re.compile(r"\]\(([\w/.-]+)\.md(#[\w-]+)?\)")


def notebook(
    markdown: str,
    page: str,
    language: str,
    site_url: str,
    repo_url: str,
    programs: Mapping[str, str],
    show: Callable[[str], Shown],
) -> str:
    """The notebook (nbformat 4.5) of a page as JSON text.

    Args:
        markdown: the page as `gen.texts.fill.Prose.fill` returns it.
        page: its name without ".md".
        site_url: address of this language's site, with a slash at the end.
        repo_url: where pip finds the package.
        programs: name → code that may be run (`gen.texts.fill.Prose.programs`).
        show: the figure of an address.
    """
    say = words(language)
    text = _FRONT_MATTER.sub("", markdown)
    text, attachments = _with_figures(text, page, site_url, say, show)
    cells: list[Cell] = []
    start = 0
    for program in _PROGRAM.finditer(text):
        indent = program["indent"]
        code, output = (_unindented(program[part], indent) for part in ("code", "output"))
        if code != programs.get(program["name"]):
            continue  # typed by hand: to be read, not run
        _add_text(cells, text[start : program.start()], site_url, attachments)
        cells.append(_code_cell(code, output))
        start = program.end()
    _add_text(cells, text[start:], site_url, attachments)
    install = (
        "import importlib.util\n\n"
        'if importlib.util.find_spec("cnnviz") is None:\n'
        f'    %pip install --quiet "cnnviz[photos] @ git+{repo_url}"'
    )
    cells[1:1] = [_text_cell(say["notebook install"]), _code_cell(install, "")]
    for number, cell in enumerate(cells):
        content = f"{page} {number} {''.join(cell['source'])}".encode()
        cell["id"] = sha256(content).hexdigest()[:12]
    described = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(described, ensure_ascii=False, indent=1) + "\n"


def _unindented(text: str | None, indent: str) -> str:
    """Lines without the indentation of the fence around them; what they indent by stays."""
    return re.sub(rf"^{indent}", "", text or "", flags=re.M)


def _with_figures(
    text: str, page: str, site_url: str, say: Catalogue, show: Callable[[str], Shown]
) -> tuple[str, Attachments]:
    """The text with its figures, below each the caption and the link to it; and their pictures."""
    attachments: Attachments = {}

    def figure(match: re.Match[str]) -> str:
        address, caption = match.groups()
        markdown, pictures = show(address)
        attachments.update(pictures)
        url = f"{site_url}{page}/#fig-{address.replace('/', '-')}"
        caption = f"> {' '.join(caption.split())}"
        return f"{markdown}\n\n{caption}\n>\n> [{say['figure on site']}]({url})"

    return _FIGURE.sub(figure, text), attachments


def _add_text(cells: list[Cell], text: str, site_url: str, attachments: Attachments) -> None:
    """Plain Markdown, cut into a cell a section, each with the pictures that it names."""
    # After a program inside an answer the text goes on indented, which would make code of it.
    indented = re.match(r"(?:(?: {4,}.*)?\n)*", text)
    assert indented  # it matches nothing at all, at least
    text = dedent(indented.group()) + text[indented.end() :]
    plain = _plain(text, site_url)
    for section in re.split(r"(?m)^(?=#{1,3} )", plain):
        if section.strip():
            cell = _text_cell(section.strip())
            if names := re.findall(r"\]\(attachment:([\w.-]+)\)", section):
                cell["attachments"] = {name: attachments[name] for name in names}
            cells.append(cell)


def _plain(text: str, site_url: str) -> str:
    """Markdown that Jupyter understands, from what MkDocs and its extensions do."""

    def box(match: re.Match[str]) -> str:
        indent, title, body = match.groups()
        quoted = [f"**{title}**", "", *dedent(body).strip().splitlines()]
        return "\n".join(f"{indent}> {line}".rstrip() for line in quoted) + "\n\n"

    def link(match: re.Match[str]) -> str:
        path = f"{match[1]}/".removesuffix("index/")
        return f"]({site_url}{path}{match[2] or ''})"

    text = _BOX.sub(box, text)
    text = _LINK.sub(link, text)
    text = re.sub(r"\\\((.+?)\\\)", r"$\1$", text)
    text = re.sub(r"^(#+ .*?) *\{ #[\w-]+ \}", r"\1", text, flags=re.M)
    text = re.sub(r'^( *)``` *\{ \.(\w+)(?: title="[^"]*")? \}', r"\1``` \2", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r" *\{ \.code-source \}", "", text))


def _text_cell(text: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code_cell(code: str, output: str) -> Cell:
    outputs = [{"name": "stdout", "output_type": "stream", "text": f"{output}\n"}] if output else []
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": outputs,
        "source": code.splitlines(keepends=True),
    }
