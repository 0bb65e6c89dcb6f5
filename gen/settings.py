"""What `make` passes down, and which version and commit this is. Imports no torch."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cnnviz.data.catalogue import DATASETS
from cnnviz.errors import CnnvizError, unknown_name

ROOT = Path(__file__).parent.parent

ATLAS_NETS = {"lenet": "LeNet", "mlp": "MLP"}
"""Recipes whose networks the atlas shows, with their titles."""


@dataclass(frozen=True)
class Settings:
    """Choices of a build.

    Attributes:
        dataset: what the networks are trained on.
        data_dir: folder with MNIST/raw or FashionMNIST/raw; with `digits` it adds a test on MNIST.
        download: let torchvision fetch missing files.
        device: where to train.
        build_dir: models, made data and figures are kept here.
        atlas_files: networks from outside for the atlas: name → a Python file whose function
            `load` returns the trained module.
    """

    dataset: str = "digits"
    data_dir: Path | None = None
    download: bool = False
    device: str = "cpu"
    build_dir: Path = ROOT / "build"
    atlas_files: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise unknown_name("dataset", self.dataset, DATASETS)
        for name, path in self.atlas_files.items():
            if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or name in ATLAS_NETS:
                raise CnnvizError(
                    f"ATLAS_NETS: '{name}' cannot be the name of a network; expected small "
                    "letters, digits and hyphens, and none of the site's own names."
                )
            if not path.is_file():
                raise CnnvizError(f"ATLAS_NETS: '{path}' is not a file.")

    @property
    def figures_dir(self) -> Path:
        """Where the rendered figures of this data set lie."""
        return self.build_dir / "figures" / self.dataset

    @property
    def atlas_nets(self) -> dict[str, str]:
        """Networks of the atlas: name → title."""
        return ATLAS_NETS | {name: name for name in self.atlas_files}


def from_environment() -> Settings:
    """Settings from the variables that the README lists; empty means default.

    Raises:
        CnnvizError: a value that is not understood.
    """
    get = os.environ.get
    data_dir = get("DATA_DIR")
    pairs = [pair.partition("=") for pair in (get("ATLAS_NETS") or "").split(",") if pair.strip()]
    return Settings(
        dataset=get("DATASET") or "digits",
        data_dir=Path(data_dir).expanduser().resolve() if data_dir else None,
        download=bool(get("DOWNLOAD")),
        device=get("DEVICE") or "cpu",
        build_dir=Path(get("CNNVIZ_BUILD") or ROOT / "build").resolve(),
        atlas_files={name.strip(): Path(p).expanduser().resolve() for name, _, p in pairs},
    )


@cache
def commit() -> str:
    """The commit of this build, with a plus sign if files were changed since; "" without git."""
    if value := os.environ.get("CNNVIZ_COMMIT"):
        return value
    run = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


@cache
def version() -> str:
    """The version of the package and of the site."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])
