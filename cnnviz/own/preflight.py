"""What is told before an atlas is drawn: the network, how well it reads, what will be missing."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch

from cnnviz.atlas.drawn import Options
from cnnviz.atlas.subject import Subject
from cnnviz.inside.evaluation import accuracy
from cnnviz.inside.layer import Layer
from cnnviz.inside.layers import layers_of
from cnnviz.nets.models import parameter_count
from cnnviz.numbers import percent, thousands, times
from cnnviz.own.estimate import estimate
from cnnviz.own.sample import Sample
from cnnviz.own.user_file import said


def preflight(
    subject: Subject,
    sample: Sample,
    device: torch.device | str = "cpu",
    options: Options | None = None,
) -> list[str]:
    """Lines for the terminal; those that begin with "Note:" want the user's attention.

    Raises:
        CnnvizError: the options ask for what is not for this network.
    """
    lines = [_network(subject), _images(subject)]
    layers: list[Layer] = []
    try:
        layers = layers_of(subject.model, subject.images[[0]].to(device), subject.name)
        lines.append(_layers(layers))
    except Exception as error:  # one more network that nobody has seen: the report goes on
        lines.append(f"Note: its layers could not be listed ({said(error)}).")
    lines += [f"Note: {warning}" for warning in _reading(subject, sample)]
    lines += [f"Note: {missing}" for missing in absent(subject, sample)]
    return [*lines, _cost(subject, sample, device, layers, options or Options())]


def _network(subject: Subject) -> str:
    kind = type(subject.model).__name__
    trained = thousands(sum(p.numel() for p in subject.model.parameters()))
    frozen = sum(p.numel() for p in subject.model.parameters()) - parameter_count(subject.model)
    also = f", {thousands(frozen)} of them frozen" if frozen else ""
    return f"Network: {subject.title} ({kind}), {trained} parameters{also}"


def _images(subject: Subject) -> str:
    count, shape = len(subject.images), subject.images[[0]].shape[1:]
    counted = min(count, subject.limits.counted)
    all_of = "all" if counted == count else f"the first {thousands(counted)}"
    classes = f", {len(subject.classes)} classes" if subject.classes else ""
    return f"Images: {thousands(count)} of {times(shape)}{classes}; counted over {all_of}"


def _layers(layers: Sequence[Layer]) -> str:
    weighted = [layer for layer in layers if layer.has_units]
    return (
        f"Layers: {len(layers)}, {len(weighted)} of them with weights and "
        f"{thousands(sum(layer.units for layer in weighted))} units"
    )


def _reading(subject: Subject, sample: Sample) -> list[str]:
    """How well it reads the sample, and what looks wrong in it."""
    if sample.scores is None:
        return []
    answers = sample.scores.argmax(1)
    warnings = []
    if not sample.scores.isfinite().all():
        warnings.append("some scores are infinite or NaN: its weights, or the images' range?")
    elif len(answers) >= 8 and len(answers.unique()) == 1 < sample.scores.shape[1]:
        warnings.append(
            f"it gives all {len(answers)} images the same answer, output {int(answers[0])}. "
            "Are they normalised as in training? See --mean and --std."
        )
    if subject.labels is None:
        return warnings
    labels = subject.labels[list(sample.indices)]
    right, chance = accuracy(sample.scores, labels), 1 / sample.scores.shape[1]
    told = f"it reads {percent(right)} of {len(labels)} images right; chance is {percent(chance)}."
    if right <= chance + 2 * sqrt(chance * (1 - chance) / len(labels)):
        told += (
            " That is near chance: is it trained, are the images normalised as in training "
            "(--mean, --std), of the right size (--size), the classes in its order (--classes)?"
        )
    return [told, *warnings]


def absent(subject: Subject, sample: Sample) -> list[str]:
    """Sections that pages will not have, and why."""
    missing = []
    if sample.scores is None:
        missing.append(f"no scores and no ablation: {sample.reason}")
    elif subject.labels is None:
        missing.append(
            "no accuracy, nothing by class and no ablation: nobody says which of its classes the "
            "images belong to. Put them into a folder for each class, or give --labels FILE."
        )
    if not subject.steps:
        missing.append("nothing on how its weights came about: only their last state is known.")
    return missing


def _cost(
    subject: Subject,
    sample: Sample,
    device: torch.device | str,
    layers: Sequence[Layer],
    options: Options,
) -> str:
    each = f"Cost: {1000 * sample.seconds:.1f} ms an image on {device}"
    if not layers:
        return each
    cost = estimate(subject, layers, sample.seconds, options)
    return (
        f"{each}; in all about {_long(cost.seconds)} and {_large(cost.bytes)} of pages and "
        "pictures, both perhaps half or twice as much."
    )


def _large(size: float) -> str:
    """
    >>> _large(2e5), _large(87_654_321)
    ('1 MB', '90 MB')
    """
    size = max(1, size / 1e6)
    return f"{round(size) if size < 10 else 10 * round(size / 10)} MB"


def _long(seconds: float) -> str:
    """
    >>> _long(0.4), _long(30), _long(600)
    ('1 s', '30 s', '10 min')
    """
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
