"""The commands `cnnviz atlas` and `cnnviz summary`. Imports no torch before they run."""

from __future__ import annotations

import os
import shlex
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnviz.errors import CnnvizError

if TYPE_CHECKING:
    from cnnviz.own.models import Opened
    from cnnviz.own.prepared import Images, Preparation

Spec = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK",
        help="my_model.py (its load() returns the network), my_model.py:function, "
        "torchvision:resnet18, package.module:function, lenet, mlp, efficientnet-lite0",
    ),
]
Weights = Annotated[
    str | None, typer.Option(help="DEFAULT or another of torchvision's names, or FILE.pth")
]
Named = Annotated[str | None, typer.Option(help="in addresses")]
Titled = Annotated[str | None, typer.Option(help="in headings")]


def atlas(
    network: Spec,
    images: Annotated[
        str | None,
        typer.Option(help="a folder, torchvision:CIFAR10:DIR, or my_model.py:function"),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="folder of the atlas")] = Path("atlas"),
    labels: Annotated[Path | None, typer.Option(help="lines 'file,class' of a flat folder")] = None,
    size: Annotated[str | None, typer.Option(help="64 or HEIGHTxWIDTH, as in training")] = None,
    mean: Annotated[str | None, typer.Option(help="taken off values from 0 to 1")] = None,
    std: Annotated[str | None, typer.Option(help="divided by")] = None,
    weights: Weights = None,
    classes: Annotated[Path | None, typer.Option(help="names of the outputs, one a line")] = None,
    count: Annotated[int, typer.Option(help="at most so many images", min=2)] = 2000,
    lang: Annotated[str, typer.Option(help="languages of the pages")] = "en,zh",
    layers: Annotated[str | None, typer.Option(help="only these, such as 'layer4*'")] = None,
    units: Annotated[
        int | None, typer.Option(help="tiles of only so many units a layer, the first", min=1)
    ] = None,
    grid: Annotated[
        bool | None,
        typer.Option("--grid/--pages", help="units as tiles of a grid, or with a page each"),
    ] = None,
    optimise: Annotated[
        str | None, typer.Option(help="inputs made for so many units a layer, all, or none")
    ] = None,
    budget: Annotated[float | None, typer.Option(help="minutes", min=0)] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps or auto")] = "cpu",
    name: Named = None,
    title: Titled = None,
    build_dir: Annotated[Path, typer.Option(help="where networks of ours are kept")] = Path(
        "build"
    ),
    open_it: Annotated[bool, typer.Option("--open", help="open it when it is ready")] = False,
) -> None:
    """Draw the atlas of a network, yours or another, over your images."""
    _check_out(out)
    wanted = (pixels_of(size), numbers_of(mean, "--mean"), numbers_of(std, "--std"))

    from cnnviz.own.models import open_model, renamed
    from cnnviz.training.fit import resolve_device

    where = device_of(str(resolve_device(device)))
    options = options_of(
        command=shlex.join(["cnnviz", *sys.argv[1:]]),
        layers=layers,
        budget=None if budget is None else 60 * budget,
        optimise=amount(optimise, "--optimise"),
        units=units,
        grid=grid,
    )
    opened = renamed(open_model(network, weights, build_dir=build_dir), name, title)
    _say(opened.notes)
    subject = _subject(opened, images, wanted, labels, classes, count, where, options)

    from cnnviz.atlas.folder import write_atlas

    write_atlas(subject, out, lang.replace(" ", "").split(","), options, report)
    if open_it and _first_of_all():
        webbrowser.open((out / "index.html").resolve().as_uri())


def summary(
    network: Spec,
    size: Annotated[str | None, typer.Option(help="224, 224x224 or 3x224x224")] = None,
    weights: Weights = None,
    build_dir: Annotated[Path, typer.Option(help="where networks of ours are kept")] = Path(
        "build"
    ),
) -> None:
    """Print the layers of a network: shapes, parameters, multiplications, receptive fields."""
    wanted = pixels_of(size, channels=True)

    from cnnviz.own import summary as table
    from cnnviz.own.models import open_model

    opened = open_model(network, weights, build_dir=build_dir)
    crop = getattr(opened.transforms, "crop_size", None)
    if wanted is None and crop:
        wanted = (crop[0], crop[-1])
    if wanted is None and opened.subject is not None:
        wanted = tuple(opened.subject.images[[0]].shape[1:])
    if wanted is None and "size" in opened.options:
        wanted = size_of(opened.options["size"])
    print(table.summary(opened.model, wanted, opened.title))


# --- From what was opened to a subject ----------------------------------------------------------


def _subject(
    opened: Opened,
    images: str | None,
    wanted: tuple[Any, ...],
    labels: Path | None,
    classes: Path | None,
    count: int,
    device: str,
    options: Any,
) -> Any:
    """What the atlas takes, after a report of what it will be like."""
    from cnnviz.own.images import open_images
    from cnnviz.own.photographs import text_of
    from cnnviz.own.preflight import preflight
    from cnnviz.own.sample import first_look
    from cnnviz.own.subjects import subject_of

    names: Sequence[str] = ()
    if classes is not None:
        lines = text_of(classes, "--classes").splitlines()
        names = [line.strip() for line in lines if line.strip()]
    source = images if images is not None else opened.options.get("images")
    if opened.subject is not None and source is None:
        subject = opened.subject
        sample = first_look(subject.model, subject.images, device)
    elif source is None:
        raise CnnvizError(
            "No images to look at. Add --images FOLDER of photographs (those that it was tested "
            "on are best), torchvision:CIFAR10:DIR, or my_model.py:function."
        )
    else:
        preparation = _preparation(opened, *wanted)
        if images is None and opened.options.get("labels") is not None:
            source = (source, opened.options["labels"])
        found: Images = open_images(source, preparation, labels_file=labels, count=count)
        _say(found.notes)
        report(f"Prepared: {found.preparation}")
        sample = first_look(opened.model, found, device)
        subject, notes = subject_of(opened, found, sample, names)
        _say(notes)
    for line in preflight(subject, sample, device, options):
        report(line)
    return subject


def _preparation(
    opened: Opened, size: Any, mean: Sequence[float], std: Sequence[float]
) -> Preparation:
    """What the command line says comes before what load() says, and that before the weights."""
    from cnnviz.own.prepared import preparation

    options = opened.options
    if size is None and options.get("size") is not None:
        size = size_of(options["size"])
    if not mean and not std:
        mean, std = several(options.get("mean")), several(options.get("std"))
    return preparation(opened.model, opened.transforms, size=size, mean=mean, std=std)


def several(value: Any) -> tuple[float, ...]:
    """Numbers that load() gave: one, several, or none."""
    if value is None:
        return ()
    values = value.flatten().tolist() if hasattr(value, "flatten") else value
    return tuple(map(float, values)) if hasattr(values, "__len__") else (float(values),)


def size_of(value: Any) -> tuple[int, int]:
    """A size that load() gave: 64, (64, 48), or (3, 64, 48).

    >>> size_of(64), size_of((3, 64, 48))
    ((64, 64), (64, 48))
    """
    if isinstance(value, int):
        return value, value
    sizes = [int(side) for side in value][-2:]
    return sizes[0], sizes[-1]


def options_of(**wanted: Any) -> Any:
    """What an atlas shows, of what was asked for.

    Raises:
        CnnvizError: the atlas cannot yet do what was asked for.
    """
    from dataclasses import fields

    from cnnviz.atlas.folder import Options

    known = {field.name for field in fields(Options)}
    for name, value in wanted.items():
        if name not in known and value is not None:
            raise CnnvizError(f"--{name} is not there yet. Leave it out.")
    return Options(**{k: v for k, v in wanted.items() if k in known and v is not None})


def device_of(name: str) -> str:
    """Of several processes on one machine each takes a card of its own, if there are cards."""
    import torch

    if name != "cuda" or "LOCAL_RANK" not in os.environ:
        return name
    return f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"


# --- What was typed -----------------------------------------------------------------------------


def pixels_of(text: str | None, channels: bool = False) -> tuple[int, ...] | None:
    """A size as it is typed.

    >>> pixels_of("64"), pixels_of("64x48"), pixels_of("3x64x48", channels=True)
    ((64, 64), (64, 48), (3, 64, 48))

    Raises:
        CnnvizError: it is no size.
    """
    if text is None:
        return None
    sides = text.lower().replace("×", "x").split("x")
    most = 3 if channels else 2
    right = all(side.strip().isdecimal() and 0 < int(side) <= 10_000 for side in sides)
    if not right or len(sides) > most:
        raise CnnvizError(f"--size {text}: expected pixels, such as 64, or HEIGHTxWIDTH: 64x48.")
    numbers = tuple(map(int, sides))
    return numbers if len(numbers) > 1 else numbers * 2


def numbers_of(text: str | None, option: str) -> tuple[float, ...]:
    """Numbers as they are typed, with commas or spaces between them.

    >>> numbers_of("0.485, 0.456,0.406", "--mean")
    (0.485, 0.456, 0.406)

    Raises:
        CnnvizError: they are none.
    """
    try:
        return tuple(map(float, (text or "").replace(",", " ").split()))
    except ValueError as error:
        raise CnnvizError(
            f"{option} {text}: expected a number for each channel, such as 0.485,0.456,0.406."
        ) from error


def amount(text: str | None, option: str) -> int | None:
    """How many units: a number, as many as there may be, or none; None where nothing was typed.

    >>> amount("8", "--optimise"), amount("none", "--optimise"), amount("all", "--optimise") > 9999
    (8, 0, True)

    Raises:
        CnnvizError: it is something else.
    """
    if text is None:
        return None
    if text in _AMOUNTS:
        return _AMOUNTS[text]
    if not text.isdecimal():
        raise CnnvizError(f"{option} {text}: expected a number, all, or none.")
    return int(text)


_AMOUNTS = {"none": 0, "all": 1_000_000}


# --- What is told -------------------------------------------------------------------------------


def report(line: str) -> None:
    """A line for the terminal; of several processes only the first says anything."""
    if _first_of_all():
        print(line, flush=True)


def _say(notes: Sequence[str]) -> None:
    for note in notes:
        report(f"Note: {note}")


def _first_of_all() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _check_out(out: Path) -> None:
    """Stop before minutes of work if the folder cannot be."""
    if out.exists() and not out.is_dir():
        raise CnnvizError(f"'{out}' is a file; expected a folder for the atlas, new or empty.")
    there = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise CnnvizError(
            f"Cannot write '{out}': '{there}' is no folder that you may write to. "
            "Name another folder with -o."
        )
