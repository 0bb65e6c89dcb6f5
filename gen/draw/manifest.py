"""The rendered chapters of a build: one JSON file each, beside its PNG files. Imports no torch."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from cnnviz.errors import CnnvizError
from cnnviz.files import DamagedError, digest, holds, inside, write_atomically
from gen.draw import keys
from gen.figure.store import Chapter
from gen.settings import Settings
from gen.weights import digests


def read(name: str, settings: Settings) -> Chapter | None:
    """The chapter as rendered, or None if it is missing, unreadable or a file of it is damaged."""
    path = settings.figures_dir / f"{name}.json"
    if not path.exists():
        return None
    try:
        text = path.read_bytes()
        written = json.loads(text.decode())
        if written["digest"] != digest([text.partition(b"\n")[2]], 64):
            raise DamagedError(f"{path.name} differs from what was written")
        chapter = Chapter(**written["chapter"])
        for file, expected in chapter.files.items():
            if not holds(inside(settings.figures_dir, file), expected):
                raise DamagedError(f"{file} differs from what was rendered")
    except OSError as error:
        why = f"{path.name}: {error.strerror or error}"
    except (CnnvizError, DamagedError) as error:
        why = str(error)
    except (ValueError, LookupError, TypeError, RecursionError):
        why = f"{path.name} is no description of a chapter"
    else:
        return chapter
    print(f"figures of '{name}' are damaged ({why}); drawing again.", file=sys.stderr)
    return None


def write(name: str, chapter: Chapter, settings: Settings) -> None:
    """Write a chapter's description; its files must be there already."""
    write_atomically(settings.figures_dir / f"{name}.json", sealed(vars(chapter)))


def sealed(chapter: Mapping[str, Any]) -> bytes:
    """A chapter as one JSON object of two lines: the digest of the second line, and the chapter."""
    text = json.dumps(chapter, ensure_ascii=False, separators=(",", ":"))
    second = f'"chapter":{text}}}\n'.encode()
    return f'{{"digest":"{digest([second], 64)}",\n'.encode() + second


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
    }
