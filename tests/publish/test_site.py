"""`make site` puts pages together only if something that they are made from, or they, changed."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from errno import EBUSY
from pathlib import Path

import pytest

from cnnviz.errors import CnnvizError
from gen.__main__ import main as gen
from gen.publish import assemble as site
from gen.settings import ROOT, Settings


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for folder in ("cnnviz", "docs/en", "gen"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "constraints.txt").touch()
    (tmp_path / "docs/en/index.md").write_text("# Title\n", "utf-8")
    monkeypatch.setattr(site, "ROOT", tmp_path)
    for name, path in {"SITE": "site", "NEW": "site.new", "OLD": "site.old"}.items():
        monkeypatch.setattr(site, name, tmp_path / path)
    monkeypatch.setattr(site, "STAMP", tmp_path / "build" / "site.digest")
    return tmp_path


def test_the_same_twice(repository):
    assert site.made_from(Settings()) == site.made_from(Settings())


@pytest.mark.parametrize("change", ["text", "name", "code", "settings", "address"])
def test_whatever_changes_is_seen(repository, monkeypatch, change):
    before, settings = site.made_from(Settings()), Settings()
    page = repository / "docs/en/index.md"
    match change:
        case "text":
            page.write_text("# Another title\n", "utf-8")
        case "name":
            page.rename(page.with_name("home.md"))
        case "code":
            (repository / "gen/hooks.py").write_text("x = 1\n", "utf-8")
        case "settings":
            settings = Settings(build_dir=repository / "elsewhere")
        case "address":
            monkeypatch.setenv("SITE_URL", "https://example.org/there/")
    assert site.made_from(settings) != before


# --- What is in site/ ---------------------------------------------------------------------------

PAGES = """
import fcntl, shutil, sys, time
from pathlib import Path
folder, go = Path(sys.argv[1]), Path(sys.argv[2])
folder.parent.mkdir(parents=True, exist_ok=True)
mark = folder.with_suffix(".mark").open("w")
fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir()
pages = [folder / f"{number}.html" for number in range(20)]
for content in ("half", "done"):
    for page in pages:
        page.write_text(content)
    while not go.exists():
        time.sleep(0.02)
"""
"""Instead of MkDocs: like it, it writes pages first with marks in them.

It waits for a file, and fails if another one is at work in its folder.
"""
WHOLE = {f"{folder}{number}.html": "done" for folder in ("", "en/") for number in range(20)}


@pytest.fixture
def stubbed(repository, monkeypatch):
    """All is made in a second; `stubbed` is where, and `gen` says what came of it."""
    monkeypatch.setenv("CNNVIZ_BUILD", str(repository / "build"))
    monkeypatch.setattr(site.build, "ensure", lambda settings: None)
    monkeypatch.setattr(site, "made_from", lambda settings: "these texts")
    monkeypatch.setattr(
        site, "_mkdocs", lambda config, folder: [sys.executable, "-c", PAGES, str(folder), "/"]
    )
    return repository


def published(repository):
    folder = repository / "site"
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nothing_is_built_twice(stubbed, capsys):
    assert [gen(["site"]), gen(["site"])] == [0, 0]
    ready, up_to_date = capsys.readouterr().out.splitlines()
    assert ready.startswith("site/ is ready")
    assert up_to_date == "site/ is up to date"
    assert published(stubbed) == WHOLE
    assert {path.name for path in stubbed.iterdir()} & {"site.new", "site.old"} == set()


def damage_page(repository):
    page = repository / "site" / "en" / "7.html"
    before = page.stat()
    page.write_text("DONE")
    os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


@pytest.mark.parametrize(
    "damage",
    [
        damage_page,
        lambda r: (r / "site/en/7.html").unlink(),
        lambda r: (r / "site/en/7.html").rename(r / "site/7.htm"),
        lambda r: (r / "site/another.html").touch(),
        lambda r: (r / "site").rename(r / "elsewhere"),
        lambda r: (r / "build/site.digest").write_bytes(b"\xff\x00"),
        lambda r: (r / "build/site.digest").unlink(),
    ],
)
def test_what_is_not_as_it_was_put_there_is_put_there_again(stubbed, capsys, damage):
    assert gen(["site"]) == 0
    damage(stubbed)
    capsys.readouterr()
    assert gen(["site"]) == 0
    assert "ready" in capsys.readouterr().out
    assert published(stubbed) == WHOLE
    assert gen(["site"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_any_page_of_the_site_is_looked_at(stubbed):
    assert gen(["site"]) == 0
    whole, chance = site.found_in(site.SITE), random.Random(0)
    for name in chance.sample(sorted(WHOLE), 20):
        page = site.SITE / name
        content, stat = page.read_bytes(), page.stat()
        page.write_bytes(content[:-1])
        assert site.found_in(site.SITE) != whole
        page.write_bytes(content)
        os.utime(page, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert site.found_in(site.SITE) == whole


def test_a_folder_in_the_place_of_the_stamp(stubbed, capsys):
    site.STAMP.mkdir(parents=True)
    assert gen(["site"]) == 0
    assert "a folder is in the place of that file" in capsys.readouterr().err
    assert published(stubbed) == WHOLE


def test_a_build_folder_elsewhere(stubbed, monkeypatch):
    monkeypatch.setenv("CNNVIZ_BUILD", str(stubbed / "far" / "away"))
    assert [gen(["site"]), gen(["site"])] == [0, 0]
    assert published(stubbed) == WHOLE


# --- Replacing site/ ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["a link", "a dangling link", "a file", "a mount point"])
def test_only_a_folder_is_replaced(stubbed, capsys, monkeypatch, kind):
    other = stubbed / "other"
    other.mkdir()
    (other / "precious").touch()
    match kind:
        case "a link":
            site.SITE.symlink_to(other)
        case "a dangling link":
            site.SITE.symlink_to(stubbed / "nowhere")
        case "a file":
            site.SITE.write_text("precious")
        case "a mount point":
            other.rename(site.SITE)
            monkeypatch.setattr(type(site.SITE), "is_mount", lambda path: path == site.SITE)
    before = sorted(stubbed.rglob("*"))
    monkeypatch.setattr(site.build, "ensure", lambda settings: pytest.fail("worked in vain"))
    assert gen(["site"]) == 1
    said = capsys.readouterr().err
    assert f"cannot be replaced: it is {kind.replace('dangling ', '')}. Expected" in said
    assert len(said.splitlines()) == 1
    assert sorted(stubbed.rglob("*")) == before


def test_a_folder_that_the_system_does_not_let_go_stays_as_it_is(stubbed, capsys, monkeypatch):
    """A folder that is mounted from the same disk looks like any other."""
    site.SITE.mkdir()
    (site.SITE / "old.html").write_text("old")
    rename = Path.rename

    def busy(path, target):
        if path == site.SITE:
            raise OSError(EBUSY, os.strerror(EBUSY))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", busy)
    assert gen(["site"]) == 1
    assert f"cannot be replaced: {os.strerror(EBUSY)}. Expected" in capsys.readouterr().err
    assert published(stubbed) == {"old.html": "old"}
    assert not site.NEW.exists()


def test_the_old_site_comes_back_if_the_new_one_cannot_take_its_place(stubbed, capsys, monkeypatch):
    site.SITE.mkdir()
    (site.SITE / "old.html").write_text("old")
    rename = Path.rename

    def full(path, target):
        if path == site.NEW:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    assert gen(["site"]) == 1
    assert published(stubbed) == {"old.html": "old"}


def test_a_failed_build_leaves_the_site_as_it_is(stubbed, capsys, monkeypatch):
    site.SITE.mkdir()
    (site.SITE / "old.html").write_text("old")
    monkeypatch.setattr(
        site, "_mkdocs", lambda config, folder: [sys.executable, "-c", "raise SystemExit(3)"]
    )
    assert gen(["site"]) == 1
    assert "The site was not built (zh, en)" in capsys.readouterr().err
    assert published(stubbed) == {"old.html": "old"}


@pytest.mark.parametrize("killed", ["before the swap", "within it", "after it"])
def test_what_a_killed_run_left_is_cleared_away(stubbed, killed):
    content = {"site.old": "old", "site.new": "new", "site": "old"}
    there = {
        "before the swap": ["site", "site.new"],
        "within it": ["site.old", "site.new"],
        "after it": ["site", "site.old"],
    }
    for name in there[killed]:
        (stubbed / name).mkdir()
        (stubbed / name / "old.html").write_text(content[name])
    with site._at_work(Settings(build_dir=stubbed / "build")):
        assert published(stubbed) == {"old.html": "old"}
        assert not site.OLD.exists()
        assert not site.NEW.exists()


def test_leftovers_that_cannot_be_deleted_are_said(stubbed, monkeypatch):
    site.OLD.mkdir()

    def refuse(path):
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(site.shutil, "rmtree", refuse)
    site.SITE.mkdir()
    with pytest.raises(CnnvizError, match=r"site\.old.*Permission denied.*Delete them"):
        site.assemble(Settings(build_dir=stubbed / "build"))


# --- Several processes --------------------------------------------------------------------------

PROGRAM = """
import sys
from pathlib import Path
from gen.__main__ import main as gen
from gen.publish import assemble as site

root, pages, go = Path(sys.argv[1]), *sys.argv[2:]
site.SITE, site.NEW, site.OLD = (root / name for name in ("site", "site.new", "site.old"))
site.STAMP = root / "build" / "site.digest"
site.build.ensure = lambda settings: None
site.made_from = lambda settings: "these texts"
site._mkdocs = lambda config, folder: [sys.executable, "-c", pages, str(folder), go]
sys.exit(gen(["site"]))
"""


@pytest.fixture
def start(tmp_path):
    """Starts a `make site` in a session of its own, as from another terminal."""
    runs = []

    def start(program=PROGRAM):
        run = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), PAGES, str(tmp_path / "go")],
            cwd=ROOT,
            env={**os.environ, "CNNVIZ_BUILD": str(tmp_path / "build")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        runs.append(run)
        return run

    yield start
    for run in runs:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()


def wait_for(process, *paths):
    while not all(path.exists() for path in paths):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def half_done(folder, process):
    """Wait until all pages are there, with marks in them."""
    wait_for(process, *(folder / "build" / f"site-{code}" / "19.html" for code in ("zh", "en")))


def test_of_several_at_once_one_builds_and_the_others_wait(tmp_path, start):
    first = start()
    half_done(tmp_path, first)
    others = [start(), start()]
    for other in others:
        assert other.stderr.readline() == (
            f"cnnviz: another make site is at work in this folder (process {first.pid}); "
            "waiting for it.\n"
        )
    (tmp_path / "go").touch()
    results = [(*run.communicate(), run.returncode) for run in (first, *others)]
    assert results[0][0].startswith("site/ is ready")
    assert results[0][1:] == ("", 0)
    assert results[1:] == [("site/ is up to date\n", "", 0)] * 2
    assert published(tmp_path) == WHOLE


@pytest.mark.parametrize("whom", ["the process", "all of its group"])
def test_the_lock_goes_with_those_who_hold_it(tmp_path, start, whom):
    """A killed build leaves no lock; children that outlive it still keep the next one waiting."""
    first = start()
    half_done(tmp_path, first)
    (os.kill if whom == "the process" else os.killpg)(first.pid, signal.SIGKILL)
    first.wait()
    second = start()
    if whom == "the process":
        assert "waiting for it" in second.stderr.readline()
    (tmp_path / "go").touch()
    out, said = second.communicate()
    assert second.returncode == 0
    assert out.startswith("site/ is ready")
    assert said == ""
    assert published(tmp_path) == WHOLE


def test_ctrl_c_while_pages_are_made_is_one_line(tmp_path, start):
    run = start()
    half_done(tmp_path, run)
    os.killpg(run.pid, signal.SIGINT)
    out, said = run.communicate()
    assert (out, said) == ("", "cnnviz: interrupted; the next run goes on from here.\n")
    assert run.returncode == 130
    assert not (tmp_path / "site").exists()


RENDERING = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from gen.__main__ import main as gen
from gen.draw import build
from gen.lab import files as lab_files
from gen.draw import manifest


def do_nothing(settings):
    pass


def draw(name, key):
    (Path(__file__).parent / name).touch()
    time.sleep(600)


build._train, build._start_worker, build._render_chapter = do_nothing, do_nothing, draw
lab_files.make_files = do_nothing
manifest.stale = lambda settings: {"one": "key", "two": "key", "three": "key"}
# The real one imports torch.
sys.modules["gen.draw.render"] = SimpleNamespace(remove_leftovers=None)
if __name__ == "__main__":
    sys.exit(gen(["draw"]))
"""


def test_ctrl_c_while_figures_are_drawn_is_one_line(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(RENDERING)
    run = subprocess.Popen(
        [sys.executable, str(program)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(run, tmp_path / "one", tmp_path / "two")
    os.killpg(run.pid, signal.SIGINT)
    out, said = run.communicate()
    assert (out, said) == ("", "cnnviz: interrupted; the next run goes on from here.\n")
    assert run.returncode == 130
