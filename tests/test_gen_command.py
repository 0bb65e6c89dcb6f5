"""`python -m gen VERB`: what is started, what each verb imports, and what is said of a slip."""

import re
import subprocess
import sys
from importlib import import_module

import pytest

from cnnviz.errors import CnnvizError
from gen import __main__ as command
from gen.settings import ROOT

COMMANDS = re.compile(r"-m gen(?:\.\w+)*(?: +[\w-]+)?")


def tracked():
    """Text files of the repository."""
    run = ["git", "ls-files", "-z"]
    names = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        if path.suffix not in {".png", ".svg"} and path.is_file():
            yield name, path.read_text("utf-8")


def test_every_verb_has_a_main_and_is_told_of():
    for verb, module in command.VERBS.items():
        assert callable(import_module(module).main)
        assert f"    python -m gen {verb} " in f"{command.__doc__} "


def test_nothing_else_is_started():
    """No guide, workflow or message names a module where a verb does, or a verb that is not."""
    own = {"tests/test_gen_command.py", "gen/__main__.py"}
    wrong = {}
    for name, text in tracked():
        said = {re.sub(r" +", " ", found) for found in COMMANDS.findall(text)}
        odd = said - {f"-m gen {verb}" for verb in command.VERBS}
        if odd and name not in own:
            wrong[name] = odd
    assert wrong == {}
    assert "-m gen site" in (ROOT / "Makefile").read_text("utf-8")


def test_no_room_ends_the_process():
    for path in (ROOT / "gen").rglob("*.py"):
        if path.name != "__main__.py":
            assert 'if __name__ == "__main__"' not in path.read_text("utf-8"), path


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "a verb is missing; expected python -m gen VERB, with one of: site, draw, bundle,"),
        ([""], "a verb is missing; expected python -m gen VERB, with one of: site, draw, bundle,"),
        (["sight"], "there is no verb 'sight'; expected python -m gen VERB, with one of: site,"),
        (["\x1b[31m"], r"there is no verb '\x1b[31m'; expected python -m gen VERB"),
        (["site", "now"], "'now' is too much; expected python -m gen site, and nothing behind."),
        (["bundle"], "expected python -m gen bundle pack, use PATH-or-URL, or site."),
        (["bundle", "pack", "x.zip"], "expected python -m gen bundle pack, use PATH-or-URL, or"),
        (["lab"], "expected python -m gen lab FOLDER."),
    ],
)
def test_a_slip_is_one_line_and_2(typed, said, capsys):
    assert command.main(typed) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(f"cnnviz: {said}")
    assert len(error.splitlines()) == 1


def test_an_unknown_chapter_is_one_line_and_1(capsys):
    assert command.main(["draw", "lenett"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("cnnviz: Unknown chapter 'lenett'. Did you mean 'lenet'?")
    assert len(error.splitlines()) == 1


def test_help(capsys):
    assert command.main(["--help"]) == 0
    assert "python -m gen draw [CHAPTER …]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (CnnvizError("wrong\nhere"), 1, r"cnnviz: wrong\nhere"),
        (KeyboardInterrupt(), 130, "cnnviz: interrupted; the next run goes on from here."),
    ],
)
def test_what_a_verb_raises_is_one_line(monkeypatch, capsys, raised, status, said):
    def fail(arguments):
        raise raised

    monkeypatch.setattr("gen.checks.writing.main", fail)
    assert command.main(["prose"]) == status
    assert capsys.readouterr().err.splitlines() == [said]


LOADED = """
import sys
from importlib import import_module
from gen.__main__ import VERBS

import_module(VERBS[sys.argv[1]])
print(*{name.partition(".")[0] for name in sys.modules})
"""
ONLY_TEXT = {"torch", "numpy", "PIL", "mkdocs", "matplotlib", "markdown", "selectolax"}
"""What is not there where pull requests have their text checked (.github/workflows/check.yml)."""


@pytest.mark.parametrize(
    ("verb", "without"),
    [
        ("prose", ONLY_TEXT),
        ("parity", ONLY_TEXT),
        ("bundle", {"torch", "matplotlib", "mkdocs"}),
        ("offline", {"torch", "matplotlib", "mkdocs"}),
        ("site", {"torch", "matplotlib", "mkdocs"}),
        ("draw", {"torch", "matplotlib", "mkdocs"}),
        ("lab", {"torch", "matplotlib", "mkdocs"}),
        ("claims", {"torch", "matplotlib", "mkdocs"}),
    ],
)
def test_a_verb_imports_what_it_needs(verb, without):
    run = subprocess.run(
        [sys.executable, "-c", LOADED, verb], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert without & set(run.stdout.split()) == set()
