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
from gen.context import Context, shared
from gen.figure.figure import Figure, Legend, Panel, Text, Variant, in_both

DEPTHS = (8, 20, 32, 56)
WIDTH = 16
"""Channels of each layer."""

IMAGES = 16


def _paths(layers: int) -> np.ndarray:
    """In how many ways each pixel reaches the unit on top of `layers` 3×3 convolutions."""
    ones = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    paths = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    for _ in range(layers):
        paths = F.conv_transpose2d(paths, ones)
    return paths[0, 0].numpy()


def stacked_kernels(context: Context) -> Figure:
    """What one unit sees through one, two and three 3×3 kernels, and through one of 7×7."""
    grids = [(_paths(n), n) for n in (1, 2, 3)] + [(np.ones((7, 7)), 0)]
    panels = []
    for grid, layers in grids:
        side = len(grid)
        if layers:
            label = Text(
                f"{layers} 层 3×3：看 {side}×{side}，权重 {9 * layers}C²",
                f"{layers} × 3×3: sees {side}×{side}, {9 * layers}C² weights",
            )
        else:
            label = Text(f"1 层 7×7：看 7×7，权重 {49}C²", f"1 × 7×7: sees 7×7, {49}C² weights")
        drawing = in_both(
            lambda say, g=grid, t=label: kernel_grid(  # type: ignore[misc]
                g,
                title=say(t),
                palette="sequential",
                limits=(0, float(g.max())),
                write=lambda value: f"{value:.0f}",
                cell=26,
            )
        )
        panels.append(Panel(drawing, label))
    middle = int(_paths(3)[3, 3])
    return Figure(
        alt=Text(
            f"三层 3×3 与一层 7×7 看见同样的 7×7 个像素；经过三层，角上的像素只有 1 条路，"
            f"中心有 {middle} 条",
            "Three layers of 3×3 see the same 7×7 pixels as one of 7×7; through three layers a "
            f"corner has 1 path to the unit, the centre {middle}",
        ),
        panels=panels,
        legends=[
            Legend(
                Text(
                    "格子里的数：这个像素到达最上面那个单元有几条路。每张各用自己的刻度，亮的多",
                    "a number counts the paths from this pixel to the unit on top; each grid has a "
                    "scale of its own, brighter is more",
                )
            )
        ],
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


def _kinds() -> dict[str, tuple[Text, Callable[[], nn.Module], bool]]:
    """Name, block, and whether it starts as He et al. (2015) proposed."""
    plain = partial(_PlainBlock, WIDTH, WIDTH, norm_layer=nn.Identity)
    return {
        "plain": (Text("普通", "plain"), plain, False),
        "he": (Text("普通，He 初始化", "plain, He start"), plain, True),
        "norm": (
            Text("普通 + 批量归一化", "plain + batch norm"),
            partial(_PlainBlock, WIDTH, WIDTH),
            False,
        ),
        "residual": (
            Text("残差块", "residual"),
            partial(BasicBlock, WIDTH, WIDTH),
            False,
        ),
    }


@shared
def _norms(context: Context) -> dict[str, dict[int, list[float]]]:
    """Kind → depth → norm of the loss's gradient with respect to each convolution's weights."""
    images = F.avg_pool2d(to_input(context.train.images[:IMAGES]), 2).double()  # (16, 1, 14, 14)
    labels = context.train.labels[:IMAGES]
    found: dict[str, dict[int, list[float]]] = {}
    with torch.random.fork_rng(devices=[]):
        for kind, (_, block, he) in _kinds().items():
            found[kind] = {}
            for depth in DEPTHS:
                torch.manual_seed(0)
                net = _stack(depth, block).double()
                convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
                if he:
                    for layer in convolutions:
                        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                loss = F.cross_entropy(net(images), labels)
                weights = [layer.weight for layer in convolutions]
                gradients = torch.autograd.grad(loss, weights)
                found[kind][depth] = [float(gradient.norm()) for gradient in gradients]
    return found


def gradient_norms(context: Context) -> Figure:
    """How large the gradient is in each layer of untrained stacks, with and without skips."""
    norms, kinds = _norms(context), _kinds()
    every = [value for of_kind in norms.values() for one in of_kind.values() for value in one]
    limits = 10.0 ** math.floor(math.log10(min(every))), 10.0 ** math.ceil(math.log10(max(every)))
    variants = []
    for depth in DEPTHS:

        def draw(say: Any, depth: int = depth) -> str:
            return charts.line_chart(
                {
                    say(kinds[kind][0]): (list(range(1, len(of[depth]) + 1)), of[depth])
                    for kind, of in norms.items()
                },
                title=say(Text(f"{depth} 层网络的梯度", f"Gradients in a net of {depth} layers")),
                x_label=say(
                    Text("第几个卷积层，1 离输入最近", "convolution, 1 is next to the input")
                ),
                y_label=say(Text("梯度的大小（对数刻度）", "size of the gradient (logarithmic)")),
                log_y=True,
                y_limits=limits,
                markers=False,
            )

        variants.append(Variant(Text(f"{depth} 层", f"{depth} layers"), [Panel(in_both(draw))]))
    first = {kind: of[DEPTHS[-1]][0] for kind, of in norms.items()}
    return Figure(
        alt=Text(
            f"{DEPTHS[-1]} 层时，第一个卷积层的梯度："
            + "，".join(f"{kinds[k][0].zh} {v:.1e}" for k, v in first.items()),
            f"With {DEPTHS[-1]} layers, the gradient of the first convolution: "
            + ", ".join(f"{kinds[k][0].en} {v:.1e}" for k, v in first.items()),
        ),
        variants=variants,
        chosen=len(variants) - 1,
        scrub=Text("深度", "Depth"),
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
            "change": of[deep][0] / of[shallow][0],
        }
    result["plain"]["shrinks"] = -_power(result["plain"]["change"])
    result["paths"] = _paths(3)[3].tolist()
    result["saved"] = 1 - 27 / 49
    return result
