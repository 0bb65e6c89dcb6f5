"""How well a network reads: accuracy, per class, and which class is taken for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.batches import batches
from cnnviz.inside.heads import head
from cnnviz.inside.inputs import run
from cnnviz.inside.undisturbed import undisturbed

BATCH = 500


def predict(
    model: nn.Module,
    images: Any,
    *,
    output: str | int | None = None,
    batch: int = BATCH,
) -> Tensor:
    """Logits (N, classes) of images, in batches, without gradients, on the model's device.

    Every module is in evaluation mode for it and in its own mode afterwards.

    Args:
        images: float (N, C, H, W), or anything with a length that gives such a tensor for a slice;
            see `cnnviz.inside.batches.batches` for models of several inputs.
        output: of a model with several heads the one that is meant; see `cnnviz.inside.heads.head`.
        batch: images that go through the model at once.

    Raises:
        CnnvizError: no images, no such head.
    """
    with undisturbed(model), torch.no_grad():
        return torch.cat([head(run(model, some), output) for some in batches(model, images, batch)])


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of right answers: logits (N, classes), labels (N,).

    >>> accuracy(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0]))
    0.5
    """
    return (logits.argmax(1) == labels.to(logits.device)).double().mean().item()


def shift(images: Tensor, down: int, right: int) -> Tensor:
    """(N, C, H, W) moved by whole pixels; what leaves is lost, what enters is 0.

    >>> shift(torch.tensor([[[[1, 2], [3, 4]]]]), down=1, right=0).tolist()
    [[[[0, 0], [1, 2]]]]
    """
    height, width = images.shape[2:]
    moved = torch.zeros_like(images)
    rows, columns = (
        slice(max(down, 0), height + min(down, 0)),
        slice(max(right, 0), width + min(right, 0)),
    )
    from_rows = slice(max(-down, 0), height + min(-down, 0))
    from_columns = slice(max(-right, 0), width + min(-right, 0))
    moved[:, :, rows, columns] = images[:, :, from_rows, from_columns]
    return moved


@dataclass(frozen=True)
class Evaluation:
    """Result of a test.

    Attributes:
        accuracy: share of right answers.
        count: number of images.
        per_class: accuracy of each true class, by name.
        confusion: int64 (classes, classes): row true class, column answer.
    """

    accuracy: float
    count: int
    per_class: dict[str, float]
    confusion: Tensor


def evaluate(logits: Tensor, labels: Tensor, class_names: tuple[str, ...]) -> Evaluation:
    """Evaluate logits (N, classes) against labels (N,).

    A class without any image has accuracy NaN.

    Raises:
        CnnvizError: labels or logits that do not go with the names.
    """
    classes = len(class_names)
    labels = labels.to(logits.device)
    if logits.shape != (len(labels), classes) or (labels >= classes).any() or (labels < 0).any():
        raise CnnvizError(
            f"Logits {tuple(logits.shape)} and {len(labels)} labels up to "
            f"{int(labels.max()) if len(labels) else None} with {classes} names of classes; "
            f"expected logits (N, {classes}) and labels from 0 to {classes - 1}."
        )
    pairs = labels * classes + logits.argmax(1)  # (N,)
    confusion = torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    per_class = (confusion.diagonal().double() / confusion.sum(1)).tolist()
    return Evaluation(
        accuracy(logits, labels),
        len(labels),
        dict(zip(class_names, per_class, strict=True)),
        confusion,
    )
