"""From a network and images to a `Subject`: classes in the order of the network's outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz.atlas.subject import Limits, Subject
from cnnviz.errors import CnnvizError
from cnnviz.own.models import Opened
from cnnviz.own.prepared import Images
from cnnviz.own.sample import Sample, chosen_from


@dataclass(frozen=True)
class Labelled:
    """Classes as the network numbers them.

    Attributes:
        labels: (N,), or None where nobody knows them, or not in the network's numbers.
        classes: names of its outputs; may be empty.
        notes: what the user should know.
    """

    labels: Tensor | None
    classes: Sequence[str]
    notes: Sequence[str] = ()


def labelled(
    labels: Tensor | None, theirs: Sequence[str], outputs: int | None, names: Sequence[str]
) -> Labelled:
    """Brings the classes of images into the order of a network's outputs.

    Args:
        labels: (N,) numbers of the images' classes, or None.
        theirs: names of those, such as of folders; may be empty.
        outputs: how many outputs the network has; None if it gives no scores.
        names: what its outputs are called; may be empty.

    Raises:
        CnnvizError: as many names as outputs are expected.
    """
    if names and outputs is not None and len(names) != outputs:
        raise CnnvizError(
            f"There are {len(names)} names of classes, but the network has {outputs} outputs. "
            "Give one name for each output, in their order."
        )
    if outputs is None:
        return Labelled(None, (), ())
    if labels is None:
        return Labelled(None, names)
    if not theirs:
        if int(labels.min()) < 0 or int(labels.max()) >= outputs:
            return Labelled(None, names, [_beyond(labels, outputs)])
        return Labelled(labels, names or [str(i) for i in range(outputs)])
    place = _places(theirs, outputs, names)
    if unknown := [theirs[i] for i in labels.unique().tolist() if place[i] is None]:
        return Labelled(None, names, [_unmatched(unknown, theirs, outputs, names)])
    order = torch.tensor([-1 if index is None else index for index in place])
    found = names or (theirs if len(theirs) == outputs else [str(i) for i in range(outputs)])
    return Labelled(order[labels], found)


def _places(theirs: Sequence[str], outputs: int, names: Sequence[str]) -> list[int | None]:
    """Which output each class of the images is, None where nobody knows."""
    if names:
        known: dict[str, int] = {}
        for index, name in enumerate(names):
            for synonym in (name, *name.split(",")):
                known.setdefault(_plain(synonym), index)
        return [known.get(_plain(name)) for name in theirs]
    if len(theirs) == outputs:
        return list(range(outputs))
    numbers = [int(name) if name.isdecimal() else outputs for name in theirs]
    return [number if number < outputs else None for number in numbers]


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def _beyond(labels: Tensor, outputs: int) -> str:
    return (
        f"The images' classes are numbered {int(labels.min())} to {int(labels.max())}, but the "
        f"network has {outputs} outputs: how many it reads right is not told."
    )


def _unmatched(
    unknown: Sequence[str], theirs: Sequence[str], outputs: int, names: Sequence[str]
) -> str:
    some = ", ".join(f"'{name}'" for name in unknown[:3])
    what = "none of its class names is" if names else f"it has {outputs} outputs, not {len(theirs)}"
    return (
        f"The images' classes {some} are not known to the network ({what}): how many it reads "
        "right is not told. Name its outputs with --classes FILE, one name a line."
    )


def subject_of(
    opened: Opened, images: Images, sample: Sample, names: Sequence[str] = ()
) -> tuple[Subject, list[str]]:
    """A network over images, as the atlas takes it, and what the user should know of it.

    Args:
        sample: from `first_look`.
        names: of the outputs, if the user gave some; else those that the network came with.
    """
    known = labelled(images.labels, images.classes, sample.outputs, names or opened.classes)
    shown, examples = chosen_from(sample, known.labels)
    small = images[[0]][0, 0].numel() <= 64 * 64
    subject = Subject(
        opened.name,
        opened.title,
        opened.model,
        images,
        known.labels,
        known.classes,
        shown=shown,
        examples=examples,
        show=images.show,
        limits=Limits() if small else Limits(ablated=200, together=200),
    )
    return subject, list(known.notes)
