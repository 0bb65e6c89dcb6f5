"""Figures of the chapter "How it learns": the loss, and how the training of the MLP went."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import accuracy_along_training
from cnnviz.figure.figure import GREY_LEGEND, Figure, Legend, Panel, message, picture
from cnnviz.training.recipe import Recipe
from cnnviz.words import Say
from gen.context import Context

DIGIT = 3
"""The class whose example the chapter follows."""

_SMOOTH = 50  # steps over which the loss is averaged in the chart


def loss(context: Context) -> Figure:
    """Cross-entropy as a function of the probability that the true class was given."""
    share = np.linspace(0.01, 1, 100)

    def draw(say: Say) -> str:
        return charts.line_chart(
            {"−ln p": (share, -np.log(share))},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            markers=False,
            size=(640, 260),
        )

    return Figure(alt=message("alt"), panels=[Panel(draw)])


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
    cases, panels = _three(context), []
    for case in cases:
        image = context.test.images[case["index"]].numpy()  # (1, 28, 28)
        drawn = picture(mosaic(image, scale=(0, 255), palette="grey"), 4)
        panels.append(Panel(drawn, message("panels.image", true_class=case["true"])))

        def draw(say: Say, case: dict[str, Any] = case) -> str:
            return charts.bar_chart(
                dict(zip(context.test.class_names, case["shares"], strict=True)),
                title=say("title"),
                write=lambda share: f"{share:.0%}" if share >= 0.02 else "",
                percent=True,
                highlight=case["true"],
                limits=(0, 1),
                size=(420, 170),
            )

        label = message("panels.chart", probability=case["probability"], loss=case["loss"])
        panels.append(Panel(draw, label))
    return Figure(
        alt=message("alt", losses=[case["loss"] for case in cases]),
        panels=panels,
        legends=[Legend(message("legend")), GREY_LEGEND],
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

    def losses(say: Say) -> str:
        return charts.line_chart(
            {
                say("loss.name"): (steps, smooth),
                say("loss.floor"): (steps[[0, -1]], np.full(2, floor)),
            },
            title=say("loss.title"),
            x_label=say("steps"),
            y_label=say("loss.name"),
            markers=False,
            y_limits=(0, None),
            size=(640, 260),
        )

    def accuracies(say: Say) -> str:
        return accuracy_along_training(
            {say("accuracy.name"): (history.step, history.accuracy)},
            title=say("accuracy.title"),
            x_label=say("steps"),
            y_label=say("accuracy.y"),
            size=(640, 260),
        )

    return Figure(
        alt=message(
            "alt",
            first_loss=smooth[0],
            last_loss=smooth[-1],
            floor=floor,
            first_accuracy=history.accuracy[0],
            last_accuracy=history.accuracy[-1],
        ),
        panels=[
            Panel(losses, message("loss.label", steps=_SMOOTH)),
            Panel(accuracies, message("accuracy.label", images=min(2000, len(context.test)))),
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
        "digit": context.test.class_names[DIGIT],
        "three": _three(context),
        "probability": probability,
        "loss_of_digit": float(-np.log(probability)),
        "first_loss": history.loss[0],
        "last_loss": float(np.mean(history.loss[-100:])),
        "floor": _floor(trained.recipe, len(logits)),
        "label_smoothing": trained.recipe.label_smoothing,
        "steps": trained.recipe.steps,
        "batch_size": trained.recipe.batch_size,
        "train_count": len(context.train),
        "epochs": trained.recipe.steps * trained.recipe.batch_size / len(context.train),
        "start_accuracy": history.accuracy[0],
        "early": {"step": history.step[middle], "accuracy": history.accuracy[middle]},
        "seconds": history.seconds,
    }
