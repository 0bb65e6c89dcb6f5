"""Every figure, program and number of the site, made from a tiny build of its own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from cnnviz.atlas.facts import AtlasFacts
from cnnviz.data import catalogue
from cnnviz.figure.html import figure_html
from cnnviz.figure.kept import Chapter, KeptDrawing, KeptFigure, KeptVariant
from cnnviz.training.runs import RECIPES
from gen.context import Context
from gen.draw import manifest
from gen.draw.keys import EXAMPLES, chapter_names
from gen.draw.render import render_chapter, site_context
from gen.figures import optimised_units
from gen.settings import ROOT, Settings, from_environment
from gen.site.atlas import layer_pages
from gen.texts.course import chapters
from gen.texts.fill import Prose
from gen.texts.glossary import read
from gen.texts.words import SITE

LANGUAGES = ("zh", "en")
# The programs take as long as all figures together: `make site` runs each, its notebook again.
CHAPTERS = [name for name in chapter_names() if name != EXAMPLES]

# Trained or measured anew for each drawing, several seconds each: drawn once.
SLOW = {
    "about", "colour_patches", "feature_visualization", "from_mlp", "generalisation", "image",
    "input_scale", "learning", "normalisation_dropout", "output_calibration", "pooling_shifts",
    "relu", "segmentation", "sound", "text", "today_speed", "transfer", "transfer_far",
    "transfer_map", "why_not_mlp",
}  # fmt: skip

# Legends that name colours of classes one by one.
KEYS_OF_CLASSES = {"classes", "wrong"}

PROGRAMS = {path.stem for path in (ROOT / "docs" / "examples").glob("*.py")}

_USED = re.compile(r'call figure\("([^"]+)"\)')
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Build:
    """All chapters rendered, twice but for the slow ones, by contexts that share only the weights.

    Those that could not be are in `failed`, so that one broken chapter does not hide the others.
    """

    settings: Settings
    first: Mapping[str, Chapter]
    second: Mapping[str, Chapter]
    failed: Mapping[str, Exception]

    @property
    def figures(self) -> dict[str, KeptFigure]:
        """Address → figure."""
        return {
            f"{name}/{title}": figure
            for name, chapter in self.first.items()
            for title, figure in chapter.figures.items()
        }

    @property
    def variants(self) -> list[tuple[str, KeptVariant]]:
        """Address and content of every way of drawing of every figure."""
        return [(a, v) for a, figure in self.figures.items() for v in figure.variants]

    def pages(self, language: str) -> dict[str, str]:
        """Path → Markdown of every page, written by hand or generated."""
        folder = ROOT / "docs" / language
        written = {p.relative_to(folder).as_posix(): p.read_text("utf-8")
                   for p in sorted(folder.rglob("*.md"))}  # fmt: skip
        facts = msgspec.convert(self.first["atlas"].numbers, AtlasFacts)
        return written | layer_pages(facts, language)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """600 digits to learn from, 300 to test, 60 steps: the networks know little, the code runs."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setattr(catalogue, "MADE", {"train": (600, 1), "test": (300, 2)})
        patch.setattr(optimised_units, "STEPS", 2)
        for name, recipe in RECIPES.items():
            patch.setitem(RECIPES, name, replace(recipe, steps=60, batch_size=32))
        settings = Settings(build_dir=tmp_path_factory.mktemp("build"))
        failed: dict[str, Exception] = {}
        first = _rendered(CHAPTERS, site_context(settings), failed)
        quick = [name for name in CHAPTERS if name not in SLOW]
        second = _rendered(quick, site_context(settings), failed)
        yield Build(settings, first, second, failed)


def _rendered(
    names: list[str], context: Context, failed: dict[str, Exception]
) -> dict[str, Chapter]:
    chapters = {}
    for name in names:
        try:
            chapters[name] = render_chapter(name, "key", context)
        except Exception as error:  # whatever it is, the chapter's own test raises it
            failed[name] = error
    return chapters


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_draws_without_warning_and_the_same_twice(build: Build, chapter: str) -> None:
    """Drawn once only, without warning, if it is one of the slow ones."""
    if chapter in build.failed:
        raise build.failed[chapter]
    if chapter not in SLOW:
        assert build.first[chapter] == build.second[chapter]


def test_the_pictures_are_on_disk(build: Build) -> None:
    files = [file for chapter in build.first.values() for file in chapter.files]
    assert files
    for file in files:
        assert (build.settings.figures_dir / file).read_bytes().startswith(b"\x89PNG")


def test_figures_say_in_both_languages_what_they_show(build: Build) -> None:
    for address, figure in build.figures.items():
        zh, en = (SITE.catalogue(code, figure.scope).said(figure.alt) for code in LANGUAGES)
        assert _HAN.search(zh), f"{address}: no Chinese in '{zh}'"
        assert len(en) > 20, f"{address}: '{en}' does not say what is to be seen"
        for text in _english(figure):
            assert not _HAN.search(text), f"{address}: Chinese in the English '{text[:200]}'"


def _english(figure: KeptFigure) -> Iterator[str]:
    say = SITE.catalogue("en", figure.scope)
    yield from map(say.said, [figure.alt, *figure.notes])
    for variant in figure.variants:
        yield from map(say.said, [variant.name, *(legend.text for legend in variant.legends)])
        for panel in variant.panels:
            yield from (say.said(text) for text in (panel.label, panel.alt) if text)
            if isinstance(panel, KeptDrawing):
                yield panel.markup["en"]


def test_pictures_have_a_legend(build: Build) -> None:
    bare = [
        address
        for address, variant in build.variants
        if any(not panel.photo for panel in variant.pictures) and not variant.legends
    ]
    assert bare == []  # what do their colours mean?


def test_legends_are_whole(build: Build) -> None:
    for address, variant in build.variants:
        for legend in variant.legends:
            assert legend.text, address
            ends = bool(legend.low), bool(legend.high)
            # Colours side by side, of classes, are named by the sentence; a scale goes from … to.
            named = "%" in legend.gradient and getattr(legend.text, "key", "") in KEYS_OF_CLASSES
            whole = (bool(legend.gradient) and not named,) * 2
            assert ends == whole, f"{address}: a scale without its ends"


def test_several_panels_are_told_apart(build: Build) -> None:
    """A picture has a label or alternative text of its own, a drawing at least its own title."""
    bare = [
        address
        for address, variant in build.variants
        for panel in variant.panels
        if len(variant.panels) > 1
        and not (panel.label or panel.alt)
        and not (isinstance(panel, KeptDrawing) and "aria-label" in panel.markup["zh"])
    ]
    assert bare == []


def test_figures_become_html(build: Build) -> None:
    for address, figure in build.figures.items():
        for language in LANGUAGES:
            html = figure_html(address, figure, language, "caption", str, "", "", SITE)
            assert html.count("<figure") == html.count("</figure>") == 1, address
            assert html.count("<img") == html.count(' alt="'), address


def test_examples_print_something() -> None:
    built = manifest.read(EXAMPLES, from_environment())
    if built is None:
        pytest.skip("nothing is built: run make site")
    assert built.numbers.keys() == PROGRAMS
    assert all(built.numbers.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_ask_only_for_what_there_is(build: Build, language: str) -> None:
    """Figures, numbers, programs and sources of every page; what it claims is for a real build."""
    numbers = {name: chapter.numbers for name, chapter in build.first.items()}
    prose = Prose(
        language,
        numbers,
        figures=set(build.figures),
        printed=dict.fromkeys(PROGRAMS, "1"),
        dataset="digits",
        root=ROOT,
        source_url="",
    )
    config = "mkdocs.yml" if language == "zh" else "mkdocs.en.yml"
    nav = [line.split(": ")[-1] for line in (ROOT / config).read_text("utf-8").splitlines()
           if line.endswith(".md")]  # fmt: skip
    prose.add_course(chapters(ROOT / "docs", language, nav), read(ROOT / "docs" / "glossary.yml"))
    prose.environment.globals["claim"] = lambda holds, what: ""
    for path, markdown in build.pages(language).items():
        filled = prose.fill(markdown, path)  # raises what is missing, with page and name
        assert "[[" not in re.sub(r"```.*?```|`[^`]*`", "", filled, flags=re.S), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_is_on_a_page(build: Build, language: str) -> None:
    used = {address for page in build.pages(language).values() for address in _USED.findall(page)}
    assert set(build.figures) - used == set()


def test_the_paths_of_the_build_are_not_in_what_it_shows(build: Build) -> None:
    for name, chapter in build.first.items():
        shown = str(chapter.figures) + str(chapter.numbers)
        for path in (build.settings.build_dir, ROOT, Path.home()):
            assert str(path) + "/" not in shown, name
