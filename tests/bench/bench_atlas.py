"""What the atlas computes in batches, beside one unit at a time.

`python -m tests.bench.bench_atlas`

Activation maximisation with the same objective, steps and starts, and ablation over the same
images, each beside the loop that one would write without this package: one unit after the other,
the whole network, autograd from end to end. A sample of units is timed one by one and scaled up
to the whole layer. `itself` is `maximise` called for one unit at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.inside.ablation import ablate
from cnnviz.inside.feature_visualization import maximise
from cnnviz.nets.models import MLP, LeNet

STEPS, STARTS, IMAGES, SAMPLE = 96, 3, 500, 6


def seconds(run: Callable[[], object], rounds: int = 1) -> float:
    """Median over the rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return median(times)


def maximised(model: nn.Module, layer: str, units: Tensor) -> None:
    maximise(model, layer, units, (1, 28, 28), starts=STARTS, steps=STEPS)


def ascended(model: nn.Module, layer: str, unit: int, starts: int, steps: int) -> Tensor:
    """The plain way to maximise: images (S, C, H, W) of one unit, as `maximise` makes them."""
    generator = torch.Generator().manual_seed(0)
    pixels = (0.1 * torch.randn(starts, 1, 28, 28, generator=generator)).requires_grad_()
    shifts = torch.randint(-1, 2, (steps, 2), generator=generator)
    optimiser = torch.optim.Adam([pixels], lr=0.1)
    seen: dict[str, Tensor] = {}

    def keep(module: nn.Module, inputs: object, output: Tensor) -> None:
        seen["output"] = output

    handle = model.get_submodule(layer).register_forward_hook(keep)
    for down, right in shifts:
        images = pixels.sigmoid().roll((int(down), int(right)), (2, 3))
        model(images)
        output = seen["output"]
        if output.dim() > 2:
            output = output[:, :, output.shape[2] // 2, output.shape[3] // 2]
        across = F.pad(images, (0, 1)).diff(dim=3).square().sum()
        down_ = F.pad(images, (0, 0, 0, 1)).diff(dim=2).square().sum()
        loss = 0.5 * (across + down_) - output[:, unit].sum()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    handle.remove()
    model.zero_grad()
    return pixels.detach().sigmoid()


def one_off(model: nn.Module, layer: str, unit: int, images: Tensor) -> None:
    """The plain way: the whole network runs once for each unit that is off."""

    def hook(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
        off = output.clone()
        off[:, unit] = 0
        return off

    handle = model.get_submodule(layer).register_forward_hook(hook)
    try:
        with torch.no_grad():
            model(images)
    finally:
        handle.remove()


def main() -> None:
    torch.manual_seed(0)
    images, labels = torch.rand(IMAGES, 1, 28, 28), torch.randint(10, (IMAGES,))
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads; "
        f"{STEPS} steps, {STARTS} starts; {IMAGES} images"
    )
    print(
        f"{'':14} {'units':>6}   {'maximise':>9} {'ratio':>7} {'itself':>7}   "
        f"{'ablate':>9} {'ratio':>7}"
    )
    maximised(LeNet(), "conv1", torch.arange(6))  # the first run of all is slow
    ascended(LeNet(), "conv1", 0, STARTS, STEPS)
    for model in (LeNet().eval(), MLP().eval()):
        for layer, module in model.named_children():
            if not isinstance(module, nn.Conv2d | nn.Linear):
                continue
            count = module.weight.shape[0]
            sample = range(0, count, max(1, count // SAMPLE))
            together = seconds(
                lambda m=model, n=layer, c=count: maximised(m, n, torch.arange(c)), rounds=3
            )
            alone = median(
                seconds(lambda m=model, n=layer, u=u: ascended(m, n, u, STARTS, STEPS))
                for u in sample
            )
            itself = median(
                seconds(lambda m=model, n=layer, u=u: maximised(m, n, torch.tensor([u])))
                for u in sample
            )
            off = seconds(lambda m=model, n=layer: ablate(m, n, images, labels, 10))
            plain = median(
                seconds(lambda m=model, n=layer, u=u: one_off(m, n, u, images)) for u in sample
            )
            print(
                f"{type(model).__name__ + ' ' + layer:14} {count:6}   {together:7.2f} s "
                f"{alone * count / together:6.1f}x {itself * count / together:6.1f}x   "
                f"{off:7.2f} s {plain * count / off:6.1f}x"
            )


if __name__ == "__main__":
    main()
