"""Figures of the chapter "How it learns": what the learning rate, the batch and the seed change."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import accuracy_along_training
from cnnviz.inside.evaluation import predict
from cnnviz.inside.recording import record
from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD
from cnnviz.numbers import significant
from cnnviz.training.runs import SEEDS
from gen.context import Context, shared
from gen.figure.figure import Figure, Legend, Panel, Text, in_both, picture, scale_legend
from gen.figures.learning.learning import PLAIN, SIGNED

_RATES = {
    "sgd-lenet-low-rate": Text("太低", "too low"),
    PLAIN: Text("合适", "about right"),
    "sgd-lenet-high-rate": Text("太高", "too high"),
}
_SMOOTH = 10  # steps over which the loss is averaged in the chart
_IMAGES = 2048  # training images whose gradients are taken one by one
_BATCHES = (1, 4, 16, 64, 256)
_TESTED = 2000  # test images
_DRAWS = 6  # batches of a size that are drawn


def _rate_label(context: Context, name: str) -> Text:
    rate = context.trained(name).recipe.peak_learning_rate
    return Text(f"{_RATES[name].zh} {rate:g}", f"{_RATES[name].en}, {rate:g}")


def rates(context: Context) -> Figure:
    """Loss and accuracy of three runs that differ in the learning rate only."""
    runs = {name: context.trained(name).history for name in _RATES}
    losses = {
        name: np.convolve(run.loss, np.full(_SMOOTH, 1 / _SMOOTH), "valid")
        for name, run in runs.items()
    }
    steps = np.arange(_SMOOTH, len(runs[PLAIN].loss) + 1)

    def loss_chart(say: Any) -> str:
        return charts.line_chart(
            {say(_rate_label(context, name)): (steps, values) for name, values in losses.items()},
            title=say(Text("三个学习率的训练损失", "Training loss at three learning rates")),
            x_label=say(Text("训练步数", "training steps")),
            y_label=say(Text("训练损失", "training loss")),
            y_limits=(0, None),
            markers=False,
        )

    def accuracy_chart(say: Any) -> str:
        return accuracy_along_training(
            {say(_rate_label(context, name)): (r.step, r.accuracy) for name, r in runs.items()},
            title=say(Text("三个学习率的测试准确率", "Test accuracy at three learning rates")),
            x_label=say(Text("训练步数", "training steps")),
            y_label=say(Text("测试准确率", "test accuracy")),
        )

    ends = [f"{run.accuracy[-1]:.0%}" for run in runs.values()]
    smooth = Text(f"训练损失（{_SMOOTH} 步的平均）", f"training loss (mean of {_SMOOTH} steps)")
    return Figure(
        alt=Text(
            f"三个学习率的损失与准确率：太低，最后 {ends[0]}；合适，{ends[1]}；太高，{ends[2]}",
            f"Loss and accuracy at three learning rates: too low ends at {ends[0]}, about right at "
            f"{ends[1]}, too high at {ends[2]}",
        ),
        panels=[
            Panel(in_both(loss_chart), smooth),
            Panel(in_both(accuracy_chart), Text("测试准确率", "test accuracy")),
        ],
        layout="column",
        uses=list(_RATES),
    )  # fmt: skip


def _kernels(context: Context, name: str) -> NDArray[np.floating[Any]]:
    return context.trained(name).weights["conv1.weight"][:, 0].numpy()  # (6, 5, 5)


def rate_kernels(context: Context) -> Figure:
    """The kernels that the three learning rates lead to, below the start that they share."""
    start = context.trained(PLAIN).snapshots[0]["conv1.weight"][:, 0].numpy()
    rows = [(Text("共同的起点", "the start that they share"), start)]
    rows += [(_rate_label(context, name), _kernels(context, name)) for name in _RATES]
    panels, legend = [], None
    for label, kernels in rows:
        drawn = mosaic(kernels, columns=6, scale="layer", signed=True)
        limit = significant(float(drawn.limits[0, 1]))
        shown = Text(f"{label.zh}：±{limit}", f"{label.en}: ±{limit}")
        panels.append(Panel(picture(drawn, 12), shown))
        legend = scale_legend(drawn, "layer", SIGNED)
    assert legend
    meaning = Text(
        f"conv1 的权重，{SIGNED.zh}；每行一个刻度，写在上方",
        f"weights of conv1, {SIGNED.en}; each row has a scale of its own, written above it",
    )
    biggest = [float(np.abs(kernels).max()) for _, kernels in rows]
    return Figure(
        alt=Text(
            f"conv1 的六个核四次：起点；学习率太低，几乎还是起点；合适，有了图案；"
            f"太高，权重大到 {significant(biggest[3])}",
            f"The six kernels of conv1 four times: the start; nearly the same with a rate too low; "
            f"patterns with a good one; weights as large as {significant(biggest[3])} with one too high",
        ),
        panels=panels,
        legends=[Legend(meaning, legend.gradient, "−max", "+max")],
        layout="column",
        uses=list(_RATES),
    )


@shared
def _each_gradient(context: Context) -> Tensor:
    """Gradient of the loss of each training image by conv1's kernels (N, 6, 5, 5)."""
    trained = context.trained(PLAIN)
    model = trained.model(trained.history.step[-3])
    images = context.inputs(PLAIN, context.train.images[:_IMAGES])
    labels = context.train.labels[:_IMAGES]
    outputs = record(model, images, layers=["conv1", "output"], gradients=True)
    loss = F.cross_entropy(outputs["output"], labels, reduction="sum")
    (back,) = torch.autograd.grad(loss, outputs["conv1"])  # (N, 6, 28, 28)
    centred = (images - PIXEL_MEAN).div(PIXEL_STD)
    patches = F.unfold(centred, 5, padding=2)  # (N, 25, 784): what each weight was multiplied by
    return torch.einsum("ncp,nkp->nck", back.flatten(2), patches).view(-1, 6, 5, 5)


def _batches(context: Context, size: int, count: int) -> Tensor:
    """Mean gradients of `count` random batches (count, 6, 5, 5)."""
    each = _each_gradient(context)
    generator = torch.Generator().manual_seed(size)
    chosen = torch.randint(len(each), (count, size), generator=generator)
    return torch.stack([each[indices].mean(0) for indices in chosen])


@shared
def _noise(context: Context) -> dict[int, dict[str, float]]:
    """How far a batch's gradient is off, for each size of batch."""
    whole = _each_gradient(context).mean(0)
    result = {}
    for size in _BATCHES:
        batches = _batches(context, size, 200)
        off = (batches - whole).square().sum((1, 2, 3)).mean().sqrt() / whole.norm().clip(1e-9)
        alike = F.cosine_similarity(batches.flatten(1), whole.flatten()[None], dim=1)
        result[size] = {"off": off.item(), "alike": alike.mean().item()}
    return result


def batches(context: Context) -> Figure:
    """The gradient of one kernel as six batches of each size see it."""
    whole = _each_gradient(context).mean(0)
    kernel = int(whole.flatten(1).norm(dim=1).argmax())
    panels, legend = [], None
    for size in (1, 16, 256):
        drawn = mosaic(_batches(context, size, _DRAWS)[:, kernel].numpy(), columns=_DRAWS,
                       scale="layer", signed=True)  # fmt: skip
        limit = significant(float(drawn.limits[0, 1]))
        images = Text("一张图" if size == 1 else f" {size} 张图",
                      "one image" if size == 1 else f"{size} images")  # fmt: skip
        label = Text(f"每批{images.zh}：±{limit}", f"batches of {images.en}: ±{limit}")
        panels.append(Panel(picture(drawn, 12), label))
        legend = scale_legend(drawn, "layer", SIGNED)
    drawn = mosaic(whole[kernel][None].numpy(), scale="layer", signed=True)
    limit = significant(float(drawn.limits[0, 1]))
    panels.append(Panel(picture(drawn, 12), Text(f"全部 {_IMAGES} 张图：±{limit}",
                                                 f"all {_IMAGES} images: ±{limit}")))  # fmt: skip
    assert legend
    meaning = Text(
        f"conv1 第 {kernel} 号核的梯度，{SIGNED.zh}；每行一个刻度，写在上方",
        f"gradient of kernel {kernel} of conv1, {SIGNED.en}; each row has a scale of its own, "
        "written above it",
    )
    noise = _noise(context)
    return Figure(
        alt=Text(
            f"同一个核的梯度：每批一张图时六批各不相同；每批 256 张时六批几乎一样，"
            f"与全部图的梯度平均相似度 {noise[256]['alike']:.2f}",
            f"The gradient of one kernel: six batches of one image all differ; six batches of 256 look "
            f"alike, with a mean cosine of {noise[256]['alike']:.2f} to the gradient of all images",
        ),
        panels=panels,
        legends=[Legend(meaning, legend.gradient, "−max", "+max")],
        layout="column",
        uses=[PLAIN],
    )


def noise(context: Context) -> Figure:
    """How far the gradient of a batch is off, against its size."""
    sizes = list(_BATCHES)
    measured = [_noise(context)[size]["off"] for size in sizes]
    expected = [measured[0] / size**0.5 for size in sizes]

    def draw(say: Any) -> str:
        return charts.line_chart(
            {say(Text("测得", "measured")): (sizes, measured), "1/√B": (sizes, expected)},
            title=say(Text("梯度的噪声与批量大小", "Noise of the gradient and size of the batch")),
            x_label=say(Text("批量大小 B", "images in a batch, B")),
            y_label=say(Text("误差 ÷ 真梯度的长度", "error ÷ length of the true gradient")),
            log_x=True,
            log_y=True,
            size=(640, 280),
        )

    return Figure(
        alt=Text(
            f"双对数图：批量从 1 到 {sizes[-1]}，梯度的误差从真梯度的 {measured[0]:.1f} 倍降到 "
            f"{measured[-1]:.2f} 倍，与 1/√B 的直线重合",
            f"Both axes logarithmic: as batches grow from 1 to {sizes[-1]}, the error falls from "
            f"{measured[0]:.1f} to {measured[-1]:.2f} times the true gradient, along the line 1/√B",
        ),
        panels=[Panel(in_both(draw))],
        uses=[PLAIN],
    )


def _seed_runs() -> list[str]:
    return [f"short-lenet-{seed}" for seed in SEEDS]


def seeds(context: Context) -> Figure:
    """The kernels of five runs that differ in their seed only."""
    peak = max(float(np.abs(_kernels(context, name)).max()) for name in _seed_runs())
    panels, legends = [], []
    for seed, name in zip(SEEDS, _seed_runs(), strict=True):
        drawn = mosaic(_kernels(context, name), columns=6, scale=(-peak, peak), signed=True)
        right = context.trained(name).history.accuracy[-1]
        label = Text(f"种子 {seed}：{right:.1%}", f"seed {seed}: {right:.1%}")
        panels.append(Panel(picture(drawn, 9), label))
        meaning = Text(f"conv1 的权重，{SIGNED.zh}", f"weights of conv1, {SIGNED.en}")
        legends = [scale_legend(drawn, "figure", meaning)]
    rights = [context.trained(name).history.accuracy[-1] for name in _seed_runs()]
    return Figure(
        alt=Text(
            f"五个种子各自的六个 conv1 核，图案各不相同；测试准确率从 {min(rights):.1%} 到 {max(rights):.1%}",
            f"Six conv1 kernels for each of five seeds, with patterns of their own; test accuracy from "
            f"{min(rights):.1%} to {max(rights):.1%}",
        ),
        panels=panels,
        legends=legends,
        layout="column",
        uses=_seed_runs(),
    )


def _likeness(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Cosine of each kernel in `first` to the most similar of `second`, on average."""
    a, b = (k.reshape(len(k), -1) / np.linalg.norm(k.reshape(len(k), -1), axis=1, keepdims=True)
            for k in (first, second))  # fmt: skip
    return float((a @ b.T).max(1).mean())


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    runs = {"low": "sgd-lenet-low-rate", "right": PLAIN, "high": "sgd-lenet-high-rate"}
    result: dict[str, Any] = {}
    for key, name in runs.items():
        trained = context.trained(name)
        start, end = trained.snapshots[0]["conv1.weight"], trained.weights["conv1.weight"]
        result[key] = {
            "rate": trained.recipe.peak_learning_rate,
            "accuracy": trained.history.accuracy[-1],
            "loss": float(np.mean(trained.history.loss[-20:])),
            "first_loss": trained.history.loss[0],
            "highest_loss": max(trained.history.loss),
            "largest": float(end.abs().max()),
            "moved": float((end - start).norm() / start.norm()),
        }
    kernels = [_kernels(context, name) for name in _seed_runs()]
    starts = [context.trained(name).snapshots[0]["conv1.weight"][:, 0].numpy()
              for name in _seed_runs()]  # fmt: skip
    pairs = [(i, j) for i in range(len(kernels)) for j in range(len(kernels)) if i != j]
    rights = [context.trained(name).history.accuracy[-1] for name in _seed_runs()]
    inputs = context.inputs(PLAIN, context.test.images[:_TESTED])
    answers_of = [predict(context.model(name), inputs).argmax(1) for name in _seed_runs()]
    outputs = record(context.model(runs["high"]), inputs)
    alive = (outputs["relu4"] > 0).any(0)
    answers = outputs["output"].argmax(1)
    result["high"] |= {
        "dead": int((~alive).sum()),
        "units": len(alive),
        "tested": len(inputs),
        "answers": len(answers.unique()),
    }
    differ = [float((answers_of[i] != answers_of[j]).float().mean()) for i, j in pairs]
    return result | {
        "noise": {str(size): values for size, values in _noise(context).items()},
        "images": _IMAGES,
        "batch": context.trained(PLAIN).recipe.batch_size,
        "seeds": {
            "count": len(kernels),
            "steps": context.trained(_seed_runs()[0]).recipe.steps,
            "lowest": min(rights),
            "highest": max(rights),
            "between": float(np.mean([_likeness(kernels[i], kernels[j]) for i, j in pairs])),
            "to_start": float(np.mean([
                F.cosine_similarity(torch.from_numpy(k).flatten(1), torch.from_numpy(s).flatten(1))
                .mean().item() for k, s in zip(kernels, starts, strict=True)])),
            "disagree": float(np.mean(differ)),
        },
    }  # fmt: skip
