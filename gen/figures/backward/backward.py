"""Figures of the chapter "Back through the network": gradients by hand on tiny grids."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight

from cnnviz.drawing.diagrams import kernel_grid
from cnnviz.drawing.sliding import sliding_kernel
from cnnviz.figure.figure import Drawing, Figure, Legend, Message, Panel, Variant, message
from cnnviz.words import Say
from gen.context import Context

# Small whole numbers, to be checked by hand; the kernel looks different when it is turned.
IMAGE = [[1, 0, 2, 1], [3, 1, 0, 2], [0, 2, 1, 1], [1, 1, 3, 0]]
KERNEL = [[1, 2, 0], [-1, 3, 1], [0, -2, 1]]
ARRIVES = [[1, 2], [-1, 3]]
"""What comes back to the output of the convolution."""

PIXEL, WEIGHT = (1, 1), (0, 0)
"""The pixel and the weight whose paths are added up in the text."""

LAYER, ARRIVES_AT_LAYER = [[2, -1], [1, 3]], [1, -2]
"""Weights of two units, a row each, and the gradients of their outputs."""

BEFORE_RELU = [[2, -1, -3, -1], [5, 1, -2, -4], [-2, 3, 6, -1], [1, -5, 2, 4]]
ARRIVES_AT_POOLING = [[4, -8], [12, -4]]


def _maps(values: list[list[int]]) -> Tensor:
    """(R, C) as one image of one channel, (1, 1, R, C)."""
    return torch.tensor(values, dtype=torch.float64)[None, None]


def _back(function: Callable[..., Tensor], arrives: Tensor, *inputs: Tensor) -> list[Tensor]:
    """The gradients of the inputs by autograd, when `arrives` comes back to the output."""
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    return list(torch.autograd.grad(function(*leaves), leaves, arrives))


def _to_input(
    kernel: Tensor, arrives: Tensor, side: int, stride: int = 1, padding: int = 0
) -> Tensor:
    """By hand: the turned kernel over the gradient, which zeros spread out and surround."""
    taps, units = kernel.shape[-1], arrives.shape[-1]
    full = arrives.new_zeros(*arrives.shape[:2], *[side + 2 * padding + taps - 1] * 2)
    reach = slice(taps - 1, taps - 1 + stride * (units - 1) + 1, stride)
    full[..., reach, reach] = arrives
    turned = kernel.flip(2, 3).transpose(0, 1)  # inputs and outputs have changed places
    gradient = F.conv2d(full, turned)
    return gradient[..., padding : padding + side, padding : padding + side]


def _convolution() -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of image, kernel and bias of the worked example, by autograd."""
    image, kernel, bias = _maps(IMAGE), _maps(KERNEL), torch.zeros(1, dtype=torch.float64)
    found = _back(F.conv2d, _maps(ARRIVES), image, kernel, bias)
    return found[0], found[1], found[2]


def _grid(values: Tensor, name: Message, cell: float = 34, **options: Any) -> Panel:
    """Whole numbers in squares; the label says which."""
    draw: Drawing = lambda say: kernel_grid(  # noqa: E731
        values[0, 0].numpy(), title=say(name), cell=cell, **options
    )
    return Panel(draw, name)


def paths(context: Context) -> Figure:
    """One pixel, the kernel, the gradient that arrives, and the gradient of that pixel."""
    image, kernel, arrives = _maps(IMAGE), _maps(KERNEL), _maps(ARRIVES)
    gradient = _convolution()[0]
    row, column = PIXEL
    frame = (row, column, 1, 1)
    return Figure(
        alt=message("alt", row=row, column=column, sum=gradient[0, 0, row, column]),
        panels=[
            _grid(image, message("panels.image"), highlight=frame),
            _grid(kernel, message("panels.kernel"), highlight=(0, 0, 2, 2)),
            _grid(arrives, message("panels.arrives"), highlight=(0, 0, 2, 2)),
            _grid(gradient, message("panels.gradient"), highlight=frame),
        ],
        legends=[Legend(message("legend"))],
    )


def _sweep(
    taken: Tensor, kernel: Tensor, result: Tensor, padding: int, chosen: int,
    limits: tuple[float, float],
) -> Figure:  # fmt: skip
    """A slider over all positions of a kernel, the result filling up."""
    side = result.shape[-1]
    frames = []
    for index, (row, column) in enumerate(product(range(side), repeat=2)):
        place = message("place", row=row, column=column)
        title = message("title", place=place, sum=result[0, 0, row, column])

        def draw(
            say: Say, at: tuple[int, int] = (row, column), count: int = index + 1,
            title: Message = title,
        ) -> str:  # fmt: skip
            return sliding_kernel(
                taken[0, 0].numpy(),
                kernel[0, 0].numpy(),
                padding=padding,
                positions=[at],
                outputs=result[0, 0].numpy(),
                computed=count,
                labels=[say("taken"), say("kernel"), say("result")],
                title=say(title),
                input_limits=limits,
                cell=34,
            )

        frames.append(Variant(place, [Panel(draw)]))
    return Figure(
        alt=message("alt", results=result.flatten().int().tolist()),
        variants=frames, chosen=chosen, scrub=message("scrub"),
    )  # fmt: skip


def to_input(context: Context) -> Figure:
    """The turned kernel over the gradient of the output leaves that of the input."""
    turned = _maps(KERNEL).flip(2, 3)
    chosen = PIXEL[0] * len(IMAGE) + PIXEL[1]
    return _sweep(_maps(ARRIVES), turned, _convolution()[0], len(KERNEL) - 1, chosen, (-3, 3))


def to_kernel(context: Context) -> Figure:
    """The gradient of the output over the input leaves that of the kernel."""
    return _sweep(_maps(IMAGE), _maps(ARRIVES), _convolution()[1], 0, 0, (0, 3))


_POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "max": lambda maps: F.max_pool2d(maps, 2),
    "mean": lambda maps: F.avg_pool2d(maps, 2),
}


def _pooled_back(way: str) -> tuple[Tensor, Tensor]:
    """The gradient after the way back through a pooling, and then through ReLU."""
    before, arrives = _maps(BEFORE_RELU), _maps(ARRIVES_AT_POOLING)
    pool = _POOLINGS[way]
    (through_pooling,) = _back(pool, arrives, before.relu())
    (through_both,) = _back(lambda maps: pool(maps.relu()), arrives, before)
    return through_pooling, through_both


def pooling(context: Context) -> Figure:
    """Forward: ReLU and two poolings. Back: who gets the gradient."""
    before, arrives = _maps(BEFORE_RELU), _maps(ARRIVES_AT_POOLING)
    values, gradients = (-6.0, 6.0), (-12.0, 12.0)
    panels = [
        _grid(before, message("panels.before"), limits=values),
        _grid(before.relu(), message("panels.after"), limits=values),
        _grid(arrives, message("panels.arrives"), limits=gradients),
    ]
    reached = {}
    for way, pool in _POOLINGS.items():
        through_pooling, through_both = _pooled_back(way)
        reached[way] = int((through_both != 0).sum())
        panels += [
            _grid(pool(before.relu()), message(f"panels.{way}"), limits=values),
            _grid(through_pooling, message(f"panels.back {way}"), limits=gradients),
            _grid(through_both, message("panels.back relu"), limits=gradients),
        ]
    return Figure(
        alt=message("alt", **reached),
        panels=panels,
        legends=[Legend(message("legend"))],
        columns=3,
    )


def _written(gradients: Tensor, factors: Tensor) -> str:
    """TeX: the sum over the paths of one value, each a gradient times a factor."""
    pairs = zip(gradients.flatten().tolist(), factors.flatten().tolist(), strict=True)
    written = [[f"({n:.0f})" if n < 0 else f"{n:.0f}" for n in pair] for pair in pairs]
    return " + ".join(rf"{gradient} \times {factor}" for gradient, factor in written)


def _equation(weights: list[int]) -> str:
    """TeX: what one unit of the layer computes."""
    terms = [
        f"{'-' if w < 0 else '+'} {'' if abs(w) == 1 else abs(w)}x_{index + 1}"
        for index, w in enumerate(weights)
    ]
    return " ".join(terms).removeprefix("+ ")


def _settings_off_by() -> float:
    """The most that `_to_input` differs from autograd: several channels, strides, paddings."""
    generator = torch.Generator().manual_seed(0)
    most = 0.0
    for stride, padding in product((1, 2, 3), (0, 1, 2)):
        image = torch.randn(2, 3, 8, 8, generator=generator, dtype=torch.float64)
        kernel = torch.randn(5, 3, 3, 3, generator=generator, dtype=torch.float64)
        conv = lambda x, k, s=stride, p=padding: F.conv2d(x, k, stride=s, padding=p)  # noqa: E731
        shape = conv(image, kernel).shape
        arrives = torch.randn(shape, generator=generator, dtype=torch.float64)
        by_autograd = _back(conv, arrives, image, kernel)[0]
        by_hand = _to_input(kernel, arrives, 8, stride, padding)
        most = max(most, float((by_hand - by_autograd).abs().max()))
    return most


def _off_by() -> dict[str, float]:
    """How far what the text says lies from autograd; `upright` is what would be wrong."""
    image, kernel, arrives = _maps(IMAGE), _maps(KERNEL), _maps(ARRIVES)
    to_image, to_weights, to_bias = _convolution()
    by_hand = {
        "input": (_to_input(kernel, arrives, len(IMAGE)), to_image),
        "upright": (_to_input(kernel.flip(2, 3), arrives, len(IMAGE)), to_image),
        "kernel": (F.conv2d(image, arrives), to_weights),
        "bias": (arrives.sum(), to_bias),
        "transposed": (F.conv_transpose2d(arrives, kernel), to_image),
        "torch_input": (conv2d_input(image.shape, kernel, arrives), to_image),
        "torch_kernel": (conv2d_weight(image, kernel.shape, arrives), to_weights),
    }
    return {name: float((ours - auto).abs().max()) for name, (ours, auto) in by_hand.items()}


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    image, kernel, arrives = _maps(IMAGE)[0, 0], _maps(KERNEL)[0, 0], _maps(ARRIVES)[0, 0]
    to_image, to_weights, to_bias = _convolution()
    layer = torch.tensor(LAYER, dtype=torch.float64)
    at_layer = torch.tensor(ARRIVES_AT_LAYER, dtype=torch.float64)
    (to_inputs,) = _back(lambda x: layer @ x, at_layer, torch.ones(2, dtype=torch.float64))
    pooled = {way: _pooled_back(way) for way in _POOLINGS}
    return {
        "pixel": {
            "row": PIXEL[0], "column": PIXEL[1],
            "written": _written(arrives, kernel[:2, :2].flip(0, 1)),
            "sum": float(to_image[0, 0, *PIXEL]),
        },
        "weight": {
            "row": WEIGHT[0], "column": WEIGHT[1],
            "written": _written(arrives, image[:2, :2]),
            "sum": float(to_weights[0, 0, *WEIGHT]),
        },
        "corner": float(to_image[0, 0, 0, 0]),
        "bias": float(to_bias),
        "products": arrives.numel() * kernel.numel(),
        "layer": {
            "equations": [_equation(weights) for weights in LAYER],
            "arrives": ARRIVES_AT_LAYER,
            "written": [_written(at_layer, layer[:, column]) for column in range(2)],
            "by_hand": (layer.T @ at_layer).tolist(),
            "sums": to_inputs.tolist(),
        },
        "off_by": _off_by() | {"settings": _settings_off_by()},
        "arrives_at_pooling": float(_maps(ARRIVES_AT_POOLING).sum()),
        "pooled": {
            way: {
                "sum": float(through_pooling.sum()),
                "reached": int((through_pooling != 0).sum()),
                "left": int((through_both != 0).sum()),
            }
            for way, (through_pooling, through_both) in pooled.items()
        },
    }  # fmt: skip
