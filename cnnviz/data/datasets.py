"""Images and labels as tensors in memory, whichever data set they come from."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnnviz import kept
from cnnviz.data import catalogue, digits
from cnnviz.data.catalogue import DATASETS, data_key
from cnnviz.data.inputs import to_input as to_input  # noqa: PLC0414  # what `load` gives needs it
from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.files import DamagedError, refuse_folder

_DIGITS = tuple("0123456789")
_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True)
class Dataset:
    """One split of a data set.

    Attributes:
        name: as given to `load`.
        split: "train" or "test".
        images: uint8 (N, 1, 28, 28), white (255) on black (0).
        labels: int64 (N,), index into `class_names`.
        class_names: one name a class.
        styles: how each image was made (digits only), else empty.
    """

    name: str
    split: str
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    styles: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


def load(
    name: str,
    split: str = "train",
    *,
    data_dir: Path | str | None = None,
    download: bool = False,
    build_dir: Path | str | None = None,
) -> Dataset:
    """Load one split of a data set.

    Args:
        name: "digits" (made here, needs nothing), "mnist" or "fashion-mnist".
        split: "train" or "test".
        data_dir: folder that holds torchvision's `MNIST/raw` or `FashionMNIST/raw`.
        download: let torchvision fetch missing files into `data_dir`.
        build_dir: folder in which the made digits are kept for the next time.

    Raises:
        CnnvizError: unknown name or split; files missing, truncated or inconsistent.
    """
    if name not in DATASETS:
        raise unknown_name("dataset", name, DATASETS)
    if split not in ("train", "test"):
        raise unknown_name("split", split, ["train", "test"])
    if name == "digits":
        return _made_digits(split, Path(build_dir) if build_dir else None)
    return _from_torchvision(name, split, Path(data_dir) if data_dir else None, download)


def _made_digits(split: str, build_dir: Path | None) -> Dataset:
    count, seed = catalogue.MADE[split]
    file = build_dir / "data" / f"digits-{split}-{data_key('digits')}.pt" if build_dir else None
    state = _read_kept(file, count) if file else None
    if state is None:
        if file:
            refuse_folder(file)
        made = digits.generate(count, seed, catalogue.SPREAD[split])
        images = torch.from_numpy(made.images)[:, None]  # (N, 28, 28) → (N, 1, 28, 28)
        state = {
            "images": images,
            "labels": torch.from_numpy(made.labels),
            "styles": [str(style) for style in made.styles],
        }
        if file:
            kept.write(file, state)
    images, labels, styles = state["images"], state["labels"], state["styles"]
    return Dataset("digits", split, images, labels, _DIGITS, tuple(styles))


def _read_kept(path: Path, count: int) -> dict[str, Any] | None:
    """What was kept, or None if there is nothing or it is damaged (then it is made again)."""
    if not path.exists():
        return None
    try:
        state = kept.read(path)
        _check_kept(state, count)
    except DamagedError as error:
        print(f"{path} is damaged ({error}); making it again.", file=sys.stderr)
        return None
    return state


def _check_kept(state: dict[str, Any], count: int) -> None:
    """Whole files, too, may come from elsewhere: a wrong shape would be an error much later."""
    try:
        images, labels, styles = state["images"], state["labels"], state["styles"]
        right = (
            (images.shape, images.dtype) == ((count, 1, 28, 28), torch.uint8)
            and (labels.shape, labels.dtype) == ((count,), torch.int64)
            and bool(((labels >= 0) & (labels < len(_DIGITS))).all())
            and [type(style) for style in styles] == [str] * count
        )
    except (AttributeError, LookupError, TypeError) as error:
        raise DamagedError("it holds something else") from error
    if not right:
        raise DamagedError("it holds other images, labels or styles")


def _from_torchvision(name: str, split: str, data_dir: Path | None, download: bool) -> Dataset:
    from torchvision.datasets import MNIST, FashionMNIST

    kind = {"mnist": MNIST, "fashion-mnist": FashionMNIST}[name]
    if data_dir is None:
        raise CnnvizError(
            f"The data set '{name}' is not shipped. Say where its files are with --data-dir DIR "
            "(DATA_DIR=DIR for make), and add --download to fetch them there."
        )
    folder = data_dir / kind.__name__ / "raw"
    try:
        raw = kind(str(data_dir), train=split == "train", download=download)
    except (RuntimeError, AssertionError, ValueError, EOFError, OSError) as error:
        if "not found" in str(error):
            raise CnnvizError(
                f"No files of '{name}' in '{folder}'. Give the folder that holds "
                f"'{kind.__name__}/raw', or add --download to fetch them."
            ) from error
        if "ownload" in str(error) or isinstance(error, OSError):
            raise CnnvizError(
                f"'{name}' could not be fetched into '{folder}' ({error}). Check the network and "
                "that the folder is writable, or put the files there by hand."
            ) from error
        raise CnnvizError(
            f"A file of '{name}' in '{folder}' is truncated or damaged ({error}). "
            "Delete it and fetch it again with --download."
        ) from error
    images, labels = raw.data[:, None], raw.targets  # (N, 1, 28, 28) uint8, (N,)
    if len(images) != len(labels) or not len(labels):
        raise CnnvizError(
            f"'{name}' in '{data_dir}' has {len(images)} images but {len(labels)} labels in its "
            f"{split} split. Delete its files and fetch them again with --download."
        )
    return Dataset(name, split, images, labels, _DIGITS if name == "mnist" else _CLOTHES)
