"""No text and no figure runs, embeds or fetches anything: HTML is compared with lists of what may be.

Parsed and compared, never searched for what is bad: there are too many ways to write that. Nothing
is repaired, either; a finding stops the build, and what is published stays as it was written.

The parser has to see what browsers see. selectolax is lexbor, which follows the HTML standard to
the letter (html.parser of Python does not: it knows no element that closes another, no raw text,
no SVG); it keeps the tree, so that a message can name the element, and takes a millisecond a page.
nh3 (ammonia), which would rewrite the pages, and html5lib, which is slow, were the other choices.
What is parsed stands where the theme puts it, with and without scripts (`noscript` differs), and
must leave the page around it as it was: `</article>` or an element left open would not.

gen.site.build looks twice: at what Markdown made of a text, with the narrow list, and at the article of
the finished page. In between, parts of ours are put in (gen.site.parts), and the theme and other
plugins have their say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from cnnviz.errors import CnnvizError
from cnnviz.words import Message, message
from gen.checks.html_lists import (
    FIGURE,
    STYLE_FUNCTION,
    STYLE_VALUE,
    TEXT,
    WORDS,
    Allowed,
    Exactly,
)
from gen.texts.finding import Finding
from gen.texts.sections import line_of

_BEFORE = "<!doctype html><title></title><main><div><article>"
# Behind the text: what closes a paragraph, and what goes into an element that was left open.
_BEHIND = "<p><span></span></p></article></div></main>"
_MOST = 20
"""Findings that are said at once."""


@dataclass(frozen=True)
class Problem:
    """What is on no list: an element, an attribute of it, or a value of that attribute.

    `tag` is "" for an element that closes what is not its own or stays open, and "!--" for a
    comment; `attribute` is "" if the element itself is the problem.
    """

    tag: str
    attribute: str = ""
    value: str = ""

    def said(self) -> Message:
        """What is wrong and what to do."""
        shown = ascii(self.value[:80]) if not self.value.isprintable() else f'"{self.value[:80]}"'
        what = f"<{self.tag} {self.attribute}={shown}>" if self.attribute else f"<{self.tag}>"
        if not self.tag:
            return message("allowed_html.not closed")
        if self.tag == "!--":
            return message("allowed_html.comment")
        if self.attribute in ("href", "src"):
            return message("allowed_html.address", what=what)
        return message("allowed_html.on no list", what=what)


def check_text(
    file: str, html: str, page: str, source: str, language: str, allowed: Allowed = TEXT
) -> None:
    """Compare what has become of a text with what may be there.

    Args:
        file: how messages name it.
        page: its address, such as "lab"; some have scripts of ours.
        source: its Markdown, to find the line.

    Raises:
        CnnvizError: one line for each thing on no list.
    """
    lines = [
        Finding(file, _line(problem, source), problem.said()).text(language)
        for problem in problems(html, allowed, page)
    ]
    if lines:
        raise CnnvizError("\n".join(lines[:_MOST]))


def check_markup(where: str, html: str, allowed: Allowed = FIGURE) -> None:
    """Compare markup that comes from a bundle with what figures may hold.

    Args:
        where: how the message names it.

    Raises:
        CnnvizError: something is on no list; says the first.
    """
    for problem in problems(html, allowed):
        what = f"<{problem.tag or 'an element that is not closed'} {problem.attribute}".strip()
        raise CnnvizError(
            f"{where}: {what}> {problem.value[:80]!a} is nothing that a figure of ours holds. "
            "What to do: take a bundle from a site that you trust, or leave PREBUILT out."
        )


def problems(html: str, allowed: Allowed, page: str = "") -> list[Problem]:
    """All that is on no list, in order, each once."""
    found: dict[Problem, None] = {}
    for scripting in (True, False) if "noscript" in html.lower() else (True,):
        tree = LexborHTMLParser(_BEFORE + html + _BEHIND, scripting=scripting)
        article = tree.css_first("article")
        children = list(article.iter(include_text=True)) if article else []
        for node in [inner for child in children for inner in child.traverse(include_text=True)]:
            found.update(dict.fromkeys(_of_node(node, allowed, page)))
        for child in children[:-1]:
            child.decompose()
        if tree.html != _EMPTY:
            found[Problem("")] = None
    return list(found)


def _of_node(node: LexborNode, allowed: Allowed, page: str) -> Iterator[Problem]:
    if node.is_text_node:
        return
    tag = str(node.tag)
    if not node.is_element_node:
        yield Problem("!--")
        return
    attributes = {name: value or "" for name, value in node.attributes.items()}
    if tag not in allowed.tags:
        whole = Exactly(tag, attributes, node.inner_html or "")
        if whole not in allowed.exactly.get(page, ()):
            yield Problem(tag)
        return
    for name, value in attributes.items():
        if name not in allowed.tags[tag] and name not in allowed.attributes:
            yield Problem(tag, name, value)
        elif name == "class":
            yield from (
                Problem(tag, name, one)
                for one in value.split()
                if not allowed.classes.fullmatch(one)
            )
        elif not _value_is_fine(tag, name, value, allowed):
            yield Problem(tag, name, value)


def _value_is_fine(tag: str, name: str, value: str, allowed: Allowed) -> bool:
    if name == "style":
        bare = STYLE_FUNCTION.sub("", value)
        pairs = [pair.split(":") for pair in bare.split(";") if pair.strip()]
        return all(
            len(pair) == 2 and pair[0].strip() in allowed.styles and _is_style(pair[1])
            for pair in pairs
        )
    if name in ("clip-path", "fill", "stroke"):
        return _is_style(STYLE_FUNCTION.sub("", value))
    rule = allowed.values.get(f"{tag} {name}") or allowed.values.get(name) or WORDS
    return rule.fullmatch(value) is not None


def _is_style(value: str) -> bool:
    """Plain words, numbers and colours; what a function is given stands in brackets."""
    return all(STYLE_VALUE.fullmatch(part) for part in re.split(r"[()]", value)) and not re.search(
        r"[\w-]\(", value
    )


def _line(problem: Problem, source: str) -> int:
    """Where it probably stands in the Markdown; 0 if that cannot be said."""
    tag, name = re.escape(problem.tag), re.escape(problem.attribute)
    tries = [rf"<{tag}\b[^>]*?{name}" if name else "", rf"(?<![\w-]){name}\s*=" if name else ""]
    tries += [re.escape(problem.value), rf"<{tag}" if tag else ""]
    for expression in filter(None, tries):
        if match := re.search(expression, source, re.I):
            return line_of(source, match.start())
    return 0


_EMPTY = LexborHTMLParser(_BEFORE + _BEHIND).html
