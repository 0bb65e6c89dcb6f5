"""Looking at every layer over many images, beside the forward passes alone.

`python -m tests.bench.bench_survey [IMAGES]`

ResNet-18 at 224 px, one thread a process, images made on demand. `top patches` is
`cnnviz.inside.patches.extremes` for all layers, `survey` all statistics of the atlas. The limits
are those of the project: top patches within 1.3 times the forward passes over 1,000 images, two
processes at least 1.7 times one on two cores, and memory that does not grow with the images.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import torch
import torchvision
from torch import Tensor, nn

from cnnviz.atlas.processes import processes
from cnnviz.atlas.survey import survey
from cnnviz.inside.images import batch_size
from cnnviz.inside.layers import layers_of
from cnnviz.inside.patches import extremes

IMAGES = 256


class Noise:
    """Images of which none is kept."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._few = torch.rand(64, 3, 224, 224, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: slice | Tensor | list[int]) -> Tensor:
        numbers = torch.arange(self._count)[index]
        return self._few[numbers % 64] * (0.2 + 0.8 * numbers / self._count)[:, None, None, None]


def network() -> tuple[nn.Module, list[str]]:
    torch.manual_seed(0)
    model = torchvision.models.resnet18().eval()
    return model, [layer.name for layer in layers_of(model, Noise(1)[:1], "")]


@torch.no_grad()
def forward(model: nn.Module, images: Noise) -> None:
    size = batch_size(images)
    for first in range(0, len(images), size):
        model(images[first : first + size])


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """By the clock, and of the processor."""
    start = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def worker(count: int) -> None:
    """One of the processes of a survey; the first says how long it took."""
    model, layers = network()
    survey(model, layers, Noise(64))
    taken, _ = seconds(lambda: survey(model, layers, Noise(count)))
    if processes().rank == 0:
        print(taken)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def shared(count: int, among: int) -> float:
    """Seconds of a survey by so many processes."""
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(among), "-m"]
    command = [sys.executable, "-m", *launcher, "tests.bench.bench_survey", "worker", str(count)]
    run = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(run.stdout.split()[-1])


def main(count: int = IMAGES) -> None:
    torch.set_num_threads(1)
    model, layers = network()
    images = Noise(count)
    print(f"torch {torch.__version__}, ResNet-18, {len(layers)} layers, {count} images")
    forward(model, Noise(64))
    ways: dict[str, Callable[[Noise], object]] = {
        "forward": lambda images: forward(model, images),
        "top patches": lambda images: extremes(model, layers, images),
        "survey": lambda images: survey(model, layers, images),
    }
    for way in ways.values():
        way(Noise(64))
    before, plain = megabytes(), 0.0
    for name, way in ways.items():
        taken, busy = seconds(lambda way=way: way(images))  # type: ignore[misc]
        plain = plain or busy
        print(f"{name:12} {taken:7.1f} s {busy:7.1f} s of the processor {busy / plain:6.3f}")
    print(f"most memory: {before:.0f} MB after 64 images, {megabytes():.0f} MB after {count}")
    one, two = shared(count, 1), shared(count, 2)
    print(f"survey: one process {one:.1f} s, two {two:.1f} s: {one / two:.2f} times")


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        worker(int(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:2]))
