"""Tries every claim of the pages in builds with other seeds: `python -m gen claims SEED …`.

A claim that holds for the networks of the site alone is luck. SEED is added to every seed there is:
of the digits that are made, of the networks, of the experiments of chapters. Each such build has a
folder of its own, build/seeds/SEED, and leaves the usual one as it is. Units of the atlas are left
out, since no page claims anything about them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import Chapter
from gen.claims.found import Tried, pages_of, tried
from gen.draw import keys, manifest
from gen.settings import ROOT, Settings, from_environment
from gen.texts.languages import FALLBACK, ROOT_LANGUAGE
from gen.texts.sections import pages

RESEEDED = Path(__file__).parent / "reseeded"
"""With this folder on PYTHONPATH, Python adds CNNVIZ_SEED to each seed."""

Table = dict[tuple[str, str], dict[str, Tried]]
"""Page and claim → seed → how it fares."""


def main(arguments: Sequence[str]) -> int:
    """Build with each seed, print how each claim fares; 1 if any does not hold."""
    if not arguments or not all(a.isascii() and a.isdigit() and int(a) for a in arguments):
        print(
            "cnnviz: expected python -m gen claims SEED …, whole numbers from 1.", file=sys.stderr
        )
        return 2
    settings = from_environment()
    table: Table = {}
    for seed in dict.fromkeys(str(int(argument)) for argument in arguments):
        chapters = built(seed, settings)
        for language in (ROOT_LANGUAGE, FALLBACK):  # English last: its values are shown
            text = pages_of(pages(ROOT / "docs", language))
            add(table, seed, tried(text, chapters, language, settings))
    fallen = [line for line, of in table.items() if not all(t.holds for t in of.values())]
    print("\n".join(lines(table, sorted(table, key=lambda line: (line in fallen, line)))))
    print(f"{len(fallen)} of {len(table)} claims do not hold with every seed.")
    return 1 if fallen else 0


def built(seed: str, settings: Settings) -> dict[str, Chapter]:
    """The chapters as they are with another seed; what is not there yet is trained and drawn.

    Raises:
        CnnvizError: with this seed something cannot be trained or drawn.
    """
    settings = replace(settings, build_dir=settings.build_dir / "seeds" / seed)
    if names := [n for n in manifest.stale(settings) if not n.startswith(keys.UNITS)]:
        environment = {
            **os.environ,
            "CNNVIZ_BUILD": str(settings.build_dir),
            "CNNVIZ_SEED": seed,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(RESEEDED), os.getenv("PYTHONPATH")])),
        }
        draw = [sys.executable, "-m", "gen", "draw", *names]
        if subprocess.run(draw, cwd=ROOT, env=environment, check=False).returncode:
            raise CnnvizError(f"With seed {seed} there is no build; see the message above.")
    read = {name: manifest.read(name, settings) for name in keys.chapter_names()}
    return {name: chapter for name, chapter in read.items() if chapter}


def add(table: Table, seed: str, found: Mapping[tuple[str, str], Tried]) -> None:
    """Put what was found for a seed in one language to what is there from another."""
    for line, claim in found.items():
        of = table.setdefault(line, {})
        before = of.get(seed, claim)
        of[seed] = replace(claim, holds=claim.holds and before.holds)


def lines(table: Table, order: Iterable[tuple[str, str]]) -> list[str]:
    """For each claim, page, claim and how it fares; below, its values, one a seed."""
    said = []
    for page, what in order:
        of = table[page, what]
        fares = ", ".join(f"{seed} {'holds' if t.holds else 'FALLS'}" for seed, t in of.items())
        said.append(f"{fares}  {page}: {what}")
        for expression in dict.fromkeys(e for t in of.values() for e in t.values):
            values = "  ".join(t.values.get(expression, "–") for t in of.values())
            said.append(f"    {expression} = {values}")
    return said
