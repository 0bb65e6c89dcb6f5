"""Writing files whole or not at all, naming content by its digest, and noticing damage."""

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
        # Without a link on the way nothing leads out, and resolving whole paths takes long.
        if plain and (
            not _links_on_the_way(folder, name)
            or (folder / name).resolve().is_relative_to(folder.resolve())
        ):
            return folder / name
    except (OSError, RuntimeError):  # a circle of links
        pass
    raise CnnvizError(
        f"The name '{printable(str(name))[:200]}' leads out of its folder or is none; expected "
        "names of folders and a file with '/' between them."
    )


def _links_on_the_way(folder: Path, name: str) -> bool:
    place = os.fspath(folder)
    for part in name.split("/"):
        place = f"{place}/{part}"
        if os.path.islink(place):  # noqa: PTH114 – a Path for each part would cost more than all else
            return True
    return False


_SEAL = b"\nsha256 "
_DIGITS = 64
_PIECE = 2**20


class DamagedError(Exception):
    """A sealed file is not as it was written; says in what way."""


def write_atomically(path: Path, write: bytes | Callable[[BinaryIO], object]) -> None:
    """Write `path` through a temporary file in the same folder, then rename it.

    An interrupted or failed write leaves the old file (or none), never half of a new one.

    Raises:
        CnnvizError: the folder cannot be made or written, a folder is in the place of the file, or
            the disk is full.
    """
    temporary: Path | None = None
    try:
        refuse_folder(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(descriptor, "w+b") as file:
            if callable(write):
                write(file)
            else:
                file.write(write)
        temporary.chmod(0o644)  # mkstemp makes 0600; a site is for everyone to read
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        # torch.save answers the system's error (such as a full disk) with one of its own.
        of_system = error if isinstance(error, OSError) else error.__context__
        if not isinstance(of_system, OSError):
            raise
        raise CnnvizError(
            f"Cannot write '{path}': {of_system.strerror or of_system}. "
            "Check that the folder is writable and that the disk has space left."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def refuse_folder(path: Path) -> None:
    """Stop before hours of work if a folder is where its result is to be written.

    Raises:
        CnnvizError: there is one. It may hold anything, so nobody but the user deletes it.
    """
    if path.is_dir():
        raise CnnvizError(
            f"Cannot write '{path}': a folder is in the place of that file. "
            "Move it away or delete it."
        )


def remove(path: Path) -> None:
    """Delete a file, if it is there.

    Raises:
        CnnvizError: it is a folder, or its folder cannot be written.
    """
    if not path.exists():  # a read-only disk refuses even to delete what is not there
        return
    try:
        path.unlink(missing_ok=True)  # another process may have been quicker
    except OSError as error:
        raise CnnvizError(
            f"Cannot delete '{path}': {error.strerror or error}. Move it away or delete it."
        ) from error


def write_sealed(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write `path` as `write_atomically` does, and the digest of its content as its last line.

    `torch.load` takes such a file as it is: a zip file may have something behind its end.

    Raises:
        CnnvizError: see `write_atomically`.
    """

    def write_both(file: BinaryIO) -> None:
        write(file)
        length = file.seek(0, os.SEEK_END)
        file.write(_SEAL + _content_digest(file, length).encode())

    write_atomically(path, write_both)


def seal(path: Path) -> str:
    """The digest with which a sealed file ends, once it is known to be that of its content.

    Raises:
        DamagedError: the file is not as `write_sealed` left it.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END) - len(_SEAL) - _DIGITS
        found = _content_digest(file, max(0, length))
        if length < 0 or file.read() != _SEAL + found.encode():
            raise DamagedError("its digest differs")
    return found


def _content_digest(file: BinaryIO, length: int) -> str:
    """SHA-256 of the first `length` bytes; the file is then behind them."""
    hasher = hashlib.sha256()
    file.seek(0)
    while length > 0 and (piece := file.read(min(length, _PIECE))):
        hasher.update(piece)
        length -= len(piece)
    return hasher.hexdigest()


def holds(path: Path, content_digest: str) -> bool:
    """Is this a file whose content has that digest (see `digest`)?"""
    try:
        return digest([path.read_bytes()], len(content_digest)) == content_digest
    except OSError:  # not there, a folder, not readable
        return False


def digest(parts: Iterable[bytes], length: int = 12) -> str:
    """The first `length` hex digits of the SHA-256 of `parts` (lengths included)."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.hexdigest()[:length]
