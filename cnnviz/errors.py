"""The one error type that users of cnnviz are meant to read."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CnnvizError(Exception):
    """Something the user can mend: names the value, what was expected, and the fix."""


def printable(text: str) -> str:
    """Text from outside as a message may show it: what a terminal would obey is written out.

    >>> printable("red: \x1b[31m\n")
    'red: \\x1b[31m\\n'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> CnnvizError:
    """An error for a name that does not exist, suggesting the nearest that does.

    >>> print(unknown_name("dataset", "mnits", ["digits", "mnist"]))
    Unknown dataset 'mnits'. Did you mean 'mnist'? Known: digits, mnist.
    """
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return CnnvizError(f"Unknown {kind} '{name}'.{hint} Known: {', '.join(known)}.")
