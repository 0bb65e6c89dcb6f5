"""A folder of photographs: which files, of which classes; what cannot be read is left out."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.files import digest
from cnnviz.own.prepared import Size
from cnnviz.own.user_file import said

SUFFIXES = {
    ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm",
}  # fmt: skip
SPLITS = {"train", "training", "val", "valid", "validation", "test"}
"""Folders of these names hold data sets, not classes."""

FEWEST = 2
"""Of a single image nothing can be compared."""


class Files:
    """Image files as a source: opened when asked for."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def key(self) -> str:
        """Of names, sizes and times of the files: reading them all would take long."""
        states = [(path.as_posix(), path.stat()) for path in self.paths]
        return digest(f"{name} {s.st_size} {s.st_mtime_ns}".encode() for name, s in states)

    def __getitem__(self, index: int) -> Image.Image:
        with Image.open(self.paths[index]) as image:
            image.load()
            return image


@dataclass(frozen=True)
class Listed:
    """Image files in a fixed order, by class and name.

    Attributes:
        paths: the files.
        labels: of each an index into `classes`; empty if nobody knows.
        classes: names, sorted as torchvision's ImageFolder does.
    """

    paths: Sequence[Path]
    labels: Sequence[int] = ()
    classes: Sequence[str] = ()

    def some(self, indices: Sequence[int]) -> Listed:
        """Only those of these numbers."""
        labels = [self.labels[i] for i in indices] if self.labels else []
        return Listed([self.paths[i] for i in indices], labels, self.classes)


def listed(folder: Path, labels_file: Path | None = None) -> Listed:
    """The image files of a folder: subfolders are classes; without any it is flat.

    Args:
        labels_file: lines "file,class" for a flat folder.

    Raises:
        CnnvizError: no images, or both images and class folders in it; a wrong labels file.
    """
    flat = _images_in(folder.iterdir())
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and _visible(path))
    in_class = {path.name: _images_in(path.rglob("*")) for path in classes}
    in_class = {name: images for name, images in in_class.items() if images}
    if not flat and not in_class:
        raise CnnvizError(
            f"There are no images in '{folder}'. Expected photographs "
            f"({', '.join(sorted(SUFFIXES))}), flat or in a folder for each class."
        )
    if flat and in_class and labels_file is None:
        raise CnnvizError(
            f"'{folder}' holds both images ('{flat[0].name}') and folders with images "
            f"('{next(iter(in_class))}'). Put each image into the folder of its class, or all "
            "into one folder."
        )
    if {name.lower() for name in in_class} <= SPLITS and len(in_class) > 1:
        raise CnnvizError(
            f"'{folder}' holds the parts of a data set ({', '.join(in_class)}), not classes. "
            f"Give one of them: --images {folder / next(reversed(in_class))}."
        )
    if labels_file is not None:
        every = flat + [path for images in in_class.values() for path in images]
        return _labelled(folder, every, labels_file)
    if not in_class:
        return Listed(flat)
    paths = [path for images in in_class.values() for path in images]
    labels = [index for index, images in enumerate(in_class.values()) for _ in images]
    return Listed(paths, labels, list(in_class))


def _images_in(paths: object) -> list[Path]:
    assert hasattr(paths, "__iter__")
    images = [p for p in paths if p.suffix.lower() in SUFFIXES and p.is_file() and _visible(p)]
    return sorted(images, key=Path.as_posix)


def _visible(path: Path) -> bool:
    """Not what systems leave lying about."""
    return not path.name.startswith((".", "__"))


def _labelled(folder: Path, paths: Sequence[Path], labels_file: Path) -> Listed:
    """Files with the classes that a file of lines "name,class" gives them."""
    table = read_labels(labels_file)
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    if missing := [name for name in table if name not in named]:
        raise CnnvizError(
            f"'{labels_file}' names {unknown_name('image', missing[0], named)}"[:400]
            + f" Expected files of '{folder}'."
        )
    known = {name: path for name, path in named.items() if name in table}
    if len(known) < len(named):
        without = next(name for name in named if name not in table)
        raise CnnvizError(
            f"'{labels_file}' gives '{without}' no class. Add a line '{without},CLASS'."
        )
    classes = sorted(set(table.values()), key=_by_number)
    index = {name: i for i, name in enumerate(classes)}
    return Listed(list(known.values()), [index[table[name]] for name in known], classes)


def _by_number(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (10**9, name)


def read_labels(file: Path) -> Mapping[str, str]:
    """File → class, from lines "name,class"; a line of titles is passed over.

    Raises:
        CnnvizError: no such file, or a line of another form.
    """
    table: dict[str, str] = {}
    lines = csv.reader(text_of(file, "--labels").splitlines(), skipinitialspace=True)
    for number, row in enumerate(lines, start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != 2 or not all(cells):
            raise CnnvizError(
                f"'{file}', line {number}: expected 'file,class', such as 'cat1.jpg,cat'; "
                f"got '{','.join(cells)}'."
            )
        if number > 1 or Path(cells[0]).suffix:
            table[Path(cells[0]).as_posix()] = cells[1]
    if not table:
        raise CnnvizError(f"'{file}' is empty. Expected lines such as 'cat1.jpg,cat'.")
    return table


def text_of(file: Path, option: str) -> str:
    """What a text file holds.

    Raises:
        CnnvizError: it is not there, or is no text in UTF-8.
    """
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CnnvizError(
            f"The file '{file}' of {option} cannot be read ({said(error)}). Expected text in UTF-8."
        ) from error


@dataclass(frozen=True)
class Readable:
    """Of listed files those that can be read.

    Attributes:
        files: they.
        sizes: height and width of each.
        notes: names of the others, for the user.
    """

    files: Listed
    sizes: Sequence[Size]
    notes: Sequence[str]


def readable(files: Listed) -> Readable:
    """Leaves out files that cannot be decoded, as long as they are few.

    Raises:
        CnnvizError: more than half of them cannot; or there is only one.
    """
    with ThreadPoolExecutor() as pool:
        sizes = list(pool.map(_size_or_reason, files.paths))
    right = [i for i, size in enumerate(sizes) if not isinstance(size, str)]
    wrong = [i for i, size in enumerate(sizes) if isinstance(size, str)]
    if len(wrong) > len(right):
        raise CnnvizError(
            f"{len(wrong)} of {len(files.paths)} images cannot be read, such as "
            f"'{files.paths[wrong[0]]}' ({sizes[wrong[0]]}). Mend them or take them away."
        )
    if len(right) < FEWEST:
        raise CnnvizError(
            f"There is only one image, '{files.paths[right[0]]}'. Expected at least {FEWEST}; "
            "some hundred tell more."
        )
    notes = [f"'{files.paths[i]}' cannot be read ({sizes[i]}); it is left out." for i in wrong[:3]]
    if len(wrong) > 3:
        notes.append(f"So are {len(wrong) - 3} more.")
    kept = files.some(right)
    return Readable(kept, [size for size in sizes if not isinstance(size, str)], notes)


def _size_or_reason(path: Path) -> Size | str:
    """Height and width of an image as it is seen, or why it cannot be read."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            image.draft(None, (width // 8, height // 8))  # JPEG: an eighth is as good a test
            image.load()
            turned = image.getexif().get(0x0112, 1) >= 5  # the camera was held upright
    except UnidentifiedImageError:
        return "it is no image"
    except Exception as error:  # Pillow's decoders raise nearly anything for damaged files
        return said(error)
    return (width, height) if turned else (height, width)
