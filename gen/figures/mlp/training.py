"""Figures of the chapter "From a neuron to an MLP": softmax, loss, and how training went."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import accuracy_along_training
from cnnviz.training.recipe import Recipe
from gen.context import Context
from gen.figure.figure import GREY_LEGEND, Figure, Legend, Panel, Text, in_both, picture

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


def _three(context: Context) -> list[dict[str, Any]]:
    """Three test digits: answered right and sure, right and unsure, wrong and sure.

    In the middle stands the right answer whose probability is nearest to one half.
    """
    shares = context.logits("mlp").softmax(1)  # (N, 10)
    labels, names = context.test.labels, context.test.class_names
    given = shares.gather(1, labels[:, None])[:, 0]  # (N,) to the true class
    largest, answers = shares.max(1)
    right = answers == labels
    indices = (
        int(given.where(right, -torch.ones(())).argmax()),
        int((given - 0.5).abs().where(right, torch.full((), 2.0)).argmin()),
        int(largest.where(~right, -torch.ones(())).argmax()),
    )
    return [
        {
            "index": index,
            "true": names[labels[index]],
            "answer": names[answers[index]],
            "shares": shares[index].tolist(),
            "probability": float(given[index]),
            "loss": float(-given[index].log()),
        }
        for index in indices
    ]


def three_losses(context: Context) -> Figure:
    """Three test digits, the probabilities that they get, and the loss that follows."""
    names = context.test.class_names
    panels = []
    for case in _three(context):
        image = context.test.images[case["index"]].numpy()  # (1, 28, 28)
        panels.append(
            Panel(
                picture(mosaic(image, scale=(0, 255), palette="grey"), 4),
                Text(f"真实类别：{case['true']}", f"true class: {case['true']}"),
            )
        )
        shares = dict(zip(names, case["shares"], strict=True))
        chart = in_both(
            lambda say, shares=shares, true=case["true"]: charts.bar_chart(  # type: ignore[misc]
                shares,
                title=say(Text("十个类别的概率", "Probabilities of the ten classes")),
                write=lambda share: f"{share:.0%}" if share >= 0.02 else "",
                percent=True,
                highlight=true,
                limits=(0, 1),
                size=(420, 170),
            )
        )
        sum_up = f"p = {case['probability']:.3f}，−ln p = {case['loss']:.2f}"
        panels.append(Panel(chart, Text(sum_up, sum_up.replace("，", ", "))))
    losses = [f"{case['loss']:.2f}" for case in _three(context)]
    return Figure(
        alt=Text(
            f"三张测试图和网络给十个类别的概率：答对且有把握、答对但没把握、答错且有把握，损失依次是 "
            f"{'、'.join(losses)}",
            "Three test digits with the probabilities of the ten classes: right and sure, right and "
            f"unsure, wrong and sure; the losses are {', '.join(losses)}",
        ),
        panels=panels,
        legends=[
            Legend(
                Text(
                    "深色的柱是真实类别，p 是它得到的概率；不到 2% 的不写数",
                    "the dark bar is the true class, and p its probability; below 2% no number is written",
                )
            ),
            GREY_LEGEND,
        ],
        columns=2,
        uses=["mlp"],
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
    accuracies = in_both(
        lambda say: accuracy_along_training(
            {say(Text("准确率", "accuracy")): (history.step, history.accuracy)},
            title=say(Text("训练中的准确率", "Accuracy during training")),
            x_label=say(step_label),
            y_label=say(Text("测试准确率", "test accuracy")),
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
        "logits": logits.tolist(),
        "powers": logits.exp().tolist(),
        "sum_of_powers": float(logits.exp().sum()),
        "shares": logits.softmax(0).tolist(),
        "largest": context.test.class_names[int(logits.argmax())],
        "largest_power": float(logits.exp().max()),
        "names": list(context.test.class_names),
        "three": _three(context),
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
