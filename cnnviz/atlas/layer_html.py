"""The Markdown of a layer's page (cnnviz.atlas.pages) as HTML, where no site does it.

Imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from secrets import token_hex
from typing import NamedTuple

import yaml
from markdown import Markdown

_FIGURE = re.compile(
    r'^\[\[% call figure\("([^"]+)"\) %\]\]\n(.*?)\n\[\[% endcall %\]\]$', re.M | re.S
)
_PAGE = re.compile(r'(?<=\shref=")([\w.-]+)\.md(?=["#])')
_SYMBOL = re.compile(r"\$(\w)\$")
_EXTENSIONS = ["attr_list", "fenced_code", "tables"]

Shown = Callable[[str, str], str]
"""Address of a figure and its caption as HTML → the figure as HTML."""


class LayerPage(NamedTuple):
    """A page of a layer: for its head, and its body as HTML."""

    title: str
    description: str
    html: str


def layer_html(markdown: str, figure: Shown) -> LayerPage:
    """A layer's page with its figures.

    Links from one layer to another lead to its folder.
    """
    _, front, text = markdown.split("---\n", 2)
    head = yaml.safe_load(front)
    figures: dict[str, str] = {}

    def mark(found: re.Match[str]) -> str:
        name = token_hex(8)  # what nobody can have written
        figures[name] = figure(found[1], _html(found[2]).removeprefix("<p>").removesuffix("</p>"))
        return f"<div>{name}</div>"

    html = _html(_FIGURE.sub(mark, text))
    for name, shown in figures.items():
        html = html.replace(f"<div>{name}</div>", shown)
    return LayerPage(head["title"], head["description"].strip(), html)


def _html(markdown: str) -> str:
    text = _SYMBOL.sub(r"<i>\1</i>", markdown)
    html = Markdown(extensions=_EXTENSIONS).convert(text)
    return _PAGE.sub(r"../\1/", html.replace("<pre>", '<pre tabindex="0">'))  # it may scroll
