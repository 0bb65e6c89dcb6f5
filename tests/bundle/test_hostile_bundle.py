"""Bundles made to do harm, as archives: refused in one line, and the one before stays."""

import io
import json
import re
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest

from cnnviz.errors import CnnvizError
from cnnviz.files import digest
from gen.__main__ import main as gen
from gen.bundle import bundle as prebuilt
from gen.bundle import fetch
from gen.settings import ROOT
from tests.small_bundle import changed, listing, opened, picture, sealed

RELU, UNITS = "figures/digits/relu.json", "figures/digits/units-net.json"


def take(data, tmp_path, capsys):
    """What is said when a bundle is taken in place of a good one, which must stay as it is."""
    (tmp_path / "hostile.zip").write_bytes(data)
    target = tmp_path / "repository" / "build" / prebuilt.FOLDER
    target.mkdir(parents=True)
    (target / "good").write_text("the one before")
    before = listing(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prebuilt, "ROOT", tmp_path / "repository")
        assert gen(["bundle", "use", str(tmp_path / "hostile.zip")]) == 1
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
from gen.__main__ import main as gen
from gen.bundle import bundle as prebuilt
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert gen(["bundle", "use", sys.argv[1]]) == 1
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
    said = opened(zipfile.ZipFile(io.BytesIO(bundle)).read(RELU))
    said["files"]["relu/map.png"] = digest([content])
    files = {"figures/digits/relu/map.png": content, RELU: sealed(said)}
    assert "'relu.json' cannot be used (its picture" in take(
        changed(bundle, files), tmp_path, capsys
    )


@pytest.mark.parametrize("content", [picture()[:50], b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a" * 9])
def test_a_picture_that_is_none(bundle, tmp_path, capsys, content):
    said = opened(zipfile.ZipFile(io.BytesIO(bundle)).read(RELU))
    said["files"]["relu/map.png"] = digest([content])
    files = {"figures/digits/relu/map.png": content, RELU: sealed(said)}
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


# --- What is shown ------------------------------------------------------------------------------


def test_what_the_page_shows_of_a_bundle_is_no_markup():
    """The notice and the commit are escaped in the frame of the page."""
    frame = (ROOT / "docs" / "overrides" / "main.html").read_text("utf-8")
    foot = (ROOT / "docs" / "overrides" / "partials" / "copyright.html").read_text("utf-8")
    assert "{{ config.extra.prebuilt | e }}" in frame
    assert all("| e" in shown for shown in re.findall(r"\{\{ commit[^}]*\}\}", foot))


def test_a_bundle_of_another_data_set(built, tmp_path, capsys, monkeypatch):
    about = {
        "format": prebuilt._FORMAT,
        "dataset": "mnist",
        "commit": "",
        "sources": {},
        "files": {},
    }
    (built.build_dir / prebuilt.MANIFEST).write_text(json.dumps(about))
    monkeypatch.setenv("CNNVIZ_BUILD", str(built.build_dir))
    assert gen(["bundle", "site"]) == 1
    assert "Say DATASET=mnist" in capsys.readouterr().err
    (built.build_dir / prebuilt.MANIFEST).write_text("[" * 100_000)
    assert gen(["bundle", "site"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
