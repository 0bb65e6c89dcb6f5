"""Words of generated parts: in files of the languages, English where one is silent."""

import pytest
import yaml

from cnnviz.errors import CnnvizError
from cnnviz.words import message, package_files, read
from gen.settings import ROOT
from gen.texts.words import ATLAS, FILE, SiteWords, words


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


def written(docs, **sentences):
    """The language xx says these."""
    (docs / "xx" / FILE).write_text(yaml.safe_dump(sentences, width=10**6), "utf-8")


@pytest.mark.parametrize(
    "sentence",
    [
        "[[= say.find('comma').file.read_text() ]]",
        "[[= say.__globals__ ]]",
        "[[= say('comma').__class__ ]]",
        "[[= what.__init__.__globals__ ]]",
    ],
)
@pytest.mark.parametrize("escape", [False, True])
def test_a_sentence_sees_nothing_of_python_behind_it(docs, sentence, escape):
    written(docs, x=sentence, comma=",")
    with pytest.raises(CnnvizError, match="'x' cannot be said"):
        SiteWords(docs).catalogue("xx", escape=escape)("x", what="y")


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("<script>alert(1)</script>", ""),
        ('a <b onclick="x">b</b>', ""),
        ('<a href="javascript:x">b</a>', ""),
        ('<a href="//elsewhere.example/">b</a>', ""),
        ("<img src=x onerror=y>", ""),
        ("[[= '<script>' | safe ]]", ""),
        ("[[% autoescape false %]][[= what ]][[% endautoescape %]]", "<script>"),
        ('<a href="../[[= what ]]/">b</a>', message("evil")),
        ("<!-- [[= what ]]", "x"),
    ],
)
def test_a_sentence_of_html_holds_no_other_markup(docs, sentence, what):
    written(docs, x=sentence, evil='x" onclick="alert(1)')
    with pytest.raises(CnnvizError, match=r"docs/xx/words\.yml: 'x' (holds|cannot be said)"):
        SiteWords(docs).catalogue("xx", escape=True)("x", what=what)


def test_what_a_sentence_of_html_may_hold(docs):
    written(docs, x='<b>[[= what ]]</b> <code>a</code> <a href="../[[= page ]]/">b</a>')
    say = SiteWords(docs).catalogue("xx", escape=True)
    assert say("x", what="a < b", page="conv1/03") == (
        '<b>a &lt; b</b> <code>a</code> <a href="../conv1/03/">b</a>'
    )
    with pytest.raises(CnnvizError, match="holds"):
        say("x", what="", page='x" onclick="y')


def test_sentences_inside_one_another_have_an_end(docs):
    written(docs, x="[[= what | join('and') ]]", long="[[= 'x' * 30000 ]]")
    say, deep = words("xx", docs), message("x", what="yy")
    assert say(deep) == "yandy"
    for _ in range(5):
        deep = message("x", what=deep)
    with pytest.raises(CnnvizError, match="not too many inside"):
        say(deep)
    with pytest.raises(CnnvizError, match="far too long"):
        say("long")


@pytest.mark.parametrize("value", [["a", "b"], None])
def test_what_is_no_sentence_is_not_said(docs, value):
    written(docs, x=value)
    with pytest.raises(CnnvizError, match="'x' cannot be said: expected one sentence"):
        words("xx", docs)("x")


def test_what_this_site_says_in_place_of_the_package_has_a_name_there():
    package = read(package_files("en")[0])
    ours = read(ROOT / "docs" / "en" / ATLAS)
    blocks = {key.partition(".")[0] for key in package}
    replaced = {key for key in ours if key.partition(".")[0] in blocks}
    assert replaced
    assert replaced <= package.keys()
