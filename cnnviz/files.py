"""Writing files whole or not at all, and naming content by its digest."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from cnnviz.errors import CnnvizError, printable

_NO_PART = {"", ".", ".."}
_NEVER = re.compile(r"[\\:\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Never in a name: backslash and colon, which lead elsewhere on Windows, and what is no letter."""


def inside(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`, where the name comes from outside, such as from a bundle.

    Every such name goes through here before anything is read or written under it. The file need
    not exist.

    >>> inside(Path("figures"), "relu/map.png").as_posix()
    'figures/relu/map.png'

    Raises:
        CnnvizError: it is no relative path of plain parts with "/" between them, or a link on the
            way leads out of the folder.
    """
    plain = isinstance(name, str) and not _NEVER.search(name) and not _NO_PART & {*name.split("/")}
    try:
        if plain and (folder / name).resolve().is_relative_to(folder.resolve()):
            return folder / name
    except (OSError, RuntimeError):  # a circle of links
        pass
    raise CnnvizError(
        f"The name '{printable(str(name))[:200]}' leads out of its folder or is none; expected "
        "names of folders and a file with '/' between them."
    )


def write_atomically(path: Path, write: bytes | Callable[[BinaryIO], object]) -> None:
    """Write `path` through a temporary file in the same folder, then rename it.

    An interrupted or failed write leaves the old file (or none), never half of a new one.

    Raises:
        CnnvizError: the folder cannot be made or written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            if callable(write):
                write(file)
            else:
                file.write(write)
        temporary.chmod(0o644)  # mkstemp makes 0600; a site is for everyone to read
        temporary.replace(path)
    except OSError as error:
        raise CnnvizError(
            f"Cannot write '{path}': {error.strerror or error}. "
            "Check that the folder is writable and that the disk has space left."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def digest(parts: Iterable[bytes], length: int = 12) -> str:
    """The first `length` hex digits of the SHA-256 of `parts` (lengths included)."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.hexdigest()[:length]


def source_digest(paths: Iterable[Path]) -> str:
    """Digest of the text of Python files, whatever the order in which they are given."""
    return digest(path.read_bytes() for path in sorted(paths))
