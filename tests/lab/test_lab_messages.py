"""The lab's words: both languages say the same things, and every thing that is said has words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cnnviz.errors import CnnvizError
from gen.lab.files import MODULES
from gen.lab.words import FILE, messages, words_script

# The first argument of say(…): a key, or several of which one is chosen.
_SAID = re.compile(r'\bsay\(((?:[^"`\n]*?"[^"`\n]*")+?)(?:\)|, )')
_KEY = re.compile(r'(?:^|[?:] )"([^"]+)"')
_STARTS = re.compile(r"\bsay\(`([\w ]+?) ?\$\{")
_PLACES = re.compile(r"\{(\w+)\}")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN_ON_PURPOSE = {"model lenet", "layer output", "own low", "own high", "layer conv"}


def test_both_languages_have_the_same_messages() -> None:
    zh, en = messages("zh"), messages("en")
    assert len(en) > 100
    assert list(zh) == list(en)
    for key in en:
        assert set(_PLACES.findall(zh[key])) == set(_PLACES.findall(en[key])), key
        assert not re.search(r"[][]", zh[key] + en[key]), key


def test_each_language_is_written_in_its_own_letters() -> None:
    assert [key for key, text in messages("en").items() if _HAN.search(text)] == []
    plain = {
        key
        for key, text in messages("zh").items()
        if not _HAN.search(text) and re.search("[A-Za-z]{2}", _PLACES.sub("", text))
    }
    assert plain - _LATIN_ON_PURPOSE <= {"relu formula", "pool formula"}


def test_all_that_is_said_has_words_and_all_words_are_said() -> None:
    keys = set(messages("en"))
    sources = "\n".join(path.read_text("utf-8") for path in MODULES.glob("*.js"))
    said = {key for argument in _SAID.findall(sources) for key in _KEY.findall(argument)}
    assert len(said) > 100
    assert said <= keys
    # The rest is put together: say(`nudge ${key} sign`), or "layer " and a name of the network's.
    starts = (*_STARTS.findall(sources), "layer ")
    assert {key for key in keys - said if not key.startswith(starts)} == set()
    assert [start for start in starts if not any(key.startswith(start) for key in keys)] == []


def test_no_module_has_words_of_its_own() -> None:
    for path in MODULES.glob("*.js"):
        code = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
        assert not _HAN.search(code), path.name


# --- A third language -----------------------------------------------------------------------------


def written(docs: Path, language: str, text: str) -> None:
    (docs / language).mkdir()
    (docs / language / FILE).write_text(f"lab: {{}}\nmessages:\n{text}", "utf-8")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Two messages in English."""
    written(tmp_path, "en", '  undo: "Undo"\n  moved: "By [[= dx ]] and [[=dy]], “</script>”"\n')
    return tmp_path


def test_a_third_language_needs_its_file_alone_and_may_be_silent(docs: Path) -> None:
    written(docs, "xx", '  moved: "[[= dy ]]x[[= dx ]]"\n')
    assert messages("xx", docs) == {"undo": "Undo", "moved": "{dy}x{dx}"}
    assert messages("yy", docs) == messages("en", docs)
    assert messages("en", docs)["moved"] == "By {dx} and {dy}, “</script>”"


def test_the_script_leaves_the_words_where_the_lab_looks(docs: Path) -> None:
    name, _, words = words_script("en", docs).strip(";\n").partition(" = ")
    assert name == "globalThis.cnnvizWords"
    assert "(globalThis).cnnvizWords" in (MODULES / "messages.js").read_text("utf-8")
    assert json.loads(words) == messages("en", docs)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("[[= width ]]", "'messages.moved' cannot be said .*It may name: dx, dy"),
        ("[[= dx | percent ]]", "cannot be said"),
        ("[[% if dx == 1 %]]one[[% endif %]]", "the lab puts in just values"),
    ],
)
def test_what_the_lab_cannot_say_is_named(docs: Path, sentence: str, why: str) -> None:
    written(docs, "xx", f'  moved: "{sentence}"\n')
    with pytest.raises(CnnvizError, match=rf"/xx/lab\.yml: .*{why}"):
        messages("xx", docs)
