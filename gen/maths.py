"""Formulas: the TeX that Markdown leaves in a page becomes inline SVG while the site is built.

The reader's browser loads nothing for it, the colour is that of the text around it
(`currentColor`), and the accessible name of each formula is its TeX.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
import xml.etree.ElementTree as ET
from functools import cache
from html import escape, unescape

from cnnviz.errors import CnnvizError

with warnings.catch_warnings():
    # ziamath finds its font by a function that Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from ziamath.config import config
    from ziamath.tex import tex2mml
    from ziamath.zmath import Latex

# Drawn at this size, then measured in em: the formula grows with the text around it.
_SIZE = 20.0
# STIX Two looks smaller than the sans-serif fonts of the text at the same size.
_ENLARGE = 1.08
# A displayed formula wider than this does not fit a phone: it scrolls, also by keyboard.
_WIDE_EM = 20.0

# What pymdownx.arithmatex writes with `generic: true`: \(…\) inline, \[…\] displayed, HTML-escaped.
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\s*\\[(\[](.*?)\\[)\]]\s*</\1>', re.DOTALL)

# One path a glyph instead of <symbol>s: several formulas on a page would repeat the symbols' ids.
config.svg2 = False


def replace_math(html: str) -> str:
    """The page's HTML with each formula that arithmatex marked drawn as inline SVG.

    Raises:
        CnnvizError: a formula that cannot be drawn faithfully; names its TeX and what is wrong.
    """
    return _FORMULA.sub(lambda match: _draw(unescape(match[2]).strip(), match[1] == "div"), html)


@cache
def _draw(tex: str, display: bool) -> str:
    """One formula as HTML: `span.math` in a line of text, `div.math` displayed."""
    _check(tex, display)
    try:
        formula = Latex(tex, size=_SIZE, inline=not display, margin=0.5)
        svg = formula.svgxml()
    except Exception as error:  # ziamath raises whatever its parsers happen to meet
        raise _unreadable(tex, str(error) or type(error).__name__) from error

    _, top, width, height = (float(number) for number in svg.attrib["viewBox"].split())
    style = f"width:{_em(width)};height:{_em(height)}"
    if not display:
        style += f";vertical-align:{_em(-(top + height))}"  # the baseline is at y = 0
    svg.attrib = {
        "viewBox": svg.attrib["viewBox"],
        "style": style,
        "fill": "currentColor",
        "aria-hidden": "true",
    }
    for shape in svg.iter():
        if shape.attrib.get("fill") == "black":
            del shape.attrib["fill"]
    # MkDocs pages are HTML: no namespace is needed, and ET would write one as a prefix.
    drawing = ET.tostring(svg, encoding="unicode")

    name = f'role="img" aria-label="{escape(tex)}"'
    if not display:
        return f'<span class="math math-inline" {name}>{drawing}</span>'
    focus = ' tabindex="0"' if width / _SIZE * _ENLARGE > _WIDE_EM else ""
    return f'<div class="math math-display" {name}{focus}>{drawing}</div>'


def _check(tex: str, display: bool) -> None:
    """Refuse what ziamath would draw as something else without a word."""
    bare = re.sub(r"\\[\\{}]", "", tex)
    if bare.count("{") != bare.count("}"):
        raise _unreadable(tex, "its braces do not match")
    try:
        words = "".join(ET.fromstring(tex2mml(tex, inline=not display)).itertext())
    except Exception as error:
        raise _unreadable(tex, str(error) or type(error).__name__) from error
    # latex2mathml passes on commands that it does not know, and ziamath writes their names out.
    unknown = re.search(r"\\[A-Za-z]+|\\_", words)
    if unknown:
        raise _unreadable(tex, f"the command {unknown[0]} is not known")
    font = Latex("x").font
    missing = [c for c in words if unicodedata.category(c)[0] in "LNPS" and not font.glyphindex(c)]
    if missing:
        raise _unreadable(
            tex, f"the font has no '{missing[0]}'; write such words outside the formula"
        )


def _unreadable(tex: str, why: str) -> CnnvizError:
    return CnnvizError(f"Cannot draw the formula '{tex}': {why}. Mend the TeX on the page.")


def _em(pixels: float) -> str:
    return f"{round(pixels / _SIZE * _ENLARGE, 3):g}em"
