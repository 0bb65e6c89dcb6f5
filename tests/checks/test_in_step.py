"""Which translations are behind: by the record, and by git."""

import subprocess

import pytest

from cnnviz.errors import CnnvizError
from gen.checks import in_step, since
from gen.checks.parity import report
from gen.texts.sections import prose, sections

PAGE = """---
description: {words}
---

# {words} {{ #top }}

{words}

## {words} {{ #end }}

{words}
"""


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    for language, words in (("zh", "甲"), ("en", "A"), ("xx", "X")):
        (folder / language).mkdir(parents=True)
        (folder / language / "index.md").write_text(PAGE.format(words=words), "utf-8")
    in_step.record(folder)
    return folder


def edit(docs, language, old, new):
    path = docs / language / "index.md"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def behind(docs):
    return [(b.language, b.anchor, b.ahead) for b in in_step.behind(docs)]


def test_all_are_in_step_when_recorded(docs):
    assert behind(docs) == []
    assert len(in_step.read(docs / "in-step.txt")) == 2


def test_a_section_changed_in_one_language_leaves_the_others_behind(docs):
    edit(docs, "zh", "\n\n甲\n\n", "\n\n乙\n\n")
    assert behind(docs) == [("en", "top", ("zh",)), ("xx", "top", ("zh",))]
    edit(docs, "en", "\n\nA\n\n", "\n\nB\n\n")
    assert behind(docs) == [("xx", "top", ("zh", "en"))]
    edit(docs, "xx", "\n\nX\n\n", "\n\nY\n\n")
    assert behind(docs) == []


def test_line_breaks_and_code_fences_do_not_mislead(docs):
    edit(docs, "zh", "\n\n甲\n\n", "\n\n\n  甲\n\n")
    assert behind(docs) == []
    text = "# A { #a }\n\n``` md\n## B { #b }\n```\n\n## C { #c }\n"
    assert [(s.anchor, s.line) for s in sections(text)] == [("a", 1), ("c", 7)]


def test_the_message_has_the_line_that_ends_it(docs):
    edit(docs, "zh", "\n\n甲\n\n", "\n\n乙\n\n")
    finding = in_step.findings(docs)[0]
    assert (finding.file, finding.line) == ("docs/en/index.md", 5)
    sentence = finding.sentence("en")
    assert sentence.startswith("the section #top was changed in Chinese and not yet in English.")
    line = sentence.rsplit("by: ", 1)[1]
    record = docs / "in-step.txt"
    lines = [line if old.startswith("index#top") else old for old in record.read_text().split("\n")]
    record.write_text("\n".join(lines))
    assert behind(docs) == []


def test_one_section_is_recorded_alone(docs):
    edit(docs, "zh", "甲", "乙")
    in_step.record(docs, ["index#top"])
    assert behind(docs) == [("en", "end", ("zh",)), ("xx", "end", ("zh",))]
    with pytest.raises(CnnvizError, match="no page or section 'indx'.* Did you mean 'index'"):
        in_step.record(docs, ["indx"])


def test_a_conflict_in_the_record_is_named(docs):
    (docs / "in-step.txt").write_text("<<<<<<< HEAD\n")
    with pytest.raises(CnnvizError, match=r"docs/in-step.txt:1: '<<<<<<< HEAD' is not understood"):
        in_step.behind(docs)


WORDS = """\
list comma: {words}
relu:
  zeros:
    title: {words}
    share: "[[= share ]]"
  curves: {{alt: {words}}}
"""


@pytest.fixture
def with_words(docs):
    """The docs, with words of figures."""
    for language, words in (("zh", "甲"), ("en", "A"), ("xx", "X")):
        (docs / language / "relu.yml").write_text(WORDS.format(words=words), "utf-8")
    in_step.record(docs)
    return docs


def edit_words(docs, language, old, new):
    path = docs / language / "relu.yml"
    assert old in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_words_of_a_figure_are_a_section(with_words):
    assert {key for key in in_step.read(with_words / "in-step.txt") if "relu" in key} == {
        "relu.yml#list-comma",
        "relu.yml#relu.curves",
        "relu.yml#relu.zeros",
    }
    assert behind(with_words) == []
    edit_words(with_words, "zh", "title: 甲", "title: 乙")
    assert behind(with_words) == [("en", "relu.zeros", ("zh",)), ("xx", "relu.zeros", ("zh",))]
    finding = in_step.findings(with_words)[0]
    assert (finding.file, finding.line) == ("docs/en/relu.yml", 4)
    assert finding.text("en").startswith(
        "docs/en/relu.yml:4: what 'relu.zeros' says was changed in Chinese and not yet in English. "
        "What to do: change it after docs/zh/relu.yml;"
    )
    edit_words(with_words, "en", "title: A", "title: B")
    edit_words(with_words, "xx", "title: X", "title: Y")
    assert behind(with_words) == []


@pytest.mark.parametrize("asked", ["relu.yml#relu.zeros", "relu.yml", "relu"])
def test_words_are_recorded_with_their_page_or_alone(with_words, asked):
    edit_words(with_words, "zh", "title: 甲", "title: 乙")
    edit_words(with_words, "zh", "list comma: 甲", "list comma: 乙")
    in_step.record(with_words, [asked])
    left = {anchor for _, anchor, _ in behind(with_words)}
    assert left == ({"list-comma"} if "#" in asked else set())


def test_a_words_file_that_cannot_be_read_loses_no_record(with_words):
    before = (with_words / "in-step.txt").read_text()
    (with_words / "en" / "relu.yml").write_text("relu: [")
    with pytest.raises(CnnvizError, match=r"docs/en/relu.yml:1: .*") as raised:
        in_step.record(with_words)
    assert "\n" not in str(raised.value)
    assert (with_words / "in-step.txt").read_text() == before


def test_words_of_a_figure_that_are_not_translated_yet(with_words):
    edit_words(with_words, "en", "  curves:", "  new: {alt: A}\n  curves:")
    assert behind(with_words) == []  # that they are missing, `make parity` says
    edit_words(with_words, "xx", "list comma: X\n", "")
    assert behind(with_words) == []  # a third language may be silent


@pytest.fixture
def repository(docs):
    """The docs, committed on main."""

    def git(*arguments):
        who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        run = ["git", "-C", str(docs.parent), *who, *arguments]
        return subprocess.run(run, check=True, capture_output=True, text=True).stdout

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    return git


def test_sections_changed_in_one_language_since_the_branch_began(docs, repository):
    repository("checkout", "-qb", "branch")
    edit(docs, "zh", "\n\n甲\n\n", "\n\n乙\n\n")
    repository("commit", "-qam", "one language")
    edit(docs, "en", "## A {", "## B {")  # not committed yet
    found = [f for said in since.changes(docs, "main").findings().values() for f in said]
    assert [(f.file, f.line) for f in found] == [
        ("docs/zh/index.md", 5),
        ("docs/zh/index.md", 5),
        ("docs/en/index.md", 9),
        ("docs/en/index.md", 9),
    ]
    assert "was changed in Chinese and not in English" in found[0].sentence("en")
    assert "改了英文，没有改中文" in found[2].sentence("zh")


def test_words_changed_in_one_language_since_the_branch_began(with_words, repository):
    repository("checkout", "-qb", "branch")
    edit_words(with_words, "zh", 'share: "[[= share ]]"', 'share: "占 [[= share ]]"')
    found = since.changes(with_words, "main").findings()
    assert list(found) == ["relu.yml#relu.zeros"]
    to_english, _ = found["relu.yml#relu.zeros"]
    assert to_english.text("en") == (
        "docs/zh/relu.yml:5: what 'relu.zeros.share' says was changed in Chinese and not in "
        "English. What to do: say the same in docs/en/relu.yml; if you do not write English, leave "
        "it to somebody who does. If the meaning is the same (say, a misspelt word), nothing: "
        "whoever merges runs make parity RECORD=relu.yml#relu.zeros."
    )
    lines = []
    assert report(with_words, "main", lines.append) == 0
    assert "\n".join(lines).count("RECORD=relu.yml#relu.zeros") == 2
    in_step.record(with_words, ["relu"])
    lines = []
    report(with_words, "main", lines.append)
    assert "\n".join(lines).count("RECORD=") == 0


def test_a_words_file_is_new_or_was_broken_before(with_words, repository):
    (with_words / "en" / "relu.yml").write_text("a: [")
    repository("commit", "-qam", "broken")
    (with_words / "en" / "relu.yml").write_text(WORDS.format(words="A"))
    (with_words / "zh" / "image.yml").write_text("image: {all: {alt: 图}}", "utf-8")
    (with_words / "en" / "image.yml").write_text("image: {all: {alt: pictures}}")
    repository("add", ".")
    found = since.changes(with_words, "HEAD").findings()
    assert {key.partition("#")[0] for key in found} == {"relu.yml"}


def test_both_languages_changed_is_nothing_to_say(docs, repository):
    for language, words in (("zh", "甲"), ("en", "A"), ("xx", "X")):
        edit(docs, language, f"## {words} ", "## Z ")
    assert since.changes(docs).findings() == {}


def test_what_was_changed_just_now_is_said_once_and_no_more_when_recorded(docs, repository):
    edit(docs, "en", "\n\nA\n\n", "\n\nB\n\n")
    lines = []
    report(docs, "", lines.append)
    said = "\n".join(lines)
    assert said.count("make parity RECORD=index#top") == 2  # to Chinese and to the third language
    assert "in-step.txt" not in said
    assert "2 to look at" in said
    in_step.record(docs, ["index#top"])
    lines = []
    report(docs, "", lines.append)
    assert lines == ["\nAll languages have the same structure."]


def test_a_section_of_one_language_is_no_matter_of_translation_yet(docs, repository):
    edit(docs, "en", "## A { #end }", "## A { #new }")
    assert since.changes(docs).findings() == {}


def test_a_base_that_a_shallow_clone_lacks_is_said_and_stops_nothing(docs, repository, capsys):
    lines = []
    assert report(docs, "release", lines.append) == 0
    assert any("git fetch origin release" in line for line in lines)


def test_without_git_nothing_breaks(docs):
    assert since.changes(docs).problem is not None


def test_the_report_speaks_the_language_of_the_change(docs, repository, monkeypatch):
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    edit(docs, "zh", "\n\n甲\n\n", "\n\n乙\n\n")
    lines = []
    assert report(docs, "", lines.append) == 0
    assert "只改了一种语言" in "\n".join(lines)
    assert lines[-1].endswith("正文里的，网站会注明。")


def test_prose_keeps_its_lines():
    text = "a `b` $$\nx\n$$\n\n```\ncode\n```\n[[= value ]] end <b>c</b> [t](u.md)\n"
    lines = prose(text, mark="x", value="v").split("\n")
    assert lines[0] == "a x x"
    assert lines[7] == "v end c [t"
