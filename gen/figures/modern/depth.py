"""Figures on depth: small kernels stacked, and gradients through 8 to 56 layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.diagrams import kernel_grid
from cnnviz.figure.figure import Figure, Legend, Message, Panel, Say, Variant, message
from cnnviz.numbers import fixed
from gen.context import Context, shared

DEPTHS = (8, 20, 32, 56)
WIDTH = 16
"""Channels of each layer."""

IMAGES = 16

_OTHER_SEEDS = (1, 2)


def _paths(layers: int) -> np.ndarray:
    """In how many ways each pixel reaches the unit on top of `layers` 3×3 convolutions."""
    ones = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    paths = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    for _ in range(layers):
        paths = F.conv_transpose2d(paths, ones)
    return paths[0, 0].numpy()


def stacked_kernels(context: Context) -> Figure:
    """What one unit sees through one, two and three 3×3 kernels, and through one of 7×7."""
    grids = [(_paths(layers), layers, 3) for layers in (1, 2, 3)] + [(np.ones((7, 7)), 1, 7)]
    panels = []
    for grid, layers, kernel in grids:
        label = message(
            "panel", layers=layers, kernel=kernel, seen=len(grid), weights=layers * kernel**2
        )

        def draw(say: Say, grid: np.ndarray = grid, label: Message = label) -> str:
            return kernel_grid(
                grid,
                title=say(label),
                palette="sequential",
                limits=(0, float(grid.max())),
                write=partial(fixed, digits=0),
                cell=26,
            )

        panels.append(Panel(draw, label))
    return Figure(
        alt=message("alt", middle=int(_paths(3)[3, 3])),
        panels=panels,
        legends=[Legend(message("legend"))],
    )


class _PlainBlock(BasicBlock):  # type: ignore[misc]  # torchvision has no types
    """torchvision's block of two convolutions, without its skip connection."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)))


def _stack(depth: int, block: Callable[[], nn.Module]) -> nn.Sequential:
    """A convolution, blocks of two, a global mean, a fully connected layer: `depth` in all."""
    first = nn.Conv2d(1, WIDTH, 3, padding=1)
    blocks = [block() for _ in range((depth - 2) // 2)]
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, 10)
    return nn.Sequential(first, nn.ReLU(), *blocks, *head)


def _kinds() -> dict[str, tuple[Callable[[], nn.Module], bool]]:
    """Block, and whether it starts as He et al. (2015) proposed."""
    plain = partial(_PlainBlock, WIDTH, WIDTH, norm_layer=nn.Identity)
    return {
        "plain": (plain, False),
        "he": (plain, True),
        "norm": (partial(_PlainBlock, WIDTH, WIDTH), False),
        "residual": (partial(BasicBlock, WIDTH, WIDTH), False),
    }


def _gradients(context: Context, kind: str, depth: int, seed: int) -> list[float]:
    """Norm of the loss's gradient with respect to each convolution's weights, before training."""
    images = F.avg_pool2d(to_input(context.train.images[:IMAGES]), 2).double()  # (16, 1, 14, 14)
    labels = context.train.labels[:IMAGES]
    block, he = _kinds()[kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _stack(depth, block).double()
        convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
        if he:
            for layer in convolutions:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    loss = F.cross_entropy(net(images), labels)
    gradients = torch.autograd.grad(loss, [layer.weight for layer in convolutions])
    return [float(gradient.norm()) for gradient in gradients]


@shared
def _norms(context: Context) -> dict[str, dict[int, list[float]]]:
    """Kind → depth → norms of the gradients."""
    return {
        kind: {depth: _gradients(context, kind, depth, 0) for depth in DEPTHS} for kind in _kinds()
    }


def _other_seeds(context: Context, kind: str) -> dict[str, list[float]]:
    """The same numbers from other random starts: of one start, some are luck."""
    shallow, deep = (
        [_gradients(context, kind, depth, seed) for seed in _OTHER_SEEDS]
        for depth in (DEPTHS[0], DEPTHS[-1])
    )
    return {
        "changes": [_apart(d[0], s[0]) for s, d in zip(shallow, deep, strict=True)],
        "spreads": [max(of) / min(of) for of in deep],
    }


def _apart(one: float, other: float) -> float:
    """By what factor two numbers differ, whichever is the larger."""
    return max(one, other) / min(one, other)


def gradient_norms(context: Context) -> Figure:
    """How large the gradient is in each layer of untrained stacks, with and without skips."""
    norms = _norms(context)
    every = [value for of_kind in norms.values() for one in of_kind.values() for value in one]
    limits = 10.0 ** math.floor(math.log10(min(every))), 10.0 ** math.ceil(math.log10(max(every)))
    variants = []
    for depth in DEPTHS:

        def draw(say: Say, depth: int = depth) -> str:
            return charts.line_chart(
                {
                    say(f"kinds.{kind}"): (list(range(1, len(of[depth]) + 1)), of[depth])
                    for kind, of in norms.items()
                },
                title=say("title", depth=depth),
                x_label=say("x"),
                y_label=say("y"),
                log_y=True,
                y_limits=limits,
                markers=False,
            )

        variants.append(Variant(message("variant", depth=depth), [Panel(draw)]))
    # Far apart, so in the notation of science.
    first = [(message(f"kinds.{kind}"), f"{of[DEPTHS[-1]][0]:.1e}") for kind, of in norms.items()]
    return Figure(
        alt=message("alt", depth=DEPTHS[-1], gradients=first),
        variants=variants,
        chosen=len(variants) - 1,
        scrub=message("scrub"),
    )


def _power(value: float) -> int:
    """The nearest power of ten."""
    return round(math.log10(value))


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    norms = _norms(context)
    shallow, deep = DEPTHS[0], DEPTHS[-1]
    result: dict[str, Any] = {"shallow": shallow, "deep": deep, "width": WIDTH}
    for kind, of in norms.items():
        result[kind] = {
            "first": {depth: of[depth][0] for depth in DEPTHS},
            "power": {depth: _power(of[depth][0]) for depth in DEPTHS},
            "factor": of[deep][0] / of[deep][-1],
            "spread": max(of[deep]) / min(of[deep]),
            "change": _apart(of[deep][0], of[shallow][0]),
        }
    for kind in ("he", "residual"):
        others = _other_seeds(context, kind)
        result[kind]["largest_change"] = max(result[kind]["change"], *others["changes"])
        result[kind]["largest_spread"] = max(result[kind]["spread"], *others["spreads"])
    result["seeds"] = 1 + len(_OTHER_SEEDS)
    result["plain"]["shrinks"] = _power(result["plain"]["change"])
    result["paths"] = _paths(3)[3].tolist()
    result["saved"] = 1 - 27 / 49
    return result
