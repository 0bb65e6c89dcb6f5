"""A bundle of figures: packed, taken, and refused where it is not what it should be."""

import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cnnviz.errors import CnnvizError
from gen.__main__ import main as gen
from gen.bundle import bundle as prebuilt
from gen.draw import manifest
from gen.settings import ROOT, Settings, from_environment
from tests import small_bundle
from tests.small_bundle import changed


def test_there_and_back(built, bundle, tmp_path):
    about = prebuilt.unpack(bundle, tmp_path / "prebuilt")
    taken = Settings(build_dir=tmp_path / "prebuilt")
    assert manifest.read("relu", taken) == manifest.read("relu", built)
    assert (taken.figures_dir / "relu" / "map.png").read_bytes() == small_bundle.picture()
    assert prebuilt.in_use(taken) == about
    assert prebuilt.in_use(built) is None
    assert "older" not in prebuilt.notice(about, taken, "en")
    assert "比代码旧" not in prebuilt.notice(about, taken, "zh")


def test_the_same_bytes_each_time(built, bundle, tmp_path):
    prebuilt.pack(built, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == bundle


def test_no_weights(bundle):
    names = zipfile.ZipFile(io.BytesIO(bundle)).namelist()
    assert names == [
        "bundle.json",
        "figures/digits/atlas.json",
        "figures/digits/atlas/map.png",
        "figures/digits/examples.json",
        "figures/digits/relu.json",
        "figures/digits/relu/map.png",
        "figures/digits/units-net.json",
        "figures/digits/units/net/conv-0.png",
        "lab/digits/net.js",
        "lab/digits/settings.json",
    ]


def test_older_than_the_code_is_said(built, bundle):
    about = json.loads(zipfile.ZipFile(io.BytesIO(bundle)).read(prebuilt.MANIFEST))
    about["sources"]["relu"] = "other"
    assert prebuilt.changed_chapters(about, built) == ["relu"]
    assert "older than the code" in prebuilt.notice(about, built, "en")
    assert "比代码或图表里的字旧" in prebuilt.notice(about, built, "zh")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": {"figures/digits/relu/map.png": b"other"}}, "'relu.json' cannot be used"),
        ({"leave_out": ["figures/digits/atlas.json"]}, "'atlas' is not there"),
        ({"leave_out": ["bundle.json"]}, "no bundle of figures"),
        ({"files": {"bundle.json": b"["}}, "no bundle of figures"),
        ({"files": {"bundle.json": b'{"format": 9, "files": {}}'}}, "format 9"),
    ],
)
def test_damage_is_found_and_the_old_bundle_stays(bundle, tmp_path, change, message):
    prebuilt.unpack(bundle, tmp_path / "prebuilt")
    with pytest.raises(CnnvizError, match=message):
        prebuilt.unpack(changed(bundle, **change), tmp_path / "prebuilt")
    assert (tmp_path / "prebuilt" / "figures" / "digits" / "relu.json").exists()
    assert [path.name for path in tmp_path.glob(".prebuilt*")] == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "it cannot be read (no such file or directory)."),
        (b"<html>", "it is no bundle of figures, or a damaged one (File is not a zip file)."),
    ],
)
def test_what_cannot_be_taken_is_one_clear_line(content, sentence, capsys, tmp_path):
    place = tmp_path / "bundle.zip"
    if content:
        place.write_bytes(content)
    assert gen(["bundle", "use", str(place)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"cnnviz: PREBUILT='{place}': {sentence} Expected the path or the")
    assert prebuilt.NAME in error
    assert len(error.splitlines()) == 1


def test_nothing_given_is_no_wish_to_train(capsys):
    """PREBUILT=$BUNDLE, with a variable that is not set."""
    make = shutil.which("make")
    command = [make, "--dry-run", "serve", "PREBUILT="]
    plan = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "gen draw" not in plan
    assert gen(["bundle", "use", ""]) == 1
    assert "PREBUILT='': nothing is named." in capsys.readouterr().err


def test_over_http(bundle, tmp_path):

    (tmp_path / "bundle.zip").write_bytes(bundle)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        assert prebuilt.fetch(f"{root}/bundle.zip") == bundle
        with pytest.raises(CnnvizError, match="404"):
            prebuilt.fetch(f"{root}/nothing.zip")
        server.shutdown()


def test_neither_torch_nor_matplotlib_is_needed():
    """What puts pages together runs where only the group `text` is installed."""

    code = "import sys, gen.site.hooks; print({'torch', 'matplotlib'} & {*sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


_WITHOUT = """
import importlib.metadata, runpy, sys

missing = {"torch", "torchvision", "matplotlib", "scipy", "tqdm", "scikit-image", "scikit-learn"}
version = importlib.metadata.version

def installed(name):
    if name in missing:
        raise importlib.metadata.PackageNotFoundError(name)
    return version(name)

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        absent = name in {*missing, "skimage", "sklearn"}
        return None if absent else self.finder.find_spec(name, path, target)

importlib.metadata.version = installed
sys.meta_path[:] = map(Without, sys.meta_path)
runpy.run_module("mkdocs", run_name="__main__")
"""


def test_the_site_is_put_together_without_torch(tmp_path):
    """From a bundle, with no package there that is not in the group `text`."""
    prebuilt.pack(from_environment(), tmp_path / "bundle.zip")
    prebuilt.unpack((tmp_path / "bundle.zip").read_bytes(), tmp_path / "prebuilt")
    site = tmp_path / "site"
    build = ["build", "--strict", "--config-file", "mkdocs.en.yml", "--site-dir", str(site)]
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT, *build],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CNNVIZ_BUILD": str(tmp_path / "prebuilt")},
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert (site / "atlas" / "lenet" / "conv1" / "00" / "index.html").is_file()


def test_make_serve_says_so():
    make = shutil.which("make")
    command = [make, "--dry-run", "serve", "PREBUILT=x.zip", "LANG=en"]

    plan = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 'gen bundle use "x.zip"' in plan
    assert "gen draw" not in plan
    assert "mkdocs.en.yml" in plan
