"""Recording every layer, beside a plain forward pass: `python -m tests.bench.bench_recording`.

All run in turn, each first in every other round, in eval mode and without gradients; a ratio is
the median over the rounds. "kept" is the least that recording can cost: the same network with
nothing in place (a value that is overwritten cannot be kept), its outputs held in a list by the
plainest hook. The limits are those of the project, of "kept": ResNet-18 within 5 %, LeNet at
batch 1 within 1.35 times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from statistics import median

import torch
import torchvision
from torch import Tensor, nn

from cnnviz.inside.recording import record
from cnnviz.nets.models import LeNet

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


class Kept:
    """A copy of a network that holds on to what its layers return, and nothing more."""

    def __init__(self, model: nn.Module) -> None:
        self.model = deepcopy(model)
        self.outputs: list[Tensor] = []
        for module in self.model.modules():
            if hasattr(module, "inplace"):
                module.inplace = False
            if not list(module.children()):
                module.register_forward_hook(self._hold)

    def _hold(self, module: nn.Module, inputs: object, output: Tensor) -> None:
        self.outputs.append(output)

    def run(self, _: nn.Module, x: Tensor) -> object:
        self.outputs = []
        return self.model(x)


@torch.no_grad()
def compare(model: nn.Module, x: Tensor, rounds: int) -> tuple[list[float], list[float]]:
    """Median seconds of a plain, a kept and a recorded pass.

    The second list: median ratios of kept to plain, recorded to plain, recorded to kept.
    """
    ways = [plain, Kept(model).run, record]
    for way in ways * 3:
        way(model, x)
    times = []
    for number in range(rounds):
        order = range(3) if number % 2 else range(2, -1, -1)
        taken = {index: seconds(ways[index], model, x) for index in order}
        times.append([taken[index] for index in range(3)])
    ratios = [median(row[a] / row[b] for row in times) for a, b in ((1, 0), (2, 0), (2, 1))]
    return [median(row[index] for row in times) for index in range(3)], ratios


def main() -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{'':28} {'plain':>10} {'kept':>17} {'recorded':>17} {'of kept':>8} {'layers':>7}")
    for name, build, shape, rounds in CASES:
        torch.manual_seed(0)
        model, x = build().eval(), torch.randn(shape)
        (alone, kept, recorded), (least, ratio, of_kept) = compare(model, x, rounds)
        layers = len(record(model, x))
        print(
            f"{name:28} {alone * 1e3:7.3f} ms {kept * 1e3:7.3f} ms {least:6.3f} "
            f"{recorded * 1e3:7.3f} ms {ratio:6.3f} {of_kept:8.3f} {layers:7}"
        )


if __name__ == "__main__":
    main()
