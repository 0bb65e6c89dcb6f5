"""One pass over many images, of which running results for every layer are kept.

Images are cut into shards. Each is computed alone, by one thread, and results are added up in the
order of the shards: how many processes share the work, and whether it was interrupted, changes no
bit of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.atlas.known import Known, Seen, Survey
from cnnviz.atlas.processes import Processes, processes
from cnnviz.errors import CnnvizError
from cnnviz.inside.heads import head
from cnnviz.inside.images import Images, batch_size
from cnnviz.inside.selection import Selection, joined
from cnnviz.inside.statistics import EXTREMES, Glance, glance
from cnnviz.inside.watching import watch
from cnnviz.threads import one_thread

Progress = Callable[[int, int], object]
"""Told how many images have been looked at, of how many."""


def survey(
    model: nn.Module,
    layers: Sequence[str],
    images: Images,
    labels: Tensor | None = None,
    classes: int = 0,
    *,
    extremes: int = EXTREMES,
    output: str | int | None = None,
    shard: int | None = None,
    axes: Mapping[str, int] | None = None,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Survey:
    """What each layer puts out over images, and how the network answers.

    Started by `torchrun`, the processes share the images; each gets the whole result, which is
    that of one process byte for byte.

    Args:
        model: any module; it runs in eval mode with images on its own device.
        layers: names as `cnnviz.record` gives them. One whose output is not of one row for each
            image is left out.
        images: float (N, …), in memory or read on demand.
        labels: classes of the images (N,), if known.
        classes: how many there are.
        extremes: how many images are kept for each channel that it answers most and least to.
        output: which of several outputs holds the scores; see `cnnviz.inside.heads.head`.
        shard: images that are looked at together, by default by their size.
        axes: where the units of a layer's output lie, the batch not counted; 0 if not given.
        keep: a file from which a pass that was interrupted goes on, and which spares another one
            over the same images by the same weights.
        progress: told how far it is.
    """
    team, shard = processes(), shard or batch_size(images)
    known = Known(layers, classes, extremes, len(images), shard)
    key = (
        known.key(model, images, labels, sorted((axes or {}).items()))
        if keep and team.rank == 0
        else ""
    )
    if keep and team.rank == 0:
        known.read(keep, key)
    done = team.share(known.done)
    look = partial(_look, model, known.selections, images, labels, output, axes or {})
    with one_thread():
        for first in range(done, known.shards, team.count):
            own = first + team.rank
            _collect(known, team, look(own * shard, shard) if own < known.shards else None, labels)
            if progress is not None and team.rank == 0:
                progress(min(known.done * shard, len(images)), len(images))
            if keep and team.share(known.due or known.done >= known.shards):
                _keep(known, team, keep, key)
    return team.share(known.survey(_joined(known, team)))


def _collect(known: Known, team: Processes, seen: Seen | None, labels: Tensor | None) -> None:
    """Add what the processes saw, in the order of the shards."""
    for part in team.gather(seen) or ():
        if part is not None:
            known.add(part, labels)


def _joined(known: Known, team: Processes) -> dict[str, Selection]:
    """The selections of all processes; nothing of use but for rank 0."""
    found = team.gather(known.selections) or [known.selections]
    return {name: joined(one[name] for one in found) for name in known.selections}


def _keep(known: Known, team: Processes, path: Path, key: str) -> None:
    selections = _joined(known, team)
    if team.rank == 0:
        known.write(path, key, selections)


def _look(
    model: nn.Module,
    selections: dict[str, Selection],
    images: Images,
    labels: Tensor | None,
    which: str | int | None,
    axes: Mapping[str, int],
    first: int,
    shard: int,
) -> Seen:
    """Run the model on one shard."""
    glances: dict[str, Glance] = {}
    batch = images[first : first + shard]
    device = next((p.device for p in model.parameters()), batch.device)

    def look(name: str, output: Tensor) -> None:
        if axes.get(name):
            output = output.movedim(axes[name] + 1, 1)
        if (rows := _by_image(output, len(batch))) is not None:
            glances[name] = glance(rows, first, selections[name])

    output = watch(model, batch.to(device), {name: partial(look, name) for name in selections})
    answers = None
    if labels is not None:
        answers = _answers(output, labels[first : first + shard], which)
    return Seen(first, glances, answers)


def _by_image(output: Tensor, images: int) -> Tensor | None:
    """A layer's output with one row for each image, (B, C, …), if it has any."""
    if output.dim() == 0 or not output.numel() or output.is_complex() or len(output) % images:
        return None
    if len(output) == images:
        return output
    if output.dim() < 2:
        return None
    return output.unflatten(0, (images, -1)).transpose(1, 2)  # windows of an image in a row


def _answers(output: Any, labels: Tensor, which: str | int | None) -> Tensor | None:
    """(B, 3): is it read right, is its class among the strongest five, the loss; float64."""
    try:
        scores = head(output, which)
    except CnnvizError:
        if which is not None:
            raise
        return None
    scores = scores.flatten(1).cpu().double()
    if len(scores) != len(labels) or int(labels.max()) >= scores.shape[1]:
        return None
    five = scores.topk(min(5, scores.shape[1]), dim=1).indices  # (B, ≤ 5)
    return torch.stack([
        scores.argmax(1).eq(labels).double(),
        five.eq(labels[:, None]).any(1).double(),
        F.cross_entropy(scores, labels, reduction="none"),
    ], dim=1)  # fmt: skip
