"""The search of the built site, mended: lunr, which Material bundles, loses words.

lunr keeps all words of a site in a graph of letters and merges parts of it that it takes for equal.
It compares them by a text in which each edge is its letter and the number of the state behind it,
one after the other without a gap: "a" to state 12 with "3" to state 4 reads "a1234", and so does
"a" to state 1 with "2" to state 34. So where words hold digits, as ours do, unequal parts may be
merged, and a word such as "map" cannot be looked up any more: which word is hit depends on all the
others (lunr.js, issue 503).
A comma after each edge ends that.
"""

from __future__ import annotations

from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.files import write_atomically

FAULTY = "e=e+s+o.id}return e}"
MENDED = 'e=e+s+o.id+","}return e}'


def mend_search(site_dir: Path) -> None:
    """Mend the search of a built site, unless it has been.

    Raises:
        CnnvizError: the code that is to be mended is not there, or not once.
    """
    folder = site_dir / "assets" / "javascripts" / "workers"
    workers = sorted(folder.glob("search.*.min.js"))
    for worker in workers:
        code = worker.read_text(encoding="utf-8")
        if code.count(MENDED) == 1:
            continue
        if code.count(FAULTY) != 1:
            workers = []
            break
        write_atomically(worker, code.replace(FAULTY, MENDED).encode())
    if not workers:
        raise CnnvizError(
            f"The search in '{folder}' is not the one that gen/site/search_worker.py mends: "
            "another version of Material? See there, then change or drop it."
        )
