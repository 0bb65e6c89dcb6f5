"""What `make serve` leaves as it is: one changed sentence should show at once.

`mkdocs serve --dirty` makes only pages whose source is newer than the page. Pages and pictures that
the build itself adds come from a fresh folder each time and would always look new.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from mkdocs.structure.files import File

from cnnviz.files import digest


class Preview:
    """Remembers from one build of a preview to the next.

    Attributes:
        running: is this `mkdocs serve --dirty`, and not a build of the whole site?
    """

    def __init__(self) -> None:
        self.running = False
        self._last: dict[str, str] = {}
        self._words: dict[str, str] = {}
        self._units = ""

    def pass_over_what_is_the_same(self, files: Iterable[File], docs: Path) -> None:
        """Date back the files made by the build that are as they were in the last one."""
        for file in files:
            path = Path(file.abs_src_path or "")
            if not self.running or path.is_relative_to(docs) or file.inclusion.is_excluded():
                continue
            content = digest([path.read_bytes()])
            if self._last.get(file.src_uri) == content:
                os.utime(path, (0, 0))
            self._last[file.src_uri] = content

    def make_again_what_says_changed_words(
        self, files: Iterable[File], made_with: Callable[[File], Iterable[Path]]
    ) -> None:
        """Let pages count as changed whose words files are not as they were in the last build."""
        for file in files if self.running else ():
            if not file.is_documentation_page():
                continue
            words = digest(path.read_bytes() for path in made_with(file) if path.is_file())
            if self._words.get(file.src_uri, words) != words:
                file.is_modified = lambda: True  # type: ignore[method-assign]
            self._words[file.src_uri] = words

    def units_are_there(self, made_from: Iterable[Path]) -> bool:
        """Have the pages of units, made from these files as they are now, been written before?"""
        if not self.running:
            return False
        before, self._units = self._units, digest(path.read_bytes() for path in made_from)
        return before == self._units
