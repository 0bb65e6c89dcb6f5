"""Is a network as often right as it is sure? Reliability, its error, and a temperature to mend it.

After Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz.errors import CnnvizError

COLDEST, HOTTEST = 0.01, 100.0
"""Temperatures between which `fit_temperature` looks."""


@dataclass(frozen=True)
class Reliability:
    """Answers sorted into equal intervals of confidence (the largest probability); B intervals.

    Attributes:
        counts: answers in each interval, (B,) int64.
        confidence: their mean confidence, (B,); 0 where there are none.
        accuracy: the share of right ones, (B,); 0 where there are none.
    """

    counts: Tensor
    confidence: Tensor
    accuracy: Tensor

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of confidence and accuracy, by answers."""
        gaps = (self.confidence - self.accuracy).abs()
        return float((gaps * self.counts).sum() / self.counts.sum())


def reliability(logits: Tensor, labels: Tensor, bins: int = 10) -> Reliability:
    """Sort answers into `bins` intervals of confidence: logits (N, classes), labels (N,).

    Raises:
        CnnvizError: no answers, or fewer than 1 interval.
    """
    if not len(labels) or bins < 1:
        raise CnnvizError(f"{len(labels)} answers in {bins} intervals; expected at least 1 each.")
    confidence, answers = logits.detach().double().softmax(1).max(1)
    right = (answers == labels.to(answers.device)).double()
    place = (confidence * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(place, minlength=bins)
    some = counts.clamp(min=1)
    sums = [torch.bincount(place, weights, bins) / some for weights in (confidence, right)]
    return Reliability(counts, *sums)


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The T for which softmax(logits / T) has the lowest cross-entropy with the labels.

    The loss is convex in 1 / T, and its slope is what the probabilities expect of the logits less
    the logits of the labels: the zero of that is found by halving the interval.
    """
    logits = logits.detach().double()
    wanted = logits.gather(1, labels.to(logits.device)[:, None]).mean()
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(60):
        middle = (low + high) / 2
        slope = ((logits * middle).softmax(1) * logits).sum(1).mean() - wanted
        low, high = (low, middle) if slope > 0 else (middle, high)
    return 2 / (low + high)
