"""The built site, served as a host serves it (below its own path, with its 404 page); a browser.

Shared by the tests of this folder and by `python -m tests.browser.look`.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Playwright

REPOSITORY = Path(__file__).parents[2]
SITE = Path(os.environ.get("CNNVIZ_SITE", REPOSITORY / "site"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# Fewer processes and no calls home: tests may run in a container with nothing to spare.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def what_is_missing() -> str | None:
    """Why the browser tests cannot run, and what to do about it; None if they can."""
    if CHROMIUM is None:
        return (
            "no Chromium: install it (Debian, Ubuntu: apt install chromium) and run make test again"
        )
    for page in (SITE / "index.html", SITE / "en" / "index.html"):
        if not page.is_file():
            return f"no built site ({page} is missing): run make site first"
    return None


@dataclass(frozen=True)
class Page:
    """One page of the site."""

    address: str  # below the site's root: "", "lenet/", "en/", "en/lenet/"
    file: Path

    @property
    def language(self) -> str:
        return "en" if self.address.startswith("en/") else "zh"

    @property
    def twin(self) -> str:
        """The address of the same page in the other language."""
        return self.address[3:] if self.language == "en" else f"en/{self.address}"


_UNIT = re.compile(r"(?:en/)?atlas/[^/]+/[^/]+/(\d+)/")


def every_page() -> list[Page]:
    """Every page that was built, both languages, in a fixed order (none if nothing was built)."""
    files = sorted(SITE.glob("**/index.html"))
    return [
        Page(f"{file.parent.relative_to(SITE).as_posix()}/".removeprefix("./"), file)
        for file in files
    ]


def all_pages() -> list[Page]:
    """Every page, but of the thousands of units only one a layer: they share one template."""
    units = {page: match for page in every_page() if (match := _UNIT.fullmatch(page.address))}
    return [page for page in every_page() if page not in units or int(units[page][1]) == 7]


@contextmanager
def served_site() -> Iterator[str]:
    """The address of the site's root on this machine, below the same path as on its host."""
    home = (SITE / "index.html").read_text(encoding="utf-8")
    canonical = re.search(r'<link rel="canonical" href="([^"]+)"', home)
    prefix = urlsplit(canonical[1]).path if canonical else "/"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Host, prefix=prefix)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{prefix}"
        finally:
            server.shutdown()
            thread.join()


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)


class _Host(SimpleHTTPRequestHandler):
    """Static files below `prefix`; for anything else the site's own 404 page."""

    protocol_version = "HTTP/1.1"  # keeps connections open: some thousand small files

    def __init__(self, *arguments: object, prefix: str) -> None:
        self.prefix = prefix
        super().__init__(*arguments, directory=str(SITE))  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        inside = path.startswith(self.prefix)
        return super().translate_path(path[len(self.prefix) - 1 :] if inside else "/nothing-here")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        if code != HTTPStatus.NOT_FOUND:
            super().send_error(code, message, explain)
            return
        body = (SITE / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Quiet: what went wrong is in the tests' own words."""
