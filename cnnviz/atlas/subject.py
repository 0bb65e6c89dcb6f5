"""A network under the glass: what the atlas knows of it, and what its pages share.

Any trained module over any images; nothing here knows what they show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from cnnviz.atlas.known import Survey
from cnnviz.atlas.survey import Progress, survey
from cnnviz.errors import CnnvizError
from cnnviz.inside.ablation import Ablation, ablate, by_class
from cnnviz.inside.evaluation import predict
from cnnviz.inside.images import First, Images
from cnnviz.inside.layers import KINDS, Layer, answer_of, layers_of
from cnnviz.inside.patches import extremes
from cnnviz.inside.receptive_field import ReceptiveField, receptive_fields
from cnnviz.inside.recording import record
from cnnviz.inside.selection import Extremes
from cnnviz.inside.statistics import EXTREMES, LayerStatistics


@dataclass(frozen=True)
class Limits:
    """How much of a network the atlas looks at.

    Attributes:
        counted: images over which it counts: zeros, dead units, ranges, means, accuracy.
        ablated: of these, the first on which units are switched off, one after the other.
        together: images on which many units are switched off at once.
        optimised: are inputs sought that units answer most to, where units have pages?
        moving, still: weights that figures of training and of gradients draw at most.
        weights: weights that other figures draw at most.
    """

    counted: int = 2000
    ablated: int = 2000
    together: int = 1000
    moving: int = 15_000
    still: int = 6_000
    weights: int = 500_000
    optimised: bool = True


def _as_they_are(images: Tensor) -> Tensor:
    return images


@dataclass(frozen=True)
class Subject:
    """A network as the atlas sees it: all that it knows of the world.

    Attributes:
        name: in addresses.
        title: in headings.
        model: trained; it is looked at in evaluation mode.
        images: as the network wants them, float (N, C, H, W); in memory or read on demand.
        labels: their true classes (N,), if anybody knows them.
        classes: names of the classes; none: nothing is told by class.
        shown: of the images, those that pages show; `examples` of them were chosen as typical,
            the first of which is number 0.
        example: which of `shown` stands for them all.
        show: from images as the network wants them to pixels from 0 to 1, grey or colour: undoes
            what was done to them.
        random: the same architecture with random weights; drawn anew if not given.
        past: the network as it was after so many training steps, one of `steps`.
        seed: of the training, "" where nobody knows it.
        limits: how much is looked at.
    """

    name: str
    title: str
    model: nn.Module
    images: Images
    labels: Tensor | None
    classes: Sequence[str]
    shown: Sequence[int]
    examples: int
    example: int = 0
    show: Callable[[Tensor], Tensor] = _as_they_are
    random: nn.Module | None = None
    past: Callable[[int], nn.Module] | None = None
    steps: Sequence[int] = ()
    seed: int | Literal[""] = ""
    limits: Limits = field(default_factory=Limits)


class AtlasNet:
    """A subject with what its pages share, each computed once.

    Attributes:
        subject: what it is made of; `name`, `title`, `model`, `classes`, `steps` are the subject's.
        random: the same architecture with random weights.
        inputs: the images that pages show, float (N, C, H, W).
    """

    def __init__(
        self, subject: Subject, keep: Path | None = None, progress: Progress | None = None
    ) -> None:
        """See `survey` for `keep` and `progress`."""
        self.subject, self._keep, self._progress = subject, keep, progress
        self.name, self.title, self.model = subject.name, subject.title, subject.model
        self.classes, self.limits = list(subject.classes), subject.limits
        self.steps = list(subject.steps)
        self.random = subject.random or reinitialised(subject.model)
        self.inputs = subject.images[list(subject.shown)]
        self.outputs_at = cache(self._outputs_at)
        self.ablation = cache(self._ablation)

    # --- Images and what becomes of them --------------------------------------------------------

    @property
    def labelled(self) -> bool:
        """Whether there are classes, and it is known of which each image is."""
        return self.subject.labels is not None and bool(self.classes)

    @property
    def _known_labels(self) -> Tensor:
        assert self.subject.labels is not None, "asked for only where net.labelled"
        return self.subject.labels

    @property
    def labels(self) -> Tensor:
        """The classes of `inputs`, (N,), where `labelled`."""
        return self._known_labels[list(self.subject.shown)]

    @property
    def counted(self) -> First:
        """The images over which is counted, read on demand."""
        return First(self.subject.images, self.limits.counted)

    @property
    def tested(self) -> Tensor:
        """The same, all of them in memory."""
        return self.counted[:]

    @property
    def tested_labels(self) -> Tensor:
        """Their classes, (N,), where `labelled`."""
        return self._known_labels[: self.limits.counted]

    @cached_property
    def pixels(self) -> Tensor:
        """The images that pages show as uint8 pixels (N, 1 or 3, H, W)."""
        return (255 * self.subject.show(self.inputs).clamp(0, 1)).round().byte()

    @cached_property
    def outputs(self) -> dict[str, Tensor]:
        """Every layer's output for `inputs`: dotted name → (N, …)."""
        return self.recorded(self.model, self.inputs)

    @cached_property
    def random_outputs(self) -> dict[str, Tensor]:
        """The same with random weights."""
        return self.recorded(self.random, self.inputs)

    @cached_property
    def largest(self) -> float:
        """The largest absolute value that any layer puts out for `inputs`, also a random one."""
        everything = [*self.outputs.values(), *self.random_outputs.values()]
        return max(float(x.abs().max()) for x in everything)

    def _outputs_at(self, step: int) -> dict[str, Tensor]:
        """The same as the network was after `step` training steps, one of `steps`."""
        return self.recorded(self.model_at(step), self.inputs)

    def model_at(self, step: int) -> nn.Module:
        """The network after `step` training steps, one of `steps`."""
        assert self.subject.past is not None, "there are steps only where there is a past"
        return self.subject.past(step)

    @property
    def answers(self) -> Tensor:
        """The classes that the network finds in `inputs`, (N,)."""
        return self.scores.argmax(1)

    @property
    def scores(self) -> Tensor:
        """The scores of the classes for `inputs`, before softmax, (N, classes)."""
        return self.outputs[answer_of(self.layers).name].flatten(1)

    def recorded(self, model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
        """Outputs (N, C, …) of all layers of the atlas, in order of execution."""
        with torch.no_grad():
            found = record(model, inputs, layers=[layer.output_key for layer in self.layers])
        return {layer.name: layer.units_first(found[layer.output_key]) for layer in self.layers}

    # --- Over many images -----------------------------------------------------------------------

    @cached_property
    def survey(self) -> Survey:
        """What is found in one pass over `counted`."""
        labels = self.tested_labels if self.labelled else None
        axes = {layer.output_key: layer.axis for layer in self.layers}
        return survey(
            self.model, list(axes), self.counted, labels, len(self.classes),
            axes=axes, keep=self._keep, progress=self._progress,
        )  # fmt: skip

    @property
    def statistics(self) -> dict[str, LayerStatistics]:
        """What each layer puts out for `counted`, by its name."""
        found = self.survey.layers
        return {layer.name: found[layer.output_key] for layer in self.layers}

    @cached_property
    def extremes(self) -> dict[str, Extremes]:
        """The strongest and weakest answers of layers with weights, over all images."""
        if len(self.counted) < len(self.subject.images):
            axes = {layer.output_key: layer.axis for layer in self.weighted}
            found = extremes(self.model, list(axes), self.subject.images, EXTREMES, axes=axes)
            return {layer.name: found[layer.output_key] for layer in self.weighted}
        return {layer.name: Extremes(known.most, known.least) for layer in self.weighted
                if (known := self.statistics[layer.name])}  # fmt: skip

    # --- Units off ------------------------------------------------------------------------------

    def _ablation(self, layer: str) -> Ablation | None:
        """Accuracy and loss by class with each unit of a layer switched off; None without classes.

        Over the images of `ablated`.
        """
        if not self.labelled:
            return None
        images, labels = self.ablated
        return ablate(self.model, layer, images[:], labels, len(self.classes))

    @property
    def ablated(self) -> tuple[First, Tensor]:
        """The images on which units are switched off, and their classes, where `labelled`."""
        count = min(self.limits.ablated, self.limits.counted)
        return First(self.subject.images, count), self._known_labels[:count]

    @cached_property
    def baseline(self) -> tuple[Tensor, Tensor]:
        """Accuracy and loss by class, each (classes,), on `ablated` with nothing switched off.

        Where `labelled`.
        """
        images, labels = self.ablated
        if len(images) < len(self.counted) or self.survey.answering is None:
            whole = by_class(predict(self.model, images[:]), labels, len(self.classes))
            return whole.accuracy[0].double(), whole.loss[0].double()
        return self.survey.answering.accuracy, self.survey.answering.loss

    # --- Layers ---------------------------------------------------------------------------------

    @cached_property
    def layers(self) -> list[Layer]:
        """All layers, in order of execution."""
        return layers_of(self.model, self.inputs[:1], self.name)

    def layer(self, name: str) -> Layer:
        """The layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)

    @property
    def weighted(self) -> list[Layer]:
        """Layers with weights: those whose units have pages of their own."""
        return [layer for layer in self.layers if layer.has_units]

    def before(self, layer: Layer) -> Layer | None:
        """The one layer that feeds another; None if the input does, or several layers do."""
        return self.layer(layer.fed_by[0]) if len(layer.fed_by) == 1 and layer.fed_by[0] else None

    def after(self, layer: Layer) -> list[Layer]:
        """What a layer alone feeds, up to the next ones with weights: ReLU, pooling, flattening."""
        reached = [layer]
        for later in self.layers[self.layers.index(layer) + 1 :]:
            if not KINDS[later.kind].weighted and self.before(later) in reached:
                reached.append(later)
        return reached[1:]

    def weighted_before(self, layer: Layer) -> Layer | None:
        """The one layer with weights whose outputs reach another, if it is one and has units."""
        before = self.before(layer)
        while before is not None and not KINDS[before.kind].weighted:
            before = self.before(before)
        return before if before is not None and before.has_units else None

    def weighted_after(self, layer: Layer) -> Layer | None:
        """The first layer with weights that is reached from another alone."""
        return next((x for x in self.weighted if self.weighted_before(x) is layer), None)

    @cached_property
    def fields(self) -> dict[str, ReceptiveField]:
        """Receptive fields of all layers."""
        height, width = self.inputs.shape[2:]
        try:
            return receptive_fields(self.model, (height, width))
        except CnnvizError:
            return {}

    def field(self, layer: Layer) -> ReceptiveField | None:
        """What a unit of a layer with maps sees; None where nobody knows.

        For a layer that puts out a vector: all that its units may see.
        """
        try:
            return self.fields.get(layer.name)
        except CnnvizError:
            return None


def reinitialised(model: nn.Module, seed: int = 0) -> nn.Module:
    """A copy with the random weights that its layers begin with."""
    copy: Any = deepcopy(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in copy.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
                reset()
    made: nn.Module = copy.eval()
    return made
