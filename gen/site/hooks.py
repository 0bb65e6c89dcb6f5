"""All that the site does inside MkDocs besides adding files (gen/site/added.py)."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import get_relative_url

from cnnviz.errors import CnnvizError
from cnnviz.files import write_atomically
from gen.atlas.pages import atlas_nav
from gen.bundle import bundle as prebuilt
from gen.checks.allowed_html import check_markup, check_text
from gen.checks.directives import Directives
from gen.checks.harmless import check_frame, check_snippets, no_plain_files
from gen.checks.html_lists import PAGE, TEXT, Allowed
from gen.checks.parity import differences
from gen.draw import keys, manifest
from gen.draw.build import ensure_in_subprocess
from gen.figure.html import figure_html
from gen.figure.kept import KeptFigure
from gen.publish.commit import commit, version
from gen.settings import ROOT, from_environment
from gen.site.frame import Frame
from gen.site.preview import Preview
from gen.site.search_worker import mend_search
from gen.site.units import write_units
from gen.texts.course import chapters as course_chapters
from gen.texts.course import facts_html
from gen.texts.fill import Prose
from gen.texts.finding import Finding
from gen.texts.glossary import link_first_uses
from gen.texts.glossary import read as read_glossary
from gen.texts.languages import ROOT_LANGUAGE, code_of, ours
from gen.texts.maths import replace_math
from gen.texts.notebooks import notebook
from gen.texts.sections import line_of

log = get_plugin_logger(__name__)
_SLOT_START = '<div class="figure-slot" data-figure="'
_state: dict[str, Any] = {}
_preview = Preview()
_directives = Directives()


def on_startup(command: str, dirty: bool) -> None:
    """`make serve` makes only what has changed (see gen.site.preview)."""
    _preview.running = command == "serve" and dirty
    if command == "build":  # `make site` ends it so; it takes its temporary files with it
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if _preview.running:  # what a preview passes over is no page whose edit link went unused
        logging.getLogger("mkdocs.plugins.mkdocs_gen_files.plugin").setLevel(logging.ERROR)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Bring models and figures up to date, then read what the pages will show."""
    settings = from_environment()
    language = code_of(config.docs_dir)
    if links := no_plain_files(ROOT / "docs"):
        raise PluginError("\n".join(link.text(language) for link in links))
    config.markdown_extensions.append(_directives)
    folder = "" if language == ROOT_LANGUAGE else f"{language}/"
    if config.site_url and not config.site_url.endswith(f"/{folder}"):
        config.site_url += folder
    try:
        bundle = prebuilt.in_use(settings)
        if not bundle:
            ensure_in_subprocess(settings)
    except CnnvizError as error:
        raise PluginError(str(error)) from error
    chapters = {name: manifest.read(name, settings) for name in keys.chapter_names()}
    figures = {
        f"{name}/{title}": figure
        for name, chapter in chapters.items()
        if chapter
        for title, figure in chapter.figures.items()
    }
    try:
        for address in figures if bundle else ():
            check_markup(f"figure {address}", _drawn(address, figures[address], language))
    except CnnvizError as error:
        raise PluginError(str(error)) from error
    numbers = {name: chapter.numbers for name, chapter in chapters.items() if chapter}
    printed = numbers.pop(keys.EXAMPLES, {})
    source_url = f"{config.repo_url.rstrip('/')}/blob/main/" if config.repo_url else ""
    try:
        course = course_chapters(ROOT / "docs", language, config.nav or [])
        terms = read_glossary(ROOT / "docs" / "glossary.yml")
    except CnnvizError as error:
        raise PluginError(str(error)) from error
    prose = Prose(language, numbers, set(figures), printed, settings.dataset, ROOT, source_url)
    prose.add_course(course, terms)
    frame = Frame(
        ROOT,
        language,
        (config.site_name, config.site_description or "", config.site_url or "/"),
        figures,
        settings.figures_dir,
        settings.build_dir / "cards" / language,
    )
    _state.clear()
    _state.update(
        frame=frame,
        language=language,
        settings=settings,
        numbers=numbers,
        figures=figures,
        source_url=source_url,
        prose=prose,
        course=course,
        terms=terms,
        notebooks={},
    )
    config.nav = atlas_nav(config.nav, numbers, ours(language))
    config.extra["commit"] = commit()
    config.extra["version"] = version()
    # `make site PREBUILT=` has made sure that the bundle is as new as the code: nothing to be said.
    config.extra["prebuilt"] = (
        prebuilt.notice(bundle, settings, language) if bundle and not config.strict else ""
    )
    return config


def on_pre_build(config: MkDocsConfig) -> None:
    """Warn of what one language has and the other lacks; `--strict` stops at a warning."""
    try:
        found = differences(ROOT / "docs")
    except CnnvizError as error:
        raise PluginError(str(error)) from error
    for difference in found:
        log.warning(difference.text(_state["language"]))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """After gen/site/added.py has added its own: leave out of a preview what has not changed."""
    _preview.pass_over_what_is_the_same(files, Path(config.docs_dir))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Numbers, figures, code and claims."""
    try:
        _state["frame"].add_page(page.file.src_uri.removesuffix(".md"), markdown)
        # MkDocs has taken the front matter away; messages count the lines of the file.
        above = page.file.content_string.count("\n") - markdown.count("\n")
        filled = str(_state["prose"].fill(markdown, _named(page), above))
        check_snippets(_named(page), filled, _state["language"])
    except CnnvizError as error:
        if not config.extra["prebuilt"]:
            raise PluginError(str(error)) from error
        # A bundle may be older than the text: this page waits for the next build, the others show.
        said = str(error)
        if not isinstance(error.__cause__, TemplateSyntaxError):
            said += f" {_state['prose'].say('older bundle')}"
        log.warning(said)
        filled = f'# {page.file.src_uri}\n\n!!! warning ""\n    {said}\n'
    if (name := page.file.src_uri.removesuffix(".md")) in _state["course"]:
        _state["notebooks"][name] = notebook(
            filled,
            name,
            _state["language"],
            config.site_url or "",
            config.repo_url or "",
            _state["prose"].programs,
        )
    _directives.page(_named(page), page.file.content_string, _state["language"])
    return filled


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Stop at HTML that no text may hold; then figures, formulas and links to the glossary."""
    name, source = page.file.src_uri.removesuffix(".md"), page.file.content_string
    _check_html(page, html, TEXT)
    if name in _state["course"]:
        up = get_relative_url(".", page.url) + "/"
        language = _state["language"]
        html = link_first_uses(html, _state["terms"], language, f"{up}glossary/")
        facts = facts_html(_state["course"], name, language, up)
        html = html.replace("</h1>", f"</h1>{facts}", 1)
    html = _state["frame"].with_notices(html, name, page.url, get_relative_url(".", page.url))
    parts = html.split(_SLOT_START)
    filled = [parts[0]]
    for part in parts[1:]:
        address, rest = part.split('">', 1)
        caption, _, after = rest.partition("</div>")
        if "<div" in caption or address not in _state["figures"]:
            raise PluginError(
                Finding(
                    _named(page),
                    line_of(source, max(0, source.find(f'"{address}"'))),
                    f"图 {address} 的图注里有代码、方框或表格。怎么办：图注只写普通的段落，把它们"
                    "移到 [[% endcall %]] 后面；图只用 [[% call figure(…) %]] 放进来。",
                    f"the caption of the figure {address} holds code, a box or a table. What to "
                    "do: write plain paragraphs there and move the block behind [[% endcall %]]; "
                    "a figure is shown by [[% call figure(…) %]] alone.",
                ).text(_state["language"])
            )
        filled.append(_figure(address, caption.strip(), page))
        filled.append(after)
    return replace_math("".join(filled))


def on_page_context(context: Any, page: Page, config: MkDocsConfig, nav: Any) -> Any:
    """What docs/overrides/main.html says in the head of a page."""
    frame, name = _state["frame"], page.file.src_uri.removesuffix(".md")
    url = "" if page.is_homepage else page.url
    title = str(page.meta.get("title") or page.title or config.site_name)
    try:
        check_frame(page.file.src_uri, page.meta, title, _menu(page.toc))
    except CnnvizError as error:
        raise PluginError(str(error)) from error
    context["at_root"] = not frame.own.folder
    context["others"] = frame.others(name, url)
    context["alternates"] = frame.alternates(name, url)
    context["card"] = frame.card(name, title)
    context["structured"] = frame.structured(
        page.meta, title, name, url, _state["course"].get(name)
    )
    return context


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Look again at the article, now that all is put in."""
    start = output.index(">", output.index("<article")) + 1
    _check_html(page, output[start : output.rindex("</article>")], PAGE)
    return output


def on_template_context(context: Any, template_name: str, config: MkDocsConfig) -> Any:
    """The page for what was not found leads to the home pages of the other languages."""
    context["at_root"] = not _state["frame"].own.folder
    context["others"] = _state["frame"].others("index", "")
    return context


def on_post_build(config: MkDocsConfig) -> None:
    """Write what is beside the pages: notebooks, pages of units, cards, feed; mend the search."""
    mend_search(Path(config.site_dir))
    _state["frame"].write(Path(config.site_dir))
    for name, text in _state["notebooks"].items():
        write_atomically(Path(config.site_dir) / "notebooks" / f"{name}.ipynb", text.encode())
    language, settings = ours(_state["language"]), _state["settings"]
    atlas = _state["numbers"]["atlas"]
    chapters = ["atlas", *(f"{keys.UNITS}{net}" for net in atlas["nets"])]
    if not _preview.units_are_there(settings.figures_dir / f"{name}.json" for name in chapters):
        foreign = prebuilt.in_use(settings) is not None
        try:
            write_units(Path(config.site_dir), settings, atlas, language, _preview.running, foreign)
        except CnnvizError as error:
            raise PluginError(str(error)) from error


def _named(page: Page) -> str:
    """A page as messages name it: by its file, or by its address if the build writes it."""
    path = Path(page.file.abs_src_path or "")
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else page.file.src_uri


def _check_html(page: Page, html: str, allowed: Allowed) -> None:
    name, source = page.file.src_uri.removesuffix(".md"), page.file.content_string
    try:
        check_text(_named(page), html, name, source, _state["language"], allowed)
    except CnnvizError as error:
        raise PluginError(str(error)) from error


def _menu(entries: Iterable[AnchorLink]) -> list[str]:
    """The headings of a page as its table of contents has them."""
    return [title for entry in entries for title in (entry.title, *_menu(entry.children))]


def _figure(address: str, caption: str, page: Page) -> str:
    try:
        return figure_html(
            address,
            _state["figures"][address],
            _state["language"],
            caption,
            lambda file: get_relative_url(f"figures/{file}", page.url),
            _state["source_url"],
            commit(),
        )
    except CnnvizError as error:
        raise PluginError(str(error)) from error


def _drawn(address: str, figure: KeptFigure, language: str) -> str:
    """What a figure itself brings into a page: all but caption, links to the source and commit."""
    return figure_html(address, figure, language, "", lambda file: f"figures/{file}", "", "")
