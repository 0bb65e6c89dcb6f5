"""Words of generated parts: in files of the languages, English where one is silent."""

import pytest
import yaml

from cnnviz.errors import CnnvizError
from gen.settings import ROOT
from gen.texts.words import FILE, words


@pytest.fixture
def docs(tmp_path):
    def write(language, text):
        folder = tmp_path / "docs" / language
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(text, "utf-8")

    write("en", 'seen: "[[= share | percent(0) ]] of [[= what ]]"\ncomma: ", "\n')
    write("xx", 'seen: "[[= what ]]: [[= share | percent ]]"\n')
    return tmp_path / "docs"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "25% of maps"), ("xx", "maps: 25.0%"), ("none", "25% of maps")],
)
def test_a_language_says_it_in_its_own_order(docs, language, said):
    say = words(language, docs)
    assert say("seen", share=0.25, what="maps") == said
    assert say["comma"] == ", "


def test_a_missing_key_names_file_key_and_language(docs):
    with pytest.raises(CnnvizError, match=r"docs/xx/words\.yml has no 'never', nor has docs/en/"):
        words("xx", docs)("never")


def test_a_value_that_is_not_given_is_named(docs):
    with pytest.raises(CnnvizError, match=r"docs/xx/words\.yml: 'seen' cannot be said.*share"):
        words("xx", docs)("seen", what="maps")


@pytest.mark.parametrize("text", ["a: [", "- a\n", "1: b\n", "just words", "a: b: c", "a: b\na: c"])
def test_a_file_that_cannot_be_read_is_one_line(docs, text):
    (docs / "xx" / FILE).write_text(text)
    with pytest.raises(CnnvizError, match=r"^docs/xx/words\.yml[^\n]*$"):
        words("xx", docs)["comma"]


def test_a_changed_file_is_read_again(docs):
    assert words("xx", docs)["comma"] == ", "
    (docs / "xx" / FILE).write_text('comma: "、"\n', "utf-8")
    assert words("xx", docs)["comma"] == "、"


def test_both_languages_have_the_same_keys():
    zh, en = (
        yaml.safe_load((ROOT / "docs" / code / FILE).read_text("utf-8")) for code in ("zh", "en")
    )
    assert list(zh) == list(en)
