"""Charts: what stands where, theme colours, clean markup, the same bytes, nothing left behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from cnnviz.drawing import charts, svg
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.drawing.plotting import _spread, _wrapped
from cnnviz.errors import CnnvizError
from cnnviz.numbers import shortest

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
TITLE = '准确率 <随> 步数 & "more"'

_RNG = np.random.default_rng(0)
_NAMES = ["零", "one", "<two>"]
_CHARTS: dict[str, Callable[[], str]] = {
    "lines": lambda: charts.line_chart(
        {"训练": ([0, 1, 2], [0.1, 0.5, 0.9]), "a & b": ([0, 1, 2], [0.2, 0.4, 0.6])},
        title=TITLE,
        x_label="步数",
        y_label="准确率",
        errors={"训练": [0.1, 0.1, 0.1]},
        percent=True,
    ),
    "logarithmic lines": lambda: charts.line_chart(
        {"loss": ([1, 10, 100], [3, 0.3, 0.002])}, title=TITLE, log_x=True, log_y=True
    ),
    "points": lambda: charts.scatter_chart(
        {"甲": ([1, 2], [3, 4]), "B": ([1, 5], [2, 2])}, title=TITLE, x_label="x", y_label="y"
    ),
    "histogram": lambda: charts.histogram(
        {"conv1": [[1.0, 2.0], [2.5, 3.0]]}, title=TITLE, x_label="权重", y_label="个数"
    ),
    "two histograms": lambda: charts.histogram(
        {"前": [0, 1, 1], "后": [1, 2, 2]}, title=TITLE, percent=True
    ),
    "bars": lambda: charts.bar_chart(
        dict(zip(_NAMES, [1.0, -2.0, 0.5], strict=True)), title=TITLE, y_label="logit"
    ),
    "horizontal bars": lambda: charts.bar_chart(
        dict(zip(_NAMES, [0.1, 0.2, 0.7], strict=True)),
        title=TITLE,
        horizontal=True,
        percent=True,
        highlight="one",
    ),
    "groups": lambda: charts.grouped_bar_chart(
        {"甲": [1, 2, 3], "乙": [3, 2, 1], "丙": [1, 1, 1]}, _NAMES, title=TITLE, write=shortest
    ),
    "matrix": lambda: matrix_chart(
        np.eye(3) * 7, _NAMES, _NAMES, title=TITLE, row_title="真", column_title="答"
    ),
    "signed matrix": lambda: matrix_chart([[-1, 0.5]], ["r"], ["a long label", "b"], title=TITLE),
}


def _texts(markup: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(markup).iter(f"{SVG}text")]


def _series_path(markup: str, colour: str = "1") -> list[tuple[float, float]]:
    """Corners of the first path in a colour of series, in pixels, y downwards."""
    for path in ET.fromstring(markup).iter(f"{SVG}path"):
        if f"stroke: {svg.var(colour)}" in path.attrib.get("style", ""):
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
            return list(zip(numbers[::2], numbers[1::2], strict=True))
    raise AssertionError(f"no path in colour {colour}")


def _bar_sizes(markup: str) -> list[tuple[float, float]]:
    """Width and height of each bar in the first colour of series."""
    sizes = []
    for path in ET.fromstring(markup).iter(f"{SVG}path"):
        if f"fill: {svg.var('1')}" in path.attrib.get("style", ""):
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
            xs, ys = numbers[::2], numbers[1::2]
            sizes.append((max(xs) - min(xs), max(ys) - min(ys)))
    return sizes


# --- markup, of every kind of chart


@pytest.mark.parametrize("name", _CHARTS)
def test_markup_is_clean(name: str) -> None:
    markup = _CHARTS[name]()
    root = ET.fromstring(markup)
    assert root.tag == f"{SVG}svg"
    assert root.attrib["class"] == "chart"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == TITLE
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)
    for left in ("<style", "<?xml", "<!", "metadata", "font-family", "xlink", "\n"):
        assert left not in markup


@pytest.mark.parametrize("name", _CHARTS)
def test_colours_are_variables_of_the_page(name: str) -> None:
    """No colour of the theme stands alone, and the page's style sheets give every one a value."""
    markup = _CHARTS[name]()
    alone = re.sub(r"var\(--cnnviz-[a-z0-9]+, #[0-9a-f]{6}\)", "", markup)
    assert not set(svg.THEME.values()) & set(re.findall(r"#[0-9a-f]{6}", alone))
    assert "var(--cnnviz-fg, " in markup
    sheets = "".join(path.read_text() for path in ROOT.glob("cnnviz/atlas/assets/*.css"))
    assert all(f"--cnnviz-{name}:" in sheets for name in svg.THEME)


@pytest.mark.parametrize("name", _CHARTS)
def test_same_bytes_twice(name: str) -> None:
    assert _CHARTS[name]() == _CHARTS[name]()


@pytest.mark.parametrize("name", _CHARTS)
def test_ids_are_used_and_prefixed(name: str) -> None:
    markup = _CHARTS[name]()
    ids = re.findall(r' id="([^"]+)"', markup)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', markup))
    assert len(ids) == len(set(ids))
    assert set(ids) == used
    assert all(re.fullmatch(r"c[0-9a-f]{8}-\d+", name) for name in ids)


def test_two_charts_share_no_ids() -> None:
    ids = [set(re.findall(r' id="([^"]+)"', draw())) for draw in _CHARTS.values()]
    assert sum(map(len, ids)) == len(set().union(*ids)) > 10


@pytest.mark.parametrize("name", _CHARTS)
def test_size_is_reasonable(name: str) -> None:
    assert len(_CHARTS[name]()) < 20_000


def test_words_are_text_in_any_language() -> None:
    texts = _texts(_CHARTS["lines"]())
    assert {"步数", "准确率", "训练", "a & b", "20%"} <= set(texts)
    assert "<two>" in _texts(_CHARTS["bars"]())


# --- isolation


def test_settings_of_the_user_neither_matter_nor_change() -> None:
    plain = _CHARTS["lines"]()
    with mpl.rc_context({"font.size": 30, "axes.grid": False, "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        assert _CHARTS["lines"]() == plain
        assert dict(mpl.rcParams) == before


def test_pyplot_is_not_needed() -> None:
    code = (
        "import sys; from cnnviz.drawing.charts import bar_chart; "
        "bar_chart({'a': 1}, title='t'); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- what is drawn


def test_a_line_goes_where_its_numbers_say() -> None:
    """y = 0, 1, 3: the second step up is twice the first; x steps are equal."""
    (x0, y0), (x1, y1), (x2, y2) = _series_path(
        charts.line_chart({"a": ([0, 1, 2], [0, 1, 3])}, title="t")
    )
    assert y0 - y1 > 20
    assert (y1 - y2) == pytest.approx(2 * (y0 - y1), abs=0.02)
    assert (x2 - x1) == pytest.approx(x1 - x0, abs=0.02)


def test_a_logarithmic_axis_turns_factors_into_steps() -> None:
    (_, y0), (_, y1), (_, y2) = _series_path(
        charts.line_chart({"a": ([0, 1, 2], [1, 10, 100])}, title="t", log_y=True)
    )
    assert (y1 - y2) == pytest.approx(y0 - y1, abs=0.02)


def test_a_line_is_named_level_with_its_end() -> None:
    markup = charts.line_chart({"the name": ([0, 1], [0.0, 0.5]), "b": ([0, 1], [0, 1])}, title="t")
    end = _series_path(markup)[-1]
    name = next(n for n in ET.fromstring(markup).iter(f"{SVG}text") if n.text == "the name")
    assert float(name.attrib["y"]) == pytest.approx(end[1] + 4.5, abs=0.1)
    assert float(name.attrib["x"]) > end[0]


def test_lines_list_their_names_for_pages_that_hide_their_ends() -> None:
    """Blue is solid; the second dash of 5 and 2 line widths is 10 and 4 pixels long."""
    markup = charts.line_chart({"a & b": ([0, 1], [0, 1]), "二": ([0, 1], [1, 0])}, title="t")
    listed = ET.fromstring(markup).attrib["data-lines"]
    assert json.loads(listed) == [["a & b", "1", ""], ["二", "2", "10 4"]]
    assert "data-lines" not in charts.bar_chart({"a": 1.0}, title="t")


def test_bars_are_as_long_as_their_values() -> None:
    """Values 1, -2, 4: heights in the ratio 1:2:4, widths equal."""
    sizes = _bar_sizes(charts.bar_chart({"a": 1, "b": -2, "c": 4}, title="t"))
    widths, heights = zip(*sizes, strict=True)
    np.testing.assert_allclose(np.array(heights) / heights[0], [1, 2, 4], rtol=2e-3)
    np.testing.assert_allclose(widths, widths[0], atol=0.02)
    sizes = _bar_sizes(charts.bar_chart({"a": 1, "b": 3}, title="t", horizontal=True))
    assert sizes[1][0] / sizes[0][0] == pytest.approx(3, rel=2e-3)


def test_bars_carry_their_values() -> None:
    assert {"1", "−2", "0.5"} <= set(_texts(_CHARTS["bars"]()))
    assert {"10%", "20%", "70%"} <= set(_texts(_CHARTS["horizontal bars"]()))


def test_histogram_counts_each_interval() -> None:
    """0, 0, 0.1 in the lower half and 1 in the upper: steps three to one."""
    ys = {y for _, y in _series_path(charts.histogram({"a": [0, 0, 0.1, 1]}, title="t", bins=2))}
    base, low, high = sorted(ys, reverse=True)
    assert (base - high) / (base - low) == pytest.approx(3, rel=2e-3)


def test_histograms_of_one_chart_share_their_intervals() -> None:
    """Under limits (0, 2), two bins: the edges of both series are 0, 1, 2."""
    markup = charts.histogram({"a": [0.5], "b": [1.5]}, title="t", bins=2, limits=(0, 2))
    first = {x for x, _ in _series_path(markup, "1")}
    assert first == {x for x, _ in _series_path(markup, "2")}
    assert len(first) == 3


def test_matrix_tints_grow_with_the_numbers() -> None:
    """Of 0, 1, 2, 4 the shares are 0, ¼, ½, 1 of the strongest tint, 0.45."""
    root = ET.fromstring(matrix_chart([[0, 1], [2, 4]], "ab", "cd", title="t"))
    tints = [float(box.attrib["fill-opacity"]) for box in root.iter(f"{SVG}rect")]
    assert tints == pytest.approx([0, 0.11, 0.23, 0.45], abs=0.006)
    assert _texts(matrix_chart([[0, 1], [2, 4]], "ab", "cd", title="t"))[-4:] == list("0124")


def test_words_in_the_place_of_numbers() -> None:
    drawn = matrix_chart([[1, -2]], "r", "ab", title="t", words=[["一", "two"]])
    assert _texts(drawn)[-2:] == ["一", "two"]
    with pytest.raises(CnnvizError, match="do not fit"):
        matrix_chart([[1, 2]], "r", "ab", title="t", words=[["one"]])


def test_matrix_with_log_keeps_small_numbers_visible() -> None:
    """log(1 + 3) / log(1 + 63) is a third, where 3 / 63 would be a twentieth."""
    root = ET.fromstring(matrix_chart([[3, 63]], "a", "bc", title="t", log=True))
    tints = [float(box.attrib["fill-opacity"]) for box in root.iter(f"{SVG}rect")]
    assert tints == pytest.approx([0.15, 0.45], abs=0.006)


def test_names_at_line_ends_keep_their_distance_and_order() -> None:
    wanted = [100.0, 101.0, 10.0, 102.0]
    placed = _spread(wanted, 0, 110, step=17)
    assert placed[2] == 10
    assert sorted(placed) == [10, 76, 93, 110]
    assert placed[0] < placed[1] < placed[3]
    assert _spread([50.0, 90.0], 0, 100) == [50, 90]


def test_a_legend_breaks_into_rows() -> None:
    assert _wrapped(["a" * 20] * 3, 400) == [["a" * 20] * 2, ["a" * 20]]
    assert _wrapped(["a" * 200], 400) == [["a" * 200]]
    assert _wrapped([], 400) == []


# --- errors


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: charts.line_chart({}, title="t"), "Nothing to draw"),
        (lambda: charts.line_chart({"a": ([1, 2], [1])}, title="t"), r"'a'.*\(2,\).*\(1,\)"),
        (lambda: charts.line_chart({"a": ([], [])}, title="t"), "'a' has no values"),
        (
            lambda: charts.line_chart({"a": ([1, 2], [1, float("nan")])}, title="t"),
            "1 of 2 values of 'a' are NaN or infinite",
        ),
        (
            lambda: charts.line_chart({"a": ([1, 2], [1, 0])}, title="t", log_y=True),
            "y = 0 on a logarithmic axis",
        ),
        (lambda: charts.histogram({"a": [1]}, title="t", bins=0), "bins=0"),
        (lambda: charts.bar_chart({"a": 1}, title="t", highlight="b"), "highlight 'b'.*: a"),
        (
            lambda: charts.grouped_bar_chart({"a": [1, 2]}, ["x"], title="t"),
            "'a' has 2 values.*1 groups",
        ),
        (lambda: matrix_chart([[1, 2]], ["r"], ["c"], title="t"), r"\(1, 2\) with 1 row"),
        (
            lambda: matrix_chart([[-1]], ["r"], ["c"], title="t", log=True),
            "1 values are negative",
        ),
    ],
)
def test_clear_errors(draw: Callable[[], str], message: str) -> None:
    with pytest.raises(CnnvizError, match=message):
        draw()
