"""What `make` passes down: which data set, where it lies, which device. Imports no torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cnnviz.errors import unknown_name
from cnnviz.recipes import DATASETS

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Settings:
    """Choices of a build.

    Attributes:
        dataset: what the networks are trained on.
        data_dir: folder with MNIST/raw or FashionMNIST/raw; with `digits` it adds a test on MNIST.
        download: let torchvision fetch missing files.
        device: where to train.
        build_dir: models, made data and figures are kept here.
    """

    dataset: str = "digits"
    data_dir: Path | None = None
    download: bool = False
    device: str = "cpu"
    build_dir: Path = ROOT / "build"

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise unknown_name("dataset", self.dataset, DATASETS)

    @property
    def figures_dir(self) -> Path:
        """Where the rendered figures of this data set lie."""
        return self.build_dir / "figures" / self.dataset


def from_environment() -> Settings:
    """Settings from DATASET, DATA_DIR, DOWNLOAD, DEVICE and CNNVIZ_BUILD; empty means default."""
    get = os.environ.get
    data_dir = get("DATA_DIR")
    return Settings(
        dataset=get("DATASET") or "digits",
        data_dir=Path(data_dir).expanduser().resolve() if data_dir else None,
        download=bool(get("DOWNLOAD")),
        device=get("DEVICE") or "cpu",
        build_dir=Path(get("CNNVIZ_BUILD") or ROOT / "build").resolve(),
    )
