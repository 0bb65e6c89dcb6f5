"""Writing files whole or not at all, and naming content by its digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from cnnviz.errors import CnnvizError


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
