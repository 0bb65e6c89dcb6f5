"""Figures of the chapter "How a computer sees an image": digits and a photograph as numbers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from cnnviz.data import digits, photos
from cnnviz.data.catalogue import SPREAD
from cnnviz.data.digit_templates import STYLES
from cnnviz.data.inputs import to_input
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.pixels import colour_cells, strip, strokes_drawing
from gen.context import Context
from gen.figure.figure import GREY_LEGEND, Figure, Legend, Panel, Text, in_both, picture, raster

Bytes = NDArray[np.uint8]

DIGIT = 3
"""The class whose example the chapter follows."""

SIDE = 28
SAMPLES = 11
"""Training images of each class that are shown."""

SIDES = (28, 14, 7, 4)
"""Sides in pixels at which that digit is shown."""

_CHANNELS = {
    "red": Text("红（R）", "red (R)"),
    "green": Text("绿（G）", "green (G)"),
    "blue": Text("蓝（B）", "blue (B)"),
}
_FLOWER = (75, 120, 70, 70)  # top, left, height, width in the reduced photograph
_LEAVES = (50, 240, 70, 70)
_EDGE = (109, 82, 5, 8)  # where a petal meets the background
_STEPS = (
    Text("① 混合的笔画", "① blended strokes"),
    Text("② 抖动、弯曲、倾斜", "② jittered, bent, slanted"),
    Text("③ 上墨，20×20", "③ inked, 20×20"),
    Text("④ 居中，28×28", "④ centred, 28×28"),
)
_SHOWN = ((3, 0, 4), (7, 3, 1), (4, 0, 2))  # digit, index of its style, seed


def _digit(context: Context) -> Bytes:
    """The example that the chapter follows, (28, 28)."""
    pixels: Bytes = context.examples[DIGIT, 0].numpy()
    return pixels


def _grey(pixels: Bytes, scale: float, columns: int | None = None) -> Any:
    """Bytes (H, W) or (N, H, W) as a picture."""
    maps = pixels if pixels.ndim > 2 else pixels[None]
    return picture(mosaic(maps, columns=columns, scale=(0, 255), palette="grey"), scale)


def digit_as_numbers(context: Context) -> Figure:
    """A digit as a picture, and below it all of its numbers."""
    pixels = _digit(context)
    name = context.test.class_names[DIGIT]
    columns = "".join(f"<th>{column}</th>" for column in range(SIDE))
    rows = "".join(
        f"<tr><th>{row}</th>{''.join(_cell(int(value)) for value in values)}</tr>"
        for row, values in enumerate(pixels)
    )
    table = f'<table class="pixels-numbers"><tr><td style="background:none"></td>{columns}</tr>{rows}</table>'
    dark = int((pixels == 0).sum())
    return Figure(
        alt=Text(
            f"一个手写的 {name}，以及它的 28×28 个数字，其中 {dark} 个是 0，最大的是 {pixels.max()}",
            f"A handwritten {name} and its 28×28 numbers, of which {dark} are 0; the largest is "
            f"{pixels.max()}",
        ),
        panels=[
            Panel(
                _grey(pixels, 8),
                Text("我们看见的", "what we see"),
                alt=Text(f"一个手写的 {name}", f"A handwritten {name}"),
            ),
            Panel(
                Text(table, table),
                Text("计算机拿到的", "what the computer gets"),
                alt=Text(
                    f"同一个 {name} 的 28×28 个数字，表格边上是行号与列号",
                    f"The 28×28 numbers of the same {name}, with rows and columns numbered at the edge",
                ),
            ),
        ],
        legends=[GREY_LEGEND],
        layout="column",
    )


def _cell(value: int) -> str:
    kind = "" if value else ' class="zero"'
    return f'<td{kind} style="--v:{value}">{value}</td>'


def _neighbours(pixels: Bytes) -> tuple[int, int]:
    """Row and column of the brightest pair of pixels above one another (the upper one)."""
    pairs = np.minimum(pixels[:-1], pixels[1:]).astype(int)
    row, column = np.unravel_index(pairs.argmax(), pairs.shape)
    return int(row), int(column)


def flattened(context: Context) -> Figure:
    """The rows of the digit one after another, 784 numbers in a line, four of the rows enlarged."""
    pixels = _digit(context)
    row, column = _neighbours(pixels)
    first = SIDE * row + column
    drawing = in_both(
        lambda say: strip(
            pixels,
            row,
            column,
            row_name=lambda r: say(Text(f"第 {r} 行", f"row {r}")),
            apart=say(Text(f"相隔 {SIDE} 格", f"{SIDE} places apart")),
            title=say(Text("展平成一行的数字", "The digit flattened into one row")),
        )
    )
    return Figure(
        alt=Text(
            f"28 行首尾相接，排成 784 个像素的长条；原来上下相邻的两个像素现在在第 {first} 和第 "
            f"{first + SIDE} 位",
            f"The 28 rows end to end, a strip of 784 pixels; two pixels that were above one another "
            f"are now at places {first} and {first + SIDE}",
        ),
        panels=[Panel(drawing)],
        legends=[GREY_LEGEND],
    )


@cache
def _flower() -> Bytes:
    """The photograph of a dahlia at half size, (213, 320, 3)."""
    return photos.resize(photos.load("flower"), 213, 320)


def _part_means(part: tuple[int, int, int, int]) -> dict[str, float]:
    """Mean of each channel over a part of the photograph."""
    means = photos.crop(_flower(), *part).reshape(-1, 3).mean(0)
    return dict(zip(_CHANNELS, means.tolist(), strict=True))


def channels(context: Context) -> Figure:
    """A colour photograph, and its three channels as grey pictures."""
    photo = _flower()
    framed = photo.copy()
    around = (_EDGE[0] - 1, _EDGE[1] - 1, _EDGE[2] + 2, _EDGE[3] + 2)
    for top, left, height, width in (_FLOWER, _LEAVES, around):
        framed[top : top + height, [left, left + width - 1]] = 255
        framed[[top, top + height - 1], left : left + width] = 255
    panels = [Panel(raster(framed, photo=True), Text("照片", "the photograph"))]
    for index, name in enumerate(_CHANNELS.values()):
        label = Text(f"{name.zh}通道", f"{name.en} channel")
        panels.append(Panel(raster(photo[:, :, index], photo=True), label))
    flower = _part_means(_FLOWER)
    return Figure(
        alt=Text(
            f"一朵橙色的大丽花和它的三个通道：花在红色通道里最亮（平均 {flower['red']:.0f}），"
            f"在蓝色通道里最暗（平均 {flower['blue']:.0f}）",
            f"An orange dahlia and its three channels: the flower is brightest in red (mean "
            f"{flower['red']:.0f}) and darkest in blue (mean {flower['blue']:.0f})",
        ),
        panels=panels,
        legends=[
            Legend(
                Text(
                    "通道中的值：0 为黑，255 为白。照片里的两个大框是取平均值的地方，小框是下一张图的位置",
                    "values in a channel: 0 is black, 255 is white. The two large frames in the "
                    "photograph are where means are taken, the small one is the next figure",
                ),
                GREY_LEGEND.gradient,
                "0",
                "255",
            )
        ],
        columns=2,
    )


def colour_numbers(context: Context) -> Figure:
    """A few pixels at the edge of the flower, each with its three numbers."""
    part = photos.crop(_flower(), *_EDGE)
    rows, columns = part.shape[:2]
    drawing = in_both(
        lambda say: colour_cells(
            part, say(Text("每个像素三个数字", "Three numbers for each pixel"))
        )
    )
    return Figure(
        alt=Text(
            f"花瓣边缘 {rows}×{columns} 个像素，每格里从上到下是红、绿、蓝三个数字；"
            f"最左上的是 {'、'.join(map(str, part[0, 0]))}，最右下的是 {'、'.join(map(str, part[-1, -1]))}",
            f"{rows}×{columns} pixels at the edge of a petal, in each its red, green and blue number "
            f"from top to bottom; the upper left one has {', '.join(map(str, part[0, 0]))}, the lower "
            f"right one {', '.join(map(str, part[-1, -1]))}",
        ),
        panels=[Panel(drawing)],
        legends=[
            Legend(
                Text(
                    "每格是一个像素，涂成它自己的颜色；三个数字从上到下是 R、G、B",
                    "a cell is a pixel, in its own colour; its numbers are R, G and B from top to "
                    "bottom",
                )
            )
        ],
    )


def _reduced(images: torch.Tensor, side: int) -> torch.Tensor:
    """uint8 (N, 1, 28, 28) → float (N, 1, side, side), each pixel the mean of a square."""
    return F.avg_pool2d(images.float(), SIDE // side)


def _nearest(context: Context, side: int) -> float:
    """Share of 1,000 test images whose nearest of 2,000 training images is of their class."""
    known = _reduced(context.train.images[:2000], side).flatten(1)  # (2000, side²)
    asked = _reduced(context.test.images[:1000], side).flatten(1)  # (1000, side²)
    nearest = torch.cdist(asked, known).argmin(1)  # (1000,)
    right = context.train.labels[:2000][nearest] == context.test.labels[:1000]
    return right.double().mean().item()


def resolution(context: Context) -> Figure:
    """The same digit with fewer and fewer pixels."""
    panels = []
    for side in SIDES:
        small = _reduced(context.examples[DIGIT : DIGIT + 1], side)[0, 0]  # (side, side)
        pixels = small.round().numpy().astype(np.uint8)
        count = f"{side}×{side} = {side * side}"
        panels.append(Panel(_grey(pixels, 140 / side), Text(count, count)))
    name = context.test.class_names[DIGIT]
    return Figure(
        alt=Text(
            f"同一个 {name}，边长依次为 {'、'.join(map(str, SIDES))} 个像素，画成一样大；最后一张只剩几块灰",
            f"The same {name} with sides of {', '.join(map(str, SIDES))} pixels, drawn equally large; "
            "of the last only some grey blocks are left",
        ),
        panels=panels,
        legends=[GREY_LEGEND],
        columns=len(SIDES),
    )


def _class_means(context: Context) -> torch.Tensor:
    """Mean image of each class of the training images, float (classes, 28, 28)."""
    images, labels = context.train.images[:, 0], context.train.labels
    classes = range(len(context.train.class_names))
    return torch.stack([images[labels == label].float().mean(0) for label in classes])


def class_means(context: Context) -> Figure:
    """The average of all training images of each class."""
    means = _class_means(context).numpy()
    names = context.train.class_names
    drawn = mosaic(means, columns=5, scale=(0, 255), palette="grey")
    sharpest = int(means.max((1, 2)).argmax())
    return Figure(
        alt=Text(
            f"十个类别各自的平均图像，像模糊的数字；最亮的是 {names[sharpest]}，"
            f"最大值 {means[sharpest].max():.0f}",
            f"The mean image of each of ten classes, like blurred digits; the brightest is that of "
            f"{names[sharpest]} with a maximum of {means[sharpest].max():.0f}",
        ),
        panels=[Panel(picture(drawn, 4))],
        legends=[GREY_LEGEND],
    )


def made_steps(context: Context) -> Figure:
    """Three digits on their way from strokes to an image."""
    panels = []
    for digit, style, seed in _SHOWN:
        names = digits.style_names()[digit]
        example = digits.example(digit, names[style % len(names)], seed)
        drawings: list[Any] = [
            in_both(lambda say, s=strokes, t=step, d=digit: strokes_drawing(s, f"{d}: {say(t)}"))  # type: ignore[misc]
            for strokes, step in zip((example.blended, example.warped), _STEPS, strict=False)
        ]
        drawings += [_grey(example.ink, 5.6), _grey(example.image, 4)]
        for step, drawing in zip(_STEPS, drawings, strict=True):
            alt = Text(f"{digit}：{step.zh}", f"{digit}: {step.en}")
            panels.append(Panel(drawing, step if digit == _SHOWN[0][0] else None, alt=alt))
    shown = [str(digit) for digit, _, _ in _SHOWN]
    return Figure(
        alt=Text(
            f"{'、'.join(shown)} 三个数字从笔画到图像的四步",
            f"The digits {', '.join(shown)} in four steps from strokes to an image",
        ),
        panels=panels,
        legends=[GREY_LEGEND],
        columns=len(_STEPS),
    )


def made_styles(context: Context) -> Figure:
    """One made digit of every style."""
    panels = []
    for digit, names in digits.style_names().items():
        images = np.stack([digits.example(digit, name, 0).image for name in names])
        label = Text(f"{digit}：{len(names)} 种写法", f"{digit}: {len(names)} styles")
        panels.append(Panel(_grey(images, 2, columns=len(names)), label))
    count = sum(map(len, digits.style_names().values()))
    return Figure(
        alt=Text(
            f"十个数字共 {count} 种写法，每种一个样本",
            f"The {count} styles of the ten digits, one sample of each",
        ),
        panels=panels,
        legends=[GREY_LEGEND],
    )


def samples(context: Context) -> Figure:
    """Some training images of each class."""
    images, labels = context.train.images, context.train.labels
    names = context.train.class_names
    rows = [images[labels == label][:SAMPLES, 0] for label in range(len(names))]
    shown = torch.stack(rows).numpy()  # (10, 12, 28, 28)
    drawn = mosaic(shown, scale=(0, 255), palette="grey")
    return Figure(
        alt=Text(
            f"训练集的样本，每行一个类别（{'、'.join(names)}），各 {shown.shape[1]} 个",
            f"Samples of the training set, one class a row ({', '.join(names)}), {shown.shape[1]} each",
        ),
        panels=[Panel(picture(drawn, 2))],
        legends=[GREY_LEGEND],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    pixels = _digit(context)
    row, column = _neighbours(pixels)
    means = _class_means(context)
    names = context.train.class_names
    brightest = means.flatten(1).amax(1)  # (classes,)
    distance = torch.cdist(to_input(context.test.images).flatten(1), means.flatten(1) / 255)
    nearest_mean = (distance.argmin(1) == context.test.labels).double().mean().item()
    flower = _flower()
    styles = digits.style_names()
    return {
        "digit": names[DIGIT],
        "zeros": int((pixels == 0).sum()),
        "zero_share": float((context.train.images == 0).double().mean()),
        "brightest": int(pixels.max()),
        "row": row,
        "column": column,
        "place": SIDE * row + column,
        "place_below": SIDE * (row + 1) + column,
        "photo": {"height": flower.shape[0], "width": flower.shape[1], "values": flower.size},
        "flower": _part_means(_FLOWER),
        "leaves": _part_means(_LEAVES),
        "nearest": {str(side): _nearest(context, side) for side in SIDES},
        "nearest_count": min(1000, len(context.test)),
        "nearest_mean": nearest_mean,
        "sharpest": {"name": names[int(brightest.argmax())], "value": float(brightest.max())},
        "vaguest": {"name": names[int(brightest.argmin())], "value": float(brightest.min())},
        "samples": SAMPLES,
        "exaggerated": SPREAD["train"] - 1,
        "train_count": len(context.train),
        "test_count": len(context.test),
        "styles": sum(map(len, styles.values())),
        "styles_of_seven": len(styles[7]),
        "template_count": sum(len(style.templates) for style in STYLES),
    }
