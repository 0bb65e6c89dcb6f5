"""A text cannot run anything: not while the site is built, and not at the reader's.

Markdown lets HTML through, attributes too. What the built pages hold is compared with the few
scripts that pages have for a good reason; a new one needs a line here, which a reviewer sees.
"""

import re

import pytest

from cnnviz.errors import CnnvizError
from gen.prose import Prose
from gen.settings import ROOT

SITE = ROOT / "site"
SCRIPTS = {
    "../assets/calculator.js",
    "../lab-files/lenet.js",
    "../lab-files/lab.js",
    'document.querySelector(".lab-live").classList.add("lab-starting")',
}
HANDLERS = {"document.querySelector('.lab-live').classList.remove('lab-starting')"}
_TAG = re.compile(r"<(\w+)((?:\s+[^\s=>]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*)\s*/?>")
_ATTRIBUTE = re.compile(r"([^\s=>]+)(?:=(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+)))?")
_UNIT = re.compile(r"atlas/[^/]+/[^/]+/\d+/")


def suspicious(html):
    """What the article of a page would run, embed or send."""
    start = html.find("<article")
    article = html[start : html.rfind("</article>")] if start >= 0 else html
    found = []
    for tag in _TAG.finditer(article):
        name = tag[1].lower()
        if name in {"iframe", "object", "embed", "base", "meta", "applet", "frame"}:
            found.append(tag[0])
        values = {k.lower(): a or b or c for k, a, b, c in _ATTRIBUTE.findall(tag[2])}
        if name == "script" and values.get("type") != "application/json":
            code = values.get("src") or article[tag.end() :].split("</script>")[0]
            if code not in SCRIPTS:
                found.append(f"script: {code[:80]}")
        for key, value in values.items():
            if key.startswith("on") and value not in HANDLERS:
                found.append(f"{key}={value}")
            if key in {"href", "src", "action", "formaction", "xlink:href", "data"}:
                scheme = re.match(r"[\s\x00-\x1f]*([a-z][a-z0-9+.-]*)\s*:", value, re.I)
                picture = name in {"img", "image"} and value.startswith("data:image/png;")
                allowed = {"http", "https", "mailto"} if name == "a" else set()
                if scheme and scheme[1].lower() not in allowed and not picture:
                    found.append(f"{key}={value[:80]}")
    return found


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        '<script src="https://example.org/x.js"></script>',
        '<img src="x.png" onerror="alert(1)">',
        "<p onmouseover=alert(1)>text</p>",
        '<a href="javascript:alert(1)">text</a>',
        '<a href=" JavaScript:alert(1)">text</a>',
        '<a href="data:text/html,x">text</a>',
        '<iframe src="page.html"></iframe>',
        '<img src="https://example.org/count.gif">',
        '<form action="https://example.org/"></form>',
        '<link rel="stylesheet" href="https://example.org/x.css">',
        '<svg><a xlink:href="javascript:alert(1)"></a></svg>',
    ],
)
def test_what_would_run_or_send_is_seen(html):
    assert suspicious(f"<article>{html}</article>")


def test_what_is_harmless_passes():
    page = '<a href="https://example.org/">a</a> <img src="../x.png" alt="on"> <code>&lt;script&gt;'
    assert suspicious(f"<article>{page}</article>") == []


def test_no_page_runs_what_it_should_not():
    pages = {
        address: page
        for page in SITE.rglob("index.html")
        if not _UNIT.search(address := f"{page.parent.relative_to(SITE).as_posix()}/")
    }
    assert len(pages) > 40
    found = {address: suspicious(page.read_text("utf-8")) for address, page in pages.items()}
    assert {address: what for address, what in found.items() if what} == {}


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
