"""Small networks of the chapters on sound and text: trained in a second, on what is made here."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.threads import one_thread
from cnnviz.training.brief import train_on


class MaxOverTime(nn.Module):
    """Of each channel the largest value, wherever it is: (N, C, T) → (N, C)."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.amax(2)


def fit(
    net: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    *,
    steps: int,
    rate: float,
    seed: int,
    decay: float = 0.01,
) -> None:
    """Train `net` in batches of 32; then it is in eval mode."""
    with one_thread():
        train_on(net, inputs, labels, steps, rate, weight_decay=decay, batch_size=32, seed=seed)


@torch.no_grad()
def outputs(net: nn.Module, inputs: Tensor) -> Tensor:
    """What a network puts out for inputs (N, …)."""
    return torch.cat([net(part) for part in inputs.split(500)])


def accuracy(net: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Share of the inputs that the network gets right."""
    return float(outputs(net, inputs).argmax(1).eq(labels).double().mean())


def with_output_fitted(net: nn.Sequential, inputs: Tensor, labels: Tensor) -> nn.Sequential:
    """The same layers, but the last, which is a new one, fitted to what the others put out.

    Those others stay as they are. Their outputs are standardised and used all at once, 400 times:
    enough for the loss to settle.
    """
    body, last = net[:-1].eval(), net[-1]
    assert isinstance(last, nn.Linear)
    features = outputs(body, inputs)  # (N, C)
    scale = nn.BatchNorm1d(features.shape[1], affine=False, momentum=1.0)
    scale(features)
    scale.eval()
    output = nn.Linear(last.in_features, last.out_features)
    nn.init.zeros_(output.weight)
    nn.init.zeros_(output.bias)
    optimiser = torch.optim.Adam(output.parameters(), 0.05)
    ready = scale(features)
    with one_thread():
        for _ in range(400):
            optimiser.zero_grad()
            torch.autograd.backward(F.cross_entropy(output(ready), labels))
            optimiser.step()
    return nn.Sequential(body, scale, output)
