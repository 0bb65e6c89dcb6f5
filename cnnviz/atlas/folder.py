"""An atlas as a folder of its own: pages that open by double-click, in every language.

out/index.html             leads to the language of the reader
out/<language>/            the whole network; <network>/<layer>/, and a folder a unit in it
out/figures/, out/assets/  pictures, looks and scripts, for all languages
out/.kept/                 what is known already: the next run goes on from there
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cnnviz.atlas.drawn import Drawn, Options, draw
from cnnviz.atlas.folder_pages import FolderPages
from cnnviz.atlas.frame import write_assets
from cnnviz.atlas.made_from import atlas_key
from cnnviz.atlas.processes import processes
from cnnviz.atlas.subject import AtlasNet, Subject
from cnnviz.atlas.survey import Progress
from cnnviz.atlas.templating import filled
from cnnviz.errors import CnnvizError
from cnnviz.files import write_atomically
from cnnviz.words import PackageWords

__all__ = ["Options", "write_atlas"]

Report = Callable[[str], None]

_LIKE = str.maketrans("<>&", "‹›＆")
"""Of names of classes: facts of pages hold nothing that could be markup."""


def write_atlas(
    subject: Subject,
    out: Path,
    languages: Sequence[str] = ("en", "zh"),
    options: Options | None = None,
    report: Report = print,
) -> None:
    """Draw the atlas of a network and write it as a folder.

    Where PyTorch's launcher has started several processes, they share the pass over the images.
    What an earlier run has drawn of the same network and the same images is not drawn again; a run
    that was interrupted is gone on with. A figure that fails becomes a note on its page.

    Args:
        subject: the network and its images.
        out: the folder; made if it is not there.
        languages: codes of those that it will have; the first is shown to readers of no other.
        report: is told how far it has come.

    Raises:
        CnnvizError: a language that is not there, a folder that cannot be written or that holds
            something else.
    """
    library = PackageWords()
    for code in languages:
        if code not in library.languages:
            raise CnnvizError(
                f"There is no language '{code}'; the atlas has {', '.join(library.languages)}."
            )
    team = processes()
    if team.rank == 0:
        check_folder(out)
    options = options or Options()
    subject = replace(
        subject,
        classes=[name.translate(_LIKE) for name in subject.classes],
        limits=replace(subject.limits, optimised=options.optimise != 0),
    )
    looked = out / ".kept" / f"survey-{atlas_key(subject)}"
    net = AtlasNet(subject, looked, _told(report))
    if team.count > 1:
        _ = net.survey  # the pass over all images, which all share; one of them draws
        if team.rank > 0:
            return
    drawn: Drawn = draw(net, out, library, options, report)
    for code in languages:
        FolderPages(net, drawn, out, code, languages, library).write()
    write_assets(out)
    _write_start(out, subject.title, languages, library)
    _remove_leftovers(out, drawn, looked)
    report(f"{out / 'index.html'} is ready: open it by double-click.")


def _told(report: Report) -> Progress:
    """Tells how far the pass over the images is, in tenths."""
    last = 0

    def progress(done: int, all_of_them: int) -> None:
        nonlocal last
        if 10 * done // all_of_them > last:
            last = 10 * done // all_of_them
            report(f"looked at {done} of {all_of_them} images")

    return progress


def check_folder(out: Path) -> None:
    """Refuse a folder that holds something else than an atlas.

    Raises:
        CnnvizError: it does, or is no folder.
    """
    if out.exists() and not out.is_dir():
        raise CnnvizError(f"'{out}' is a file; expected a folder for the atlas, new or empty.")
    if out.is_dir() and not (out / ".kept").is_dir() and any(out.iterdir()):
        raise CnnvizError(
            f"'{out}' holds files that are no atlas. Name a new or an empty folder with --out."
        )


def _write_start(out: Path, title: str, languages: Sequence[str], library: PackageWords) -> None:
    names = [(code, library.catalogue(code, "folder")("language")) for code in languages]
    html = filled("start.html", title=title, languages=names)
    write_atomically(out / "index.html", html.encode())


def _remove_leftovers(out: Path, drawn: Drawn, looked: Path) -> None:
    """Delete pictures that no page shows any more, and what was seen of other images."""
    for file in looked.parent.glob("survey-*"):
        if file != looked:
            file.unlink()
    for file in (out / "figures").rglob("*"):
        if file.is_file() and file.relative_to(out / "figures").as_posix() not in drawn.files:
            file.unlink()
