"""What figure functions draw from: data, trained networks and their recordings, each made once.

A figure is stale when weights that it used have changed. `Context` notes which were used, also by
what was computed before and is only remembered: see `shared`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

from cnnviz.data import datasets
from cnnviz.data.datasets import Dataset
from cnnviz.data.inputs import scramble, to_input
from cnnviz.errors import unknown_name
from cnnviz.figure.kept import Passport
from cnnviz.inside.evaluation import Evaluation, evaluate, predict
from cnnviz.inside.recording import record
from cnnviz.nets.outside import from_file
from cnnviz.training.weights import weights_digest
from gen.settings import Settings

if TYPE_CHECKING:
    # How a network was trained is told by its weights, not by a figure's code.
    from cnnviz.training.fit import Trained
    from cnnviz.training.recipe import Recipe

P = ParamSpec("P")
R = TypeVar("R")


def shared(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Compute a function of a context once for each context and each of its other arguments.

    With its value is remembered which networks it used, so that whoever asks for it later is
    known to have used them, too.
    """
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def remembered(context: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (name, args, tuple(sorted(kwargs.items())))
        if key not in context.kept:
            with context.noting() as used:
                value = function(context, *args, **kwargs)
            context.kept[key] = (value, frozenset(used))
        value, names = context.kept[key]
        context.note(names)
        return value

    return remembered


class Context:
    """Everything that a build computes once and figures share.

    Attributes:
        settings: choices of the build.
        recipes: the training runs by name.
        load: gives the trained network of a recipe.
        shipped: networks that come trained with a package, by name.
    """

    def __init__(
        self,
        settings: Settings,
        recipes: Mapping[str, Recipe],
        load: Callable[[Recipe], Trained],
        shipped: Mapping[str, Callable[[], nn.Module]] | None = None,
    ) -> None:
        self.settings, self.recipes, self.load = settings, recipes, load
        self.shipped = shipped or {}
        self.kept: dict[Any, tuple[Any, frozenset[str]]] = {}
        self._noted: list[set[str]] = []

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """The names of networks that are used in a `with` block."""
        used: set[str] = set()
        self._noted.append(used)
        try:
            yield used
        finally:
            self._noted.pop()
            self.note(used)

    def note(self, names: Iterable[str]) -> None:
        """These networks were used."""
        if self._noted:
            self._noted[-1].update(names)

    @property
    @shared
    def train(self) -> Dataset:
        """The training images."""
        return self._load(self.settings.dataset, "train")

    @property
    @shared
    def test(self) -> Dataset:
        """The test images, never trained on."""
        return self._load(self.settings.dataset, "test")

    @property
    @shared
    def real(self) -> Dataset | None:
        """MNIST's test split, if DATA_DIR has it: real handwriting for nets of made digits."""
        if self.settings.dataset != "digits" or self.settings.data_dir is None:
            return None
        return self._load("mnist", "test")

    def _load(self, name: str, split: str) -> Dataset:
        settings = self.settings
        return datasets.load(name, split, data_dir=settings.data_dir, build_dir=settings.build_dir)

    def recipe(self, name: str) -> Recipe:
        """The recipe of that name on the data set of this build.

        Raises:
            CnnvizError: no recipe of that name.
        """
        if name not in self.recipes:
            raise unknown_name("model", name, self.recipes)
        return replace(self.recipes[name], dataset=self.settings.dataset)

    @shared
    def trained(self, name: str) -> Trained:
        """The trained network of a recipe."""
        self.note([name])
        return self.load(self.recipe(name))

    @shared
    def model(self, name: str, step: int | None = None) -> nn.Module:
        """A network in evaluation mode, as it was after `step` steps (default: at the end).

        Of one from outside (`settings.atlas_files`, `shipped`) only the end is known.
        """
        if name in self.shipped:
            self.note([name])
            return self.shipped[name]()
        if name in self.settings.atlas_files:
            self.note([name])
            return from_file(self.settings.atlas_files[name])
        return self.trained(name).model(step)

    @shared
    def logits(self, name: str) -> Tensor:
        """Logits (N, 10) of a network on the whole test split."""
        return predict(self.model(name), self.inputs(name, self.test.images))

    def inputs(self, name: str, images: Tensor) -> Tensor:
        """uint8 images as the network `name` wants them: floats, scrambled if it is."""
        scaled = to_input(images)
        scrambled = name in self.recipes and self.recipes[name].scramble
        return scramble(scaled) if scrambled else scaled

    def evaluation(self, name: str) -> Evaluation:
        """How well a network reads the test split."""
        return evaluate(self.logits(name), self.test.labels, self.test.class_names)

    @property
    @shared
    def example_indices(self) -> list[int]:
        """For each class a typical test image: of those that LeNet reads right, the nearest to
        their mean."""
        right = self.logits("lenet").argmax(1) == self.test.labels  # (N,)
        chosen = []
        for label in range(len(self.test.class_names)):
            of_class = self.test.labels == label
            candidates = (of_class & right if (of_class & right).any() else of_class).nonzero()[
                :, 0
            ]
            images = self.test.images[candidates].float()  # (M, 1, 28, 28)
            distance = (images - images.mean(0)).square().sum((1, 2, 3))  # (M,)
            chosen.append(int(candidates[distance.argmin()]))
        return chosen

    @property
    @shared
    def examples(self) -> Tensor:
        """One test image of each class, uint8 (10, 1, 28, 28), in order of the classes."""
        return self.test.images[self.example_indices]

    @property
    @shared
    def misread_indices(self) -> list[int]:
        """Four test images of different classes that LeNet misreads, the surest first.

        If it misreads fewer, those that it is least sure of.
        """
        logits, labels = self.logits("lenet"), self.test.labels
        right = logits.gather(1, labels[:, None])[:, 0]  # (N,)
        others = logits.scatter(1, labels[:, None], float("-inf")).amax(1)  # (N,)
        chosen: dict[int, int] = {}
        for index in (right - others).argsort(stable=True).tolist():
            chosen.setdefault(int(labels[index]), index)
            if len(chosen) == 4:
                break
        return list(chosen.values())

    @property
    @shared
    def atlas_indices(self) -> list[int]:
        """Test images that the atlas shows: one of each class, then the misread ones."""
        return self.example_indices + self.misread_indices

    @property
    @shared
    def atlas_images(self) -> Tensor:
        """Those images, uint8 (N, 1, 28, 28)."""
        return self.test.images[self.atlas_indices]

    @property
    @shared
    def atlas_labels(self) -> Tensor:
        """Their true classes (N,)."""
        return self.test.labels[self.atlas_indices]

    def passport(self, name: str) -> Passport:
        """Seed and digest of a network's weights."""
        outside = name in self.settings.atlas_files or name in self.shipped
        seed: int | Literal[""] = "" if outside else self.recipe(name).seed
        return Passport(seed, weights_digest(self.model(name).state_dict()))

    @shared
    def recording(self, name: str, step: int | None = None) -> dict[str, Tensor]:
        """Every layer's output for `examples`: dotted name → (10, …)."""
        inputs = self.inputs(name, self.examples)
        with torch.no_grad():
            return record(self.model(name, step), inputs, functional=False)
