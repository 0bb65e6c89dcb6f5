"""Formulas: TeX becomes inline SVG while the site is built (gen/site/parts.py puts it into pages).

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
    from ziamath.mathfont import MathFont
    from ziamath.tex import tex2mml
    from ziamath.zmath import Math

# Drawn at this size, then measured in em: the formula grows with the text around it.
_SIZE = 20.0
# STIX Two looks smaller than the sans-serif fonts of the text at the same size.
_ENLARGE = 1.08
# A displayed formula wider than this does not fit a phone: it scrolls, also by keyboard.
_WIDE_EM = 20.0

# Matrices and cases with room between rows and columns, as TeX sets them.
_AIRY_TABLE = '<mtable rowspacing="0.5em" columnspacing="0.9em">'

# What pymdownx.arithmatex writes with `generic: true`: \(…\) inline, \[…\] displayed, HTML-escaped.
_FORMULA = re.compile(r"\\[(\[](.*)\\[)\]]", re.DOTALL)

# One path a glyph instead of <symbol>s: several formulas on a page would repeat the symbols' ids.
config.svg2 = False


def tex_in(text: str) -> str | None:
    r"""The TeX in what arithmatex wrote, `\(…\)` or `\[…\]`; None if it did not write that."""
    found = _FORMULA.fullmatch(text.strip())
    return unescape(found[1]).strip() if found else None


@cache
def draw(tex: str, display: bool) -> str:
    """One formula as HTML: `span.math` in a line of text, `div.math` displayed.

    Raises:
        CnnvizError: it cannot be drawn faithfully; names its TeX and what is wrong.
    """
    try:
        mathml = tex2mml(tex, inline=not display).replace("<mtable>", _AIRY_TABLE)
        words = "".join(ET.fromstring(mathml).itertext())
        svg = Math(mathml, size=_SIZE, margin=0.5).svgxml()
    except Exception as error:  # the parsers raise whatever they happen to meet
        raise _unreadable(tex, str(error) or type(error).__name__) from error
    if complaint := _complaint(tex, words):
        raise _unreadable(tex, complaint)

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


def _complaint(tex: str, words: str) -> str | None:
    """What ziamath would draw as something else without a word, if anything.

    `words` is the text of the MathML that latex2mathml made of `tex`.
    """
    bare = re.sub(r"\\[\\{}]", "", tex)
    if bare.count("{") != bare.count("}"):
        return "its braces do not match"
    # latex2mathml passes on commands that it does not know, and ziamath writes their names out.
    if unknown := re.search(r"\\[A-Za-z]+|\\_", words):
        return f"the command {unknown[0]} is not known"
    for character in words:
        if unicodedata.category(character)[0] in "LNPS" and not _font().glyphindex(character):
            return f"the font has no '{character}'; write such words outside the formula"
    return None


@cache
def _font() -> MathFont:
    return Math("<math><mi>x</mi></math>").font


def _unreadable(tex: str, why: str) -> CnnvizError:
    return CnnvizError(f"Cannot draw the formula '{tex}': {why}. Mend the TeX on the page.")


def _em(pixels: float) -> str:
    return f"{round(pixels / _SIZE * _ENLARGE, 3):g}em"
