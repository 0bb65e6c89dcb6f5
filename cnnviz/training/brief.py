"""`train_briefly`: a few steps of training for an experiment, without schedule, shifts or files.

Runs that a chapter leans on have a recipe (`cnnviz.training.recipe`) and are trained by
`cnnviz.training.fit`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data.datasets import Dataset
from cnnviz.data.inputs import to_input
from cnnviz.errors import unknown_name
from cnnviz.training.recipe import OPTIMIZERS


def train_briefly(
    model: nn.Module,
    train: Dataset,
    steps: int,
    learning_rate: float,
    *,
    optimizer: str = "adamw",
    weight_decay: float = 0.0,
    batch_size: int = 128,
    seed: int = 0,
) -> list[float]:
    """Train `model` where it stands and put it into evaluation mode.

    Args:
        steps: number of weight updates.
        learning_rate: the same at every step.
        optimizer: "adamw" or "sgd" (with momentum 0.9).
        weight_decay: decoupled in AdamW, part of the gradient in SGD.
        batch_size: images per step, drawn with replacement.
        seed: of the draws, and of dropout; that of the initial weights is the caller's.

    Returns:
        The loss of each step, cross-entropy without label smoothing.

    Raises:
        CnnvizError: unknown optimizer.
    """
    return train_on(
        model,
        train.images,
        train.labels,
        steps,
        learning_rate,
        optimizer=optimizer,
        weight_decay=weight_decay,
        batch_size=batch_size,
        seed=seed,
        prepare=to_input,
    )


def train_on(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    steps: int,
    learning_rate: float,
    *,
    optimizer: str = "adamw",
    weight_decay: float = 0.0,
    batch_size: int = 128,
    seed: int = 0,
    prepare: Callable[[Tensor], Tensor] = lambda batch: batch,
    after: Callable[[int], object] = lambda steps: None,
) -> list[float]:
    """The same on inputs of any kind (N, …) and their classes (N,) or (N, …).

    Parameters that ask for no gradient stay as they are.

    Args:
        prepare: what a batch of inputs goes through on its way to the network.
        after: called after each step with the number of steps taken so far.
    """
    if optimizer not in OPTIMIZERS:
        raise unknown_name("optimizer", optimizer, OPTIMIZERS)
    choice: torch.optim.Optimizer
    if optimizer == "sgd":
        choice = torch.optim.SGD(
            model.parameters(), learning_rate, momentum=0.9, weight_decay=weight_decay
        )
    else:
        choice = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=weight_decay)
    model.train()
    losses = []
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for step in range(1, steps + 1):
            index = torch.randint(len(inputs), (batch_size,), generator=generator)
            logits = model(prepare(inputs[index]))  # (B, classes)
            loss = F.cross_entropy(logits, labels[index])
            choice.zero_grad()
            torch.autograd.backward(loss)
            choice.step()
            losses.append(loss.item())
            after(step)
    model.eval()
    return losses
