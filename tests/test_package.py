"""The package as people install it: built, checked, installed, imported from another folder."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

import cnnviz

ROOT = Path(__file__).parent.parent
SHIPPED = ("cnnviz", "pyproject.toml", "README.md", "LICENSE")


def run(*command, cwd, **variables):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | variables
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """Wheel and source archive, of what git knows, so that nothing lying about gets in."""
    source = tmp_path_factory.mktemp("source")
    files = run("git", "ls-files", "-z", *SHIPPED, cwd=ROOT).split("\0")
    for name in filter(None, files):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    # Without isolation: setuptools is here already, and nothing is fetched.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", ".", cwd=source)
    return source / "dist"


def wheel(dist):
    return next(dist.glob("*.whl"))


def test_twine_finds_nothing(dist):
    files = sorted(str(path) for path in dist.iterdir())
    assert len(files) == 2
    out = run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=dist)
    assert out.count("PASSED") == 2


def test_what_is_inside(dist):
    with zipfile.ZipFile(wheel(dist)) as packed:
        names = packed.namelist()
        metadata = BytesParser().parsebytes(
            packed.read(next(name for name in names if name.endswith("METADATA")))
        )
    assert {"cnnviz/py.typed", "cnnviz/drawing/cnnviz.mplstyle"} <= set(names)
    with_words = [*ROOT.glob("cnnviz/*/words/*.yml"), *ROOT.glob("cnnviz/*/templates/*")]
    assert {path.relative_to(ROOT).as_posix() for path in with_words} <= set(names)
    assert len(with_words) > 4
    assert {name.split("/")[0].split("-")[0] for name in names} == {"cnnviz"}
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"
    with tarfile.open(next(dist.glob("*.tar.gz"))) as packed:
        assert {Path(name).parts[1] for name in packed.getnames() if "/" in name} <= {
            *SHIPPED,
            "PKG-INFO",
            "setup.cfg",
            "cnnviz.egg-info",
        }


@pytest.fixture(scope="module")
def python(dist, tmp_path_factory):
    """A fresh environment with the wheel; torch and others are lent by the one of the tests."""
    place = tmp_path_factory.mktemp("fresh")
    venv.create(place)
    python = place / "bin" / "python"
    install = ("-m", "pip", "--python", python, "install", "--no-deps", "--no-index")
    run(sys.executable, *install, wheel(dist), cwd=place)
    # At the end of the path: what is installed here comes first.
    (site,) = (place / "lib").glob("python3*/site-packages")
    (site / "lent.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")
    return python


LOOK = """
import inspect
import cnnviz

print(cnnviz.__file__)
for name in cnnviz.__all__:
    public = getattr(cnnviz, name)
    untyped = []
    # An exception without an __init__ has one made in C; a module has none at all.
    if name != "CnnvizError" and not inspect.ismodule(public):
        signature = inspect.signature(public)
        untyped = [p.name for p in signature.parameters.values() if p.annotation is p.empty]
        if inspect.isfunction(public) and signature.return_annotation is signature.empty:
            untyped.append("return")
    print(name, bool(inspect.getdoc(public)), *untyped)
"""


def test_the_public_names_are_there_typed_and_told(python, tmp_path):
    place, *names = run(python, "-c", LOOK, cwd=tmp_path).splitlines()
    assert place.startswith(str(python.parents[1]))
    assert names == [f"{name} True" for name in cnnviz.__all__]


def test_the_command(python, tmp_path):
    assert "evaluate" in run(python.parent / "cnnviz", "--help", cwd=tmp_path)
