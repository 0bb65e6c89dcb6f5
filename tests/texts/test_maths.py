"""gen.texts.maths: the TeX of a page becomes inline SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import markdown
import pytest

from cnnviz.errors import CnnvizError
from gen.site.parts import Parts


def page(text: str) -> str:
    """Markdown to HTML as MkDocs does it, formulas drawn."""
    parts = Parts()
    html = markdown.markdown(
        text,
        extensions=["pymdownx.arithmatex", "pymdownx.superfences", "pymdownx.inlinehilite", parts],
        extension_configs={"pymdownx.arithmatex": {"generic": True}},
    )
    return parts.filled(html)


def only(html: str) -> ET.Element:
    """The one formula of a piece of HTML."""
    (found,) = re.findall(r'<(?:span|div) class="math .*?</svg></(?:span|div)>', html, re.DOTALL)
    return ET.fromstring(found)


def drawing(html: str) -> ET.Element:
    svg = only(html).find("svg")
    assert svg is not None
    return svg


def style(svg: ET.Element) -> dict[str, float]:
    pairs = (part.split(":") for part in svg.attrib["style"].split(";"))
    return {name: float(value.removesuffix("em")) for name, value in pairs}


def test_inline_formula_is_a_named_picture_in_the_colour_of_the_text() -> None:
    html = page("Sum $y_i = x_i + b$, done.")
    formula = only(html)
    assert formula.tag == "span"
    assert formula.attrib["role"] == "img"
    assert formula.attrib["aria-label"] == "y_i = x_i + b"
    svg = drawing(html)
    assert svg.attrib["fill"] == "currentColor"
    assert all("fill" not in shape.attrib for shape in svg)
    assert html.startswith("<p>Sum <span")
    assert html.endswith("</span>,</span> done.</p>")
    assert "arithmatex" not in html


def test_displayed_formula_is_a_block() -> None:
    assert only(page("$$\n\\frac{a}{b}\n$$")).tag == "div"


def test_depth_below_the_baseline() -> None:
    """`x` stands on the baseline (but for the margin), `y` reaches below it, as in any text."""
    assert style(drawing(page("$x$")))["vertical-align"] == pytest.approx(-0.035, abs=0.02)
    assert style(drawing(page("$y$")))["vertical-align"] < -0.2


def test_size_is_in_em_and_grows_with_the_formula() -> None:
    short, long = (style(drawing(page(tex))) for tex in ("$x$", "$x + x + x$"))
    assert 0.3 < short["width"] < 1
    assert 3 < long["width"] < 8
    assert style(drawing(page("$\\frac{a}{b}$")))["height"] > short["height"]


def test_only_formulas_too_wide_for_a_phone_can_be_focused() -> None:
    row = " & ".join("1" for _ in range(24))
    wide = only(page(f"$$\\begin{{pmatrix}} {row} \\end{{pmatrix}}$$"))
    assert wide.attrib["tabindex"] == "0"
    assert "tabindex" not in only(page("$$a + b$$")).attrib


def test_signs_that_html_escapes_reach_the_drawing_and_the_name() -> None:
    formula = only(page("$a < b$"))
    assert formula.attrib["aria-label"] == "a < b"
    assert len(formula.findall("svg/path")) == 3


def test_quotes_do_not_end_the_attribute() -> None:
    assert only(page('$a\\text{"}b$')).attrib["aria-label"] == 'a\\text{"}b'


def test_code_that_speaks_of_formulas_is_left_alone() -> None:
    html = page('`<span class="arithmatex">\\(x\\)</span>` and `$x$`')
    assert "<svg" not in html


def test_no_ids_that_two_formulas_could_share() -> None:
    assert " id=" not in page("$x$ and $x$ and $$\\sqrt{x}$$")


@pytest.mark.parametrize(
    "tex",
    [
        r"y_{ij} = \sum_{a,b} w_{ab}\, x_{i+a,\,j+b} + b",
        r"\mathrm{softmax}(z)_k = \frac{e^{z_k}}{\sum_{j=1}^{10} e^{z_j}}",
        r"\begin{pmatrix} -1 & -1 & 1 & 1 \\ -1 & -1 & 1 & 1 \end{pmatrix}",
        r"\left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1",
        r"\text{ReLU}(x) = \max(0, x)",
        r"\begin{cases} x & x > 0 \\ 0 & x \le 0 \end{cases}",
        r"\begin{aligned} a &= b \\ &= c \end{aligned}",
        r"\mathcal{L} = -\log \hat{p}_y,\quad W \in \mathbb{R}^{6 \times 1 \times 5 \times 5}",
        r"\partial L / \partial \mathbf{w},\ x \odot y,\ W' \ast x",
    ],
)
def test_formulas_of_the_site_are_drawn(tex: str) -> None:
    assert len(drawing(page(f"$${tex}$$"))) > 1


@pytest.mark.parametrize(
    ("tex", "why"),
    [
        (r"\frac{a}", "Cannot draw"),
        (r"x^", "Cannot draw"),
        (r"a & b", "Cannot draw"),
        (r"\begin{pmatrix} a", "Cannot draw"),
        (r"{a", "braces do not match"),
        (r"\softmax(z)", r"\softmax is not known"),
        (r"\text{卷积}", "no '卷'"),
    ],
)
def test_unreadable_tex_is_an_error_that_names_it(tex: str, why: str) -> None:
    with pytest.raises(CnnvizError) as caught:
        page(f"text \\({tex}\\)")
    assert f"'{tex}'" in str(caught.value)
    assert why in str(caught.value)


def test_a_formula_keeps_the_punctuation_after_it():
    drawn = page(r"\(x\)，再\(y\)看")
    assert drawn.count('class="math-then"') == 1
    assert "</span>，</span>再" in drawn
