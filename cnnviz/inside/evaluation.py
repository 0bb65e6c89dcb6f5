"""How well a network reads: accuracy, per class, and which class is taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

BATCH = 500


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Logits (N, classes) of float images (N, C, H, W), in batches, without gradients.

    The model is put into evaluation mode for it and back into its mode afterwards.
    """
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return torch.cat([model(batch) for batch in images.split(BATCH)])
    finally:
        model.train(training)


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of right answers: logits (N, classes), labels (N,).

    >>> accuracy(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0]))
    0.5
    """
    return (logits.argmax(1) == labels).double().mean().item()


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
    """
    classes = len(class_names)
    pairs = labels * classes + logits.argmax(1)  # (N,)
    confusion = torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    per_class = (confusion.diagonal().double() / confusion.sum(1)).tolist()
    return Evaluation(
        accuracy(logits, labels),
        len(labels),
        dict(zip(class_names, per_class, strict=True)),
        confusion,
    )
