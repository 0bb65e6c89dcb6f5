"""What a network says of a few of the images, and which of them pages show."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.heads import head
from cnnviz.inside.recording import eval_mode
from cnnviz.own.images import evenly
from cnnviz.own.prepared import channels_of
from cnnviz.own.user_file import said
from cnnviz.threads import one_thread

SHOWN = 14
"""So many images pages show at most."""

PIXELS = 1_600_000
"""A first look takes so many pixels: 32 images of 224×224, 256 small ones; seconds for any net."""


@dataclass(frozen=True)
class Sample:
    """What the network says of a few images, evenly from all.

    Attributes:
        indices: which images.
        scores: (n, outputs); None if the network's answer is no vector of scores.
        seconds: for one image, on one processor.
        reason: why there are no scores.
    """

    indices: Sequence[int]
    scores: Tensor | None
    seconds: float
    reason: str = ""

    @property
    def outputs(self) -> int | None:
        """How many scores there are for an image."""
        return self.scores.shape[1] if self.scores is not None else None


def first_look(model: nn.Module, images: Any, device: torch.device | str = "cpu") -> Sample:
    """Feeds the network a few images.

    Raises:
        CnnvizError: it fails on them; says what shape they have and what to try.
    """
    one = images[[0]]  # (1, C, H, W)
    sampled = min(256, max(8, PIXELS // one[0, 0].numel()))
    indices = evenly(len(images), sampled)
    parts: list[Tensor] = []
    reason = ""
    with eval_mode(model.to(device)), torch.no_grad(), one_thread():
        _fed(model, one.to(device))  # the first time takes longer
        began, seconds = time.perf_counter(), 0.0
        for start in range(0, len(indices), 8):
            batch = images[indices[start : start + 8]].to(device)
            began = time.perf_counter()
            output = _fed(model, batch)
            try:
                scores = head(output)
            except CnnvizError as error:
                reason = str(error)
                break
            if scores.dim() != 2 or len(scores) != len(batch):
                reason = f"The network's answer has shape {tuple(scores.shape)}, not (N, classes)."
                break
            parts.append(scores.float().cpu())
            seconds += time.perf_counter() - began
    if reason:
        return Sample(indices, None, (time.perf_counter() - began) / len(batch), reason)
    return Sample(indices, torch.cat(parts), seconds / len(indices))


def _fed(model: nn.Module, batch: Tensor) -> Any:
    some = next((p for p in model.parameters() if p.is_floating_point()), None)
    if some is not None:
        batch = batch.to(some.dtype)
    try:
        return model(batch)
    except Exception as error:  # whatever a network raises for images that do not fit it
        shape = "×".join(map(str, batch.shape[1:]))
        raise CnnvizError(
            f"The network fails on images of {shape} ({said(error)}). {_advice(model, batch)}"
        ) from error


def _advice(model: nn.Module, batch: Tensor) -> str:
    channels = channels_of(model)
    if channels is not None and channels != batch.shape[1]:
        return (
            f"Its first layer takes {channels} channels. Photographs give 1 or 3; others come from "
            "a function: --images my_model.py:images."
        )
    for side in SIDES:
        with suppress(Exception):
            model(batch.new_zeros(2, batch.shape[1], side, side))
            return f"It takes images of {side}×{side}: try --size {side}."
    return "Say what size it was trained on: --size 64, or --size HEIGHTxWIDTH."


SIDES = (28, 32, 64, 96, 112, 128, 160, 192, 224, 227, 256, 299, 384, 512)
"""Sizes of images that networks are often trained on."""


# --- Images that pages show ---------------------------------------------------------------------


def chosen_from(sample: Sample, labels: Tensor | None) -> tuple[list[int], int]:
    """Images that pages show, and how many of them are typical.

    One of each class that the network reads right, if there is one; then some that it misreads.
    Without classes they are evenly from all.
    """
    if labels is None or sample.scores is None:
        shown = [sample.indices[i] for i in evenly(len(sample.indices), SHOWN)]
        return shown, len(shown)
    truth = labels[list(sample.indices)]  # (n,)
    right = sample.scores.argmax(1) == truth
    classes = truth.unique().tolist()
    typical = []
    for index in evenly(len(classes), SHOWN):
        members = (truth == classes[index]).nonzero().flatten().tolist()
        typical.append(next((i for i in members if right[i]), members[0]))
    hard = [i for i in (~right).nonzero().flatten().tolist() if i not in typical]
    places = typical + hard[: SHOWN - len(typical)]
    return [sample.indices[i] for i in places], len(typical)


def chosen(model: nn.Module, images: Any, labels: Tensor) -> tuple[list[int], int]:
    """The same of images whose classes are the network's."""
    return chosen_from(first_look(model, images), labels)
