"""A kept figure as HTML: gives templates/figure.html what it asks for. Imports no torch."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import KeptFigure, KeptPicture, named_lines
from cnnviz.words import FALLBACK, Library

FileUrl = Callable[[str], str]
_PACKAGE = Path(__file__).parents[1]
TEMPLATE = Path(__file__).parent / "templates" / "figure.html"


class _Lines(Extension):
    """Lines and their indents are for those who read a template: they are not written.

    A space is, where the next line begins with a word, such as an attribute of a tag.
    """

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        for token in stream:
            if token.type != "data":
                yield token
                continue
            text = re.sub(r"\s*\n\s*(?=\w)", " ", token.value)
            yield Token(token.lineno, "data", re.sub(r"\s*\n\s*", "", text))


def _escaped(value: Any) -> Any:
    """As all else on the pages is escaped; Jinja itself writes quotes in another way."""
    return value if hasattr(value, "__html__") else Markup(escape(str(value)))


def environment(folder: Path) -> Environment:
    """Templates in `folder`: all is escaped that is not marked safe, and nothing may be unknown."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_escaped,
        extensions=[_Lines],
    )
    made.tests["picture"] = lambda panel: isinstance(panel, KeptPicture)
    return made


_ENVIRONMENT = environment(TEMPLATE.parent)


def figure_html(
    address: str,
    figure: KeptFigure,
    language: str,
    caption: str,
    file_url: FileUrl,
    source_url: str,
    commit: str,
    library: Library,
    again: str = "",
) -> str:
    """`<figure>` with its panels, legends, caption and passport.

    Args:
        address: `<chapter>/<function>`; its id on the page is `fig-<chapter>-<function>`.
        language: "zh" or "en".
        caption: HTML.
        file_url: from a file of the chapter to its address as seen from the page.
        source_url: address of the repository's files, with a slash at the end, or "".
        commit: the commit of this build, or "".
        library: says its words.
        again: the command that draws it again; that of this site if not given.

    Raises:
        CnnvizError: the template asks for what there is not; names template, line and value.
    """
    say = library.catalogue(language, figure.scope)
    say_html = library.catalogue(language, figure.scope, escape=True)
    try:
        return _ENVIRONMENT.get_template(TEMPLATE.name).render(
            figure=figure,
            identity="fig-" + address.replace("/", "-"),
            again=again or f"python -m gen draw {address.split('/', maxsplit=1)[0]}",
            caption=caption,
            source_url=source_url,
            commit=commit,
            words=library.catalogue(language),
            said=say.said,
            said_html=say_html,
            drawn=lambda markup: markup.get(language) or markup[FALLBACK],
            file_url=file_url,
            named_lines=named_lines,
        )
    except TemplateError as error:
        raise _unfilled(error) from error


def _unfilled(error: TemplateError) -> CnnvizError:
    """What stops at a template, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f.lineno for f in reversed(frames) if f.filename == str(TEMPLATE)), None)
    line = getattr(error, "lineno", line)  # of an error in how it is written
    name = TEMPLATE.relative_to(_PACKAGE.parent).as_posix()
    return CnnvizError(f"{name}:{line} cannot be filled in: {error.message}.")
