"""What a training run is made of. Imports no torch: keys are cheap."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnnviz.data.catalogue import DATASETS, data_key
from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.files import digest
from cnnviz.nets import networks
from cnnviz.sources import package_version, source_digest

if TYPE_CHECKING:
    from torch import nn

OPTIMIZERS = ("adamw", "sgd")


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights: the same recipe on the same machine gives the same bytes.

    Attributes:
        model: name in `cnnviz.nets.networks`.
        dataset: name in `cnnviz.data.catalogue.DATASETS`.
        seed: of the initial weights, the order of the images, the shifts and dropout.
        steps: number of weight updates.
        batch_size: images per step.
        optimizer: name in `OPTIMIZERS`; "sgd" has momentum 0.9.
        peak_learning_rate: top of the one-cycle schedule (Smith and Topin, 2018).
        weight_decay: decoupled in AdamW, part of the gradient in SGD.
        label_smoothing: share of the target spread evenly over the classes (Szegedy et al., 2016).
        max_shift: each image is moved by up to this many pixels in each direction, anew each step.
        scramble: reorder the pixels of every image by one fixed permutation.
        snapshots: keep the weights along the way; without, only the first and the last.
        threads: CPU threads of torch; another number may change the last bits of a sum.
    """

    model: str
    dataset: str = "digits"
    seed: int = 0
    steps: int = 3750
    batch_size: int = 128
    peak_learning_rate: float = 3e-3
    weight_decay: float = 5e-2
    label_smoothing: float = 0.1
    max_shift: int = 1
    scramble: bool = False
    threads: int = 1
    optimizer: str = "adamw"
    snapshots: bool = True

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise unknown_name("dataset", self.dataset, DATASETS)
        if self.optimizer not in OPTIMIZERS:
            raise unknown_name("optimizer", self.optimizer, OPTIMIZERS)
        for name, least in (("steps", 1), ("batch_size", 1), ("max_shift", 0), ("threads", 1)):
            value = getattr(self, name)
            if value < least:
                raise CnnvizError(f"Recipe: {name} is {value}; expected {least} or more.")

    def network(self) -> nn.Module:
        """A freshly initialised network of this recipe."""
        return networks.build(self.model)


def recipe_key(recipe: Recipe, data_dir: Path | None = None) -> str:
    """Digest of a recipe with all that it leans on: code, network, data, version of torch."""
    module, kind = networks.home(recipe.model)
    parts = [
        json.dumps(asdict(recipe), sort_keys=True),
        source_digest("cnnviz.training.fit", module),
        kind,
        data_key(recipe.dataset, data_dir),
        package_version("torch"),
    ]
    return digest(part.encode() for part in parts)


def checkpoint_path(recipe: Recipe, build_dir: Path, data_dir: Path | None = None) -> Path:
    """Where the weights of this recipe lie: the name says what, the key says which."""
    what = f"{recipe.model}{'-scrambled' if recipe.scramble else ''}-{recipe.dataset}"
    return build_dir / "models" / f"{what}-{recipe_key(recipe, data_dir)}.pt"
