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
from cnnviz.figure.figure import Figure, Panel, message, picture, scale_legend
from cnnviz.inside.evaluation import predict
from cnnviz.inside.recording import record
from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD
from cnnviz.training.runs import SEEDS
from cnnviz.words import Message, Say
from gen.context import Context, shared
from gen.figures.learning.learning import PLAIN, own_scales

_RATES = {"low": "sgd-lenet-low-rate", "right": PLAIN, "high": "sgd-lenet-high-rate"}
_SMOOTH = 10  # steps over which the loss is averaged in the chart
_IMAGES = 2048  # training images whose gradients are taken one by one
_BATCHES = (1, 4, 16, 64, 256)
_TESTED = 2000  # test images
_DRAWS = 6  # batches of a size that are drawn


def _rate_label(context: Context, kind: str) -> Message:
    rate = context.trained(_RATES[kind]).recipe.peak_learning_rate
    return message(f"named rates.{kind}", rate=rate)


def rates(context: Context) -> Figure:
    """Loss and accuracy of three runs that differ in the learning rate only."""
    runs = {kind: context.trained(name).history for kind, name in _RATES.items()}
    losses = {
        kind: np.convolve(run.loss, np.full(_SMOOTH, 1 / _SMOOTH), "valid")
        for kind, run in runs.items()
    }
    steps = np.arange(_SMOOTH, len(runs["right"].loss) + 1)

    def loss_chart(say: Say) -> str:
        return charts.line_chart(
            {say(_rate_label(context, kind)): (steps, values) for kind, values in losses.items()},
            title=say("loss.title"),
            x_label=say("loss.x"),
            y_label=say("loss.y"),
            y_limits=(0, None),
            markers=False,
        )

    def accuracy_chart(say: Say) -> str:
        return accuracy_along_training(
            {say(_rate_label(context, kind)): (r.step, r.accuracy) for kind, r in runs.items()},
            title=say("accuracy.title"),
            x_label=say("accuracy.x"),
            y_label=say("accuracy.y"),
        )

    return Figure(
        alt=message("alt", **{kind: run.accuracy[-1] for kind, run in runs.items()}),
        panels=[
            Panel(loss_chart, message("loss.label", steps=_SMOOTH)),
            Panel(accuracy_chart, message("accuracy.label")),
        ],
        layout="column",
        uses=list(_RATES.values()),
    )


def _kernels(context: Context, name: str) -> NDArray[np.floating[Any]]:
    return context.trained(name).weights["conv1.weight"][:, 0].numpy()  # (6, 5, 5)


def rate_kernels(context: Context) -> Figure:
    """The kernels that the three learning rates lead to, below the start that they share."""
    start = context.trained(PLAIN).snapshots[0]["conv1.weight"][:, 0].numpy()
    rows = [(message("start"), start)]
    rows += [(_rate_label(context, kind), _kernels(context, name)) for kind, name in _RATES.items()]
    panels = []
    for label, kernels in rows:
        drawn = mosaic(kernels, columns=6, scale="layer", signed=True)
        shown = message("row", name=label, limit=float(drawn.limits[0, 1]))
        panels.append(Panel(picture(drawn, 12), shown))
    return Figure(
        alt=message("alt", largest=float(np.abs(rows[-1][1]).max())),
        panels=panels,
        legends=[own_scales(message("meaning"))],
        layout="column",
        uses=list(_RATES.values()),
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
    panels = []
    for size in (1, 16, 256):
        drawn = mosaic(_batches(context, size, _DRAWS)[:, kernel].numpy(), columns=_DRAWS,
                       scale="layer", signed=True)  # fmt: skip
        label = message("batch", images=size, limit=float(drawn.limits[0, 1]))
        panels.append(Panel(picture(drawn, 12), label))
    drawn = mosaic(whole[kernel][None].numpy(), scale="layer", signed=True)
    label = message("all", images=_IMAGES, limit=float(drawn.limits[0, 1]))
    panels.append(Panel(picture(drawn, 12), label))
    return Figure(
        alt=message("alt", cosine=_noise(context)[256]["alike"]),
        panels=panels,
        legends=[own_scales(message("meaning", kernel=kernel))],
        layout="column",
        uses=[PLAIN],
    )


def noise(context: Context) -> Figure:
    """How far the gradient of a batch is off, against its size."""
    sizes = list(_BATCHES)
    measured = [_noise(context)[size]["off"] for size in sizes]
    expected = [measured[0] / size**0.5 for size in sizes]

    def draw(say: Say) -> str:
        return charts.line_chart(
            {say("measured"): (sizes, measured), "1/√B": (sizes, expected)},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            log_x=True,
            log_y=True,
            size=(640, 280),
        )

    return Figure(
        alt=message("alt", largest=sizes[-1], first=measured[0], last=measured[-1]),
        panels=[Panel(draw)],
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
        panels.append(Panel(picture(drawn, 9), message("seed", seed=seed, accuracy=right)))
        legends = [scale_legend(drawn, "figure", message("meaning"))]
    rights = [context.trained(name).history.accuracy[-1] for name in _seed_runs()]
    return Figure(
        alt=message("alt", lowest=min(rights), highest=max(rights)),
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
    result: dict[str, Any] = {}
    for key, name in _RATES.items():
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
    outputs = record(context.model(_RATES["high"]), inputs)
    alive = (outputs["relu4"] > 0).any(0)
    maps = (outputs["relu2"] > 0).amax((0, 2, 3))  # (16,)
    answers = outputs["output"].argmax(1)
    result["high"] |= {
        "dead": int((~alive).sum()),
        "units": len(alive),
        "dead_maps": int((~maps).sum()),
        "maps": len(maps),
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
