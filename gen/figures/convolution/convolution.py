"""Figures of the chapter "Convolution by hand": hand-written kernels on a real photograph."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from cnnviz.data import kernels
from cnnviz.drawing.diagrams import kernel_grid, weighted_sum
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.palettes import GAP
from cnnviz.drawing.sliding import sliding_kernel
from cnnviz.figure.figure import (
    Drawing,
    Figure,
    Legend,
    Message,
    Panel,
    Variant,
    message,
    picture,
    raster,
    scale_legend,
)
from cnnviz.words import Say
from gen.context import Context
from gen.figures import tower

Map = NDArray[np.float64]

BIAS = -1.0
"""Added to the sum of the worked step."""

_KERNELS = {
    "blur": kernels.BLUR,
    "sharpen": kernels.SHARPEN,
    "sobel_x": kernels.SOBEL_X,
    "sobel_y": kernels.SOBEL_Y,
}


def _convolve(kernel: Map) -> Map:
    """(168, 160) → (168 − k + 1, 160 − k + 1)."""
    image, weight = torch.from_numpy(tower.grey()), torch.from_numpy(kernel)
    return F.conv2d(image[None, None], weight[None, None])[0, 0].numpy()


def _strongest_edge() -> tuple[int, int]:
    """Where the left-to-right Sobel filter answers most: top left corner of the 3×3 patch."""
    response = _convolve(kernels.SOBEL_X)
    row, column = np.unravel_index(response.argmax(), response.shape)
    return int(row), int(column)


@cache
def _patch() -> Map:
    """The strongest edge with a ring around it, (5, 5), in two decimals: to be checked by hand."""
    row, column = _strongest_edge()
    return tower.grey()[row - 1 : row + 4, column - 1 : column + 4].round(2)


def _swept() -> Map:
    """What the left-to-right Sobel filter makes of the patch: (3, 3)."""
    patch, weight = torch.from_numpy(_patch()), torch.from_numpy(kernels.SOBEL_X)
    return F.conv2d(patch[None, None], weight[None, None])[0, 0].numpy()


def _written_out() -> str:
    """TeX: the nine products of the middle step, one row of the patch a line."""
    lines = []
    for pixels, weights in zip(_patch()[1:4, 1:4], kernels.SOBEL_X, strict=True):
        pairs = zip(pixels, weights, strict=True)
        lines.append(" + ".join(f"{pixel:.2f}\\times({weight:.0f})" for pixel, weight in pairs))
    return r"\begin{aligned} & " + r" \\ & + ".join(lines) + r" \end{aligned}"


def _likeness() -> Map:
    """Correlation coefficient of each 3×3 patch with the left-to-right Sobel kernel, 0 if flat.

    The kernel adds up to 0, so what it answers is this times the kernel's size and the patch's.
    """
    patches = np.lib.stride_tricks.sliding_window_view(tower.grey(), kernels.SOBEL_X.shape)
    varied = patches - patches.mean((2, 3), keepdims=True)  # (166, 158, 3, 3)
    sizes = np.sqrt(np.square(varied).sum((2, 3))) * np.linalg.norm(kernels.SOBEL_X)
    response = _convolve(kernels.SOBEL_X)
    return np.divide(response, sizes, out=np.zeros_like(response), where=sizes > 1e-9)


def _fit_and_strength() -> dict[str, Any]:
    """The patch that fits the Sobel kernel best, and the one that it answers most."""
    likeness, response = _likeness(), _convolve(kernels.SOBEL_X)
    found: dict[str, Any] = {}
    for key, map_ in (("fits", likeness), ("answers", response)):
        row, column = np.unravel_index(map_.argmax(), map_.shape)
        patch = tower.grey()[row : row + 3, column : column + 3]
        found[key] = {
            "row": int(row),
            "column": int(column),
            "likeness": float(likeness[row, column]),
            "sum": float(response[row, column]),
            "contrast": float(patch[:, 2].mean() - patch[:, 0].mean()),
        }
    return found


def _pooled(kernel: Map) -> tuple[Map, Map, Map]:
    """The maps after convolution, ReLU and 2×2 max pooling."""
    convolved = torch.from_numpy(_convolve(kernel))
    rectified = F.relu(convolved)
    pooled = F.max_pool2d(rectified[None, None], 2)[0, 0]
    return convolved.numpy(), rectified.numpy(), pooled.numpy()


def photo(context: Context) -> Figure:
    """The photograph in grey, as all filters of the chapter get it."""
    pixels = np.rint(tower.grey() * 255).astype(np.uint8)
    height, width = pixels.shape
    return Figure(
        alt=message("alt", width=width, height=height),
        panels=[Panel(raster(pixels, scale=2))],
        legends=[Legend(message("legend"))],
    )


def one_step(context: Context) -> Figure:
    """One patch times one kernel: nine products and their sum."""
    patch = _patch()[1:4, 1:4]
    total = float((patch * kernels.SOBEL_X).sum())

    def draw(say: Say) -> str:
        return weighted_sum(
            patch,
            kernels.SOBEL_X,
            patch_limits=(0, 1),
            patch_label=say("patch"),
            kernel_label=say("kernel"),
            products_label=say("products"),
            sum_label=say("sum"),
            title=say("title"),
        )

    return Figure(alt=message("alt", sum=total), panels=[Panel(draw)])


def sweep(context: Context) -> Figure:
    """The kernel at all nine places of a 5×5 patch, the output filling up."""
    swept = _swept()
    frames = []
    for index, (row, column) in enumerate(np.ndindex(3, 3)):
        place = message("place", row=row, column=column)
        title = message("title", place=place, sum=swept[row, column].round(2), filled=index + 1)

        def draw(
            say: Say, at: tuple[int, int] = (row, column), count: int = index + 1,
            title: Message = title,
        ) -> str:  # fmt: skip
            return sliding_kernel(
                _patch(),
                kernels.SOBEL_X,
                positions=[at],
                outputs=swept,
                computed=count,
                labels=[say("patch"), say("kernel"), say("result")],
                title=say(title),
                cell=38,
            )

        frames.append(Variant(place, [Panel(draw)]))
    return Figure(
        alt=message("alt", results=swept.ravel().round(2).tolist()),
        variants=frames,
        chosen=4,
        scrub=message("scrub"),
    )


def sweep_photo(context: Context) -> Figure:
    """The same sweep over the whole photograph, caught at three moments."""
    result = _convolve(kernels.SOBEL_X)
    drawn = mosaic(result[None], scale="layer")
    height, width = result.shape
    panels = []
    for rows in (height // 5, height * 3 // 5, height):
        done = np.arange(height)[:, None] < rows  # (height, 1)
        part = replace(drawn, pixels=np.where(done, drawn.pixels, GAP).astype(np.uint8))
        panels.append(
            Panel(
                picture(part, step=4),
                message("steps", steps=rows * width),
                message("rows", rows=rows, height=height),
            )
        )
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("meaning"))],
    )


def _grid(values: Map, name: str, **options: Any) -> Drawing:
    return lambda say: kernel_grid(values, title=say(name), **options)


def flip(context: Context) -> Figure:
    """A single 1 under cross-correlation and under convolution."""
    dot = np.zeros((5, 5))
    dot[2, 2] = 1
    kernel = np.arange(1.0, 10).reshape(3, 3)
    image, weight = torch.from_numpy(dot)[None, None], torch.from_numpy(kernel)[None, None]
    correlated = F.conv2d(image, weight)[0, 0].numpy()
    convolved = F.conv2d(image, weight.flip(2, 3))[0, 0].numpy()
    shown = [
        ("panels.input", dot, 24),
        ("panels.kernel", kernel, 40),
        ("panels.correlated", correlated, 40),
        ("panels.convolved", convolved, 40),
    ]
    return Figure(
        alt=message("alt"),
        panels=[
            Panel(_grid(values, name, limits=(-9, 9), cell=cell), message(name))
            for name, values, cell in shown
        ],
        legends=[Legend(message("legend"))],
    )


def kernels_on_photo(context: Context) -> Figure:
    """Blur, sharpen and the two Sobel filters: kernel and result."""
    panels, legends = [], []
    results = {name: _convolve(kernel) for name, kernel in _KERNELS.items()}
    peak = max(float(np.abs(results[name]).max()) for name in ("sobel_x", "sobel_y"))
    for name, kernel in _KERNELS.items():
        result = results[name]
        signed = name.startswith("sobel")
        limits = (-peak, peak) if signed else (0.0, 1.0)
        if not signed:
            result = result.clip(0, 1)
        drawn = mosaic(
            result[None], scale=limits, signed=signed, palette=None if signed else "grey"
        )
        label = f"kernels.{name}"
        panels += [
            Panel(_grid(kernel, label), message(label)),
            Panel(picture(drawn, scale=1.5), message("result"), alt=message(label)),
        ]
        if name == "sobel_y":
            legends.append(scale_legend(drawn, "figure", message("meaning")))
    return Figure(alt=message("alt"), panels=panels, legends=legends, columns=2)


def four_filters(context: Context) -> Figure:
    """The four 4×4 filters through convolution, ReLU and max pooling, on one scale."""
    stages = {name: _pooled(kernel) for name, kernel in kernels.FOUR_EDGES.items()}
    peak = max(float(np.abs(maps[0]).max()) for maps in stages.values())
    stage_names: list[Message | str] = [
        message("stages.convolution"),
        "ReLU",
        message("stages.pooling"),
    ]
    panels = []
    for name, maps in stages.items():
        label = f"filters.{name}"
        panels.append(Panel(_grid(kernels.FOUR_EDGES[name], label), message(label)))
        for stage, values in zip(stage_names, maps, strict=True):
            drawn = mosaic(values[None], scale=(-peak, peak), signed=True)
            alt = message("map", filter=message(label), stage=stage)
            panels.append(Panel(picture(drawn, scale=200 / drawn.width, step=4), stage, alt=alt))
    drawn = mosaic(np.zeros((1, 1, 1)), scale=(-peak, peak), signed=True)
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(drawn, "figure", message("meaning"))],
        columns=4,
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    row, column = _strongest_edge()
    total = float((_patch()[1:4, 1:4] * kernels.SOBEL_X).sum())
    maps = {name: _pooled(kernel) for name, kernel in kernels.FOUR_EDGES.items()}
    right, left = maps["bright right"], maps["bright left"]
    height, width = tower.grey().shape
    return {
        "height": height,
        "width": width,
        "row": row,
        "column": column,
        "written_out": _written_out(),
        "sum": total,
        "bias": BIAS,
        "with_bias": total + BIAS,
        "swept": _swept().tolist(),
        "mean_result": float(_convolve(kernels.SOBEL_X).__abs__().mean()),
        "lowest_result": float(_convolve(kernels.SOBEL_X).min()),
        "half": float((_patch()[1:4, 1:4] / 2 * kernels.SOBEL_X).sum()),
        "patches": _fit_and_strength(),
        "out_3": {"height": height - 2, "width": width - 2},
        "out_4": {"height": height - 3, "width": width - 3},
        "pooled": {"height": right[2].shape[0], "width": right[2].shape[1]},
        "zeros_after_relu": float((right[1] == 0).mean()),
        "opposite": float(np.abs(right[0] + left[0]).max()),
        "both_on": float(((right[1] > 0) & (left[1] > 0)).mean()),
        "multiplications_3": (height - 2) * (width - 2) * 9,
        "detail_before": float(np.abs(np.diff(tower.grey(), axis=1)).mean()),
        "detail_blurred": float(np.abs(np.diff(_convolve(kernels.BLUR), axis=1)).mean()),
        "detail_sharpened": float(np.abs(np.diff(_convolve(kernels.SHARPEN), axis=1)).mean()),
        "sharpened_outside": float(
            ((_convolve(kernels.SHARPEN) < 0) | (_convolve(kernels.SHARPEN) > 1)).mean()
        ),
    }
