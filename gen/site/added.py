"""Run by mkdocs-gen-files in each build: adds figures and generated pages to the site."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import mkdocs_gen_files
from mkdocs.exceptions import PluginError
from mkdocs_gen_files.editor import FilesEditor

from cnnviz.atlas.facts import AtlasFacts
from cnnviz.atlas.templating import ASSETS
from cnnviz.errors import CnnvizError
from cnnviz.files import inside
from gen.bundle.shape import shaped
from gen.lab import files as lab_files
from gen.lab import words as lab_words
from gen.settings import ROOT, from_environment
from gen.site.atlas import layer_pages
from gen.site.build import session
from gen.site.units import template_page
from gen.texts.languages import FALLBACK, code_of, untranslated


def main() -> None:
    """Copy pictures, the package's assets and the lab's files; write its words and the atlas."""
    settings = from_environment()
    editor = FilesEditor.current()
    language = code_of(editor.config.docs_dir)
    chapters = session.build.chapters
    for chapter in chapters.values():
        for file in chapter.files:
            with _open(f"figures/{file}", "wb") as copy:
                copy.write(inside(settings.figures_dir, file).read_bytes())
    for file, content in lab_files.site_files(settings).items():
        with _open(file, "wb") as copy:
            copy.write(content)
    for asset in sorted(
        ASSETS.iterdir()
    ):  # looks and scripts that the package's own pages have, too
        with _open(f"assets/{asset.name}", "wb") as copy:
            copy.write(asset.read_bytes())
    with _open(lab_words.SCRIPT, "w", encoding="utf-8") as script:
        script.write(lab_words.words_script(language))
    for name, source in untranslated(ROOT / "docs", language).items():
        with _open(f"{name}.md", "w", encoding="utf-8") as page:
            page.write(source.read_text("utf-8"))
        mkdocs_gen_files.set_edit_path(f"{name}.md", f"../{FALLBACK}/{name}.md")
    atlas = chapters["atlas"]
    facts = shaped(atlas.numbers, AtlasFacts)  # names become folders; a bundle may say anything
    for path, markdown in layer_pages(facts, language).items():
        with _open(path, "w", encoding="utf-8") as page:
            page.write(markdown)
        mkdocs_gen_files.set_edit_path(path, _words(language))
    for net, layers in facts.nets.items():
        for layer in layers:
            if layer.form:
                path, markdown = template_page(net, layer.name)
                with _open(path, "w", encoding="utf-8") as page:
                    page.write(markdown)
                mkdocs_gen_files.set_edit_path(path, _words(language))


def _words(language: str) -> str:
    """Where a reader mends what a page of the atlas says."""
    file = f"cnnviz/atlas/words/{language}.yml"
    return f"../../{file if (ROOT / file).is_file() else f'cnnviz/atlas/words/{FALLBACK}.yml'}"


def _open(name: str, mode: str, encoding: str | None = None) -> IO[Any]:
    """A new file of the site. Names come from what is shown, and none leads out of the site."""
    inside(Path(FilesEditor.current().directory), name)
    return mkdocs_gen_files.open(name, mode, encoding=encoding)


try:
    main()
except CnnvizError as error:
    raise PluginError(str(error)) from error
