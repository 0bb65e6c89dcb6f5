"""Bundles made to do harm: each is refused in one line, and nothing is read or written outside."""

import copy
import io
import json
import os
import re
import runpy
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from mkdocs.structure.files import Files
from mkdocs_gen_files.editor import FilesEditor

from cnnviz.errors import CnnvizError
from cnnviz.files import digest, inside
from gen import manifest
from gen.html import figure_html
from gen.publish import bundle_check, cards, fetch, offline, prebuilt
from gen.settings import ROOT
from gen.unit_files import write_units
from tests import small_bundle
from tests.small_bundle import changed, picture

RELU, UNITS = "figures/digits/relu.json", "figures/digits/units-net.json"


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A small build."""
    monkeypatch.setattr(manifest, "all_names", lambda settings: small_bundle.CHAPTERS)
    return small_bundle.make(tmp_path / "build")


@pytest.fixture
def bundle(built, tmp_path):
    """The same as a bundle."""
    prebuilt.pack(built, tmp_path / "bundle.zip")
    return (tmp_path / "bundle.zip").read_bytes()


@pytest.fixture
def outside(tmp_path):
    """A folder of somebody's own, beside that of the build."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "private.png").write_bytes(picture(colour=77))
    (folder / "LICENSE").write_text("nobody's but mine")
    return folder


def listing(folder):
    """All files below a folder, with what they hold."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def take(data, tmp_path, capsys):
    """What is said when a bundle is taken in place of a good one, which must stay as it is."""
    (tmp_path / "hostile.zip").write_bytes(data)
    target = tmp_path / "repository" / "build" / prebuilt.FOLDER
    target.mkdir(parents=True)
    (target / "good").write_text("the one before")
    before = listing(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prebuilt, "ROOT", tmp_path / "repository")
        assert prebuilt.main(["use", str(tmp_path / "hostile.zip")]) == 1
    assert listing(tmp_path) == before
    error = capsys.readouterr().err
    assert error.startswith("cnnviz: PREBUILT=")
    assert error.endswith("\n")
    assert error[:-1].isprintable()
    return error


# --- Archives -----------------------------------------------------------------------------------


def packed(*entries):
    """A zip of (name or ZipInfo, content, compression)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content, compression in entries:
            archive.writestr(name, content, compression)
    return out.getvalue()


def with_entry(bundle, name, kind=0o10, compression=zipfile.ZIP_STORED, content=b"x"):
    """The bundle and one more file, which its manifest knows."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (kind << 12 | 0o777) << 16
    with zipfile.ZipFile(io.BytesIO(bundle)) as old:
        about = json.loads(old.read(prebuilt.MANIFEST))
        about["files"][name] = digest([content], 64)
        others = [(n, old.read(n), zipfile.ZIP_STORED) for n in about["files"] if n != name]
    manifest_entry = (prebuilt.MANIFEST, json.dumps(about).encode(), zipfile.ZIP_STORED)
    return packed(manifest_entry, *others, (entry, content, compression))


@pytest.mark.parametrize(
    "name",
    [
        "../outside.png",
        "figures/digits/../../../evil.json",
        "figures/digits/..",
        "/etc/outside.png",
        "//host/outside.png",
        "figures\\digits\\x.png",
        "..\\..\\x.png",
        "C:/x.png",
        "figures/digits/C:x.png",
        "figures/digits/x.py",
        "figures/digits/x.html",
        "figures/digits/x.PNG",
        "figures/digits/x.png ",
        "figures/digits/x\n.png",
        "figures/digits/x.png\n",
        "figures/digits/x\x1b[31m.png",
        "figures/digits/图.png",
        "figures/digits/.hidden.png",
        "figures/digits/.git/x.png",
        "figures/digits//x.png",
        "figures/digits/x/",
        "figures/mnist/x.png",
        f"figures/digits/{'x' * 400}.png",
        f"figures/digits/{'x/' * 400}x.png",
        "models/lenet.pt",
        "bundle.json/x.json",
        "lab/digits/x.wasm",
        "lab/digits/sub/x.js",
    ],
)
def test_names_in_the_archive(bundle, tmp_path, capsys, name):
    assert "refused" in take(with_entry(bundle, name), tmp_path, capsys)


@pytest.mark.parametrize("kind", [0o12, 0o2, 0o6, 0o4, 0o1, 0o14])
def test_links_devices_folders_and_pipes(bundle, tmp_path, capsys, kind):
    said = take(with_entry(bundle, "figures/digits/x.png", kind), tmp_path, capsys)
    assert "refused: it holds 'figures/digits/x.png'" in said


def test_rights_are_not_taken_over(bundle, tmp_path):
    data = with_entry(bundle, "figures/digits/x.png", kind=0o10, content=picture())
    data = data.replace(struct.pack("<I", 0o100777 << 16), struct.pack("<I", 0o106777 << 16))
    prebuilt.unpack(data, tmp_path / "prebuilt")
    mode = (tmp_path / "prebuilt" / "figures" / "digits" / "x.png").stat().st_mode
    assert mode & 0o7111 == 0


def test_a_file_and_a_folder_of_one_name(bundle, tmp_path, capsys):
    clash = {"figures/digits/relu/map.png/x.png": picture()}
    assert "cannot be unpacked" in take(changed(bundle, clash), tmp_path, capsys)


def test_one_name_twice(bundle, tmp_path, capsys):
    out = io.BytesIO(bundle)
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("figures/digits/relu/map.png", picture(colour=1))
    assert "what its manifest says" in take(out.getvalue(), tmp_path, capsys)


def encrypted(bundle):
    """The flag that says so set for all files."""
    return re.sub(
        rb"(PK\x03\x04..|PK\x01\x02....)..", lambda found: found[1] + b"\1\0", bundle, flags=re.S
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda bundle: b"", "no bundle"),
        (lambda bundle: b"<html>404</html>", "no bundle"),
        (lambda bundle: bundle[: len(bundle) // 2], "no bundle"),
        (lambda bundle: bundle[100:], "no bundle"),
        (lambda bundle: bundle.replace(b"relu", b"\x1b[2J"), "refused"),
        (lambda bundle: changed(bundle, leave_out=[prebuilt.MANIFEST]), "no bundle"),
        (encrypted, "no bundle"),
        (lambda bundle: with_entry(bundle, "x.png") + b"PK\1\2" * 21_000, "more than 20000"),
        (lambda bundle: packed((prebuilt.MANIFEST, b"{}", zipfile.ZIP_LZMA)), "compressed as no"),
        (lambda bundle: packed((prebuilt.MANIFEST, b"{}", zipfile.ZIP_BZIP2)), "compressed as no"),
    ],
)
def test_what_is_no_archive_of_ours(bundle, tmp_path, capsys, data, said):
    assert said in take(data(bundle), tmp_path, capsys)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": {"figures/digits/relu/map.png": b"other"}}, "is no PNG"),
        ({"leave_out": [RELU]}, ""),
        ({"leave_out": ["figures/digits/atlas.json"]}, "chapter 'atlas'"),
        ({"leave_out": [UNITS]}, "chapter 'units-net'"),
        ({"leave_out": ["figures/digits/relu/map.png"]}, "relu.json"),
        ({"leave_out": ["lab/digits/settings.json"]}, "lab's settings"),
        ({"files": {"lab/digits/settings.json": b"process.exit()"}}, "lab's settings"),
        ({"files": {"lab/digits/settings.json": b"[]"}}, "lab's settings"),
    ],
)
def test_something_is_missing_or_something_else(bundle, tmp_path, capsys, change, said):
    if said:
        assert said in take(changed(bundle, **change), tmp_path, capsys)
    else:  # a bundle may be older than a chapter
        prebuilt.unpack(changed(bundle, **change), tmp_path / "prebuilt")


@pytest.mark.parametrize("leave", [True, False])
def test_the_manifest_is_that_of_the_archive(bundle, tmp_path, capsys, leave):
    def change(about):
        if leave:
            del about["files"][RELU]
        else:
            about["files"]["figures/digits/more.png"] = "0" * 64

    assert "what its manifest says" in take(changed(bundle, about=change), tmp_path, capsys)


def test_a_wrong_digest(bundle, tmp_path, capsys):
    data = changed(bundle, about=lambda about: about["files"].update({RELU: "0" * 64}))
    assert f"'{RELU}' in it differs from its digest" in take(data, tmp_path, capsys)


# --- Size ---------------------------------------------------------------------------------------


def zeros(size, declared):
    """A zip of a manifest of `size` zeros that says it has `declared`."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = b"\0" * 1_000_000
    body = b"".join(squeeze.compress(block) for _ in range(size // len(block))) + squeeze.flush()
    name = prebuilt.MANIFEST.encode()
    sizes = struct.pack("<HHIIIHH", 0, 33, 0, len(body), declared, len(name), 0)
    local = b"PK\3\4" + struct.pack("<HHH", 20, 0, 8) + sizes + name
    central = b"PK\1\2" + struct.pack("<HHHH", 20, 20, 0, 8) + sizes
    central += struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local) + len(body), 0)
    return local + body + central + b"PK\5\6" + end


_MEASURED = """
import resource, sys
from pathlib import Path
from gen.publish import prebuilt
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert prebuilt.main(["use", sys.argv[1]]) == 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts in KiB")
@pytest.mark.parametrize("declared", [200_000_000, 100])
def test_what_is_unpacked_counts_not_what_the_archive_says(tmp_path, declared):
    place = tmp_path / "bomb.zip"
    place.write_bytes(zeros(200_000_000, declared))
    command = [sys.executable, "-c", _MEASURED, str(place)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(run.stderr.splitlines()) == 1
    assert "PREBUILT=" in run.stderr
    assert int(run.stdout) < 100_000  # KiB


def test_sizes_are_added_up(bundle, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(prebuilt._LARGEST, "unpacked", 3000)
    assert "refused: unpacked" in take(bundle, tmp_path, capsys)
    monkeypatch.setattr(fetch, "LARGEST", 1000)
    (tmp_path / "hostile.zip").write_bytes(bundle)
    with pytest.raises(CnnvizError, match="larger than"):
        fetch.fetch(str(tmp_path / "hostile.zip"))


@pytest.mark.parametrize("size", [(1, 1), (6, 5), (20_000, 20_000), (0, 4)])
def test_the_size_of_a_picture_is_what_the_chapter_says(bundle, tmp_path, capsys, size):
    content = picture()[:16] + struct.pack(">II", *size) + picture()[24:]
    said = json.loads(zipfile.ZipFile(io.BytesIO(bundle)).read(RELU))
    said["files"]["relu/map.png"] = digest([content])
    files = {"figures/digits/relu/map.png": content, RELU: json.dumps(said).encode()}
    assert "'relu.json' cannot be used (its picture" in take(
        changed(bundle, files), tmp_path, capsys
    )


@pytest.mark.parametrize("content", [picture()[:50], b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a" * 9])
def test_a_picture_that_is_none(bundle, tmp_path, capsys, content):
    said = json.loads(zipfile.ZipFile(io.BytesIO(bundle)).read(RELU))
    said["files"]["relu/map.png"] = digest([content])
    files = {"figures/digits/relu/map.png": content, RELU: json.dumps(said).encode()}
    assert "'relu.json' cannot be used" in take(changed(bundle, files), tmp_path, capsys)


# --- The manifest -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in ("format", "dataset", "commit", "sources", "files")),
        {"format": 99},
        {"format": "1"},
        {"format": 1.5},
        {"dataset": "../x"},
        {"dataset": 5},
        {"dataset": ["digits"]},
        {"dataset": "mnist"},
        {"sources": []},
        {"sources": {"relu": 5}},
        {"sources": {"../x": "0123456789ab"}},
        {"files": []},
        {"files": {"x.png": 5}},
        {"commit": 7},
        {"commit": "\x1b[31mred"},
        {"commit": "abc1234\n"},
        {"commit": "<script>alert(1)</script>"},
        {"commit": "a" * 41},
    ],
)
def test_a_manifest_of_another_shape(bundle, tmp_path, capsys, change):
    def edit(about):
        for name, value in change.items():
            about[name] = value
            if value is None:
                del about[name]

    take(changed(bundle, about=edit), tmp_path, capsys)


@pytest.mark.parametrize("commit", ["", "abcd", "0123abc+", "0" * 40])
def test_commits_as_git_writes_them(bundle, tmp_path, commit):
    data = changed(bundle, about=lambda about: about.update(commit=commit, more="ignored"))
    about = prebuilt.unpack(data, tmp_path / "prebuilt")
    assert about["commit"] == commit
    assert "more" not in about


HOSTILE_JSON = [
    b"",
    b"[",
    b"[]",
    b"null",
    b'"text"',
    b"{}",
    b"\xff\xfe{}",
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"key":' * 100_000 + b"1" + b"}" * 100_000,
    b'{"format": 1' + b"0" * 5000 + b"}",
    b'{"format": 10000000000000000000}',
    b'{"format": 1e999}',
    b'{"format": NaN}',
    b'{"format": -Infinity}',
    b'{"format": 1, "format": 1}',
    b'{"format": 1, "commit": "\\ud800"}',
]


@pytest.mark.parametrize("content", HOSTILE_JSON)
@pytest.mark.parametrize("name", [prebuilt.MANIFEST, RELU, UNITS])
def test_json_that_is_none(bundle, tmp_path, capsys, name, content):
    assert name.rpartition("/")[2] in take(changed(bundle, {name: content}), tmp_path, capsys)


@pytest.mark.parametrize("content", [b"NaN", b"1e999", b"1" * 40, b"[" * 900 + b"]" * 900])
def test_numbers_that_are_none(bundle, tmp_path, capsys, content):
    text = zipfile.ZipFile(io.BytesIO(bundle)).read(RELU).replace(b'"n":1', b'"n":' + content)
    assert "'relu.json' cannot be used" in take(changed(bundle, {RELU: text}), tmp_path, capsys)


# --- Where it is said to be -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("", "nothing is named"),
        ("/dev/zero", "a device or a pipe"),
        ("PIPE", "a device or a pipe"),
        ("FOLDER", "a folder, not a file"),
        ("nowhere/x.zip", "no such file"),
        ("~nobody-of-that-name/x.zip", "cannot be read"),
        ("x\0y", "cannot be read"),
        ("x" * 5000, "cannot be read"),
        ("\x1b[31mred\x07\n", "cannot be read"),
        ("http://[bad", "is no address"),
        ("http://a b/x.zip", "is no address"),
        ("http://a/x\ny", "is no address"),
        ("http://a/\x1b[31m", "is no address"),
        ("http://a:abc/x", "is no address"),
        ("http://a:99999/x", "is no address"),
        ("http://", "is no address"),
        ("https:///x", "is no address"),
        ("http:x", "is no address"),
        ("HTTP://127.0.0.1:1/x", "cannot be reached"),
        ("hTTps://127.0.0.1:1/x", "cannot be reached"),
        ("http://.../x", "cannot be read"),
        ("ftp://a/x.zip", "'ftp:' is not read"),
        ("file:///etc/passwd", "'file:' is not read"),
        ("FILE://localhost/etc/passwd", "'file:' is not read"),
        ("file:/etc/passwd", "no such file"),
        ("data://text/plain,x", "'data:' is not read"),
    ],
)
def test_places(tmp_path, capsys, place, said):
    os.mkfifo(tmp_path / "pipe")
    place = {"PIPE": str(tmp_path / "pipe"), "FOLDER": str(tmp_path)}.get(place, place)
    assert prebuilt.main(["use", place]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error[:-1].isprintable()


class Hostile(BaseHTTPRequestHandler):
    """Answers in ways that a site should not."""

    def do_GET(self):
        ways = {
            "/file": (302, "file:///etc/passwd"),
            "/ftp": (301, "ftp://127.0.0.1/x"),
            "/circle": (302, "/circle"),
            "/odd": (302, "http://127.0.0.1:port/"),
        }
        if self.path in ways:
            code, where = ways[self.path]
            self.send_response(code)
            self.send_header("Location", where)
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
        elif self.path == "/red":
            self.send_response(500, "\x1b[31mred")
        elif self.path == "/none":
            self.wfile.write(b"\x1b[31m no http\r\n\r\n")
            return
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("path", ["file", "ftp", "circle", "odd", "short", "red", "none"])
def test_sites(tmp_path, capsys, path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert prebuilt.main(["use", f"http://127.0.0.1:{server.server_port}/{path}"]) == 1
        server.shutdown()
    error = capsys.readouterr().err
    assert error[:-1].isprintable()
    assert "root:" not in error


def test_a_download_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "PATIENCE", -1)
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(CnnvizError, match="takes longer"):
            fetch.fetch(f"http://127.0.0.1:{server.server_port}/short")
        server.shutdown()


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
    *("figures.map.alt[]", "figures.map.scrub[]", "figures.map.notes[][]"),
    *("figures.map.variants[].name[]", "figures.map.variants[].panels[].label[]"),
    *("figures.map.variants[].panels[].alt[]", "figures.map.variants[].panels[].markup[]"),
    *(f"figures.map.variants[].legends[].{name}" for name in ("text[]", "low", "high", "ends[][]")),
    # Numbers for the prose.
    *("numbers.written", "numbers.names[]", "numbers.names[].en"),
    # Of the atlas.
    *(f"numbers.nets.net[].{name}" for name in ("called.zh", "called.en", "code", "sum", "window")),
    *(f"numbers.nets.net[].{name}" for name in ("field", "compared[]", "kind")),
    # Of units; a kind that nobody knows has no words, a class may have slashes, numbers dots.
    *("numbers.layers.conv.kind", "numbers.layers.conv.units[].weights.shapes[].kind"),
    *("numbers.classes[]", "numbers.layers.conv.units[].weights.numbers[]"),
}
"""Texts in a chapter that may say anything printable: none becomes a file or an address."""

OPTIONAL = {
    *("figures.map.notes", "figures.map.variants[].legends[].ends"),
    *("figures.map.variants[].panels[].links", "figures.map.variants[].panels[].bands"),
}
"""Fields that need not be there: what stands under another name is ignored."""


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
    good = json.loads(path.read_text("utf-8"))
    accepted, fields = set(), set()
    for at, is_key in leaves(good):
        for number, text in enumerate([*LEADING_OUT, *NEVER]):
            if number % 3 and written(at) in accepted and text not in NEVER:
                continue  # others have shown that it may say anything
            path.write_text(json.dumps(replaced(good, at, is_key, text)))
            if not checked(built):
                assert text not in NEVER, written(at)
                if text:  # some may be empty
                    (fields if is_key else accepted).add(written(at))
    assert accepted <= WORDS
    assert {field for field in fields if not field.startswith("numbers.")} <= OPTIONAL
    assert not fields & {"numbers.nets.net", "numbers.titles.net", "numbers.layers.conv"}
    path.write_text(json.dumps(good))
    assert not checked(built)


@pytest.mark.parametrize("name", ["relu", "atlas", "units-net", "examples"])
def test_every_text_has_an_end(built, name):
    path = built.figures_dir / f"{name}.json"
    good = json.loads(path.read_text("utf-8"))
    for at, is_key in leaves(good):
        if not is_key:
            path.write_text(json.dumps(replaced(good, at, is_key, LONG)))
            assert f"'{name}.json' cannot be used" in checked(built), written(at)


@pytest.mark.parametrize("name", ["relu", "atlas", "units-net"])
@pytest.mark.parametrize("value", [None, 10**9, -1, [], "x"])
def test_no_value_of_another_kind_is_a_traceback(built, name, value):
    """Either it is refused, or all pages can be made with it."""
    path = built.figures_dir / f"{name}.json"
    good = json.loads(path.read_text("utf-8"))

    def places(inside, at=()):
        items = (
            inside.items() if isinstance(inside, dict)
            else enumerate(inside[:2]) if isinstance(inside, list) else ()
        )  # fmt: skip
        for key, inner in items:
            yield (*at, key)
            yield from places(inner, (*at, key))

    for at in places(good):
        path.write_text(json.dumps(replaced(good, at, False, value)))
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
    good = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(replaced(good, ("numbers", "written"), False, text)))
    assert "is no short, plain text" in checked(built)


@pytest.mark.parametrize("text", ["```\n<script>", "~~~\n# x", '--8<-- "x.md"', "::: x", "\tx"])
def test_what_was_printed_stays_in_its_box(built, text):
    path = built.figures_dir / "examples.json"
    good = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(replaced(good, ("numbers", "count_zeros"), False, text)))
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
    """All that is read and written for what a build says, without the texts; see gen.hooks."""
    made, site = work / "made", work / "site"
    for folder in (made, site / "figures"):
        folder.mkdir(parents=True, exist_ok=True)
    config = SimpleNamespace(
        docs_dir=str(ROOT / "docs" / "en"), site_dir=str(site), use_directory_urls=True
    )
    with FilesEditor(Files([]), config, str(made)):
        runpy.run_path(str(ROOT / "gen" / "pages.py"))
    for template in made.rglob("unit.md"):
        page = site / template.relative_to(made).with_suffix("") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<h1>UNIT-BODY</h1>")
    chapters = {name: manifest.read(name, settings) for name in small_bundle.CHAPTERS}
    for name, chapter in chapters.items():
        for title, figure in chapter.figures.items() if chapter else ():
            address = f"{name}/{title}"
            cards.card("Title", "Site", address, {address: figure}, settings.figures_dir, work)
            figure_html(address, figure, "en", "", str, "https://example.org/", "abcd")
    write_units(site, settings, chapters["atlas"].numbers, "en")


@pytest.fixture
def pages(built, tmp_path, monkeypatch):
    """Makes them in a folder of its own."""
    monkeypatch.setattr(manifest, "chapter_names", lambda: ["atlas", "examples", "relu"])
    monkeypatch.setenv("CNNVIZ_BUILD", str(built.build_dir))
    monkeypatch.setattr("gen.lab_files.script", lambda settings: "")
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
    good = json.loads(path.read_text("utf-8"))
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
            path.write_text(json.dumps(bad))
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
        bad = json.loads(path.read_text("utf-8"))
        bad["files"] = {text: digest([picture(colour=77)])}
        path.write_text(json.dumps(bad).replace("relu/map.png", text))
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


# --- What is shown ------------------------------------------------------------------------------


def test_what_the_page_shows_of_a_bundle_is_no_markup():
    """The notice and the commit are escaped in the frame of the page."""
    frame = (ROOT / "docs" / "overrides" / "main.html").read_text("utf-8")
    foot = (ROOT / "docs" / "overrides" / "partials" / "copyright.html").read_text("utf-8")
    assert "{{ config.extra.prebuilt | e }}" in frame
    assert all("| e" in shown for shown in re.findall(r"\{\{ commit[^}]*\}\}", foot))


def test_a_bundle_of_another_data_set(built, tmp_path, capsys, monkeypatch):
    about = {"format": 1, "dataset": "mnist", "commit": "", "sources": {}, "files": {}}
    (built.build_dir / prebuilt.MANIFEST).write_text(json.dumps(about))
    monkeypatch.setenv("CNNVIZ_BUILD", str(built.build_dir))
    assert prebuilt.main(["site"]) == 1
    assert "Say DATASET=mnist" in capsys.readouterr().err
    (built.build_dir / prebuilt.MANIFEST).write_text("[" * 100_000)
    assert prebuilt.main(["site"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
