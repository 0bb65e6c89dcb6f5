"""Recording every layer, beside a plain forward pass: `python -m tests.bench.bench_recording`.

Both run in turn, each first in every other round, in eval mode and without gradients; the ratio
is the median over the rounds. The limits are those of the project: ResNet-18 within 5 %, LeNet
at batch 1 within 1.4 times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
import torchvision
from torch import Tensor, nn

from cnnviz.models import LeNet
from cnnviz.recording import record

# name, model, input shape, rounds
CASES: list[tuple[str, Callable[[], nn.Module], tuple[int, ...], int]] = [
    ("ResNet-18, 224 px, batch 1", torchvision.models.resnet18, (1, 3, 224, 224), 100),
    ("ResNet-18, 224 px, batch 8", torchvision.models.resnet18, (8, 3, 224, 224), 20),
    ("LeNet, batch 1", LeNet, (1, 1, 28, 28), 3000),
    ("LeNet, batch 64", LeNet, (64, 1, 28, 28), 300),
]


def seconds(run: Callable[[nn.Module, Tensor], object], model: nn.Module, x: Tensor) -> float:
    start = time.perf_counter()
    result = run(model, x)
    elapsed = time.perf_counter() - start
    del result  # freeing is not part of either
    return elapsed


def plain(model: nn.Module, x: Tensor) -> object:
    return model(x)


@torch.no_grad()
def compare(model: nn.Module, x: Tensor, rounds: int) -> tuple[float, float, float]:
    """Median seconds of a plain pass and of a recorded one, and the median ratio."""
    for _ in range(3):
        plain(model, x), record(model, x)
    times = []
    for number in range(rounds):
        if number % 2:
            recorded = seconds(record, model, x)
            times.append((seconds(plain, model, x), recorded))
        else:
            times.append((seconds(plain, model, x), seconds(record, model, x)))
    alone, recorded = zip(*times, strict=True)
    return median(alone), median(recorded), median(r / p for p, r in times)


def main() -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{'':28} {'plain':>10} {'recorded':>10} {'ratio':>7} {'layers':>7}")
    for name, build, shape, rounds in CASES:
        torch.manual_seed(0)
        model, x = build().eval(), torch.randn(shape)
        alone, recorded, ratio = compare(model, x, rounds)
        layers = len(record(model, x))
        print(f"{name:28} {alone * 1e3:7.3f} ms {recorded * 1e3:7.3f} ms {ratio:7.3f} {layers:7}")


if __name__ == "__main__":
    main()
