from pathlib import Path

import pytest

from cnnviz.errors import CnnvizError
from cnnviz.numbers import fixed, percent, signed, thousands
from gen.texts.course import Chapter
from gen.texts.fill import Prose

ROOT = Path(__file__).parents[2]


def prose(language="en", dataset="digits", **numbers):
    return Prose(
        language,
        numbers={"net": {"accuracy": 0.98412, "count": 61706, **numbers}},
        figures={"net/maps"},
        printed={"count_zeros": "12 zeros"},
        dataset=dataset,
        root=ROOT,
        source_url="https://example.org/",
    )


def test_filters():
    assert percent(0.98412) == "98.4%"
    assert thousands(61706) == "61,706"
    assert fixed(-0.126) == "−0.13"
    assert signed(0.126) == "+0.13"


def test_numbers_are_filled_in_and_latex_is_left_alone():
    text = r"[[= net.accuracy | percent ]] of \(\frac{a}{b}\), $x_{1}$, {{ not ours }}"
    assert prose().fill(text, "page.md") == r"98.4% of \(\frac{a}{b}\), $x_{1}$, {{ not ours }}"


def test_a_name_that_does_not_exist_is_said_with_its_line_and_the_nearest():
    with pytest.raises(CnnvizError, match=r"^lenet.md:3: .*'acuracy'.*did you mean accuracy\?"):
        prose().fill("first\n\n[[= net.acuracy ]]", "lenet.md")
    with pytest.raises(CnnvizError, match=r"^lenet.md:1: .*'nett'.*did you mean net\?"):
        prose().fill("[[= nett.accuracy ]]", "lenet.md")
    with pytest.raises(CnnvizError, match="'lenet'.*new one comes from the function numbers"):
        prose(of={"mlp": 1}).fill("[[= net.of.lenet | percent ]]", "lenet.md")
    assert prose().fill("[[% if net.real is defined %]]real[[% endif %]]", "lenet.md") == ""


def test_lines_are_those_of_the_file_also_inside_a_caption():
    caption = '[[% call figure("net/maps") %]]\nfirst\n\n[[= net.acuracy ]]\n[[% endcall %]]'
    with pytest.raises(CnnvizError, match=r"^lenet.md:8: "):
        prose().fill(caption, "lenet.md", above=4)


def test_a_number_may_be_called_like_a_method_of_a_dictionary():
    assert prose(values=3).fill("[[= net.values ]]", "page.md") == "3"


def test_a_filter_that_does_not_fit_names_the_page():
    with pytest.raises(CnnvizError, match="lenet.md"):
        prose(word="seven").fill("[[= net.word | percent ]]", "lenet.md")


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("[[= net.accuracy | percnt ]]", "percnt 不存在.*percent、thousands", "no 'percnt'"),
        ("[[% call figure(“net/maps”) %]]", '全角的 “ .*改成半角的 "', "full-width “"),
        ("[[= net.accuracy 很高", "读不懂.*make prose", "cannot be read.*make prose"),
        ("[[% endcall %]]", "读不懂.*endcall", "cannot be read.*endcall"),
    ],
)
def test_a_mistake_in_the_syntax_names_page_line_and_mend(text, zh, en):
    for language, said in (("zh", zh), ("en", en)):
        with pytest.raises(CnnvizError, match=rf"^lenet.md:2: .*{said}"):
            prose(language).fill(f"first\n{text}", "lenet.md")


def test_a_claim_that_holds_leaves_no_trace_and_one_that_does_not_stops_the_build():
    text = '[[= claim(net.accuracy > 0.9, "it reads well") ]]'
    assert prose().fill(text, "page.md") == ""
    with pytest.raises(CnnvizError, match="page.md:1: .*'it reads well' does not hold"):
        prose(accuracy=0.5).fill(text, "page.md")
    with pytest.raises(CnnvizError, match="page.md:1: 断言“it reads well”.*不成立"):
        prose("zh", accuracy=0.5).fill(text, "page.md")


def test_on_other_data_a_failed_claim_is_shown_instead():
    text = '[[= claim(net.accuracy > 0.9, "it reads well") ]]'
    filled = prose(dataset="mnist", accuracy=0.5).fill(text, "page.md")
    assert "Does not hold on this data set: it reads well" in filled
    assert "built on the data set mnist" in filled


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", ["认对 98.4%", "服务器都连不上", "手边没有 MNIST"]),
     ("en", ["98.4% of them correctly", "no server that offers it", "no MNIST at hand"])],
)  # fmt: skip
def test_a_page_tells_why_it_does_not_know_how_real_digits_are_read(language, said):
    page = (ROOT / "docs" / language / "about.md").read_text("utf-8")
    section = page[page.index("[[% if lenet.real is") : page.index("{ #versions }")]
    for download, real, sentence in (
        (True, {"real": {"count": 10000, "accuracy": 0.984}}, said[0]),
        (True, {}, said[1]),
        (False, {}, said[2]),
    ):
        about = Prose(language, {"lenet": real}, set(), {}, "digits", ROOT, "", download)
        filled = about.fill(section, "about.md")
        assert [s for s in said if s in filled] == [sentence]


def test_figure_slots_hold_the_caption():
    text = '[[% call figure("net/maps") %]]\nA *caption* with [[= net.count ]].\n[[% endcall %]]'
    filled = prose().fill(text, "page.md")
    assert '<div class="figure-slot" data-figure="net/maps" markdown="1">' in filled
    assert "A *caption* with 61706." in filled
    with pytest.raises(CnnvizError, match=r"figure 'net/map'.*did you mean net/maps\?"):
        prose().fill(text.replace("maps", "map"), "page.md")


def test_source_is_the_code_on_disk():
    code = prose().fill('[[= source("cnnviz/nets/models.py", "LeNet.forward") ]]', "page.md")
    assert "def forward(self, x: Tensor) -> Tensor:" in code
    assert "class MLP" not in code
    assert "https://example.org/cnnviz/nets/models.py#L" in code
    with pytest.raises(CnnvizError, match="LeNet.foward"):
        prose().fill('[[= source("cnnviz/nets/models.py", "LeNet.foward") ]]', "page.md")
    with pytest.raises(CnnvizError, match="no file cnnviz/model.py in the repository"):
        prose().fill('[[= source("cnnviz/model.py", "LeNet") ]]', "page.md")


def test_examples_show_code_and_what_it_printed():
    filled = prose("zh").fill('[[= example("count_zeros") ]]', "page.md")
    assert "import cnnviz" in filled
    assert '"""Record a layer' not in filled
    assert "12 zeros" in filled
    assert "输出" in filled


def test_a_question_on_the_course_map_that_cannot_be_filled_in_names_its_chapter():
    asking = prose("zh")
    chapter = Chapter("net", 1, "网络", "[[= net.acuracy ]]？", (), 1)
    asking.add_course({"net": chapter}, [])
    with pytest.raises(CnnvizError, match=r"^docs/zh/net.md: 没有叫 acuracy 的数"):
        asking.fill("[[= course_map() ]]", "docs/zh/index.md")
