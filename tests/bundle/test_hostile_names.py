"""Names in the JSON of a bundle: each field is tried, and the files outside are watched."""

import copy
import json
import os
import runpy
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest
from mkdocs.structure.files import Files
from mkdocs_gen_files.editor import FilesEditor

from cnnviz.errors import CnnvizError
from cnnviz.figure.html import figure_html
from cnnviz.files import digest, inside
from gen.bundle import check as bundle_check
from gen.draw import keys, manifest
from gen.publish import offline
from gen.settings import ROOT
from gen.site import cards
from gen.site.build import session
from gen.site.units import write_units
from gen.texts.words import SITE
from tests import small_bundle
from tests.small_bundle import listing, opened, picture, sealed


@pytest.fixture
def outside(tmp_path):
    """A folder of somebody's own, beside that of the build."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "private.png").write_bytes(picture(colour=77))
    (folder / "LICENSE").write_text("nobody's but mine")
    return folder


# --- Names in the JSON --------------------------------------------------------------------------

LEADING_OUT = [
    "../../x",
    "..",
    "../../../outside/private.png",
    "/etc/passwd",
    "..\\..\\x",
    "a/../../b",
    "C:\\x",
    "//host/x",
    "",
]
NEVER = ["a\0b", "a\x1b[31m", "a\u2028b", "a\u202eb", "\ud800"]
LONG = "x" * 2_000_001

WORDS = {
    # Of figures: escaped, or, where they are markup, looked at with the finished page.
    *(f"figures.map.alt.values.{name}" for name in ("digit", "relu1", "relu2")),
    *("figures.map.scrub", "figures.map.variants[].name"),
    *(f"figures.map.notes[].values.{name}" for name in ("name", "what")),
    *(f"figures.map.variants[].panels[].alt.values.{name}" for name in ("name", "what")),
    *(f"figures.map.variants[].panels[].markup.{language}" for language in ("zh", "en")),
    *(f"figures.map.variants[].legends[].{name}" for name in ("text", "low", "high", "ends[][]")),
    "figures.map.scope",  # where its words are looked for: they are there, or it is refused
    # Numbers for the prose.
    *("numbers.written", "numbers.names[]", "numbers.names[].en"),
    # Of the atlas.
    *(f"numbers.nets.net[].{name}" for name in ("code", "sum", "window")),
    *(f"numbers.nets.net[].{name}" for name in ("field", "compared[]", "kind")),
    # Of units; a kind that nobody knows has no words, a class may have slashes, numbers dots.
    *("numbers.layers.conv.kind", "numbers.layers.conv.units[].weights.shapes[].kind"),
    *("numbers.classes[]", "numbers.layers.conv.units[].weights.numbers[]"),
}
"""Texts in a chapter that may say anything printable: none becomes a file or an address."""


VALUES = ("numbers.", "figures.map.variants[].panels[].markup.")
"""Fields with names that nobody knows beforehand: numbers, and languages."""


def leaves(value):
    """Where the texts are in a JSON value, and the names of its fields: one for each kind."""
    found = {}
    for path, is_key in _leaves(value):
        found.setdefault((written(path), is_key), (path, is_key))
    return list(found.values())


def _leaves(value, path=()):
    if isinstance(value, str):
        yield path, False
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key), True
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))


def replaced(value, path, is_key, text):
    """A copy with another text at that place."""
    whole = copy.deepcopy(value)
    at = whole
    for step in path[:-1]:
        at = at[step]
    if is_key:
        at[text] = at.pop(path[-1])
    else:
        at[path[-1]] = text
    return whole


def written(path):
    """`("figures", "map", "variants", 0, "name")` as "figures.map.variants[].name"."""
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in path)[1:]


def checked(settings):
    """What is said of a build, "" if pages can be made of it."""
    said = ""
    try:
        bundle_check.check(settings)
    except CnnvizError as error:
        said = str(error)
    assert len(said) < 1000
    assert "\n" not in said
    return said


@pytest.mark.parametrize("name", ["relu", "atlas", "units-net"])
def test_every_text_in_a_chapter(built, name):
    """What may say anything is listed above; all else must be a name, and is refused if not."""
    path = built.figures_dir / f"{name}.json"
    good = opened(path.read_bytes())
    accepted, fields = set(), set()
    for at, is_key in leaves(good):
        for number, text in enumerate([*LEADING_OUT, *NEVER]):
            if number % 3 and written(at) in accepted and text not in NEVER:
                continue  # others have shown that it may say anything
            path.write_bytes(sealed(replaced(good, at, is_key, text)))
            if not checked(built):
                assert text not in NEVER, written(at)
                if text:  # some may be empty
                    (fields if is_key else accepted).add(written(at))
    assert accepted <= WORDS
    assert {field for field in fields if not field.startswith(VALUES)} == set()
    assert not fields & {"numbers.nets.net", "numbers.titles.net", "numbers.layers.conv"}
    path.write_bytes(sealed(good))
    assert not checked(built)


@pytest.mark.parametrize("name", ["relu", "atlas", "units-net", "examples"])
def test_every_text_has_an_end(built, name):
    path = built.figures_dir / f"{name}.json"
    good = opened(path.read_bytes())
    for at, is_key in leaves(good):
        if not is_key:
            path.write_bytes(sealed(replaced(good, at, is_key, LONG)))
            assert f"'{name}.json' cannot be used" in checked(built), written(at)


@pytest.mark.parametrize("name", ["relu", "atlas", "units-net"])
@pytest.mark.parametrize("value", [None, 10**9, -1, [], "x"])
def test_no_value_of_another_kind_is_a_traceback(built, name, value):
    """Either it is refused, or all pages can be made with it."""
    path = built.figures_dir / f"{name}.json"
    good = opened(path.read_bytes())

    def places(inside, at=()):
        items = (
            inside.items() if isinstance(inside, dict)
            else enumerate(inside[:2]) if isinstance(inside, list) else ()
        )  # fmt: skip
        for key, inner in items:
            yield (*at, key)
            yield from places(inner, (*at, key))

    for at in places(good):
        path.write_bytes(sealed(replaced(good, at, False, value)))
        checked(built)


@pytest.mark.parametrize(
    "text",
    [
        "<b>1</b>", "[[= source('x', 'y') ]]", "[x](javascript:y)", "a\nb", "`x`", "&#106;ava",
        '--8<-- "x.md"', "::: cnnviz.errors", "x" * 2001,
    ],
)  # fmt: skip
def test_numbers_are_no_markup(built, text):
    path = built.figures_dir / "relu.json"
    good = opened(path.read_bytes())
    path.write_bytes(sealed(replaced(good, ("numbers", "written"), False, text)))
    assert "is no short, plain text" in checked(built)


@pytest.mark.parametrize("text", ["```\n<script>", "~~~\n# x", '--8<-- "x.md"', "::: x", "\tx"])
def test_what_was_printed_stays_in_its_box(built, text):
    path = built.figures_dir / "examples.json"
    good = opened(path.read_bytes())
    path.write_bytes(sealed(replaced(good, ("numbers", "count_zeros"), False, text)))
    assert "is no plain text" in checked(built)


# --- Names where they are used, had nobody checked them -------------------------------------------

_watched: dict = {"folder": None, "seen": []}


def _watch(event, arguments):
    """Note each file outside that Python opens, changes or lists; an audit hook stays for ever."""
    if _watched["folder"] and event.split(".")[0] in {"open", "os", "shutil"}:
        paths = [os.fspath(a) for a in arguments if isinstance(a, str | os.PathLike)]
        _watched["seen"] += [
            (event, p) for p in paths if os.path.realpath(p).startswith(_watched["folder"])
        ]


sys.addaudithook(_watch)


@pytest.fixture
def watched(outside):
    """What is done to the files outside, in order."""
    _watched.update(folder=os.path.realpath(outside), seen=[])
    yield _watched["seen"]
    _watched["folder"] = None


def pages_of(settings, work):
    """All that is read and written for what a build says, without the texts; see gen.site.build."""
    made, site = work / "made", work / "site"
    for folder in (made, site / "figures"):
        folder.mkdir(parents=True, exist_ok=True)
    config = SimpleNamespace(
        docs_dir=str(ROOT / "docs" / "en"), site_dir=str(site), use_directory_urls=True
    )
    names = small_bundle.CHAPTERS
    chapters = {n: read for n in names if (read := manifest.read(n, settings))}
    if "relu" not in chapters or "atlas" not in chapters:
        raise CnnvizError("what gen.site.build brings up to date before it makes pages")
    session.build = SimpleNamespace(chapters=chapters)
    with FilesEditor(Files([]), config, str(made)):
        runpy.run_path(str(ROOT / "gen" / "site" / "added.py"))
    for template in made.rglob("unit.md"):
        page = site / template.relative_to(made).with_suffix("") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<h1>UNIT-BODY</h1>")
    for name, chapter in chapters.items():
        for title, figure in chapter.figures.items():
            address = f"{name}/{title}"
            cards.card("Title", "Site", address, {address: figure}, settings.figures_dir, work)
            figure_html(address, figure, "en", "", str, "https://example.org/", "abcd", SITE)
    write_units(site, settings, chapters["atlas"].numbers, "en")


@pytest.fixture
def pages(built, tmp_path, monkeypatch):
    """Makes them in a folder of its own."""
    monkeypatch.setattr(keys, "chapter_names", lambda: ["atlas", "examples", "relu"])
    monkeypatch.setenv("CNNVIZ_BUILD", str(built.build_dir))
    monkeypatch.setattr("gen.lab.files.script", lambda settings: "")
    return lambda: pages_of(built, tmp_path / "work")


def test_the_pages_of_a_good_build_are_made(pages, built, tmp_path, watched):
    assert not checked(built)
    pages()
    site = tmp_path / "work" / "site"
    assert (site / "atlas" / "net" / "conv" / "01" / "index.html").is_file()
    assert (site / "figures" / "units" / "net" / "conv-0.png").is_file()
    assert len([*(tmp_path / "work").glob("*.png")]) > 0
    assert watched == []


def test_the_watch_sees(outside, watched):
    (outside / "LICENSE").read_text()
    assert watched


@pytest.mark.parametrize("name", ["relu", "atlas", "units-net"])
def test_no_name_leads_out_where_it_is_used(pages, built, tmp_path, outside, watched, name):
    """A hostile chapter put into the build folder by hand, in each field that is a name."""
    path = built.figures_dir / f"{name}.json"
    good = opened(path.read_bytes())
    names = [(at, is_key) for at, is_key in leaves(good) if is_key or written(at) not in WORDS]
    before, private = listing(outside), digest([picture(colour=77)])
    targets = [str(outside / "private.png"), *(f"{'../' * n}outside/private.png" for n in (3, 4))]
    for at, is_key in names:
        if len(at) == 1 or (is_key and at[:2] == ("figures", "map") and len(at) > 2):
            continue  # the names of the fields themselves
        for text in targets:
            bad = replaced(good, at, is_key, text)
            if at[0] == "files" and is_key:
                bad["files"][text] = private
            path.write_bytes(sealed(bad))
            watched.clear()
            with suppress(Exception):  # whether it works is not asked here
                pages()
            assert watched == [], (written(at), text)
    assert listing(outside) == before
    assert {p.name for p in tmp_path.iterdir()} == {"build", "outside", "work"}
    secret = picture(colour=77)
    assert all(secret not in content for content in listing(tmp_path / "work").values())


def test_all_names_at_once(pages, built, tmp_path, outside, watched):
    """The five of old: pictures, units, links, layers and cards, each to another file outside."""
    before = listing(outside)
    text = "../../../outside/private.png"
    for name in ("relu", "units-net"):
        path = built.figures_dir / f"{name}.json"
        bad = opened(path.read_bytes())
        bad["files"] = {text: digest([picture(colour=77)])}
        path.write_bytes(sealed(json.loads(json.dumps(bad).replace("relu/map.png", text))))
    assert checked(built)
    watched.clear()
    with pytest.raises(Exception, match="up to date"):  # the chapter counts as damaged
        pages()
    assert watched == []
    assert listing(outside) == before


def test_links_inside_the_folder_that_lead_out(built, outside):
    (built.figures_dir / "relu" / "link.png").symlink_to(outside / "private.png")
    (built.figures_dir / "door").symlink_to(outside, target_is_directory=True)
    (built.figures_dir / "circle").symlink_to("circle")
    for name in ("relu/link.png", "door/private.png", "door/new.png", "circle/x"):
        with pytest.raises(CnnvizError, match="leads out of its folder"):
            inside(built.figures_dir, name)
    assert inside(built.figures_dir, "relu/new/x.png").name == "x.png"


@pytest.mark.parametrize("name", [*LEADING_OUT, "a\0b", "a//b", "a/", "./a", "a\n", None, 5, ["a"]])
def test_inside(tmp_path, name):
    with pytest.raises(CnnvizError, match="leads out of its folder or is none") as raised:
        inside(tmp_path, name)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("src", ["../../outside/LICENSE", "/etc/hostname", "../../../x.js"])
def test_the_offline_site_changes_no_script_outside(tmp_path, outside, watched, src):
    site, target = tmp_path / "site", tmp_path / "offline"
    for home in (site, site / "en"):
        (home / "search").mkdir(parents=True)
        (home / "assets").mkdir()
        (home / "search" / "search_index.json").write_text('{"docs": []}')
        (home / "index.html").write_text("<p>")
    (site / "page.html").write_text(f'<script type="module" src="{src}"></script>')
    before = listing(outside)
    watched.clear()
    with pytest.raises(CnnvizError, match="leads out"):
        offline.convert(site, target)
    assert watched == []
    assert listing(outside) == before
