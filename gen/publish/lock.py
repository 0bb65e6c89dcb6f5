"""One `make site` at a time: two would work in the same folders and publish each other's halves."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from cnnviz.errors import CnnvizError

try:
    import fcntl
except ImportError:  # Windows has another kind of lock, which nobody here could try
    fcntl = None  # type: ignore[assignment]

NAME = "site.lock"
"""The file in a build folder that is locked. It stays there: only the lock on it means anything."""


@contextmanager
def alone(folders: Iterable[Path]) -> Iterator[list[int]]:
    """Be the only one who builds a site in these folders; wait for whoever does.

    To wait is better than to refuse: the second one finds everything up to date, or does what has
    changed since, and a script that calls `make site` need not try again. The system lets go of the
    lock when the process ends, however it ends, so there is no lock to clear away after a crash.

    Yields:
        File descriptors for `subprocess.Popen(pass_fds=…)`: a child that has them holds the lock,
        too, so one that outlives a killed parent keeps the next build out of its folder.

    Raises:
        CnnvizError: a folder cannot be written.
    """
    if fcntl is None:
        print("cnnviz: no locks on this system; run one make site at a time.", file=sys.stderr)
        yield []
        return
    with ExitStack() as held:
        # Always in the same order, or two might wait for each other.
        paths = sorted({folder.resolve() / NAME for folder in folders})
        yield [_locked(held.enter_context(_opened(path))) for path in paths]


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise CnnvizError(
            f"Cannot write '{path}': {error.strerror or error}. Check that the folder is writable."
        ) from error


def _locked(file: IO[str]) -> int:
    """Lock the file and write our number into it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        process = file.read().strip() or "unknown"
        print(
            f"cnnviz: another make site is at work in this folder (process {process}); "
            "waiting for it.",
            file=sys.stderr,
            flush=True,
        )
        fcntl.flock(file, fcntl.LOCK_EX)
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file.fileno()
