"""Words of figures that no figure asks for."""

import pytest

from gen.checks.word_files import read_all
from gen.checks.word_use import findings
from gen.settings import ROOT

DRAWS = '''
"""Figures of a chapter."""

_TABLE = {"one": 1, "two": 2}


def _waves(context):
    return Figure(alt=message("alt"), panels=[say(f"nets.{kind}") for kind in _TABLE])


def hats(context):
    return Figure(alt=message("alt"), legends=[say("shared by two"), say("of " + kind)])
'''
WORDS = """\
shared by two: "both"
net_part:
  for both: "of the chapter"
  waves:
    alt: "waves, [[= say('for both') ]]"
    nets: {one: "one", anything: "any"}
  hats:
    alt: "hats"
"""


@pytest.fixture
def drawn_by(tmp_path):
    folder = tmp_path / "figures" / "my_net"
    folder.mkdir(parents=True)
    (folder / "part.py").write_text(DRAWS)
    return {"net_part": folder / "part.py"}


def said(tmp_path, drawn_by, text, name="my-net.yml"):
    folder = tmp_path / "docs" / "en"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return [f.text("en") for f in findings(read_all(tmp_path / "docs"), drawn_by)]


def test_ours_are_asked_for():
    assert findings(read_all(ROOT / "docs")) == []


def test_what_is_asked_for_passes(tmp_path, drawn_by):
    assert said(tmp_path, drawn_by, WORDS) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "    alt: \"hats\"", "    alt: \"hats\"\n    tilte: \"hats\"",
            "docs/en/my-net.yml:9: no figure asks for 'net_part.hats.tilte': 'tilte' does not "
            "stand in part.py.",
        ),
        (
            "  hats:\n", "  hat:\n",
            "docs/en/my-net.yml:8: part.py has no function 'hat', and no figure asks for it. What "
            "to do: write the name of the function, as in figure(…) behind the slash; delete what "
            "nobody needs. Did you mean 'hats'?",
        ),
        (
            "net_part:", "net_prat:",
            "docs/en/my-net.yml:3: the figures of this file have no chapter 'net_prat', and none "
            "asks for it. What to do: write one of net_part. Did you mean 'net_part'?",
        ),
        (
            "shared by two", "shared by three",
            "docs/en/my-net.yml:1: no figure asks for 'shared by three': 'shared by three' does "
            "not stand in part.py.",
        ),
        (
            "say('for both')", "say('for none')",
            "docs/en/my-net.yml:3: no figure asks for 'net_part.for both': 'for both' does not "
            "stand in part.py.",
        ),
    ],
)  # fmt: skip
def test_what_nothing_asks_for_is_said_once(tmp_path, drawn_by, old, new, sentence):
    assert old in WORDS
    lines = said(tmp_path, drawn_by, WORDS.replace(old, new))
    assert len(lines) == 1
    assert lines[0].startswith(sentence), lines


def test_a_file_that_nothing_reads(tmp_path, drawn_by):
    (line,) = said(tmp_path, drawn_by, "a: b\n", "my_net.yml")
    assert line.startswith("docs/en/my_net.yml: no figure reads this file.")
    assert line.endswith("Did you mean 'my-net.yml'?")


def test_what_all_share_is_not_looked_at(tmp_path, drawn_by):
    assert said(tmp_path, drawn_by, "whatever: b\n", "words.yml") == []


def test_a_figure_of_the_site_that_has_lost_a_sentence(tmp_path):
    text = "relu: {zeros: {tilte: a, title: b}, zero: {title: c}}\n"
    lines = said(tmp_path, None, text, "relu.yml")
    assert [line.partition(". What")[0] for line in lines] == [
        "docs/en/relu.yml:1: no figure asks for 'relu.zeros.tilte': 'tilte' does not stand in "
        "gen/figures/relu/relu.py",
        "docs/en/relu.yml:1: gen/figures/relu/relu.py has no function 'zero', and no figure asks "
        "for it",
    ]
