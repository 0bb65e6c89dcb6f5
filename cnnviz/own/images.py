"""Images that somebody names: a folder, a data set of torchvision's, a function of a file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from cnnviz.errors import CnnvizError
from cnnviz.files import digest
from cnnviz.own.photographs import FEWEST, Files, Listed, listed, readable
from cnnviz.own.prepared import Images, Preparation, Size, Source, different_sizes
from cnnviz.own.user_file import found_at, place_of, said

WANTED = (
    "images: a tensor (N, C, H, W) of values from 0 to 1, (images, labels), or a Dataset of them"
)
SAMPLED = 16
"""So many images tell in which range the values lie."""


def open_images(
    spec: Any,
    preparation: Preparation | None = None,
    *,
    labels_file: Path | None = None,
    count: int | None = None,
) -> Images:
    """The images that `spec` names, as the network wants them.

    Args:
        spec: a folder, "torchvision:CIFAR10:DIR" or "MNIST:DIR", "my_model.py:function"; or the
            images themselves, as such a function may return them.
        preparation: what the network wants.
        labels_file: lines "file,class" for a folder without class folders.
        count: at most so many, evenly from all of them.

    Raises:
        CnnvizError: there are none, or too few, or they are of different sizes.
    """
    preparation = preparation or Preparation()
    if not isinstance(spec, (str, Path)):
        return _given(spec, preparation, count)
    if Path(spec).is_dir():
        return _of_folder(Path(spec), preparation, labels_file, count)
    if labels_file is not None:
        raise CnnvizError(f"--labels is for a folder of images; '{spec}' is none.")
    spec = str(spec)
    if match := _DATASET.fullmatch(spec):
        source = _torchvision_dataset(match["name"], match["folder"])
        return _given(source, preparation, count)
    if place := place_of(spec, "images"):
        value = found_at(place, WANTED)
        if isinstance(value, (str, Path)) and Path(value).is_dir():
            return _of_folder(Path(value), preparation, None, count)
        return _given(value, preparation, count)
    if Path(spec).is_file():
        raise CnnvizError(f"'{spec}' is one file. Give the folder in which the images lie.")
    raise CnnvizError(
        f"There is no folder '{spec}'. Expected a folder of images, a data set "
        "(torchvision:CIFAR10:DIR), or a function of a Python file (my_model.py:images)."
    )


_DATASET = re.compile(r"(?:torchvision:)?(?P<name>[A-Z]\w+):(?P<folder>.+)")


def evenly(total: int, count: int | None) -> list[int]:
    """Numbers of at most `count` of `total` images, evenly from all.

    >>> evenly(10, 4)
    [0, 2, 5, 7]
    """
    if count is None or count >= total:
        return list(range(total))
    return [i * total // count for i in range(count)]


# --- Folders ------------------------------------------------------------------------------------


def _of_folder(
    folder: Path, preparation: Preparation, labels_file: Path | None, count: int | None
) -> Images:
    files = listed(folder, labels_file)
    return of_files(files.some(evenly(len(files.paths), count)), preparation, folder)


def of_files(files: Listed, preparation: Preparation, folder: Path | None = None) -> Images:
    """Photographs as the network wants them.

    Raises:
        CnnvizError: too few can be read; they are of different sizes and none is asked for.
    """
    right = readable(files)
    if len(shapes := set(right.sizes)) > 1 and preparation.any_size:
        raise different_sizes(shapes)
    paths = right.files.paths
    names = [(p.relative_to(folder) if folder else p).as_posix() for p in paths]
    labels = torch.tensor(right.files.labels) if right.files.labels else None
    return Images(Files(paths), preparation, labels, right.files.classes, names, right.notes)


# --- Data sets of torchvision's -----------------------------------------------------------------


def _torchvision_dataset(name: str, folder: str) -> Any:
    """The test split of a data set, from files that are there."""
    from torchvision import datasets

    kind = getattr(datasets, name, None)
    made: Any = kind
    if not inspect.isclass(kind) or "root" not in (known := inspect.signature(kind).parameters):
        raise CnnvizError(
            f"torchvision has no data set '{name}' that is read from a folder. "
            "Expected such as torchvision:CIFAR10:DIR."
        )
    options: dict[str, Any] = {"download": False} if "download" in known else {}
    splits: list[dict[str, Any]] = [{}]
    if "train" in known:
        splits = [{"train": False}]
    elif "split" in known:
        splits = [{"split": split} for split in ("test", "val", "valid")]
    for split in splits:
        try:
            return made(folder, **options, **split)
        except ValueError as error:  # of another name of the split
            reason: Exception = error
        except Exception as error:
            reason = error
            break
    raise CnnvizError(
        f"The data set {name} cannot be read from '{folder}' ({said(reason)}). "
        "Give the folder in which torchvision put it; nothing is fetched here."
    )


# --- Tensors and data sets of the user's --------------------------------------------------------


class Items:
    """Images out of any sequence: Pillow's, tensors, arrays, alone or with what belongs to them."""

    def __init__(self, items: Any, indices: Sequence[int]) -> None:
        self.items, self.indices = items, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Image.Image | Tensor:
        return self._image(self.items[self.indices[index]])

    @property
    def key(self) -> str:
        """Of the images themselves: they may come from anywhere."""
        return digest(np.asarray(self[index]).tobytes() for index in range(len(self)))

    def label(self, index: int) -> Any:
        """What stands second in an item, or None."""
        item = self.items[self.indices[index]]
        return item[1] if isinstance(item, (tuple, list)) and len(item) > 1 else None

    def _image(self, item: Any) -> Image.Image | Tensor:
        if isinstance(item, (tuple, list)):
            item = item[0]
        if isinstance(item, Image.Image):
            return item
        if isinstance(item, (str, Path)):
            with Image.open(item) as image:
                image.load()
                return image
        values = torch.as_tensor(item).detach().cpu()  # (C, H, W) or (H, W)
        values = values[None] if values.dim() == 2 else values
        if values.dim() != 3:
            raise CnnvizError(f"An image has shape {tuple(values.shape)}; expected (C, H, W).")
        if values.dtype == torch.uint8:
            values = values.float() / 255
        return values.float()


def _given(value: Any, preparation: Preparation, count: int | None) -> Images:
    """Images that a function returned or a caller gave."""
    if isinstance(value, Images):
        return value
    if isinstance(value, DataLoader):
        value = value.dataset
    classes: Sequence[str] = getattr(value, "classes", ()) or ()
    labels: Any = None
    if _is_pair(value):
        value, labels, *others = value
        classes = others[0] if others else classes
    if isinstance(value, (Tensor, np.ndarray)) and value.ndim not in (3, 4):
        raise CnnvizError(f"Images of shape {tuple(value.shape)}; expected (N, C, H, W).")
    if not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        raise CnnvizError(f"Got {type(value).__name__} for images; expected {WANTED}.")
    if len(value) < FEWEST:
        raise CnnvizError(
            f"There {'is only one image' if len(value) else 'are no images'}. Expected at least "
            f"{FEWEST}; some hundred tell more."
        )
    source = Items(value, evenly(len(value), count))
    if labels is None:
        labels = _labels_of(value, source)
    else:
        labels = _checked(labels, len(value))[source.indices]
    preparation, notes = _ranged(source, preparation)
    return Images(source, preparation, labels, [str(name) for name in classes], notes=notes)


def _is_pair(value: Any) -> bool:
    """(images, labels), or with classes besides."""
    if not isinstance(value, (tuple, list)) or not 2 <= len(value) <= 3:
        return False
    images, labels = value[:2]
    several = hasattr(images, "__len__") and hasattr(labels, "__len__")
    many = isinstance(images, (Tensor, np.ndarray)) and images.ndim == 4
    return several and (many or isinstance(images, (list, tuple))) and len(images) == len(labels)


def _checked(labels: Any, count: int) -> Tensor:
    numbers = torch.as_tensor(labels).cpu()
    if numbers.shape != (count,) or numbers.is_floating_point():
        raise CnnvizError(
            f"Labels of shape {tuple(numbers.shape)} and type {numbers.dtype} for {count} images; "
            f"expected whole numbers ({count},)."
        )
    return numbers.long()


def _labels_of(value: Any, source: Items) -> Tensor | None:
    """Classes that a data set tells, all at once if it can, else image by image."""
    for name in ("targets", "labels", "_labels"):
        if (known := getattr(value, name, None)) is not None and len(known) == len(value):
            return _checked(known, len(value))[source.indices]
    first = source.label(0)
    if not isinstance(first, (int, np.integer)) and not (
        isinstance(first, Tensor) and first.numel() == 1 and not first.is_floating_point()
    ):
        return None
    return torch.tensor([int(source.label(i)) for i in range(len(source))])


def _ranged(source: Source, preparation: Preparation) -> tuple[Preparation, list[str]]:
    """Whether tensors are from 0 to 1 or already as the network wants them."""
    sample = [source[i] for i in evenly(len(source), SAMPLED)]
    tensors = [image for image in sample if isinstance(image, Tensor)]
    if not tensors:
        sizes: set[Size] = {(i.height, i.width) for i in sample if isinstance(i, Image.Image)}
        if preparation.any_size and len(sizes) > 1:
            raise different_sizes(sizes)
        return preparation, []
    low = min(float(image.min()) for image in tensors)
    high = max(float(image.max()) for image in tensors)
    if isnan(low) or isnan(high):
        raise CnnvizError("The images hold NaN. Expected values from 0 to 1.")
    if low >= 0 and high <= 1:
        return preparation, []
    changed = {**vars(preparation), "prepared": True}
    if not preparation.mean:
        changed |= {"low": low, "high": max(high, low + 1e-6)}
    note = (
        f"The images' values range from {low:.3g} to {high:.3g}: taken as the network wants them. "
        "For colours as they were, return values from 0 to 1 and give --mean and --std."
    )
    return Preparation(**changed), [note]
