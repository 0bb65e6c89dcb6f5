"""Writes the page of every unit into the built site, and its pictures beside it.

MkDocs makes one page a layer, `atlas/<net>/<layer>/unit/`, with marks where a unit differs. The
pages of all units of that layer are copies of it with the marks filled: some thousand pages in a
second, where MkDocs would take a minute and a navigation nobody could read.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from cnnviz.atlas.facts import AtlasFacts, NetUnits
from cnnviz.atlas.unit_page import UnitPage, UnitPages
from cnnviz.files import inside
from gen.bundle.shape import shaped
from gen.checks.allowed_html import check_markup
from gen.checks.html_lists import PAGE
from gen.draw import keys, manifest
from gen.settings import Settings
from gen.texts.words import SITE

TITLE, DESCRIPTION, BODY = "UNIT-TITLE", "UNIT-DESCRIPTION", "UNIT-BODY"


def template_page(net: str, layer: str) -> tuple[str, str]:
    """Path and Markdown of the page that a layer's units are copies of."""
    path = f"atlas/{net}/{layer}/unit.md"
    front = (
        f"title: {TITLE}\ndescription: {DESCRIPTION}\ntemplate: unit.html\nsearch:\n  exclude: true"
    )
    return path, f"---\n{front}\n---\n\n<h1>{BODY}</h1>\n"


def write_units(
    site: Path,
    settings: Settings,
    atlas: Mapping[str, Any],
    language: str,
    keep: bool = False,
    foreign: bool = False,
) -> dict[str, list[str]]:
    """Replace each layer's template in the built site by the pages of its units.

    Args:
        site: folder of the site of one language.
        atlas: numbers of the chapter "atlas".
        keep: leave the templates, so that MkDocs sees them as made.
        foreign: the facts come from a bundle; what is made of them is looked at (5 s).

    Returns:
        Net → addresses of the pages, relative to the site.

    Raises:
        CnnvizError: a page of a bundle's facts holds something that none of ours does.
    """
    written: dict[str, list[str]] = {}
    for net, layers in shaped(atlas, AtlasFacts).nets.items():
        chapter = manifest.read(f"{keys.UNITS}{net}", settings)
        assert chapter, "gen.site.build brings everything up to date before pages are made"
        _link_pictures(list(chapter.files), settings.figures_dir, site / "figures")
        written[net] = []
        units = shaped(chapter.numbers, NetUnits)
        for layer, facts in units.layers.items():
            folder = inside(site / "atlas", f"{net}/{layer}")
            frame = (folder / "unit" / "index.html").read_text("utf-8")
            frame = re.sub(r"\n\s*\n", "\n", frame)  # of which Material leaves many
            pages = UnitPages(net, units, layers, layer, SITE, language)
            for page in map(pages.page, range(len(facts.units))):
                name = page.number
                if foreign:
                    check_markup(f"unit {net}/{layer}/{name}", page.html, PAGE)
                (folder / name).mkdir(exist_ok=True)
                (folder / name / "index.html").write_text(filled(frame, page, layer), "utf-8")
                written[net].append(f"atlas/{net}/{layer}/{name}/")
            if not keep:
                shutil.rmtree(folder / "unit")
    _complete_sitemap(site, written)
    return written


def filled(frame: str, page: UnitPage, layer: str) -> str:
    """The template as the page of one unit."""
    start, end = frame.index(f"<h1>{BODY}"), frame.index("</h1>") + len("</h1>")
    whole = frame[:start] + page.html + frame[end:]
    return (
        whole.replace(TITLE, escape(page.title))
        .replace(DESCRIPTION, escape(page.description, quote=True))
        .replace(f"/{layer}/unit/", f"/{layer}/{page.number}/")
    )


def _link_pictures(files: Sequence[str], source: Path, target: Path) -> None:
    """Put files into the site without copying their bytes, where the file system lets us."""
    for folder in {inside(target, file).parent for file in files}:
        folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        picture, place = inside(source, file), inside(target, file)
        if place.exists():
            continue
        try:
            os.link(picture, place)
        except OSError:  # another disk, or no links there
            shutil.copyfile(picture, place)


def _complete_sitemap(site: Path, written: Mapping[str, Sequence[str]]) -> None:
    """Name the units where MkDocs has named their templates."""
    path = site / "sitemap.xml"
    if not path.exists():
        return
    text = path.read_text("utf-8")

    def units_of(match: re.Match[str]) -> str:
        entry, address = match[0], match[1]
        folder = address.removesuffix("unit/")
        return "".join(entry.replace(address, unit) for unit in units if unit.startswith(folder))

    units = [unit for pages in written.values() for unit in pages]
    text = re.sub(
        r" *<url>\s*<loc>[^<]*?(atlas/[^<]*/unit/)</loc>.*?</url>\n?", units_of, text, flags=re.S
    )
    path.write_text(text, "utf-8")
    (site / "sitemap.xml.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
