"""The HTML that a text, a figure and a finished page may hold; gen.checks.allowed_html compares.

Whatever is not named here stops the build. A new element, class or script needs a line here, which
a reviewer sees. Why so narrow: attributes and classes also steer our scripts and the theme's (the
class `mermaid` alone makes the theme fetch a script from another host).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pygments.token import STANDARD_TYPES


@dataclass(frozen=True)
class Exactly:
    """An element as a whole: its name, all its attributes, all that is in it."""

    tag: str
    attributes: Mapping[str, str]
    inside: str = ""


@dataclass(frozen=True)
class Allowed:
    """What HTML from one source may hold.

    Attributes:
        tags: elements, each with attributes of its own.
        attributes: what every element may have.
        values: "attribute" or "element attribute" → what the whole value must match; others are
            `WORDS`.
        classes: names, or patterns of them.
        styles: properties of `style`.
        exactly: page → elements that stand there and nowhere else.
    """

    tags: Mapping[str, frozenset[str]]
    attributes: frozenset[str]
    values: Mapping[str, re.Pattern[str]]
    classes: re.Pattern[str]
    styles: frozenset[str]
    exactly: Mapping[str, tuple[Exactly, ...]] = field(default_factory=dict)

    def __or__(self, other: Allowed) -> Allowed:
        """What one of the two allows."""
        tags = {
            tag: self.tags.get(tag, frozenset()) | other.tags.get(tag, frozenset())
            for tag in {*self.tags, *other.tags}
        }
        values = {
            name: re.compile(
                "|".join(f"(?:{a.values[name].pattern})" for a in (self, other) if name in a.values)
            )
            for name in {*self.values, *other.values}
        }
        return Allowed(
            tags,
            self.attributes | other.attributes,
            values,
            re.compile(f"{self.classes.pattern}|{other.classes.pattern}"),
            self.styles | other.styles,
            {**self.exactly, **other.exactly},
        )


def _tags(plain: str, **own: str) -> dict[str, frozenset[str]]:
    """Elements without and with attributes of their own."""
    return {
        **dict.fromkeys(plain.split(), frozenset()),
        **{tag: _names(words) for tag, words in own.items()},
    }


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _patterns(**patterns: str) -> dict[str, re.Pattern[str]]:
    """Values by attribute; `a_href` is that of one element, `data__x` is data-x."""
    names = {name: name.replace("__", "-").replace("_", " ") for name in patterns}
    return {names[name]: re.compile(pattern) for name, pattern in patterns.items()}


def _classes(names: str) -> re.Pattern[str]:
    return re.compile("|".join(names.split()))


WORDS = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f<>]*")
"""Any words. Steps after the check, ours and others', cut pages at "<" and ">"."""

STYLE_VALUE = re.compile(r"[\w\s#.,%+/-]*", re.A)
STYLE_FUNCTION = re.compile(
    r"(?:color-mix|linear-gradient|var)(?=\()"
    r"|url\((?:#[\w-]+|data:image/png;base64,[\w+/=]+|(?:\.\./)+figures/[\w/.-]+\.png)\)",
    re.A,
)
"""Functions of CSS; an address is a part of the page, a picture in place or one of our figures."""

# Of this site, whatever the browser makes of it: no scheme, no host, no backslash, no blank.
_HERE = r"(?![/:?])[^\s\x00-\x1f\\:?#<>]*(?:[?#][^\s\x00-\x1f\\<>]*)?"
_LINK = rf"{_HERE}|https?://[\w\[][^\s\x00-\x1f\\<>]*|mailto:[^\s\x00-\x1f\\<>]+"
_IDENTITY = r"(?!__)[\w.:-]+|__tabbed_\d+(?:_\d+)?"
_SIZE = r"\d+(?:\.\d+)?%?"
_ANY = r"[^\x00-\x08\x0b-\x1f\x7f]*"
_PICTURE = r"data:image/png;base64,[\w+/=]+"

_EVERYWHERE = _names(
    "aria-atomic aria-current aria-hidden aria-label aria-live class data-search-exclude hidden id "
    "lang role style tabindex title"
)
_VALUES = _patterns(
    a_href=_LINK,
    button_type="button",
    data__figure=r"[\w/-]+",
    **{"for": _IDENTITY},
    height=_SIZE,
    hreflang="[A-Za-z-]+",
    id=_IDENTITY,
    identifier=r"[\w.]+",
    img_src=_HERE,
    input_type="checkbox|number|radio",
    lang="[A-Za-z-]+",
    link_href=_HERE,
    name=_IDENTITY,
    rel="(?:license|next|nofollow|prev)",
    role="[a-z]+",
    tabindex="0|-1",
    width=_SIZE,
)
_PARTS = (
    "b br caption code div em figcaption figure legend li ol p pre small span strong summary table "
    "tbody thead tr ul"
)
# Colours of code, of pygments.
_CODE = " ".join(sorted(filter(None, STANDARD_TYPES.values())))

# The lab does not start: its page shows what it shows without JavaScript.
_SHOW_STATIC = "document.querySelector('.lab-live').classList.remove('lab-starting')"

TEXT = Allowed(
    _tags(
        f"{_PARTS} abbr blockquote cite dd del dfn dl dt form h1 h2 h3 h4 h5 h6 hr i ins kbd mark nav "
        "noscript output q s section sub sup tfoot u var wbr",
        a="href hreflang rel",
        # mkdocs-autorefs makes links of them.
        autoref="backlink-anchor backlink-type hover identifier optional",
        button="data-preset data-show type",
        dd="data-result",
        details="open",
        div="data-figure data-fits data-groups data-samples data-tabs data-unused data-whole",
        img="alt decoding height loading src width",
        input="checked max min name required step type value",
        label="for",
        ol="start",
        p="data-result",
        td="colspan rowspan",
        th="colspan rowspan scope",
    ),
    _EVERYWHERE,
    _VALUES,
    _classes(
        f"{_CODE} highlight language-\\w+ filename linenos "
        "admonition admonition-title abstract bug danger example failure info inline end note "
        "question quote success tip warning "
        "arithmatex footnote footnote-backref footnote-ref headerlink "
        "tabbed-alternate tabbed-block tabbed-content tabbed-labels tabbed-set "
        "doc(?:-[a-z]+)* field-body first "
        "code-source course-facts figure-slot lab lab-intro lab-live lab-static message "
        "net-strip net-weighted presets settings-table shape-calculator unit-list"
    ),
    frozenset({"text-align"}),
    {
        "shapes": (
            Exactly("link", {"rel": "stylesheet", "href": "../assets/calculator.css"}),
            Exactly("script", {"type": "module", "src": "../assets/calculator.js"}),
        ),
        "lab": (
            Exactly("link", {"rel": "stylesheet", "href": "../assets/lab/lab.css"}),
            Exactly(
                "script", {}, 'document.querySelector(".lab-live").classList.add("lab-starting")'
            ),
            Exactly("script", {"defer": "", "src": "../lab-files/lenet.js"}),
            *(
                Exactly("script", {"defer": "", "src": f"../{script}", "onerror": _SHOW_STATIC})
                for script in ("assets/lab/words.js", "lab-files/lab.js")
            ),
        ),
    },
)
"""What Markdown makes of a text, before figures, formulas and links of ours are put in."""

_DRAWN = (
    "clip-path cx cy d fill fill-opacity font-size font-weight height points preserveAspectRatio r "
    "rx shape-rendering stroke stroke-dasharray stroke-linecap stroke-linejoin stroke-opacity "
    "stroke-width text-anchor viewBox width x x1 x2 y y1 y2"
)
_SHAPES = "circle clipPath defs g line path pattern polygon polyline rect text"

FIGURE = Allowed(
    _tags(
        f"{_PARTS} fieldset noscript title",
        **dict.fromkeys(_SHAPES.split(), f"{_DRAWN} patternUnits"),
        a="href",
        details="",
        div="data-after data-all data-before data-colon data-columns data-comma data-count data-ends "
        "data-every data-from data-hint data-in data-label data-layer data-none data-order data-out "
        "data-scrub data-tabs data-to",
        image=f"{_DRAWN} href",
        img="alt data-bands decoding height loading src width",
        input="checked name type value",
        label="for",
        svg=f"{_DRAWN} data-lines xmlns",
        td="",
        th="aria-sort data-first scope",
        use=f"{_DRAWN} href",
    ),
    _EVERYWHERE,
    _VALUES
    | _patterns(
        a_href=_HERE,
        # Words of ours, escaped: "a > 0". What could be cut is looked at again on the page.
        alt=_ANY,
        aria__label=_ANY,
        data__lines=_ANY,
        image_href=_PICTURE,
        img_src=rf"(?:\.\./)*figures/[\w/.-]+\.png|{_PICTURE}",
        use_href="#[\\w-]+",
        xmlns=re.escape("http://www.w3.org/2000/svg"),
    ),
    _classes(
        "a ablation ablation-scroll answer-bars best chart diagram fig fig-(?:column|flow|grid|inputs"
        "|label|notes|panel|panels|row|scroll|table) kernel legend legend-(?:bar|diverging|high|low"
        "|text) line-names [mp][1-6] overview overview-row overview-units passport patch pixels "
        "pixels-numbers profile silent smooth sortable sprite tabbed-(?:alternate|block|content"
        "|labels|set) tiles written zero"
    ),
    _names(
        "--columns --h --i --n --scale --sprite --th --tw --v --w aspect-ratio background fill "
        "fill-opacity font-size height image-rendering max-width min-width opacity stroke "
        "stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-opacity "
        "stroke-width text-anchor width"
    ),
)
"""A figure, also one that comes from a bundle."""

PAGE = (
    TEXT
    | FIGURE
    | Allowed(
        _tags("", a="download", line="", path="", polyline="", svg=""),
        frozenset(),
        _patterns(rel="edit", title=_ANY),
        _classes(
            "autorefs autorefs-internal bar chapter-facts crop cv-behind cv-lost math math-display "
            "math-inline math-then md-button md-button--primary md-content__button "
            "md-content__inner md-icon md-typeset minus plus read term thumb unit-[a-z]+ value"
        ),
        _names("--rows background-image background-position object-position vertical-align"),
    )
)
"""The article of a finished page, and the page of a unit."""
