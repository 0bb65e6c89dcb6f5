"""Figures of the chapter "Colour": the 32 kernels of EfficientNet-Lite0's first layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.drawing import charts, palettes
from cnnviz.drawing.mosaic import colour_mosaic, mosaic
from cnnviz.figure.figure import Figure, Legend, Panel, Picture, Variant, message, picture
from cnnviz.inside import kernel_colour as parts
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.photographs import NAME, inputs, network

ROW = 7
"""Kernels side by side."""

OPPONENT = 0.1
"""Kernels with less of their energy in brightness than that compare colours."""

BALANCED = 0.02
"""The weights of a kernel add up to nearly zero below this share of what they could."""

RANDOM = 20
"""Untrained layers that the trained one is compared with."""

_SCALE = 12
_TINY = 1e-5
"""Length of a kernel that puts out nothing."""


@shared
def stem(context: Context) -> Tensor:
    """The kernels of the first layer, (32, 3, 3, 3)."""
    return network(context).get_parameter("stem.weight").detach()


@shared
def untrained_kernels(context: Context) -> Tensor:
    """Kernels of RANDOM layers of that shape as PyTorch begins them, (RANDOM · 32, 3, 3, 3)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 32, 3, bias=False).weight.detach() for _ in range(RANDOM)]
    return torch.cat(layers)


def groups(kernels: Tensor) -> dict[str, list[int]]:
    """Kernels (N, 3, H, W) by what they answer, each group by its share of brightness, least first.

    Returns:
        "opponents" hardly have the same weights in all colours; the weights of "edges" have, and
        add up to nearly zero; those of "brightness" do not; "nothing" has no weights to speak of.
    """
    share = parts.energy_share(parts.achromatic(kernels), kernels)  # (N,)
    nothing = kernels.flatten(1).norm(dim=1) < _TINY
    opponents = ~nothing & (share < OPPONENT)
    edges = ~nothing & ~opponents & (parts.balance(kernels).abs() < BALANCED)
    chosen = {
        "opponents": opponents,
        "edges": edges,
        "brightness": ~(nothing | opponents | edges),
        "nothing": nothing,
    }
    order = share.argsort().tolist()
    return {name: [k for k in order if mask[k]] for name, mask in chosen.items()}


def in_colour(kernels: Tensor, columns: int = ROW, scale: int = _SCALE) -> Picture:
    """Kernels (N, 3, H, W) as colours around grey, each on a scale of its own."""
    drawn = colour_mosaic(kernels.numpy(), columns=columns, signed=True)
    return Picture(drawn.png(level=9), drawn.width, drawn.height, scale)


def in_slices(kernels: Tensor, scale: int = _SCALE) -> Picture:
    """A row for each colour; the three slices of a kernel (N, 3, H, W) have one scale."""
    own = kernels / kernels.abs().amax((1, 2, 3), keepdim=True)
    slices = own.transpose(0, 1).numpy()  # (3, N, H, W)
    return picture(mosaic(slices, scale=(-1, 1), signed=True), scale)


def kernels(context: Context) -> Figure:
    """All 32 kernels in colour, in slices, and untrained ones."""
    weights, found = stem(context), groups(stem(context))
    coloured, sliced = [], []
    for name, chosen in found.items():
        label = message(f"groups.{name}", count=len(chosen))
        shown = weights[chosen]
        if name == "nothing":
            coloured.append(Panel(in_colour(torch.zeros_like(shown)), label))
            continue
        coloured.append(Panel(in_colour(shown), label))
        for start in range(0, len(chosen), ROW):
            said = message("slices", group=label, first=start + 1)
            sliced.append(Panel(in_slices(shown[start : start + ROW]), said))
    others = untrained_kernels(context)[:32]
    share = parts.energy_share(parts.achromatic(others), others)
    random = Panel(in_colour(others[share.argsort()]), message("untrained label"))
    colours = [Legend(message("colours"))]
    signs = [Legend(message("signs"), palettes.css_gradient("diverging"), "−max", "+max")]
    return Figure(
        alt=message("alt", opponents=len(found["opponents"]), edges=len(found["edges"])),
        variants=[
            Variant(message("in colour"), coloured, colours),
            Variant(message("in slices"), sliced, signs),
            Variant(message("untrained"), [random], colours),
        ],
        layout="column",
        uses=[NAME],
    )


def _shares(weights: Tensor) -> Tensor:
    """Share of brightness of those kernels that have weights at all."""
    alive = weights[weights.flatten(1).norm(dim=1) >= _TINY]
    return parts.energy_share(parts.achromatic(alive), alive)


def shares(context: Context) -> Figure:
    """How many kernels have how much of their energy in brightness, trained and untrained."""
    edges = np.linspace(0, 1, 11)
    counted = {
        key: np.histogram(_shares(weights).numpy(), edges)[0] / len(_shares(weights))
        for key, weights in (
            ("trained", stem(context)),
            ("untrained", untrained_kernels(context)),
        )
    }

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {say(key): [*map(float, values)] for key, values in counted.items()},
            [f"{100 * low:.0f}–{100 * low + 10:.0f}" for low in edges[:-1]],
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
        )

    least = float(counted["trained"][0])
    return Figure(
        alt=message("alt", trained=least, untrained=float(counted["untrained"][0])),
        panels=[Panel(draw)],
        legends=[Legend(message("legend", count=RANDOM * 32))],
        uses=[NAME],
    )


def opponents(context: Context) -> Figure:
    """Each opponent with the direction in red, green and blue that it looks along."""
    chosen = groups(stem(context))["opponents"]
    weights = stem(context)[chosen]  # (7, 3, 3, 3)
    axes = parts.colour_axis(weights)  # (7, 3)
    # An axis has two ends; told is the one whose colour is drawn, that of the mean weights.
    axes = axes * (axes * weights.mean((2, 3))).sum(1, keepdim=True).sign()
    panels = []
    for k, axis in sorted(zip(chosen, axes, strict=True), key=lambda each: _pair(each[1])):
        red, green, blue = axis.tolist()
        label = message("label", kernel=k, red=red, green=green, blue=blue)
        panels.append(Panel(in_colour(stem(context)[[k]], scale=24), label))
    return Figure(
        alt=message("alt", count=len(chosen)),
        panels=panels,
        legends=[Legend(message("colours"))],
        layout="grid",
        uses=[NAME],
    )


def _pair(axis: Tensor) -> str:
    """The two colours that an axis (3,) compares: all but that of its smallest number."""
    least = int(axis.abs().argmin())
    return "".join(letter for i, letter in enumerate("rgb") if i != least)


def by_chance(nearness: float) -> float:
    """How many of the axes that compare colours have a number as near to 0 as that, by lot.

    An axis without brightness is √(2/3)·(cos t, cos(t − 120°), cos(t + 120°)); for 6 · asin(…) of
    the 2π angles one of the three is nearer to 0.
    """
    return 6 * float(np.arcsin(nearness / np.sqrt(2 / 3))) / np.pi


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    weights, random = stem(context), untrained_kernels(context)
    found, drawn = groups(weights), groups(random)
    axes = parts.colour_axis(weights)[found["opponents"]]
    pairs = [_pair(axis) for axis in axes]
    third = float(axes.abs().amin(1).max())
    colours, level = parts.energy_of_colours(weights), _level(weights)
    deaf = network(context).get_submodule("stem")(
        inputs(context)[:1]  # any image
    )[0, found["nothing"]]
    return {
        "count": {name: len(chosen) for name, chosen in found.items()},
        "by_lot": {name: len(chosen) / RANDOM for name, chosen in drawn.items()},
        "kernels": len(weights),
        "alive": len(weights) - len(found["nothing"]),
        "random": len(random),
        "share": {name: _mean(_shares(weights[chosen])) for name, chosen in found.items()
                  if name != "nothing"},
        "most_of_opponents": float(_shares(weights[found["opponents"]]).max()),
        "least_of_others": float(_shares(weights[found["edges"] + found["brightness"]]).min()),
        "share_by_lot": _mean(_shares(random)),
        "lowest_by_lot": float(_shares(random).min()),
        "colours": {name: colours[chosen].mean(0).tolist() for name, chosen in found.items()
                    if name != "nothing"},
        "colours_by_lot": parts.energy_of_colours(random).mean(0).tolist(),
        "green_most_by_lot": max(map(float, parts.energy_of_colours(random).view(RANDOM, 32, 3)
                                     .mean(1)[:, 1])),
        "level": {name: _mean(level[chosen]) for name, chosen in found.items()
                  if name != "nothing"},
        "level_least_of_opponents": float(level[found["opponents"]].min()),
        "level_by_lot": _mean(_level(random)),
        "pairs": {pair: pairs.count(pair) for pair in ("rg", "rb", "gb")},
        "third": third,
        "third_by_chance": by_chance(third),
        "all_by_chance": by_chance(third) ** len(pairs),
        "nothing_answers": float(deaf.detach().abs().max()),
    }  # fmt: skip


def _level(weights: Tensor) -> Tensor:
    return parts.energy_share(parts.level(weights), weights)


def _mean(values: Tensor) -> float:
    return float(values.double().mean())
