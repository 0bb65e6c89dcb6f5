"""Are two built sites the same? For changes that must not change what a reader sees.

    python -m tests.same_site BEFORE AFTER [--as 'PATTERN=TEXT' …]

Compared are the lists of files, all HTML with white space folded and without the commit that the
pages name, and all other files byte for byte. Of pages that differ it says which pieces, tags and
texts, went and came, and in how many pages. `--as` puts TEXT for a regular expression in both sites
before they are compared: for what is known to differ.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

_COMMIT = re.compile(r"\b[0-9a-f]{7,40}\+?(?=</code>|</a>|\")")
_PIECE = re.compile(r"<[^>]*>|[^<]+")
_TEXT = {".html", ".xml", ".json", ".js", ".css", ".txt", ".svg"}

Rule = tuple[re.Pattern[str], str]


def folded(text: str, rules: Iterable[Rule]) -> str:
    """A page as it is compared."""
    text = _COMMIT.sub("COMMIT", re.sub(r"\s+", " ", text))
    for pattern, put in rules:
        text = pattern.sub(put, text)
    return text


def changes(before: str, after: str) -> Counter[str]:
    """The pieces of a page, tags and texts, that went ("- ") and came ("+ ")."""
    old, new = (Counter(_PIECE.findall(page)) for page in (before, after))
    went, came = old - new, new - old
    return Counter([*(f"- {piece}" for piece in went), *(f"+ {piece}" for piece in came)]) or (
        Counter(["  pieces in another order"])
    )


def compare(
    before: Path, after: Path, rules: Sequence[Rule] = ()
) -> tuple[list[str], Counter[str]]:
    """Files that are in one site alone or differ as a whole; pieces of pages that went or came."""
    files = [
        {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
        for site in (before, after)
    ]
    said = [f"only before: {name}" for name in sorted(files[0] - files[1])]
    said += [f"only after: {name}" for name in sorted(files[1] - files[0])]
    found: Counter[str] = Counter()
    for name in sorted(files[0] & files[1]):
        old, new = (before / name).read_bytes(), (after / name).read_bytes()
        if old == new:
            continue
        if Path(name).suffix not in _TEXT:
            said.append(f"differs: {name}")
            continue
        texts = [folded(content.decode(), rules) for content in (old, new)]
        if texts[0] == texts[1]:
            continue
        if name.endswith(".html"):
            found += changes(*texts)
        else:
            said.append(f"differs: {name}")
    return said, found


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what differs; 0 if nothing does."""
    parser = argparse.ArgumentParser(description="Are two built sites the same?")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--as", dest="rules", action="append", default=[], metavar="PATTERN=TEXT")
    parser.add_argument("--most", type=int, default=40, help="lines that are shown of each")
    options = parser.parse_args(arguments)
    parted = (rule.rpartition("=") for rule in options.rules)
    rules = [(re.compile(pattern), text) for pattern, _, text in parted]
    said, found = compare(options.before, options.after, rules)
    print("\n".join(said[: options.most]))
    for piece, count in found.most_common(options.most):
        print(f"{count} pages: {piece[:300]}")
    print(f"{len(said)} files differ, and {len(found)} pieces of pages")
    return bool(said or found)


if __name__ == "__main__":
    sys.exit(main())
