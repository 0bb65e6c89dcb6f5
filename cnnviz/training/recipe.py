"""What a training run is made of, and the runs of the site. Imports no torch: keys are cheap."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.files import digest

DATASETS = ("digits", "mnist", "fashion-mnist")
"""Names that `cnnviz.data.datasets.load` knows; the first ships with the package."""

OPTIMIZERS = ("adamw", "sgd")

_TORCHVISION_FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}
_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights: the same recipe on the same machine gives the same bytes.

    Attributes:
        model: name in `cnnviz.nets.networks`.
        dataset: name in `DATASETS`.
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


SHORT = 300
"""Steps of the short runs, which are compared with each other only."""

SEEDS = range(5)
"""Seeds of the short runs of LeNet and the MLP; the others have the first three."""


def _recipes() -> dict[str, Recipe]:
    # The order spreads the long runs evenly over two processes.
    recipes = {
        "lenet": Recipe("lenet"),
        "mlp": Recipe("mlp"),
        "mlp-scrambled": Recipe("mlp", scramble=True),
        "lenet-scrambled": Recipe("lenet", scramble=True),
    }
    for seed in SEEDS:
        for model in ("lenet", "mlp"):
            # An MLP is large, and nobody looks at how the short ones came about.
            short = Recipe(model, seed=seed, steps=SHORT, snapshots=model != "mlp")
            recipes[f"short-{model}-{seed}"] = short
            recipes[f"short-{model}-scrambled-{seed}"] = replace(short, scramble=True)
    for seed in SEEDS[:3]:
        for model in ("lenet-average", "lenet-strided"):
            recipes[f"short-{model}-{seed}"] = Recipe(model, seed=seed, steps=SHORT)
    # Plain SGD hides less than AdamW, which gives each weight a step size of its own.
    sgd = Recipe("lenet", steps=SHORT, optimizer="sgd", peak_learning_rate=0.05, weight_decay=0)
    for seed in SEEDS[:3]:
        for model in ("lenet", "lenet-uncentred", "lenet-bytes", "lenet-batchnorm"):
            recipes[f"sgd-{model}-{seed}"] = replace(sgd, model=model, seed=seed)
    recipes["sgd-lenet-low-rate"] = replace(sgd, peak_learning_rate=2e-3)
    recipes["sgd-lenet-high-rate"] = replace(sgd, peak_learning_rate=1.0)
    return recipes


RECIPES = _recipes()
"""The runs of the site by name: four long ones, and short ones for comparisons."""


def named(name: str, dataset: str = "digits") -> Recipe:
    """The recipe of that name, on that data set.

    Raises:
        CnnvizError: no recipe or data set of that name; the nearest is suggested.
    """
    if name not in RECIPES:
        raise unknown_name("model", name, RECIPES)
    return replace(RECIPES[name], dataset=dataset)


def source_files(patterns: Iterable[str]) -> list[Path]:
    """Source files of this package that match, in a fixed order."""
    return sorted(path for pattern in patterns for path in _PACKAGE.glob(pattern))


def data_key(dataset: str, data_dir: Path | None = None) -> str:
    """Digest of what a data set is made from: our source, or the files that torchvision reads."""
    if dataset == "digits":
        files = source_files(["digit*.py", "datasets.py"])
        return digest([*(f.read_bytes() for f in files), version("numpy").encode()])
    if dataset not in _TORCHVISION_FOLDERS:
        raise unknown_name("dataset", dataset, DATASETS)
    raw = Path(data_dir or ".") / _TORCHVISION_FOLDERS[dataset] / "raw"
    return digest(f.read_bytes() for f in sorted(raw.glob("*-ubyte")))


def recipe_key(recipe: Recipe, data_dir: Path | None = None) -> str:
    """Digest of a recipe with everything that it leans on: code, data, version of torch."""
    source = source_files(["models.py", "variants.py", "networks.py", "training.py", "recipes.py"])
    fields = json.dumps(asdict(recipe), sort_keys=True)
    return digest(
        [
            fields.encode(),
            *(f.read_bytes() for f in source),
            data_key(recipe.dataset, data_dir).encode(),
            version("torch").encode(),
        ]
    )


def checkpoint_path(recipe: Recipe, build_dir: Path, data_dir: Path | None = None) -> Path:
    """Where the weights of this recipe lie: the name says what, the key says which."""
    what = f"{recipe.model}{'-scrambled' if recipe.scramble else ''}-{recipe.dataset}"
    return build_dir / "models" / f"{what}-{recipe_key(recipe, data_dir)}.pt"
