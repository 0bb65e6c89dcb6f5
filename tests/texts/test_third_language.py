"""A third language: the folder and the file that CONTRIBUTING describes, and nothing else."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from gen.settings import ROOT, from_environment

TRANSLATED = ("index", "pooling")
WORDS = {
    "docs/xx/words.yml": 'minutes: "[[= minutes ]] Xmin"\n',
    "docs/xx/lab.yml": 'messages:\n  undo: "Xback"\n',
    "docs/xx/image.yml": 'image_tensor:\n  tensor:\n    title: "Xtitle"\n    legend: "Xlegend"\n',
    "cnnviz/figure/words/xx.yml": 'how made: "Xmade"\n',
    "cnnviz/atlas/words/xx.yml": "layer:\n  title: 'X [[= net ]] X [[= name ]]'\n"
    "unit:\n  number: 'Xunit [[= index ]]'\nkinds:\n  conv: Xconv\n",
}


def described(name):
    """The MkDocs file as the contributor reads it, with "xx" spoken by Material as English."""
    text = (ROOT / ".github" / name).read_text("utf-8")
    block = re.search(r"^   ```yaml\n(.*?)^   ```", text, re.M | re.S)[1]
    return re.sub(r"language: xx.*", "language: en", re.sub(r"^   ", "", block, flags=re.M))


def test_both_guides_describe_the_same_file():
    def keys(value):
        return {k: keys(v) for k, v in value.items()} if isinstance(value, dict) else None

    en, zh = (yaml.safe_load(described(name)) for name in ("CONTRIBUTING.md", "CONTRIBUTING.zh.md"))
    assert keys(en) == keys(zh)
    assert (en["docs_dir"], zh["docs_dir"]) == ("docs/xx", "docs/xx")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site of the language xx, of which two pages are translated."""
    copy = tmp_path_factory.mktemp("repository")
    for folder in ("cnnviz", "gen", "docs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (*ROOT.glob("mkdocs*.yml"), ROOT / "pyproject.toml", ROOT / "LICENSE"):
        shutil.copy(file, copy)
    (copy / "mkdocs.xx.yml").write_text(described("CONTRIBUTING.md"), "utf-8")
    (copy / "docs" / "xx").mkdir()
    for page in TRANSLATED:
        text = (copy / "docs" / "en" / f"{page}.md").read_text("utf-8")
        text = re.sub(r"^# \w+", "# Xed", text, count=1, flags=re.M)
        (copy / "docs" / "xx" / f"{page}.md").write_text(text, "utf-8")
    for file, text in WORDS.items():
        (copy / file).write_text(text, "utf-8")
    # A build of its own, since a chart is drawn in xx, too; what is not changed is not copied.
    build_dir = copy / "build"
    shutil.copytree(from_environment().build_dir, build_dir, copy_function=os.link)
    environment = os.environ | {
        "CNNVIZ_BUILD": str(build_dir),
        "CNNVIZ_COMMIT": "test",
        "SITE_URL": "https://example.org/",
        "NO_MKDOCS_2_WARNING": "1",
        "DISABLE_MKDOCS_2_WARNING": "true",
    }
    environment.pop("PYTHONPATH", None)
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "mkdocs.xx.yml"]
    run = subprocess.run(
        build, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    drawn = re.findall(r"cnnviz: rendered (\w+)", run.stderr)
    # Those with words in a chart that xx says itself; the overview says what layers are called.
    assert drawn == ["atlas_overview", "image_tensor"]
    parity = [sys.executable, "-m", "gen", "parity"]
    run = subprocess.run(
        parity, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
    return copy / "site" / "xx"


def test_a_translated_page_is_linked_with_its_twins(site):
    html = (site / "pooling" / "index.html").read_text("utf-8")
    assert re.search(r'<h1 id="pooling">Xed', html)
    twins = re.findall(r'cv-language" href="([^"]+)"', html)
    assert twins == ["../../pooling/", "../../en/pooling/"]
    assert '<link rel="alternate " hreflang="xx" href="https://example.org/xx/pooling/">' in html
    assert "/edit/main/docs/xx/pooling.md" in html
    assert '<div lang="en"><div class="cv-behind"' not in html


def test_other_pages_are_english_and_say_so(site):
    html = (site / "relu" / "index.html").read_text("utf-8")
    words = yaml.safe_load(described("CONTRIBUTING.md"))["extra"]["words"]
    notice = words["untranslated"].replace("'", "&#x27;")
    assert f'<div class="cv-behind" role="note" lang="xx"><p>{notice}</p></div>' in html
    assert "/edit/main/docs/en/relu.md" in html
    assert 'hreflang="xx"' not in html


def test_the_lab_speaks_it_and_english_where_it_is_silent(site):
    page = (site / "lab" / "index.html").read_text("utf-8")
    assert 'src="../assets/lab/words.js"' in page
    words = (site / "assets" / "lab" / "words.js").read_text("utf-8")
    assert '"undo": "Xback"' in words
    assert '"clear": "Clear"' in words


def test_generated_parts_speak_it(site):
    assert "Xmin</span>" in (site / "index.html").read_text("utf-8")


def test_figures_speak_it_in_legends_and_in_charts(site):
    html = (site / "image" / "index.html").read_text("utf-8")
    figure = re.search(r'<figure [^>]*id="fig-image_tensor-tensor".*?</figure>', html, re.S)[0]
    assert '<span class="legend-text">Xlegend</span>' in figure
    assert 'aria-label="Xtitle"' in figure
    assert "channel 0: red" in figure  # where it is silent
    assert "<summary>Xmade</summary>" in figure


def test_the_atlas_speaks_it_and_its_units(site):
    layer = (site / "atlas" / "lenet" / "conv1" / "index.html").read_text("utf-8")
    assert re.search("<h1[^>]*>X LeNet X conv1", layer)
    assert "<td>Xconv</td>" in layer
    assert "Receptive field" in layer
    unit = (site / "atlas" / "lenet" / "conv1" / "03" / "index.html").read_text("utf-8")
    assert "Xunit 3" in unit
    assert "What excites it" in unit


def test_everything_else_is_there(site):
    for file in ("404.html", "sitemap.xml", "feed.xml", "search/search_index.json"):
        assert (site / file).exists(), file
    for page in ("lab", "glossary", "atlas", "atlas/lenet/conv1", "atlas/lenet/conv1/03"):
        assert (site / page / "index.html").exists(), page
    assert not (site / "robots.txt").exists()
