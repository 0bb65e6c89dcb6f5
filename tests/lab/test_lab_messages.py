"""The lab's words: both languages say the same things, and every thing that is said has words."""

from __future__ import annotations

import re

from gen.lab.files import MODULES

_ENTRY = re.compile(r'^    "?([^":]+)"?: "(.*)",$', re.M)
_SAID = re.compile(r'\bsay\("([^"]+)"')
_PLACES = re.compile(r"\{(\w+)\}")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN_ON_PURPOSE = {"model lenet", "layer output", "own low", "own high", "layer conv"}


def catalogue() -> dict[str, dict[str, str]]:
    """Language → key → words."""
    source = (MODULES / "messages.js").read_text("utf-8")
    zh, en = source.split("\n  zh: {\n")[1].split("\n  en: {\n")
    return {"zh": dict(_ENTRY.findall(zh)), "en": dict(_ENTRY.findall(en.split("\n  },\n")[0]))}


def test_both_languages_have_the_same_messages() -> None:
    words = catalogue()
    assert len(words["zh"]) > 100
    assert list(words["zh"]) == list(words["en"])
    for key in words["zh"]:
        places = [set(_PLACES.findall(words[language][key])) for language in ("zh", "en")]
        assert places[0] == places[1], key


def test_each_language_is_written_in_its_own_letters() -> None:
    words = catalogue()
    assert [key for key, text in words["en"].items() if _HAN.search(text)] == []
    plain = {
        key
        for key, text in words["zh"].items()
        if not _HAN.search(text) and re.search("[A-Za-z]{2}", _PLACES.sub("", text))
    }
    assert plain - _LATIN_ON_PURPOSE <= {"relu formula", "pool formula"}


def test_all_that_is_said_has_words_and_all_words_are_said() -> None:
    keys = set(catalogue()["zh"])
    sources = "\n".join(
        path.read_text("utf-8") for path in MODULES.glob("*.js") if path.name != "messages.js"
    )
    said = set(_SAID.findall(sources))
    assert said <= keys
    # The rest is put together: say(`nudge ${key}`), "legend signed" in a list, …
    starts = set(re.findall(r"say\(`([\w ]+?) ?\$\{", sources))
    quoted = set(re.findall(r'"([^"\n]+)"', sources))
    left = {k for k in keys - said - quoted if not any(k.startswith(start) for start in starts)}
    assert {key for key in left if not key.startswith("layer ")} == set()
