"""The data sets by name: what they are made from, or where their files lie. Imports no torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from cnnviz.errors import unknown_name
from cnnviz.files import digest
from cnnviz.sources import package_version, source_digest

DATASETS = ("digits", "mnist", "fashion-mnist")
"""Names that `cnnviz.data.datasets.load` knows; the first ships with the package."""

MADE = {"train": (240_000, 1), "test": (10_000, 2)}
"""How many digits are made for each split, and with which seed."""

SPREAD = {"train": 1.25, "test": 1.0}
"""How far their hands differ, beside real ones: who trains on the wilder reads more of the real."""

TORCHVISION_FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}


def data_key(dataset: str, data_dir: Path | None = None) -> str:
    """Digest of what a data set is made from: our source, or the files that torchvision reads.

    Raises:
        CnnvizError: no data set of that name.
    """
    if dataset not in DATASETS:
        raise unknown_name("dataset", dataset, DATASETS)
    if dataset == "digits":
        made = [
            source_digest("cnnviz.data.digits"),
            repr(MADE),
            repr(SPREAD),
            package_version("numpy"),
        ]
        return digest(part.encode() for part in made)
    raw = Path(data_dir or ".") / TORCHVISION_FOLDERS[dataset] / "raw"
    files = sorted(raw.glob("*-ubyte"))
    return _of_files(tuple((path, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=8)
def _of_files(files: tuple[tuple[Path, int], ...]) -> str:
    """Digest of large files, read once as long as they are not written again."""
    return digest(path.read_bytes() for path, _ in files)
