"""What the build could not read is said in a second, with line and remedy."""

import pytest

from gen.checks.brackets import faults
from gen.texts.words import check_words

FRONT = "---\ndescription: A page.\nneeds: [mlp]\n---\n\n"
FIGURE = '[[% call figure("pooling/by_numbers") %]]\nCaption.\n[[% endcall %]]\n'
GOOD = f"""{FRONT}# A {{ #a }}

{FIGURE}
[[% for value in pooling.four %]][[= value | fixed(1) ]][[% if not loop.last %]], [[% endif %]]
[[% endfor %]][[# a note #]] [[1, 2], [3, 4]] [[= claim(pooling.x[1] > 2, "it is more") ]]
[[% set net = "lenet" %]][[= net ]] [[= glossary() ]] [text](page.md)
"""


def said(text, language="en"):
    say = check_words(language)
    return [(fault.line, say(fault.what)) for fault in faults(text, {"mlp", "image"})]


def test_good_text_passes():
    assert said(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "sentence"),
    [
        (' more") ]]', ' more")', 13, """'[[= claim(pooling.x[1] > 2, "it is more"…' has no ]]"""),
        ('numbers") %]]', 'numbers")', 8, "has no %]] behind it. What to do: write %]]"),
        ("[[% endcall %]]", "", 8, 'the caption of figure("pooling/by_numbers") has no end.'),
        (
            FIGURE.split("\n", maxsplit=1)[0],
            "",
            10,
            "[[% endcall %]] stands here without its [[% call",
        ),
        ('2, "it', '2 "it', 13, "what stands in double brackets cannot be read ("),
        ("| fixed", "| fixd", 12, "no format of numbers 'fixd'. What to do: compare it"),
        (
            "pooling.four",
            "poling.four",
            12,
            "no number 'poling'. What to do: compare",
        ),
        ("by_numbers", "by_number", 8, "figure 'pooling/by_number'. What to do: compare"),
        ("[mlp]", "[mpl]", 3, "'mpl' in needs is no page of ours. What to do: name files"),
        ("[mlp]", "mlp, image", 3, "in brackets: needs: [mlp, image]."),
        ("A page.", "A page: this", 2, "the front matter cannot be read (mapping values"),
        ("description: A page.\n", "", 1, "the front matter lacks a description."),
        ("\n---\n\n", "\n\n", 1, "the front matter at the top has no end."),
        (FRONT, "", 1, "the page has no front matter."),
    ],
)
def test_a_slip_is_said_with_line_and_remedy(old, new, line, sentence):
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    ((at, words),) = said(text)
    assert at == line
    assert sentence in words
    assert "What to do: " in words
    assert "怎么办：" in said(text, "zh")[0][1]


def test_what_was_probably_meant_is_named():
    text = GOOD.replace("by_numbers", "by_number")
    ((_, en),), ((_, zh),) = said(text), said(text, "zh")
    assert en.endswith("Did you mean 'pooling/by_numbers'?")
    assert zh.endswith("是不是“pooling/by_numbers”？")


def test_single_brackets():
    ((line, words),) = said(f"{FRONT}It has [= net.count | thousands ] weights.")
    assert line == 6
    assert "double them at both ends: [[= net.count | thousands ]]" in words


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("读对 【【= lenet.test_accuracy 】】。", "【【 会原样出现", "【【 would be seen"),
        ("读对 [[ lenet.test_accuracy ]]。", "[[ 会原样出现", "[[ would be seen"),
        ("[[= lenet.test_accuracy ｜ percent ]]", "全角的 ｜", "full-width ｜"),
    ],
)
def test_what_a_chinese_keyboard_writes(text, zh, en):
    for language, words in (("zh", zh), ("en", en)):
        line, sentence = said(f"{FRONT}{text}\n", language)[0]
        assert line == FRONT.count("\n") + 1
        assert words in sentence


def test_double_brackets_in_code_are_let_be():
    text = f"{FRONT}\n`[[1, 2]]`\n\n``` python\nx = [[1, 2], [3, 4]]\n```\n"
    assert faults(text, {"mlp"}) == []
