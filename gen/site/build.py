"""A build of the site in one language: what its pages show, and what it does with each of them.

gen/site/hooks.py, the only one besides gen/site/added.py that knows MkDocs, calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError

from cnnviz.atlas.templating import TEMPLATES
from cnnviz.errors import CnnvizError
from cnnviz.figure.html import figure_html
from cnnviz.figure.kept import Chapter as Rendered
from cnnviz.files import write_atomically
from cnnviz.words import message
from gen.bundle import bundle as prebuilt
from gen.checks.allowed_html import check_markup, check_text
from gen.checks.directives import Directives
from gen.checks.harmless import check_frame, check_snippets, no_plain_files
from gen.checks.html_lists import PAGE, TEXT, Allowed
from gen.checks.parity import differences
from gen.draw import keys, manifest
from gen.draw.build import ensure_in_subprocess
from gen.settings import ROOT, Settings, commit, from_environment, version
from gen.site.atlas import atlas_nav
from gen.site.cards import Figures
from gen.site.frame import Frame
from gen.site.parts import Parts
from gen.site.preview import Preview
from gen.site.search_worker import mend_search
from gen.site.units import write_units
from gen.texts.course import Chapter, facts_html, shown_in
from gen.texts.course import chapters as course_chapters
from gen.texts.fill import Prose
from gen.texts.finding import Finding
from gen.texts.glossary import FirstUses, Term
from gen.texts.glossary import read as read_glossary
from gen.texts.languages import FALLBACK, ROOT_LANGUAGE
from gen.texts.notebook_figures import Shown, shown
from gen.texts.notebooks import notebook
from gen.texts.sections import line_of
from gen.texts.words import SITE


@dataclass(frozen=True)
class Plan:
    """What mkdocs.yml says of the site of one language.

    Attributes:
        site_url: where the site of all languages lives, with a slash at the end; "" if unknown.
        strict: does a warning stop the build?
    """

    language: str
    name: str
    description: str
    site_url: str
    repo_url: str
    nav: list[Any] | None
    strict: bool

    @property
    def url(self) -> str:
        """Where this language's site lives, with a slash at the end; "" if unknown."""
        folder = "" if self.language == ROOT_LANGUAGE else f"{self.language}/"
        there = not self.site_url or self.site_url.endswith(f"/{folder}")
        return self.site_url if there else self.site_url + folder

    @property
    def source_url(self) -> str:
        """Address of the repository's files, with a slash at the end; "" if unknown."""
        return f"{self.repo_url.rstrip('/')}/blob/main/" if self.repo_url else ""


@dataclass(frozen=True)
class Place:
    """A page: what it is called, and where it will be.

    Attributes:
        name: such as "atlas/index".
        file: how messages name it: its file, or its address if the build writes it.
        source: its Markdown with the front matter.
        url: from the root of this language's site; "" for the home page.
        base: from the page to that root, without a slash at the end.
    """

    name: str
    file: str
    source: str
    url: str
    base: str


@dataclass
class SiteBuild:
    """One build of one language's site.

    Attributes:
        plan: what mkdocs.yml says.
        preview: what `make serve` leaves as it is; outlasts the build.
        warn: says a line; with `--strict` it stops the build.
        bundle: the manifest of the bundle that is shown; None if all was made here.
        chapters: what was rendered, by name.
        figures: address → description.
        numbers: chapter → name → value.
        notebooks: page → its notebook, as pages are read.
        directives: the rule for `:::`, as an extension of Markdown.
        parts: figures, formulas and links to the glossary, likewise.
    """

    plan: Plan
    preview: Preview
    warn: Callable[[str], None]
    settings: Settings
    bundle: dict[str, Any] | None
    chapters: Mapping[str, Rendered]
    figures: Figures
    numbers: Mapping[str, Any]
    course: Mapping[str, Chapter]
    terms: list[Term]
    prose: Prose
    frame: Frame
    notebooks: dict[str, str] = field(default_factory=dict)
    directives: Directives = field(default_factory=Directives)
    parts: Parts = field(default_factory=Parts)

    @classmethod
    def begin(cls, plan: Plan, preview: Preview, warn: Callable[[str], None]) -> SiteBuild:
        """Bring models and figures up to date, then read what the pages will show.

        Raises:
            CnnvizError: something is wrong with what is read, or could not be made.
        """
        language, settings = plan.language, from_environment()
        if links := no_plain_files(ROOT / "docs"):
            raise CnnvizError("\n".join(link.text(language) for link in links))
        bundle = prebuilt.in_use(settings)
        if not bundle:
            ensure_in_subprocess(settings)
        read = {name: manifest.read(name, settings) for name in keys.chapter_names()}
        chapters = {name: chapter for name, chapter in read.items() if chapter}
        figures = {
            f"{name}/{title}": figure
            for name, chapter in chapters.items()
            for title, figure in chapter.figures.items()
        }
        numbers = {name: chapter.numbers for name, chapter in chapters.items()}
        printed = numbers.pop(keys.EXAMPLES, {})
        missing = keys.left_out() - set(chapters)
        course = course_chapters(ROOT / "docs", language, plan.nav or [], missing)
        terms = read_glossary(ROOT / "docs" / "glossary.yml")
        prose = Prose(
            language,
            numbers,
            set(figures),
            printed,
            settings.dataset,
            ROOT,
            plan.source_url,
            settings.download,
        )
        prose.add_course(course, terms)
        frame = Frame(
            ROOT,
            language,
            (plan.name, plan.description, plan.url or "/"),
            figures,
            settings.figures_dir,
            settings.build_dir / "cards" / language,
        )
        build = cls(
            plan,
            preview,
            warn,
            settings,
            bundle,
            chapters,
            figures,
            numbers,
            course,
            terms,
            prose,
            frame,
        )
        build._check_bundle()
        return build

    def _check_bundle(self) -> None:
        """Figures of a bundle hold nothing that none of ours does."""
        for address in self.figures if self.bundle else ():
            # All that a figure itself brings: no caption, no links to the source, no commit.
            figure, language = self.figures[address], self.plan.language
            own = figure_html(address, figure, language, "", "figures/{}".format, "", "", SITE)
            check_markup(f"figure {address}", own)

    def nav(self) -> list[Any] | None:
        """The navigation with the pages of the atlas."""
        return atlas_nav(self.plan.nav, self.numbers["atlas"])

    def extra(self) -> dict[str, str]:
        """What the theme's templates say of this build; `prebuilt` is "" if all was made here."""
        # `make site PREBUILT=` has made sure that the bundle is as new as the code: nothing to be
        # said.
        notice = ""
        if self.bundle and not self.plan.strict:
            notice = prebuilt.notice(self.bundle, self.settings, self.plan.language)
        return {"commit": commit(), "version": version(), "prebuilt": notice}

    def words_of(self, markdown: str) -> list[Path]:
        """The words files of which a page says something: those of its figures, and of all."""
        shown = {"", *shown_in(markdown)}
        return list(dict.fromkeys(file for scope in sorted(shown) for file in self._words(scope)))

    def _words(self, scope: str) -> list[Path]:
        languages = dict.fromkeys((self.plan.language, FALLBACK))
        return [file for language in languages for file in SITE.files(language, scope)]

    def warn_of_differences(self) -> None:
        """Warn of what one language has and the other lacks."""
        for difference in differences(ROOT / "docs"):
            self.warn(difference.text(self.plan.language))

    def markdown(self, markdown: str, place: Place) -> str:
        """A page's Markdown, without the front matter, with its numbers, code and claims.

        Raises:
            CnnvizError: it cannot be filled in, or takes something from another file.
        """
        language = self.plan.language
        if place.name != "index" and self._without_network(markdown):
            title = markdown.lstrip().partition("\n")[0]
            markdown = f'{title}\n\n!!! warning ""\n    {self.prose.say("no weights")}\n'
        try:
            self.frame.add_page(place.name, markdown)
            # The front matter has been taken away; messages count the lines of the file.
            above = place.source.count("\n") - markdown.count("\n")
            filled = self.prose.fill(markdown, place.file, above)
            check_snippets(place.file, filled, language)
        except CnnvizError as error:
            if not self.bundle or self.plan.strict:
                raise
            # A bundle may be older than the text: this page waits for the next build, the others
            # show.
            said = str(error)
            if not isinstance(error.__cause__, TemplateSyntaxError):
                said += f" {self.prose.say('older bundle')}"
            self.warn(said)
            filled = f'# {place.name}.md\n\n!!! warning ""\n    {said}\n'
        if place.name in self.course:
            self.notebooks[place.name] = notebook(
                filled,
                place.name,
                language,
                self.plan.url,
                self.plan.repo_url,
                self.prose.programs,
                self._in_notebook,
            )
        self.directives.page(place.file, place.source, language)
        uses = None
        if place.name in self.course:
            uses = FirstUses(self.terms, language, f"{place.base}/glossary/")
        self.parts.page(lambda address, caption: self._figure(address, caption, place), uses)
        return filled

    def _without_network(self, markdown: str) -> bool:
        """Does a page show a chapter that could not be drawn for want of a network's weights?"""
        return bool(shown_in(markdown) & keys.left_out() - set(self.chapters))

    def content(self, html: str, place: Place) -> str:
        """What Markdown made of the page it read last, with all that belongs to it.

        Raises:
            CnnvizError: it holds HTML that no text may hold, or a formula or figure that cannot be
                shown.
        """
        self._check_html(html, TEXT, place)
        html = self.parts.filled(html)
        if place.name in self.course:
            facts = facts_html(self.course, place.name, self.plan.language, f"{place.base}/")
            html = html.replace("</h1>", f"</h1>{facts}", 1)
        return self.frame.with_notices(html, place.name, place.url, place.base)

    def _in_notebook(self, address: str) -> Shown:
        if address not in self.figures:
            return Shown("", {})  # the page says so
        figure, folder = self.figures[address], self.settings.figures_dir
        return shown(address, figure, self.plan.language, folder, SITE)

    def _figure(self, address: str, caption: str | None, place: Place) -> str:
        if caption is None or address not in self.figures:
            raise CnnvizError(_odd_caption(address, place).text(self.plan.language))
        root = "" if place.base == "." else f"{place.base}/"
        return figure_html(
            address,
            self.figures[address],
            self.plan.language,
            caption,
            lambda file: f"{root}figures/{file}",
            self.plan.source_url,
            commit(),
            SITE,
        )

    def head(
        self, meta: Mapping[str, Any], title: str, menu: Iterable[str], place: Place
    ) -> dict[str, Any]:
        """What docs/overrides/main.html says in the head of a page.

        Args:
            menu: the headings as the table of contents shows them, as HTML.

        Raises:
            CnnvizError: title, front matter or headings hold more than words.
        """
        frame, name, url = self.frame, place.name, place.url
        check_frame(f"{name}.md", meta, title, menu)
        return {
            "at_root": not frame.own.folder,
            "others": frame.others(name, url),
            "alternates": frame.alternates(name, url),
            "card": frame.card(name, title),
            "structured": frame.structured(meta, title, name, url, self.course.get(name)),
        }

    def head_of_404(self) -> dict[str, Any]:
        """The page for what was not found leads to the home pages of the other languages."""
        return {"at_root": not self.frame.own.folder, "others": self.frame.others("index", "")}

    def finished(self, page: str, place: Place) -> str:
        """The whole page with its figures.

        Raises:
            CnnvizError: its article holds what no page may hold.
        """
        page = self.parts.finished(page)
        start = page.index(">", page.index("<article")) + 1
        self._check_html(page[start : page.rindex("</article>")], PAGE, place)
        return page

    def _check_html(self, html: str, allowed: Allowed, place: Place) -> None:
        check_text(place.file, html, place.name, place.source, self.plan.language, allowed)

    def write(self, site: Path) -> None:
        """Write what is beside the pages: notebooks, pages of units, cards, feed; mend the search.

        Raises:
            CnnvizError: the page of a unit, made of a bundle's facts, holds what none of ours does.
        """
        mend_search(site)
        self.frame.write(site)
        for name, text in self.notebooks.items():
            write_atomically(site / "notebooks" / f"{name}.ipynb", text.encode())
        atlas, settings, preview = self.numbers["atlas"], self.settings, self.preview
        chapters = ["atlas", *(f"{keys.UNITS}{net}" for net in atlas["nets"])]
        made_from = [settings.figures_dir / f"{name}.json" for name in chapters]
        made_from += [*filter(Path.is_file, self._words("unit")), *sorted(TEMPLATES.iterdir())]
        if not preview.units_are_there(made_from):
            language, foreign = self.plan.language, self.bundle is not None
            write_units(site, settings, atlas, language, preview.running, foreign)


def _odd_caption(address: str, place: Place) -> Finding:
    line = line_of(place.source, max(0, place.source.find(f'"{address}"')))
    return Finding(place.file, line, message("build.odd caption", figure=address))


class Session:
    """The one thing that outlasts a build: `make serve` makes many in one process.

    Attributes:
        preview: what it leaves as it is.
        build: the last one that began; there is none before.
    """

    build: SiteBuild

    def __init__(self) -> None:
        self.preview = Preview()

    def begin(self, plan: Plan, warn: Callable[[str], None]) -> SiteBuild:
        """Begin the next build; see `SiteBuild.begin`."""
        self.build = SiteBuild.begin(plan, self.preview, warn)
        return self.build


session = Session()
"""MkDocs loads gen/site/hooks.py by its path, as a module of its own, so it cannot lie there."""
