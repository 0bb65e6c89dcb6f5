"""Figures of the chapter "From a neuron to an MLP": what is minimised, and how training went."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnviz.drawing import charts
from cnnviz.recipes import Recipe
from gen.context import Context
from gen.figure import Figure, Panel, Text, in_both

DIGIT = 3
"""The class whose example the chapter follows."""

_SMOOTH = 50  # steps over which the loss is averaged in the chart


def loss(context: Context) -> Figure:
    """Cross-entropy as a function of the probability that the true class was given."""
    share = np.linspace(0.01, 1, 100)
    drawing = in_both(
        lambda say: charts.line_chart(
            {"−ln p": (share, -np.log(share))},
            title=say(Text("交叉熵损失", "Cross-entropy loss")),
            x_label=say(Text("给真实类别的概率 p", "probability p of the true class")),
            y_label=say(Text("损失", "loss")),
            markers=False,
            size=(640, 260),
        )
    )
    return Figure(
        alt=Text(
            "损失随概率下降的曲线：p 为 1 时是 0，p 为 0.1 时是 2.3，p 趋于 0 时无限增大",
            "The loss falls as the probability grows: 0 at p = 1, 2.3 at p = 0.1, without bound towards p = 0",
        ),
        panels=[Panel(drawing)],
    )


def _floor(recipe: Recipe, classes: int) -> float:
    """The least loss that label smoothing allows: the entropy of its target."""
    rest = recipe.label_smoothing / classes
    true = 1 - recipe.label_smoothing + rest
    return float(-true * np.log(true) - (classes - 1) * rest * np.log(rest))


def training(context: Context) -> Figure:
    """Loss along the training, and accuracy at the snapshots."""
    trained = context.trained("mlp")
    history = trained.history
    smooth = np.convolve(history.loss, np.full(_SMOOTH, 1 / _SMOOTH), "valid")
    steps = np.arange(_SMOOTH, len(history.loss) + 1)
    floor = _floor(trained.recipe, len(context.test.class_names))
    step_label = Text("训练步数", "training steps")
    losses = in_both(
        lambda say: charts.line_chart(
            {
                say(Text("损失", "loss")): (steps, smooth),
                say(Text("下限", "floor")): (steps[[0, -1]], np.full(2, floor)),
            },
            title=say(Text("训练中的损失", "Loss during training")),
            x_label=say(step_label),
            y_label=say(Text("损失", "loss")),
            markers=False,
            y_limits=(0, None),
            size=(640, 260),
        )
    )
    marked = [max(step, 0.5) for step in history.step]  # a logarithmic axis has no zero
    accuracies = in_both(
        lambda say: charts.line_chart(
            {say(Text("准确率", "accuracy")): (marked, history.accuracy)},
            title=say(Text("训练中的准确率", "Accuracy during training")),
            x_label=say(
                Text("训练步数（最左为训练之前）", "training steps (leftmost: before training)")
            ),
            y_label=say(Text("测试准确率", "test accuracy")),
            percent=True,
            log_x=True,
            size=(640, 260),
        )
    )
    return Figure(
        alt=Text(
            f"损失从 {smooth[0]:.2f} 降到 {smooth[-1]:.2f}，下限是 {floor:.2f}；"
            f"准确率从 {history.accuracy[0]:.0%} 升到 {history.accuracy[-1]:.1%}",
            f"The loss falls from {smooth[0]:.2f} to {smooth[-1]:.2f}, with a floor at {floor:.2f}; "
            f"accuracy rises from {history.accuracy[0]:.0%} to {history.accuracy[-1]:.1%}",
        ),
        panels=[
            Panel(
                losses,
                Text(
                    f"训练损失，每点是最近 {_SMOOTH} 步的平均",
                    f"training loss, each point the mean of the last {_SMOOTH} steps",
                ),
            ),
            Panel(
                accuracies, Text("没有用来训练的图上的准确率", "accuracy on images not trained on")
            ),
        ],
        layout="column",
        uses=["mlp"],
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    trained = context.trained("mlp")
    history = trained.history
    middle = len(history.step) // 2  # snapshots are denser early
    logits = context.recording("mlp")["output"][DIGIT]  # (10,)
    probability = float(logits.softmax(0)[DIGIT])
    return {
        "probability": probability,
        "loss_of_digit": float(-np.log(probability)),
        "first_loss": history.loss[0],
        "last_loss": float(np.mean(history.loss[-100:])),
        "floor": _floor(trained.recipe, len(logits)),
        "label_smoothing": trained.recipe.label_smoothing,
        "steps": trained.recipe.steps,
        "batch_size": trained.recipe.batch_size,
        "snapshots": len(history.step),
        "start_accuracy": history.accuracy[0],
        "early": {"step": history.step[middle], "accuracy": history.accuracy[middle]},
        "seconds": history.seconds,
    }
