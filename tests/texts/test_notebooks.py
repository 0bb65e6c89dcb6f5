"""Notebooks: their form, and that those of the built site run from top to bottom."""

import re
from base64 import b64decode
from contextlib import redirect_stdout
from io import BytesIO, StringIO
from xml.etree import ElementTree

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from cnnviz.figure.kept import KeptDrawing, KeptFigure, KeptPicture, KeptVariant
from gen.settings import ROOT
from gen.texts.notebook_figures import Shown, shown
from gen.texts.notebooks import notebook
from gen.texts.words import SITE as WORDS

PAGE = """---
description: x
---

# Sums { #sums }

!!! question "The question"
    How much is \\(1 + 1\\)?

<div class="figure-slot" data-figure="sums/apples" markdown="1">

Two apples,
see [image](image.md#pixels).

</div>

``` { .python title="docs/examples/sum.py" }
print(1 + 1)
```

[Source: `docs/examples/sum.py`](https://x/docs/examples/sum.py){ .code-source }

``` { .text title="Output" }
2
```

1. And this?

    ??? success "Answer"
        ``` { .python title="docs/examples/more.py" }
        for i in range(2):
            print(i)
        ```

        ``` { .text title="Output" }
        0
        1
        ```

## Code of the package { #code }

``` { .python title="cnnviz/x.py" }
x = 1
```
"""
PROGRAMS = {"sum": "print(1 + 1)", "more": "for i in range(2):\n    print(i)"}
SITE = ROOT / "site"
APPLES = Shown(
    "![two](attachment:sums-apples-0.png)", {"sums-apples-0.png": {"image/png": "iVBORw0KGgo="}}
)


def cells(page=PAGE):
    text = notebook(
        page, "sums", "en", "https://host/en/", "https://code/x", PROGRAMS, lambda _: APPLES
    )
    made = nbformat.reads(text, as_version=4)
    nbformat.validate(made)
    return made.cells


def test_programs_are_code_cells_with_their_output():
    code = [cell for cell in cells() if cell.cell_type == "code"]
    assert [cell.source for cell in code[1:]] == [
        "print(1 + 1)",
        "for i in range(2):\n    print(i)",
    ]
    assert [cell.outputs[0].text for cell in code[1:]] == ["2\n", "0\n1\n"]
    assert "git+https://code/x" in code[0].source


@pytest.mark.parametrize(
    "typed", ['import os\nos.system("true")', "print(1 + 1)\nprint(2)", "print(1 + 1) ", ""]
)
def test_what_only_looks_like_a_program_is_text(typed):
    made = cells(PAGE.replace("print(1 + 1)\n", f"{typed}\n"))
    assert [cell.source for cell in made if cell.cell_type == "code"][1:] == [PROGRAMS["more"]]
    text = "\n".join(cell.source for cell in made if cell.cell_type == "markdown")
    assert f"``` python\n{typed}\n```" in text


def test_a_program_of_another_name_is_text():
    made = cells(PAGE.replace("examples/sum.py", "examples/other.py"))
    assert len([cell for cell in made if cell.cell_type == "code"]) == 2


def test_the_rest_is_text_that_jupyter_understands():
    text = "\n".join(cell.source for cell in cells() if cell.cell_type == "markdown")
    assert "# Sums\n" in text
    assert "> **The question**\n>\n> How much is $1 + 1$?" in text
    assert (
        "![two](attachment:sums-apples-0.png)\n\n"
        "> Two apples, see [image](https://host/en/image/#pixels).\n>\n"
        "> [See this figure on the site](https://host/en/sums/#fig-sums-apples)"
    ) in text
    assert "``` python\nx = 1\n```" in text
    for left in ("{ #", "{ .", "<div", "Output", "???", "!!!"):
        assert left not in text


def test_a_picture_is_attached_to_the_cell_that_shows_it():
    attached = [cell.attachments for cell in cells() if "attachments" in cell]
    assert attached == [APPLES.attachments]


def test_the_chosen_variant_stands_alone(tmp_path):
    """Pictures at a whole factor, of a sprite the first band; drawings without a style sheet."""
    Image.new("L", (3, 2), 7).save(tmp_path / "a.png")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 5" style="width:4px">'
    svg += '<rect fill="var(--cnnviz-1, #0b4f9e)" stroke="var(--cnnviz-fg, #20262e)"/></svg>'
    panels = [
        KeptPicture("x_1", None, "a.png", 3, 2, 3.9, False),
        KeptDrawing(None, "a [b]", {"en": svg}),
    ]
    variants = [KeptVariant("no", panels[:1], []), KeptVariant("yes", panels, [])]
    figure = KeptFigure(
        "alt", "row", 1, None, 0, [], variants, "sums.apples", "gen/figures/x.py#L1", {}
    )
    markdown, attachments = shown("sums/apples", figure, "en", tmp_path, WORDS)
    lines = markdown.split("\n\n")
    assert lines[:3] == ["**yes**", "x\\_1", "![x\\_1](attachment:sums-apples-0.png)"]
    with Image.open(BytesIO(b64decode(attachments["sums-apples-0.png"]["image/png"]))) as picture:
        assert picture.size == (12, 8)
    assert lines[3].startswith('<img alt="a [b]" src="data:image/svg+xml;base64,')
    drawn = b64decode(lines[3].split(",")[1].removesuffix('">')).decode()
    assert "#0b4f9e" in drawn
    assert "var(" not in drawn
    assert ElementTree.fromstring(drawn).get("width") == "4"
    assert shown("sums/apples", figure, "en", tmp_path, WORDS) == (markdown, attachments)


CHAPTERS = sorted(
    path.stem
    for path in (ROOT / "docs" / "zh").glob("*.md")
    if "\nneeds:" in path.read_text("utf-8")
)


SLOW = {
    "input-scale",
    "learning",
    "training",
}  # their programs train; make site runs them one by one


def programs(name):
    """The notebook in Chinese, its code cells, and what each is said to print (None: nothing)."""
    paths = [SITE / folder / "notebooks" / f"{name}.ipynb" for folder in ("", "en")]
    zh, en = (nbformat.reads(path.read_text("utf-8"), as_version=4) for path in paths)
    code, same = ([c.source for c in made.cells if c.cell_type == "code"] for made in (zh, en))
    assert code == same
    assert len(code) > 2, "a chapter has at least two programs"
    shown = [cell.outputs for cell in zh.cells if cell.cell_type == "code"]
    return zh, code, [outputs[0].text if outputs else None for outputs in shown]


@pytest.mark.parametrize("name", CHAPTERS)
@pytest.mark.parametrize("folder", ["", "en"])
def test_a_notebook_holds_the_figures_of_its_page(name, folder):
    path = SITE / folder / "notebooks" / f"{name}.ipynb"
    made = nbformat.reads(path.read_text("utf-8"), as_version=4)
    nbformat.validate(made)
    text = "\n".join(cell.source for cell in made.cells if cell.cell_type == "markdown")
    parts = re.split(r"(?m)^> \[[^\]]*\]\(\S+/#(fig-[\w-]+)\)$", text)
    before = dict(zip(parts[1::2], parts[::2], strict=False))
    page = (SITE / folder / name / "index.html").read_text("utf-8")
    for identity in re.findall(r'<figure class="fig" id="([\w-]+)"', page):
        assert re.search(r"\(attachment:|<img |<table", before[identity]), identity
    for cell in made.cells:
        attached = cell.get("attachments", {})
        assert set(re.findall(r"\(attachment:([^)]+)\)", cell.source)) == set(attached)
        for content in attached.values():
            with Image.open(BytesIO(b64decode(content["image/png"]))) as picture:
                picture.verify()
    for drawing in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', text):
        assert "var(" not in b64decode(drawing).decode()
        ElementTree.fromstring(b64decode(drawing))
    assert not re.search(r"(?:src=\"|!\[[^\]]*\]\()https?:", text), "loads nothing from elsewhere"
    assert path.stat().st_size < 3_000_000


@pytest.mark.parametrize("name", [name for name in CHAPTERS if name not in SLOW])
def test_a_chapter_of_the_site_runs_from_top_to_bottom(name, monkeypatch):
    """One cell after the other, as a kernel runs them, without the seconds it takes to start."""
    _, code, shown = programs(name)
    monkeypatch.chdir(ROOT)
    names = {"__name__": "__main__"}
    for source, expected in zip(code, shown, strict=True):
        if "%pip" in source:  # the package is here
            continue
        output = StringIO()
        with redirect_stdout(output):
            exec(compile(source, name, "exec"), names)
        if expected is not None:
            assert output.getvalue() == expected


def test_jupyter_runs_one(monkeypatch):
    zh, _, shown = programs("convolution")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    NotebookClient(zh, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()
    for cell, expected in zip((c for c in zh.cells if c.cell_type == "code"), shown, strict=True):
        if expected is not None:
            assert "".join(o.text for o in cell.outputs if o.output_type == "stream") == expected
