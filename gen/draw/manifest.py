"""The rendered chapters of a build: one JSON file each, beside its PNG files. Imports no torch."""

from __future__ import annotations

import sys
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import Chapter, opened, sealed
from cnnviz.files import DamagedError, holds, inside, write_atomically
from cnnviz.words import FALLBACK, text_digest
from gen.draw import keys
from gen.settings import Settings
from gen.texts.words import SITE
from gen.weights import digests


def read(name: str, settings: Settings) -> Chapter | None:
    """The chapter as rendered, or None if it is missing, unreadable or a file of it is damaged."""
    path = settings.figures_dir / f"{name}.json"
    if not path.exists():
        return None
    try:
        chapter = _opened(path)
        for file, expected in chapter.files.items():
            if not holds(inside(settings.figures_dir, file), expected):
                raise DamagedError(f"{file} differs from what was rendered")
    except OSError as error:
        why = f"{path.name}: {error.strerror or error}"
    except (CnnvizError, DamagedError) as error:
        why = str(error)
    else:
        return chapter
    print(f"figures of '{name}' are damaged ({why}); drawing again.", file=sys.stderr)
    return None


def _opened(path: Path) -> Chapter:
    """The chapter in a file, whose name begins what is said of it."""
    try:
        return opened(path.read_bytes())
    except (CnnvizError, DamagedError) as error:
        raise DamagedError(f"{path.name} {error}") from error


def write(name: str, chapter: Chapter, settings: Settings) -> None:
    """Write a chapter's description; its files must be there already.

    Raises:
        CnnvizError: something in it is not as cnnviz.figure.kept says; nothing was written.
    """
    try:
        content = sealed(chapter)
    except CnnvizError as error:
        raise CnnvizError(f"What was drawn for the chapter '{name}' {error}.") from error
    write_atomically(settings.figures_dir / f"{name}.json", content)


def stale(settings: Settings) -> dict[str, str]:
    """Chapters to render, with the key that they will have."""
    wanted = keys.keys(settings)
    present = {name: read(name, settings) for name in wanted}
    used = {net for chapter in present.values() if chapter for net in chapter.weights}
    weights = digests(used, settings)
    return {
        name: key
        for name, key in wanted.items()
        if (chapter := present[name]) is None
        or chapter.key != key
        or any(weights[net] != before for net, before in chapter.weights.items())
        or words_differ(chapter)
    }


def words_changed(name: str, settings: Settings) -> bool:
    """The same of a chapter that is there, whatever its pictures are like; units draw no words."""
    path = settings.figures_dir / f"{name}.json"
    if name.startswith(keys.UNITS) or not path.exists():
        return False
    try:
        return words_differ(_opened(path))
    except (OSError, DamagedError):
        return True


def words_differ(chapter: Chapter) -> bool:
    """Are words inside its drawings not what the words files of any language say now?

    A language that came later has English drawings until it says any of their words itself.
    """
    drawn = chapter.drawn_words
    return any(
        not _is(language, where, before)
        for language in SITE.languages
        for where, before in drawn.get(language, drawn.get(FALLBACK, {})).items()
    )


def _is(language: str, where: str, before: str) -> bool:
    scope, _, key = where.partition(":")
    try:
        return text_digest(SITE.catalogue(language, scope).find(key)) == before
    except CnnvizError:
        return False
