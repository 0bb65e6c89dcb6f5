"""The bytes of a bundle that somebody names: a file on this computer, or an address on a site.

Whoever names it may be mistaken, and the site may be hostile: what comes is limited in size and
time, and only what is a file, or comes by http, is read at all.
"""

from __future__ import annotations

import http.client
import os
import re
import stat
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from cnnviz.errors import CnnvizError, printable

LARGEST = 100_000_000
"""Bytes of a bundle; ours have some 15 MB."""

PATIENCE = 900
"""Seconds that a download may take in all; the site must say something every minute."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.I)  # of one letter it would be a drive
_NO_ADDRESS = re.compile(r"[^!-~]|\\")


def fetch(place: str) -> bytes:
    """The bytes at a path or an address.

    Raises:
        CnnvizError: they cannot be read, or are more than any bundle of ours has.
    """
    if not place:
        raise CnnvizError("nothing is named.")
    scheme = _SCHEME.match(place)
    try:
        if scheme and (scheme[1].lower() in {"http", "https"} or "://" in place):
            data = _from_site(place)
        else:
            data = _from_disk(place)
    except CnnvizError:
        raise
    except (OSError, ValueError, RuntimeError, http.client.HTTPException) as error:
        raise CnnvizError(f"it cannot be read ({_reason(error)}).") from error
    if len(data) > LARGEST:
        raise CnnvizError(f"it is larger than {LARGEST / 1e6:.0f} MB: no bundle of ours.")
    return data


def _from_disk(place: str) -> bytes:
    """A file; pipes and devices, which may never end, are opened without waiting and not read."""
    path = Path(place).expanduser()
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
            raise CnnvizError(f"it is {kind}, not a file.")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(LARGEST + 1)
    finally:
        os.close(handle)


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Redirects lead to other sites, never to ftp, and never to what is on this computer."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,
        headers: http.client.HTTPMessage, newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _from_site(address: str) -> bytes:
    """What a site answers, piece by piece, so that neither size nor time are without limit."""
    _check_address(address)
    ends = time.monotonic() + PATIENCE
    pieces, size = [], 0
    with urllib.request.build_opener(_OnlyHttp).open(address, timeout=60) as answer:
        while size <= LARGEST and (piece := answer.read1(1 << 20)):
            pieces.append(piece)
            size += len(piece)
            if time.monotonic() > ends:
                raise CnnvizError(f"the site takes longer than {PATIENCE // 60} minutes.")
    return b"".join(pieces)


def _check_address(address: str) -> None:
    """Raise CnnvizError for an address that is none, or none of a site."""
    wrong = ""
    if _NO_ADDRESS.search(address):
        wrong = "there is a character in it that no address has, such as a space"
    else:
        try:
            parts = urlsplit(address)
            if parts.scheme not in {"http", "https"}:
                wrong = f"'{parts.scheme}:' is not read"
            elif not parts.hostname or parts.port == 0:
                wrong = "it names no site"
        except ValueError as error:  # of a port, or of brackets
            wrong = str(error)
    if wrong:
        raise CnnvizError(
            f"'{printable(address)[:200]}' is no address to take a bundle from ({wrong}); expected "
            "https://SITE/PATH or http://SITE/PATH."
        )


def _reason(error: Exception) -> str:
    """What went wrong, in words: no numbers of errors, no name of a class."""
    if isinstance(error, urllib.error.HTTPError):
        return printable(f"the site answers {error.code}, {error.reason}"[:200])
    if isinstance(error, urllib.error.URLError):
        return f"the site cannot be reached: {getattr(error.reason, 'strerror', error.reason)}"
    if isinstance(error, http.client.HTTPException):
        return printable(f"the site does not answer as one: {error!r}"[:200])
    said = error.strerror if isinstance(error, OSError) else None
    return (said or str(error) or type(error).__name__).lower()
