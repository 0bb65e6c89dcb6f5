"""A text cannot run anything: not while the site is built, and not at the reader's.

tests/browser/test_hostile_text.py tries in Chromium what is allowed here.
"""

from types import SimpleNamespace

import pytest
from mkdocs.exceptions import PluginError

from cnnviz.errors import CnnvizError
from gen.checks.allowed_html import check_markup, check_text, problems
from gen.checks.html_lists import FIGURE, PAGE, TEXT
from gen.settings import ROOT
from gen.site import hooks
from gen.site.build import Plan, SiteBuild, session
from gen.site.parts import Parts
from gen.texts.fill import Prose
from gen.texts.glossary import FirstUses
from gen.texts.glossary import read as read_glossary
from tests.hostile_html import FRAGMENTS, HARMLESS, generated
from tests.site_markdown import parser

SITE = ROOT / "site"


def html(text):
    """A text as Markdown makes it into HTML here."""
    return parser().convert(text)


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=ascii)
def test_what_would_run_or_send_is_refused(fragment):
    assert problems(fragment, TEXT)


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=ascii)
def test_no_figure_holds_it_either(fragment):
    if fragment not in OF_FIGURES:
        assert problems(fragment, FIGURE)


OF_FIGURES = ['<div class="ablation" data-order="a">text</div>']
"""What steers the page in figures of ours, and is nothing for a text."""


@pytest.mark.parametrize("fragment", HARMLESS, ids=ascii)
def test_what_is_harmless_passes(fragment):
    assert problems(fragment, TEXT) == []


def test_of_what_is_composed_little_passes():
    """Chromium has the last word on those; here it is only that there are some, and not many."""
    passing = [fragment for fragment in generated(2000) if not problems(fragment, TEXT)]
    assert 100 < len(passing) < 500


def made(text):
    """A text as Markdown makes it, at the first look and at the last, with links and formulas."""
    parts = Parts()
    md = parser(parts)
    parts.page(uses=FirstUses(TERMS, "en", "../glossary/"))
    first = md.convert(text)
    return first, parts.filled(first)


TERMS = read_glossary(ROOT / "docs" / "glossary.yml")


def test_what_passes_passes_still_when_the_page_is_finished():
    """Links and formulas are put in after the first look."""
    count = 0
    for fragment in [*HARMLESS, *generated(300)]:
        first, finished = made(f"{fragment}\n\nA kernel and \\(x < y\\), then *ReLU*.")
        if not problems(first, TEXT):
            count += 'class="term"' in finished and "<svg" in finished
            assert problems(finished, PAGE) == [], fragment
    assert count > 20


@pytest.mark.parametrize(
    "text",
    [
        '<table><tbody><tr><td><span class="arithmatex">\\( </table> \\)</span></td>'
        "<td onclick=hit()>b</td></tr></tbody></table>",
        '<td title="a > ReLU <img src=x.png onerror=hit()>">b</td>',
    ],
)
def test_nothing_comes_to_life_later(text):
    """`td` outside a table is nothing, and no formula or link of ours cuts what somebody wrote."""
    assert problems(text, TEXT) == []
    first, finished = made(text)
    if not problems(first, TEXT):
        assert problems(finished, PAGE) == []
        assert 'class="term"' not in finished
        assert "<svg" not in finished


def test_nobody_can_guess_what_stands_for_our_parts():
    """A text that writes such a mark of another page shows it as it is."""
    parts = Parts()
    of_another_page = parts.mark("<svg></svg>")
    parts.page()
    text = f"a {of_another_page} b \\(x\\)"
    finished = parts.filled(parser(parts).convert(text))
    assert of_another_page in finished
    assert finished.count("<svg") == 1


@pytest.mark.parametrize(
    "text",
    [
        "[text](javascript:alert(1))",
        "[text](<java\tscript:alert(1)>)",
        "[text](data:text/html,x)",
        '[text](image.md){ onclick="alert(1)" }',
        "![text](//example.org/count.gif)",
        "![text](https://example.org/count.gif)",
        "![text][a]\n\n[a]: //example.org/count.gif",
        '![text](x.png){ onerror = "alert(1)" }',
        '# Title { #x style="position:fixed" }',
        '<img src="x.png" onload = "alert(1)">',
        '<div markdown="1" onclick="alert(1)">\n\ntext\n\n</div>',
        "graph LR\n{ .mermaid }",
        "text <x-y onclick=alert(1)> text",
        "- one\n\n    <iframe src=//example.org></iframe>",
        "a[^1]\n\n[^1]: <script>alert(1)</script>",
        "<javascript:alert(1)>",
        "| a |\n|---|\n| <img src=//example.org> |",
        "text\n\n</div></div></article>\n\ntext",
    ],
    ids=ascii,
)
def test_markdown_opens_no_other_way(text):
    assert problems(html(text), TEXT), html(text)


def test_markdown_as_authors_write_it_passes():
    text = (
        '# Title { #title }\n\nA **b** `c` *d* [e](f.md#g "h") ![i\nj](k.png){ width=90 }[^1]\n\n'
        '[^1]: A note.\n\n!!! note "l"\n    m\n\n??? success "n"\n    o\n\n=== "p"\n    q\n\n'
        '| r | s |\n|---|--:|\n| t | u |\n\n``` { .python title="v.py" }\nx = 1\n```\n\n'
        "1. w\n\nterm\n:   x\n\n<https://example.org> <a@example.org> \\(y < z\\) "
        "`#!python x = 1` <kbd>Ctrl</kbd> H<sub>2</sub>O\n\n*[HTML]: words\n\nHTML\n\n---\n\n> y\n"
    )
    assert problems(html(text), TEXT) == []


def test_a_script_of_ours_runs_on_its_page_alone_and_as_it_is():
    script = '<script type="module" src="../assets/calculator.js"></script>'
    assert problems(script, TEXT, "shapes") == []
    assert problems(script, TEXT, "lab")
    assert problems(script.replace(" src", " async src"), TEXT, "shapes")
    assert problems(script.replace("></", ">alert(1)</"), TEXT, "shapes")


def test_a_finding_names_the_line_in_the_language_of_the_text():
    source = "# Title\n\ntext\n\n<p onclick='a()'>text</p>\n<img src='//x.y/z'>\n"
    with pytest.raises(CnnvizError) as error:
        check_text("docs/en/x.md", html(source), "x", source, "en")
    clicked, sent = str(error.value).split("\n")
    assert clicked.startswith('docs/en/x.md:5: <p onclick="a()"> is nothing that a page may hold')
    assert sent.startswith('docs/en/x.md:6: <img src="//x.y/z">: no such address. What to do:')
    with pytest.raises(CnnvizError, match=r"docs/zh/x\.md:5: .*怎么办："):
        check_text("docs/zh/x.md", html(source), "x", source, "zh")


def test_a_finding_is_one_line_whatever_it_shows():
    with pytest.raises(CnnvizError) as error:
        check_text("x.md", "<p onclick='\x1b[31m\n\u2028'>text</p>", "x", "", "en")
    assert len(str(error.value).splitlines()) == 1
    assert "\x1b" not in str(error.value)


def test_markup_of_a_bundle():
    chart = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 9 9" role="img" '
        'aria-label="a chart"><defs><path id="c1-0" d="M 0 3 L 3 0 z"/></defs><use href="#c1-0" '
        'x="1" style="fill: var(--cnnviz-1, #0b4f9e); stroke-width: 1"/><rect width="9" height="9" '
        'fill="url(#c1-1)"/></svg>'
    )
    check_markup("figure a/b", chart)
    for changed in (
        chart.replace("#c1-0", "x.svg#c1-0", 1).replace('href="#c1-0"', 'href="x.svg#c1-0"'),
        chart.replace("<rect", "<rect onclick='a()'"),
        chart.replace("<rect", "<a href='https://example.org/'>a</a><rect"),
        chart.replace("url(#c1-1)", "url(x.svg#c1-1)"),
        chart.replace("<defs>", "<style>a { }</style><defs>"),
        chart.replace("<defs>", "<foreignObject><p>a</p></foreignObject><defs>"),
        chart.replace("stroke-width: 1", "background: url(//x.y)"),
        chart + "</div>",
    ):
        assert changed != chart
        with pytest.raises(CnnvizError, match="figure a/b: <.*take a bundle from a site that you"):
            check_markup("figure a/b", changed)


def test_the_build_looks_at_a_text_and_again_at_its_page(monkeypatch):
    build = object.__new__(SiteBuild)  # nothing else of it is asked for before the first look
    build.plan = Plan("en", "site", "", "", "", None, True)
    build.parts = Parts()
    monkeypatch.setattr(session, "build", build, raising=False)
    file = SimpleNamespace(src_uri="x.md", abs_src_path=None, content_string="a <img onload=c()>")
    page = SimpleNamespace(file=file, url="x/", is_homepage=False)
    with pytest.raises(PluginError, match=r"^x\.md:1: <img onload"):
        hooks.on_page_content('<img onload="b()">', page, None, None)
    for html in ('<p onclick="b()">a</p>', "</article><script>b()</script><article>"):
        with pytest.raises(PluginError, match=r"^x\.md: (?:<p onclick|an element)"):
            hooks.on_post_page(f'<main><article class="a">{html}</article>', page, None)
    whole = '<script>a()</script><article class="a"><h1>b</h1></article><script>c()</script>'
    assert hooks.on_post_page(whole, page, None) == whole


def test_every_page_of_the_built_site():
    """Of the units, which are written without MkDocs, one in ten."""
    found, count = {}, 0
    for path in sorted(SITE.rglob("index.html")):
        address = path.parent.relative_to(SITE).as_posix()
        if path.parent.name.isdecimal() and int(path.parent.name) % 10 != 7:
            continue
        page = path.read_text("utf-8")
        start = page.index(">", page.index("<article")) + 1
        article = page[start : page.rindex("</article>")]
        count += 1
        if what := problems(article, PAGE, address.removeprefix("en/")):
            found[address] = what
    assert count > 100
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "[[= ''.__class__.__mro__ ]]",
        "[[= claim.__globals__ ]]",
        "[[= figure.__func__.__globals__['Path'] ]]",
        "[[= cycler.__init__.__globals__.os.system('true') ]]",
    ],
)
def test_a_text_gets_at_nothing_but_its_numbers(text, tmp_path):
    prose = Prose("en", {}, set(), {}, "digits", tmp_path, "")
    with pytest.raises(CnnvizError):
        prose.fill(text, "page.md")


def test_a_text_cannot_change_a_number_for_the_pages_after_it():
    prose = Prose("en", {"lenet": {"accuracy": 0.9}}, set(), {}, "digits", ROOT, "")
    with pytest.raises(CnnvizError, match="update"):
        prose.fill("[[= lenet.update({'accuracy': 1}) ]]", "page.md")
    assert prose.fill("[[= lenet.accuracy ]]", "page.md") == "0.9"


def test_a_text_shows_no_code_from_outside(tmp_path):
    (tmp_path / "secret.py").write_text("def key(): ...\n", "utf-8")
    root = tmp_path / "repository"
    root.mkdir()
    prose = Prose("en", {}, set(), {}, "digits", root, "")
    with pytest.raises(CnnvizError, match="in the repository"):
        prose.fill("[[= source('../secret.py', 'key') ]]", "page.md")
