"""The stages before MkDocs: train what is not trained, render what is stale.

`python -m gen draw` does both; `python -m gen draw lenet` renders one chapter whatever its key.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.training.runs import RECIPES
from gen import weights
from gen.draw import keys, manifest
from gen.lab import files as lab_files
from gen.settings import ROOT, Settings, from_environment

_INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


MADE = "CNNVIZ_MADE"
"""In the environment of the MkDocs that `python -m gen site` starts once all stages are done."""


def needed(settings: Settings) -> bool:
    """Is anything missing or stale? Costs a fraction of a second and no torch."""
    untrained = weights.untrained(settings)
    return untrained or bool(manifest.stale(settings)) or lab_files.stale(settings)


def ensure_in_subprocess(settings: Settings) -> None:
    """Bring everything up to date, in a process of its own.

    So MkDocs never imports torch, and `mkdocs serve` always runs the code as it is on disk. Nothing
    is looked at where MADE says that it is so already.

    Raises:
        CnnvizError: the build failed; what failed was printed.
    """
    if not os.environ.get(MADE) and needed(settings):
        run = subprocess.run([sys.executable, "-m", "gen", "draw"], cwd=ROOT, check=False)
        if run.returncode:
            raise CnnvizError("The models or figures could not be made; see the message above.")


def ensure(settings: Settings, only: Sequence[str] = ()) -> None:
    """Train and render what is not up to date, or just the chapters named."""
    for name in only:
        if name not in keys.all_names(settings):
            raise unknown_name("chapter", name, keys.all_names(settings))
    _fetch(settings)
    _train(settings)
    lab_files.make_files(settings)
    if only:
        now = keys.keys(settings)
        stale = {name: now[name] for name in only}
    else:
        stale = manifest.stale(settings)
    if stale:
        _render(settings, stale)


def _fetch(settings: Settings) -> None:
    """MNIST, on which networks of made digits are tried: if it may be fetched and is not there."""
    if settings.dataset != "digits" or settings.data_dir is None or not settings.download:
        return
    if not any((settings.data_dir / "MNIST" / "raw").glob("*-ubyte")):
        from cnnviz.data import datasets

        _report(f"fetching MNIST into {settings.data_dir}")
        datasets.load("mnist", "test", data_dir=settings.data_dir, download=True)


def _train(settings: Settings) -> None:
    from cnnviz import cli

    if not weights.untrained(settings):
        return
    _report(f"training {len(RECIPES)} networks on {settings.dataset}, two at a time")
    command = ["train", *RECIPES, "--dataset", settings.dataset, "--jobs", "2"]
    command += ["--device", settings.device, "--build-dir", str(settings.build_dir)]
    command += ["--data-dir", str(settings.data_dir)] if settings.data_dir else []
    command += ["--download"] if settings.download else []
    status = cli.main(command)
    if status == _INTERRUPTED:
        raise KeyboardInterrupt
    if status:
        raise CnnvizError("Training failed; see the message above.")


def _render(settings: Settings, stale: Mapping[str, str]) -> None:
    from gen.draw.render import remove_leftovers

    if len(stale) == 1:  # a process more would import torch once more
        _start_worker(settings)
        for name, key in stale.items():
            _report(_render_chapter(name, key))
    else:
        _render_side_by_side(settings, stale)
    names = keys.all_names(settings)
    chapters = {name: read for name in names if (read := manifest.read(name, settings))}
    if len(chapters) == len(names):
        remove_leftovers(settings, chapters)


def _render_side_by_side(settings: Settings, stale: Mapping[str, str]) -> None:
    # Torch adds in one order on one thread, so figures do not depend on the number of cores; two
    # processes use two cores better than two threads would.
    with ProcessPoolExecutor(
        min(2, len(stale)), get_context("spawn"), initializer=_start_worker, initargs=(settings,)
    ) as pool:
        order = sorted(stale, key=lambda name: not name.startswith(_LONGEST))
        with interrupts_passed_over():  # the processes start when they are first given work
            lines = pool.map(_render_chapter, order, [stale[name] for name in order])
        try:
            for line in lines:
                _report(line)
        except KeyboardInterrupt:
            for worker in active_children():
                worker.terminate()
            raise


@contextmanager
def interrupts_passed_over() -> Iterator[None]:
    """Ctrl-C does nothing to this process while it is in here, nor ever to those started in here.

    A terminal sends it to all of them. So one line is said, and not one traceback a process; who
    starts them must end them.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_LONGEST = (keys.UNITS, keys.EXAMPLES)
_worker: dict[str, Any] = {}


def _start_worker(settings: Settings) -> None:
    import torch

    from gen.draw.render import site_context

    torch.set_num_threads(1)
    _worker["context"] = site_context(settings)


def _render_chapter(name: str, key: str) -> str:
    from gen.draw.render import render_chapter

    started, context = time.perf_counter(), _worker["context"]
    chapter = render_chapter(name, key, context)
    manifest.write(name, chapter, context.settings)
    seconds = time.perf_counter() - started
    return f"rendered {name}: {len(chapter.figures)} figures, {seconds:.1f} s"


def _report(line: str) -> None:
    print(f"cnnviz: {line}", file=sys.stderr, flush=True)


def main(chapters: Sequence[str] = ()) -> int:
    """Run the stages with the settings of the environment; draw the chapters named anew."""
    ensure(from_environment(), chapters)
    return 0
