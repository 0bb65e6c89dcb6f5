"""What figure functions draw from: data, trained networks and their recordings, each made once."""

from __future__ import annotations

from functools import cache, cached_property

import torch
from torch import Tensor, nn

from cnnviz.data import datasets
from cnnviz.data.datasets import Dataset, to_input
from cnnviz.inside.evaluation import Evaluation, evaluate, predict
from cnnviz.inside.recording import record
from cnnviz.training import checkpoints
from cnnviz.training.checkpoints import weights_digest
from cnnviz.training.fit import Trained, scramble
from cnnviz.training.recipe import RECIPES, Recipe, named
from gen.atlas.net import AtlasNet
from gen.settings import Settings


class Context:
    """Everything that a build computes once and figures share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # One cache a context, so that two builds in one process do not share networks.
        self.trained = cache(self._trained)
        self.model = cache(self._model)
        self.recording = cache(self._recording)
        self.logits = cache(self._logits)
        self.atlas = cache(self._atlas)

    @cached_property
    def train(self) -> Dataset:
        """The training images."""
        return self._load(self.settings.dataset, "train")

    @cached_property
    def test(self) -> Dataset:
        """The test images, never trained on."""
        return self._load(self.settings.dataset, "test")

    @cached_property
    def real(self) -> Dataset | None:
        """MNIST's test split, if DATA_DIR has it: real handwriting for nets of made digits."""
        if self.settings.dataset != "digits" or self.settings.data_dir is None:
            return None
        return self._load("mnist", "test")

    def _load(self, name: str, split: str) -> Dataset:
        settings = self.settings
        return datasets.load(name, split, data_dir=settings.data_dir, build_dir=settings.build_dir)

    def recipe(self, name: str) -> Recipe:
        """The recipe of that name on the data set of this build."""
        return named(name, self.settings.dataset)

    def _trained(self, name: str) -> Trained:
        settings = self.settings
        return checkpoints.trained(
            self.recipe(name),
            build_dir=settings.build_dir,
            data_dir=settings.data_dir,
            device=settings.device,
        )

    def _model(self, name: str, step: int | None = None) -> nn.Module:
        return self.trained(name).model(step)

    def _logits(self, name: str) -> Tensor:
        """Logits (N, 10) of a network on the whole test split."""
        return predict(self.model(name), self.inputs(name, self.test.images))

    def inputs(self, name: str, images: Tensor) -> Tensor:
        """uint8 images as the network `name` wants them: floats, scrambled if it is."""
        scaled = to_input(images)
        return scramble(scaled) if name in RECIPES and RECIPES[name].scramble else scaled

    def evaluation(self, name: str) -> Evaluation:
        """How well a network reads the test split."""
        return evaluate(self.logits(name), self.test.labels, self.test.class_names)

    @cached_property
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

    @cached_property
    def examples(self) -> Tensor:
        """One test image of each class, uint8 (10, 1, 28, 28), in order of the classes."""
        return self.test.images[self.example_indices]

    @cached_property
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

    @cached_property
    def atlas_indices(self) -> list[int]:
        """Test images that the atlas shows: one of each class, then the misread ones."""
        return self.example_indices + self.misread_indices

    @cached_property
    def atlas_images(self) -> Tensor:
        """Those images, uint8 (N, 1, 28, 28)."""
        return self.test.images[self.atlas_indices]

    @cached_property
    def atlas_labels(self) -> Tensor:
        """Their true classes (N,)."""
        return self.test.labels[self.atlas_indices]

    def _atlas(self, name: str) -> AtlasNet:
        return AtlasNet(name, self.settings.atlas_nets[name], self)

    def passport(self, name: str) -> dict[str, object]:
        """Seed and digest of a network's weights."""
        if name in self.settings.atlas_files:
            model = self.atlas(name).model
            return {"seed": "", "digest": weights_digest(dict(model.state_dict()))}
        weights = self.trained(name).weights
        return {"seed": self.recipe(name).seed, "digest": weights_digest(weights)}

    def _recording(self, name: str, step: int | None = None) -> dict[str, Tensor]:
        """Every layer's output for `examples`: dotted name → (10, …)."""
        inputs = self.inputs(name, self.examples)
        with torch.no_grad():
            return record(self.model(name, step), inputs, functional=False)
