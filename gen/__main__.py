"""All that is started here: `python -m gen VERB`. Each verb imports only what it needs.

    python -m gen site                          train, draw and put all pages together into site/
    python -m gen draw [CHAPTER …]              train and draw what is stale, or these chapters anew
    python -m gen bundle pack|use PLACE|site    figures and numbers of a build, for who edits texts
    python -m gen offline                       site/ as one zip that opens from disk
    python -m gen prose                         how the text is written
    python -m gen parity [--base COMMIT] [--record [PAGE[#ANCHOR] …]]
                                                what one language has and another lacks
    python -m gen lab FOLDER                    the lab's files in a folder, to try things out
    python -m gen claims SEED …                 does every claim hold with another seed, too?

The module of a verb has a function `main(arguments)` that returns an exit status. What it raises
becomes one line here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from cnnviz.errors import CnnvizError, printable

VERBS = {
    "site": "gen.publish.assemble",
    "draw": "gen.draw.build",
    "bundle": "gen.bundle.bundle",
    "offline": "gen.publish.offline",
    "prose": "gen.checks.writing",
    "parity": "gen.checks.parity",
    "lab": "gen.lab.files",
    "claims": "gen.claims.claims",
}
"""Verb → the module whose `main` does it."""
_TAKES_NOTHING = {"site", "offline", "prose"}
MISUSED, INTERRUPTED = 2, 130
"""Exit statuses as shells have them: of a command that is not understood, and after Ctrl-C."""


def main(arguments: Sequence[str]) -> int:
    """Do what a verb says, with the settings of the environment."""
    verb, *rest = arguments or [""]
    if verb in ("-h", "--help"):
        print(__doc__)
        return 0
    if verb not in VERBS:
        what = f"there is no verb '{verb}'" if verb else "a verb is missing"
        _say(f"{what}; expected python -m gen VERB, with one of: {', '.join(VERBS)}.")
        return MISUSED
    if rest and verb in _TAKES_NOTHING:
        _say(f"'{' '.join(rest)}' is too much; expected python -m gen {verb}, and nothing behind.")
        return MISUSED
    try:
        status: int = import_module(VERBS[verb]).main(rest)
        return status
    except CnnvizError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("interrupted; the next run goes on from here.")
        return INTERRUPTED


def _say(line: str) -> None:
    print(f"cnnviz: {printable(line)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
