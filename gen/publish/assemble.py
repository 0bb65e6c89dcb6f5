"""`python -m gen site`: train, render, build all languages, put them together."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.files import digest, write_atomically
from gen.draw import build, keys
from gen.publish.lock import alone
from gen.settings import ROOT, Settings, commit, from_environment
from gen.texts import languages

SITE = ROOT / "site"
NEW = ROOT / "site.new"
OLD = ROOT / "site.old"
"""Beside `site/`, so that they are on the same disk: the next one, and the last, for a moment."""
STAMP = ROOT / "build" / "site.digest"
"""What `site/` was made from and what was put there."""
LANGUAGES = {language.code: language.config.name for language in languages.read(ROOT)}


# --- Is it up to date? --------------------------------------------------------------------------


def made_from(settings: Settings) -> str:
    """Digest of all that the pages are made from: texts, code, choices, figures, the commit."""
    paths = [path for folder in ("cnnviz", "docs", "gen") for path in (ROOT / folder).rglob("*")]
    paths += [*ROOT.glob("*.yml"), *ROOT.glob("*.toml"), ROOT / "constraints.txt"]
    files = sorted(p for p in paths if p.is_file() and "__pycache__" not in p.parts)
    choices = [repr(settings), commit()]
    choices += [f"{name}={os.environ.get(name)}" for name in ("SITE_URL", "REPO_URL")]
    choices += [f"{name} {key}" for name, key in keys.keys(settings).items()]
    return digest(
        [
            *(part.encode() for part in choices),
            *(part for p in files for part in (str(p.relative_to(ROOT)).encode(), p.read_bytes())),
        ],
        64,
    )


def found_in(site: Path) -> str:
    """Digest of the names, sizes and times of change of all files: 0.15 s for 10,000 of them.

    Who writes into a file changes its time, even if the size stays; to read them all would take
    four times as long.
    """
    found = []
    for folder, _, names in os.walk(site):
        for path in (Path(folder, name) for name in names):
            stat = path.lstat()
            found.append(f"{path.relative_to(site)} {stat.st_size} {stat.st_mtime_ns}")
    return digest([line.encode("utf-8", "surrogateescape") for line in sorted(found)], 64)


def _up_to_date(now: str) -> bool:
    try:
        return STAMP.read_bytes() == _stamp(now)
    except OSError:  # there is none, or it cannot be read: build again
        return False


def _stamp(now: str) -> bytes:
    return f"made from {now}\nholds {found_in(SITE)}\n".encode()


# --- Putting it together ------------------------------------------------------------------------


def assemble(settings: Settings) -> None:
    """Build all languages in folders of their own, then replace `site/` by them.

    Models and figures must be up to date; nobody looks again.

    Raises:
        CnnvizError: a build failed, or `site/` cannot be replaced; it is as it was.
    """
    with _at_work(settings) as locks:
        _assemble(settings, locks)


@contextmanager
def _at_work(settings: Settings) -> Iterator[list[int]]:
    """Alone, with a `site/` that can be replaced and nothing left of a run that was killed."""
    check_place()
    with alone([STAMP.parent, settings.build_dir]) as locks:
        _clear_away()
        yield locks


def check_place() -> None:
    """Stop before any work if `site/` is not a folder that can be replaced as a whole.

    What a link or a mount point leads to may hold more than this site, which replacing it would
    delete, and a mount point cannot be renamed at all; so both are left to the user.

    Raises:
        CnnvizError: it is a link, a mount point or a file.
    """
    kinds = {
        "a link": SITE.is_symlink(),
        "a mount point": SITE.is_mount(),
        "a file": SITE.exists() and not SITE.is_dir(),
    }
    if kind := next((kind for kind, found in kinds.items() if found), ""):
        raise CnnvizError(_cannot_replace(f"it is {kind}"))


def _cannot_replace(why: str) -> str:
    return (
        f"'{SITE}' cannot be replaced: {why}. Expected a folder of this disk, or nothing. Unmount "
        "it or move it away, run make site again, and copy the finished site to where it is to be."
    )


def _clear_away() -> None:
    """Mend what is left of a run that was killed while it replaced `site/`."""
    try:
        if OLD.exists() and not SITE.exists():
            OLD.rename(SITE)
        for leftover in (NEW, OLD):
            if leftover.exists():
                shutil.rmtree(leftover)
    except OSError as error:
        raise CnnvizError(
            f"'{OLD}' and '{NEW}' are of no use any more, but cannot be deleted "
            f"({error.strerror or error}). Delete them."
        ) from error


def _assemble(settings: Settings, locks: Sequence[int]) -> None:
    folders = {language: settings.build_dir / f"site-{language}" for language in LANGUAGES}
    _build_all(folders, locks)
    root = folders.pop(languages.ROOT_LANGUAGE)
    try:
        for language, folder in folders.items():
            shutil.move(folder, root / language)
        shutil.move(root, NEW)  # a copy, if the build folder is on another disk
    except OSError as error:
        raise CnnvizError(
            f"Cannot write '{NEW}': {error.strerror or error}. "
            "Check that the folder is writable and that the disk has space left."
        ) from error
    with build.interrupts_passed_over():  # Ctrl-C does not stop this between two steps
        _swap()


def _swap() -> None:
    """Put the new site in the place of the old one, which is whole until then."""
    try:
        if SITE.exists():
            SITE.rename(OLD)
        NEW.rename(SITE)
    except OSError as error:  # such as a mount point that does not look like one
        _clear_away()
        raise CnnvizError(_cannot_replace(error.strerror or str(error))) from error
    _clear_away()


def _build_all(folders: dict[str, Path], locks: Sequence[int]) -> None:
    with build.interrupts_passed_over():
        runs = {
            language: subprocess.Popen(
                _mkdocs(config, folders[language]),
                cwd=ROOT,
                env={**os.environ, build.MADE: "1"},
                pass_fds=locks,
            )
            for language, config in LANGUAGES.items()
        }
    try:
        failed = [language for language, run in runs.items() if run.wait()]
    finally:  # after Ctrl-C they are still at work
        for run in runs.values():
            run.terminate()
            run.wait()
    if failed:
        raise CnnvizError(f"The site was not built ({', '.join(failed)}); see the message above.")


def _mkdocs(config: str, folder: Path) -> list[str]:
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean"]
    return [*mkdocs, "--config-file", config, "--site-dir", str(folder)]


# --- All of it ----------------------------------------------------------------------------------


def main(_: Sequence[str] = ()) -> int:
    """Build everything and say how long each stage took."""
    settings = from_environment()
    with _at_work(settings) as locks:
        print(_make(settings, locks))
    return 0


def _make(settings: Settings, locks: Sequence[int]) -> str:
    """Train, render and assemble what is not up to date; says how it went."""
    started = time.perf_counter()
    build.ensure(settings)
    made = time.perf_counter()
    now = made_from(settings)
    if _up_to_date(now):
        return "site/ is up to date"
    _assemble(settings, locks)
    ended = time.perf_counter()
    try:
        write_atomically(STAMP, _stamp(now))
    except CnnvizError as error:
        print(f"cnnviz: {error} Until then every make site puts all together.", file=sys.stderr)
    return f"site/ is ready: models and figures {made - started:.1f} s, pages {ended - made:.1f} s"
