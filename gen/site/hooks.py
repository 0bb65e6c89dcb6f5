"""All that the site does inside MkDocs besides adding files (gen/site/added.py).

What a hook does stands in gen/site/build.py; here is only what MkDocs calls it and how it names
things.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import get_relative_url

from cnnviz.errors import CnnvizError
from gen.settings import ROOT
from gen.site.build import Place, Plan, session
from gen.texts.languages import code_of

log = get_plugin_logger(__name__)


@contextmanager
def _said_in_a_line() -> Iterator[None]:
    """What can be mended stops MkDocs with its message, without a traceback."""
    try:
        yield
    except CnnvizError as error:
        raise PluginError(str(error)) from error


def on_startup(command: str, dirty: bool) -> None:
    """`make serve` makes only what has changed (see gen.site.preview)."""
    session.preview.running = command == "serve" and dirty
    if command == "build":  # `make site` ends it so; it takes its temporary files with it
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if session.preview.running:  # what a preview passes over is no page whose edit link went unused
        logging.getLogger("mkdocs.plugins.mkdocs_gen_files.plugin").setLevel(logging.ERROR)


@_said_in_a_line()
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Begin a build."""
    plan = Plan(
        code_of(config.docs_dir),
        config.site_name,
        config.site_description or "",
        config.site_url or "",
        config.repo_url or "",
        config.nav,
        config.strict,
    )
    build = session.begin(plan, log.warning)
    config.markdown_extensions += [build.directives, build.parts]
    if config.site_url:
        config.site_url = plan.url
    config.nav = build.nav()
    config.extra.update(build.extra())
    return config


@_said_in_a_line()
def on_pre_build(config: MkDocsConfig) -> None:
    """Warn of what the languages do not share; `--strict` stops at a warning."""
    session.build.warn_of_differences()


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """After gen/site/added.py has added its own: leave out of a preview what has not changed."""
    session.preview.pass_over_what_is_the_same(files, Path(config.docs_dir))
    session.preview.make_again_what_says_changed_words(
        files, lambda file: session.build.words_of(file.content_string)
    )
    return files


@_said_in_a_line()
def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Numbers, figures, code and claims."""
    return session.build.markdown(markdown, _place(page))


@_said_in_a_line()
def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Stop at HTML that no text may hold; then figures, formulas and links to the glossary."""
    return session.build.content(html, _place(page))


@_said_in_a_line()
def on_page_context(context: Any, page: Page, config: MkDocsConfig, nav: Any) -> Any:
    """What docs/overrides/main.html says in the head of a page."""
    title = str(page.meta.get("title") or page.title or config.site_name)
    context.update(session.build.head(page.meta, title, _menu(page.toc), _place(page)))
    return context


@_said_in_a_line()
def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Put the figures in, and look again at the article."""
    return session.build.finished(output, _place(page))


def on_template_context(context: Any, template_name: str, config: MkDocsConfig) -> Any:
    """The page for what was not found."""
    context.update(session.build.head_of_404())
    return context


@_said_in_a_line()
def on_post_build(config: MkDocsConfig) -> None:
    """Write what is beside the pages."""
    session.build.write(Path(config.site_dir))


def _place(page: Page) -> Place:
    path = Path(page.file.abs_src_path or "")
    ours = path.is_relative_to(ROOT)  # what the build writes lies elsewhere
    return Place(
        page.file.src_uri.removesuffix(".md"),
        path.relative_to(ROOT).as_posix() if ours else page.file.src_uri,
        page.file.content_string,
        "" if page.is_homepage else page.url,
        get_relative_url(".", page.url),
    )


def _menu(entries: Iterable[AnchorLink]) -> list[str]:
    """The headings of a page as its table of contents has them."""
    return [title for entry in entries for title in (entry.title, *_menu(entry.children))]
