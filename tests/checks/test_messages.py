"""What checks say stands in docs/<language>/checks.yml: all that is named, and nothing else."""

import ast
import os
import re
import shutil
import subprocess
import sys

import pytest
from jinja2 import meta

from cnnviz.errors import CnnvizError
from cnnviz.words import message, read, sandbox
from gen.settings import ROOT
from gen.texts import finding
from gen.texts.finding import Finding, name
from gen.texts.words import CHECKS, check_words

ZH, EN = (read(ROOT / "docs" / language / CHECKS) for language in ("zh", "en"))
PLACES = ("gen/checks", "gen/texts", "gen/site", "gen/bundle", "gen/publish")


def values(sentence):
    """The values that a sentence names, also inside a condition."""
    return meta.find_undeclared_variables(sandbox().parse(str(sentence))) - {"say"}


def asked():
    """Each `message(…)` of the source: its key, as a pattern, and the values that it gives."""
    for path in sorted(file for place in PLACES for file in (ROOT / place).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "message":
                yield path.name, _pattern(node.args[0]), {k.arg for k in node.keywords}


def _pattern(key):
    """The keys that a string, or an f-string, may be."""
    if isinstance(key, ast.JoinedStr):
        return "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else r"[\w-]+"
            for part in key.values
        )
    return re.escape(key.value)


ASKED = list(asked())


def test_both_languages_have_the_same_sentences_with_the_same_values():
    assert list(ZH) == list(EN)
    assert {key: values(said) for key, said in ZH.items()} == {
        key: values(said) for key, said in EN.items()
    }


@pytest.mark.parametrize(
    ("module", "pattern", "given"), ASKED, ids=lambda one: one if isinstance(one, str) else ""
)
def test_what_the_source_asks_for_is_there_and_names_what_it_gives(module, pattern, given):
    keys = [key for key in EN if re.fullmatch(pattern, key)]
    assert keys, f"{module} asks for {pattern}"
    if None not in given:  # nothing is given by **
        assert set().union(*(values(EN[key]) for key in keys)) == given


def test_nothing_stands_there_that_nobody_says():
    patterns = [pattern for _, pattern, _ in ASKED]
    assert [key for key in EN if not any(re.fullmatch(p, key) for p in patterns)] == []


def test_a_third_language_is_spoken_to_in_english_where_it_is_silent(tmp_path):
    found = Finding("docs/xx/page.md", 3, message("writing.in order"))
    assert found.text("xx") == "docs/xx/page.md:3: The prose is in order."
    for language, said in (("en", 'a: "A [[= n ]]"\nb: "B"\n'), ("xx", 'a: "[[= n ]] X"\n')):
        (tmp_path / language).mkdir()
        (tmp_path / language / CHECKS).write_text(said, "utf-8")
    say = check_words("xx", tmp_path)
    assert (say(message("a", n=1)), say(message("b"))) == ("1 X", "B")


def test_a_missing_sentence_is_named_with_file_and_language():
    with pytest.raises(CnnvizError, match=r"^docs/xx/checks\.yml has no 'a\.b', nor has docs/en/"):
        Finding("page.md", 0, message("a.b")).text("xx")


def test_languages_are_called_in_the_language_that_is_spoken():
    assert [check_words(k)(name("zh")) for k in ("zh", "en", "xx")] == [
        "中文",
        "Chinese",
        "Chinese",
    ]
    assert name("xx") == "xx"


def test_findings_are_in_order_and_each_is_there_once():
    what = [message("rules.looks measured"), message("rules.in the build", metric="a.b")]
    found = [Finding("b.md", 1, what[0]), Finding("a.md", 2, what[0]), Finding("a.md", 2, what[1])]
    found.append(Finding("a.md", 2, message("rules.in the build", metric="a.b")))
    assert [f.text("en") for f in sorted(set(found))] == [
        "a.md:2: it looks measured",
        "a.md:2: the build has this number: a.b",
        "b.md:1: it looks measured",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a: [", r"docs/en/checks\.yml:\d: this cannot be read"),
        ("- a\n", r"docs/en/checks\.yml: expected lines"),
        (b"\xff", r"docs/en/checks\.yml: this cannot be read"),
        ('b: "x"\n', r"docs/en/checks\.yml has no 'a'\."),
        ('a: "[[= b ]]"\n', r"docs/en/checks\.yml: 'a' cannot be said"),
        ('a: "[[= b "\n', r"docs/en/checks\.yml: 'a' cannot be said"),
        ("a: \"[[= say('a') ]]\"\n", r"docs/en/checks\.yml: 'a' cannot be said"),
        (None, r"docs/en/checks\.yml has no 'a'\."),
    ],
)
def test_words_that_cannot_be_said_are_one_line(tmp_path, monkeypatch, words, said):
    docs = tmp_path / "docs"
    (docs / "en").mkdir(parents=True)
    if words is not None:
        data = words if isinstance(words, bytes) else words.encode()
        (docs / "en" / CHECKS).write_bytes(data)
    monkeypatch.setattr(finding, "check_words", lambda language: check_words(language, docs))
    with pytest.raises(CnnvizError, match=rf"^{said}.*$") as caught:
        Finding("page.md", 0, message("a")).text("en")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("\nwriting:", "\nwriting: [", r"docs/en/checks\.yml:\d+: this cannot be read \("),
        ("\nwriting:", "\nwritten:", r"docs/en/checks\.yml has no 'writing\.in order'\. "),
    ],
)
def test_make_prose_says_in_a_line_that_its_words_are_broken(tmp_path, was, now, said):
    for folder in ("cnnviz", "gen", "docs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    for language in ("zh", "en"):
        file = tmp_path / "docs" / language / CHECKS
        text = file.read_text("utf-8")
        assert text.count(was) == 1
        file.write_text(text.replace(was, now), "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-m", "gen", "prose"],
        cwd=tmp_path,
        env=environment | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert re.fullmatch(rf"cnnviz: {said}.*\n", run.stderr), run.stderr
