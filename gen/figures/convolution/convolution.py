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
from cnnviz.numbers import significant, thousands
from gen.context import Context
from gen.figure.figure import (
    Figure,
    Legend,
    Panel,
    Text,
    Variant,
    in_both,
    picture,
    raster,
    scale_legend,
)
from gen.figures import tower

Map = NDArray[np.float64]

BIAS = -1.0
"""Added to the sum of the worked step."""

_SIGNS = Text("蓝为负，白为零，橙为正", "blue negative, white zero, orange positive")
_ALL = Text(f"四行的结果：{_SIGNS.zh}", f"results in all four rows: {_SIGNS.en}")
_RESULT = Text("结果", "result")
_VALUE = Text(
    "两个 Sobel 的结果：蓝为负，白为零，橙为正",
    "results of both Sobels: blue negative, white zero, orange positive",
)
_KERNEL_NAMES = {
    "blur": Text("模糊（均值）", "Blur (mean)"),
    "sharpen": Text("锐化", "Sharpen"),
    "sobel_x": Text("Sobel，左右方向", "Sobel, left to right"),
    "sobel_y": Text("Sobel，上下方向", "Sobel, top to bottom"),
}
_KERNELS = {
    "blur": kernels.BLUR,
    "sharpen": kernels.SHARPEN,
    "sobel_x": kernels.SOBEL_X,
    "sobel_y": kernels.SOBEL_Y,
}
_FOUR_NAMES = {
    "bright right": Text("① 右边亮", "① bright on the right"),
    "bright left": Text("② 左边亮", "② bright on the left"),
    "bright below": Text("③ 下边亮", "③ bright below"),
    "bright above": Text("④ 上边亮", "④ bright above"),
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
        alt=Text(
            f"一张 {width}×{height} 的灰度照片：颐和园佛香阁占去大部分画面，左下角有树，背后是湖面和天空",
            f"A {width}×{height} photograph in grey: a pagoda-like tower with curved eaves fills most "
            "of it, with trees in the bottom left corner, a lake and sky behind",
        ),
        panels=[Panel(raster(pixels, scale=2))],
        legends=[Legend(Text("亮度，0 为黑，1 为白", "brightness, 0 is black, 1 is white"))],
    )


def one_step(context: Context) -> Figure:
    """One patch times one kernel: nine products and their sum."""
    patch = _patch()[1:4, 1:4]
    total = float((patch * kernels.SOBEL_X).sum())
    drawing = in_both(
        lambda say: weighted_sum(
            patch,
            kernels.SOBEL_X,
            patch_limits=(0, 1),
            patch_label=say(Text("图像块", "patch of the image")),
            kernel_label=say(Text("卷积核", "kernel")),
            products_label=say(Text("逐个相乘", "products")),
            sum_label=say(Text("求和", "sum")),
            title=say(Text("图像块乘以卷积核，再求和", "A patch times a kernel, summed")),
        )
    )
    return Figure(
        alt=Text(
            f"3×3 的图像块与 3×3 的卷积核逐个相乘，九个乘积之和是 {significant(total)}",
            f"A 3×3 patch of the image is multiplied by a 3×3 kernel, number by number; "
            f"the nine products add up to {significant(total)}",
        ),
        panels=[Panel(drawing)],
    )


def sweep(context: Context) -> Figure:
    """The kernel at all nine places of a 5×5 patch, the output filling up."""
    swept = _swept()
    labels = (
        Text("图像块 5×5", "patch 5×5"),
        Text("卷积核 3×3", "kernel 3×3"),
        Text("结果 3×3", "result 3×3"),
    )
    frames = []
    for index, (row, column) in enumerate(np.ndindex(3, 3)):
        done = significant(float(swept[row, column].round(2)))
        name = Text(f"第 {row} 行第 {column} 列", f"row {row}, column {column}")
        title = Text(
            f"{name.zh}：核盖住的九个像素乘以核再求和，得 {done}；结果已填 {index + 1} 格",
            f"{name.en}: the nine pixels under the kernel times the kernel add up to {done}; "
            f"{index + 1} squares of the result are filled",
        )
        drawing = in_both(
            lambda say, place=(row, column), count=index + 1, title=title: sliding_kernel(  # type: ignore[misc]
                _patch(),
                kernels.SOBEL_X,
                positions=[place],
                outputs=swept,
                computed=count,
                labels=[say(label) for label in labels],
                title=say(title),
                cell=38,
            )
        )
        frames.append(Variant(name, [Panel(drawing)]))
    values = "，".join(significant(float(value)) for value in swept.ravel().round(2))
    return Figure(
        alt=Text(
            f"3×3 的核扫过 5×5 的图像块，依次得到九个结果：{values}",
            "A 3×3 kernel sweeps a 5×5 patch and leaves nine results, one after another: "
            f"{values.replace('，', ', ')}",
        ),
        variants=frames,
        chosen=4,
        scrub=Text("核的位置", "Position of the kernel"),
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
        count = f"{thousands(rows * width)}"
        panels.append(
            Panel(
                picture(part, step=4),
                Text(f"{count} 步之后", f"after {count} steps"),
                Text(
                    f"左右方向 Sobel 的结果，从上往下填好了 {rows} 行，共 {height} 行",
                    f"Result of the left-to-right Sobel, {rows} of {height} rows filled from the top",
                ),
            )
        )
    return Figure(
        alt=Text(
            "同一个核扫过整张照片的三个时刻：结果从上往下逐行填满，竖直的柱子和塔身边缘一橙一蓝",
            "Three moments of the sweep over the whole photograph: the map fills row by row from "
            "the top; columns and walls of the tower show one orange and one blue side",
        ),
        panels=panels,
        legends=[scale_legend(drawn, "figure", Text(f"结果：{_SIGNS.zh}", f"result: {_SIGNS.en}"))],
    )


def flip(context: Context) -> Figure:
    """A single 1 under cross-correlation and under convolution."""
    dot = np.zeros((5, 5))
    dot[2, 2] = 1
    kernel = np.arange(1.0, 10).reshape(3, 3)
    image, weight = torch.from_numpy(dot)[None, None], torch.from_numpy(kernel)[None, None]
    correlated = F.conv2d(image, weight)[0, 0].numpy()
    convolved = F.conv2d(image, weight.flip(2, 3))[0, 0].numpy()
    shown = [
        (dot, Text("输入：只有一个 1", "input: a single 1"), 24),
        (kernel, Text("卷积核", "kernel"), 40),
        (correlated, Text("互相关（PyTorch）", "cross-correlation (PyTorch)"), 40),
        (convolved, Text("卷积（先翻转核）", "convolution (kernel turned first)"), 40),
    ]
    panels = []
    for values, name, cell in shown:
        drawing = in_both(
            lambda say, v=values, t=name, c=cell: kernel_grid(  # type: ignore[misc]
                v, title=say(t), limits=(-9, 9), cell=c
            )
        )
        panels.append(Panel(drawing, name))
    return Figure(
        alt=Text(
            "输入中央只有一个 1。互相关的结果是旋转了 180 度的核，卷积的结果是核本身",
            "The input is zero but for a 1 in the middle. Cross-correlation leaves the kernel turned "
            "by 180 degrees, convolution the kernel itself",
        ),
        panels=panels,
        legends=[
            Legend(
                Text(
                    "颜色越深，数越大；四幅共用一个刻度", "darker is larger; one scale for all four"
                )
            )
        ],
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
        label = _KERNEL_NAMES[name]
        grid = in_both(lambda say, k=kernel, t=label: kernel_grid(k, title=say(t)))  # type: ignore[misc]
        panels += [Panel(grid, label), Panel(picture(drawn, scale=1.5), _RESULT, alt=label)]
        if name == "sobel_y":
            legends.append(scale_legend(drawn, "figure", _VALUE))
    return Figure(
        alt=Text(
            "四个 3×3 卷积核和它们作用在照片上的结果：模糊让细节消失，锐化让细节更硬，"
            "两个 Sobel 分别只对竖直边缘和水平边缘有反应",
            "Four 3×3 kernels and what they make of the photograph: blur wipes out detail, "
            "sharpen hardens it, the two Sobel filters answer only to vertical and only to "
            "horizontal edges",
        ),
        panels=panels,
        legends=legends,
        columns=2,
    )


def four_filters(context: Context) -> Figure:
    """The four 4×4 filters through convolution, ReLU and max pooling, on one scale."""
    stages = {name: _pooled(kernel) for name, kernel in kernels.FOUR_EDGES.items()}
    peak = max(float(np.abs(maps[0]).max()) for maps in stages.values())
    stage_names = (
        Text("卷积", "convolution"),
        Text("ReLU", "ReLU"),
        Text("2×2 最大汇聚", "2×2 max pooling"),
    )
    panels = []
    for name, maps in stages.items():
        kernel, label = kernels.FOUR_EDGES[name], _FOUR_NAMES[name]
        grid = in_both(lambda say, k=kernel, t=label: kernel_grid(k, title=say(t)))  # type: ignore[misc]
        panels.append(Panel(grid, label))
        for stage, values in zip(stage_names, maps, strict=True):
            drawn = mosaic(values[None], scale=(-peak, peak), signed=True)
            both = Text(*(f"{a} · {b}" for a, b in zip(label, stage, strict=True)))
            panels.append(Panel(picture(drawn, scale=200 / drawn.width, step=4), stage, alt=both))
    drawn = mosaic(np.zeros((1, 1, 1)), scale=(-peak, peak), signed=True)
    return Figure(
        alt=Text(
            "四行：四个 4×4 滤波器。每行依次是滤波器、卷积结果、ReLU 之后、最大汇聚之后。"
            "①与②的卷积结果颜色正好相反，ReLU 之后各留下一半边缘",
            "Four rows, one for each 4×4 filter: the filter, its convolution, after ReLU, after "
            "max pooling. The results of ① and ② have opposite colours; after ReLU each keeps its half "
            "of the edges",
        ),
        panels=panels,
        legends=[scale_legend(drawn, "figure", _ALL)],
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
