"""Figures of the chapter "Why not an MLP": both networks under shifts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts, palettes
from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import seed_chart, spread
from cnnviz.inside.evaluation import accuracy, predict, shift
from cnnviz.inside.recording import record
from cnnviz.training.runs import SEEDS
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figure.figure import GREY_LEGEND, Figure, Legend, Panel, message, picture

SHIFTS = range(7)
"""Pixels by which the test digits are moved."""

SHIFTED_COUNT = 2000
"""Test digits that are moved: enough to tell the networks apart, and quick."""

SEED_COUNT = 400
"""Test digits that are moved for each of the short runs."""

STEP = 4
"""Pixels of LeNet's input from one unit of pool2 to the next: two poolings by 2."""

_NETS = {"mlp": "MLP", "lenet": "LeNet"}


def one_digit_shifted(context: Context) -> Figure:
    """One test digit, moved to the right step by step, and what both networks answer."""
    story = _story(context)
    image = context.test.images[story["index"]][None]  # (1, 1, 28, 28)
    panels = []
    for pixels in SHIFTS:
        drawn = mosaic(shift(image, 0, pixels)[0].numpy(), scale=(0, 255), palette="grey")
        mlp, lenet = (story[net][pixels]["answer"] for net in _NETS)
        alt = message("moved", pixels=pixels, mlp=mlp, lenet=lenet)
        panels.append(Panel(picture(drawn, 3), f"{pixels} px", alt))
    answers = {net: [step["answer"] for step in story[net]] for net in _NETS}
    return Figure(
        alt=message("alt", true_class=story["true"], last=SHIFTS[-1], **answers),
        panels=panels,
        legends=[GREY_LEGEND],
        columns=len(SHIFTS),
        uses=["mlp", "lenet"],
    )


def shift_accuracy(context: Context) -> Figure:
    """Accuracy of both networks when the test digits are moved."""
    table = _shift_table(context)

    def draw(say: Say) -> str:
        return charts.line_chart(
            {name: (list(SHIFTS), [row[net] for row in table]) for net, name in _NETS.items()},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, 1),
        )

    runs = _seed_accuracies(context)

    def draw_runs(say: Say) -> str:
        return seed_chart(
            {name: runs[net] for net, name in _NETS.items()},
            [str(pixels) for pixels in SHIFTS],
            title=say("title of seeds"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, 1),
            size=(640, 340),
        )

    return Figure(
        alt=message(
            "alt",
            last=SHIFTS[-1],
            mlp_before=table[0]["mlp"],
            mlp_after=table[-1]["mlp"],
            lenet_before=table[0]["lenet"],
            lenet_after=table[-1]["lenet"],
        ),
        panels=[
            Panel(draw, message("panels.once")),
            Panel(
                draw_runs,
                message("seeds", seeds=len(SEEDS), steps=context.recipe("short-mlp-0").steps),
            ),
        ],
        layout="column",
        uses=["mlp", "lenet", *(f"short-{net}-{seed}" for net in _NETS for seed in SEEDS)],
    )


def moving_maps(context: Context) -> Figure:
    """LeNet's layers for a digit and for the same digit moved: maps move along, fc1 does not."""
    here, moved = _moved_outputs(context)
    peaks = {name: float(torch.maximum(here[name], moved[name]).max()) for name in here}
    panels = []
    for row, outputs in (("here", here), ("moved", moved)):
        drawings = {
            "input": picture(
                mosaic(outputs["input"].numpy(), scale=(0, 1), palette="grey"), scale=4
            ),
            "relu1": _maps(outputs["relu1"], 3, peaks["relu1"], 2),
            "pool2": _maps(outputs["pool2"], 4, peaks["pool2"], 5),
            "relu3": _maps(outputs["relu3"].reshape(1, 15, 8), 1, peaks["relu3"], 7.5),
        }
        for name, drawing in drawings.items():
            shown = message("input") if name == "input" else name
            panels.append(Panel(drawing, message(f"panels.{row}", name=shown)))
    similarity = _moved_facts(here, moved)["similarity"]
    return Figure(
        alt=message("alt", step=STEP, similarity=similarity),
        panels=panels,
        legends=[Legend(message("legend"), palettes.css_gradient("sequential"), "0", "max")],
        columns=4,
        uses=["lenet"],
    )


@shared
def _shift_table(context: Context) -> list[dict[str, float]]:
    """For each of SHIFTS: share of right answers, over four directions, and of whole digits.

    `mlp` and `lenet` count all digits, `mlp_whole` and `lenet_whole` only those that have lost
    no ink to the edge, whose share is `whole`.
    """
    images, labels = context.test.images[:SHIFTED_COUNT], context.test.labels[:SHIFTED_COUNT]
    ink = (images > 0).flatten(1).sum(1)  # (N,)
    table = []
    for pixels in SHIFTS:
        directions = [(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]
        moved = [shift(images, *direction) for direction in directions[: 4 if pixels else 1]]
        whole = torch.cat([(m > 0).flatten(1).sum(1) == ink for m in moved])  # (4N,)
        row = {"whole": whole.double().mean().item()}
        for net in _NETS:
            answers = torch.cat([predict(context.model(net), to_input(m)).argmax(1) for m in moved])
            right = (answers == labels.repeat(len(moved))).double()  # (4N,)
            row[net] = right.mean().item()
            row[f"{net}_whole"] = right[whole].mean().item() if whole.any() else 0.0
        table.append(row)
    return table


@shared
def _seed_accuracies(context: Context) -> dict[str, list[list[float]]]:
    """Accuracy of the short runs, over four directions: network → shift → seed."""
    images, labels = context.test.images[:SEED_COUNT], context.test.labels[:SEED_COUNT]
    result: dict[str, list[list[float]]] = {net: [] for net in _NETS}
    for pixels in SHIFTS:
        directions = [(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]
        moved = [shift(images, *direction) for direction in directions[: 4 if pixels else 1]]
        inputs, truth = to_input(torch.cat(moved)), labels.repeat(len(moved))
        for net, rows in result.items():
            nets = [context.model(f"short-{net}-{seed}") for seed in SEEDS]
            rows.append([accuracy(predict(model, inputs), truth) for model in nets])
    return result


def _seed_spreads(context: Context) -> dict[str, list[dict[str, float]]]:
    """Of the accuracies over seeds: mean, standard deviation, worst and best at each shift."""
    return {
        net: [
            dict(zip(("mean", "deviation"), spread(row), strict=True))
            | {"worst": min(row), "best": max(row)}
            for row in rows
        ]
        for net, rows in _seed_accuracies(context).items()
    }


@shared
def _story(context: Context) -> dict[str, Any]:
    """The first test digit that shows the difference, and both networks' answers to each shift.

    That is one which both read right where it is, LeNet alone after four pixels, neither after
    six, the MLP not in between either, and of which nothing leaves the frame; the first digit if
    there is none.
    """
    images, labels = context.test.images[:SHIFTED_COUNT], context.test.labels[:SHIFTED_COUNT]
    fits = (images[..., -SHIFTS[-1] :] == 0).flatten(1).all(1)  # (N,)
    right = {
        (net, pixels): predict(context.model(net), to_input(shift(images, 0, pixels))).argmax(1)
        == labels
        for net in _NETS
        for pixels in (0, 4, 5, 6)
    }
    shows = fits & right["mlp", 0]
    shows &= ~right["mlp", 4] & ~right["mlp", 5] & ~right["mlp", 6]
    shows &= right["lenet", 0] & right["lenet", 4] & ~right["lenet", 6]
    index = int(shows.double().argmax())  # 0 if there is none
    moved = torch.cat([shift(images[index][None], 0, pixels) for pixels in SHIFTS])
    names, true = context.test.class_names, int(labels[index])
    story: dict[str, Any] = {"index": index, "true": names[true]}
    for net in _NETS:
        shares = predict(context.model(net), to_input(moved)).softmax(1)  # (7, 10)
        story[net] = [
            {
                "answer": names[int(share.argmax())],
                "share": float(share.max()),
                "right": int(share.argmax()) == true,
            }
            for share in shares
        ]
    return story


def _maps(values: Tensor, columns: int, peak: float, scale: float) -> Any:
    return picture(mosaic(values.numpy(), columns=columns, scale=(0, peak)), scale)


def _moved_outputs(context: Context) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs, maps and units of LeNet for an example, and for it moved up by STEP pixels.

    Of the examples that fit into the frame after the move it is the one whose answer loses most.
    """
    images = context.examples
    fits = (images[..., :STEP, :] == 0).flatten(1).all(1)  # (10,)
    shares = [
        predict(context.model("lenet"), to_input(shown)).softmax(1)
        for shown in (images, shift(images, -STEP, 0))
    ]  # (10, 10) each
    answers = shares[0].argmax(1, keepdim=True)
    lost = (shares[0] - shares[1]).gather(1, answers)[:, 0]  # (10,)
    digit = int(lost.where(fits, torch.full((), -2.0)).argmax())
    results = []
    for image in (images[digit], shift(images[digit][None], -STEP, 0)[0]):
        inputs = context.inputs("lenet", image[None])  # (1, 1, 28, 28)
        outputs = record(context.model("lenet"), inputs)
        layers = ("relu1", "pool2", "relu3", "output")
        results.append({"input": inputs[0], **{name: outputs[name][0] for name in layers}})
    return results[0], results[1]


def _moved_facts(here: dict[str, Tensor], moved: dict[str, Tensor]) -> dict[str, float]:
    """How far the layers of a moved digit are from the moved layers of the digit.

    Only where no unit sees padding: 2 pixels off the frame in relu1, one place off it in pool2.
    """
    inner1, inner2 = slice(2, -2), slice(1, -1)
    relu1 = moved["relu1"][:, 2 : -STEP - 2, inner1] - here["relu1"][:, STEP + 2 : -2, inner1]
    pool2 = moved["pool2"][:, 1:-2, inner2] - here["pool2"][:, 2:-1, inner2]
    return {
        "relu1_difference": float(relu1.abs().max()),
        "pool2_difference": float(pool2.abs().max()),
        "similarity": float(F.cosine_similarity(here["relu3"], moved["relu3"], dim=0)),
        "share_before": float(here["output"].softmax(0).max()),
        "share_after": float(moved["output"].softmax(0)[here["output"].argmax()]),
    }


def _similarities(context: Context) -> dict[str, float]:
    """Mean cosine similarity of fc1's outputs: of digits to themselves moved up, and to others.

    `moved` counts digits of which nothing leaves the frame; `same_class` all pairs of a class.
    """
    images, labels = context.test.images[:SHIFTED_COUNT], context.test.labels[:SHIFTED_COUNT]
    whole = (images[..., :STEP, :] == 0).flatten(1).all(1)  # (N,)
    here, moved = (
        record(context.model("lenet"), to_input(shown), layers=["relu3", "output"])
        for shown in (images, shift(images, -STEP, 0))
    )
    units, moved_units = (F.normalize(outputs["relu3"]) for outputs in (here, moved))  # (N, 120)
    pairs = (labels == labels[:, None]).fill_diagonal_(False)  # (N, N)
    right, still = (
        (outputs["output"].argmax(1) == labels)[whole].double() for outputs in (here, moved)
    )
    some = bool(whole.any())
    return {
        "moved": float((units * moved_units).sum(1)[whole].mean()) if some else 0.0,
        "same_class": float((units @ units.T)[pairs].mean()),
        "whole": int(whole.sum()),
        "right": float(right.mean()) if some else 0.0,
        "still_right": float(still.mean()) if some else 0.0,
    }


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    return {
        "table": _shift_table(context),
        "shifted_count": min(SHIFTED_COUNT, len(context.test)),
        "seeds": _seed_spreads(context),
        "seed_count": min(SEED_COUNT, len(context.test)),
        "story": _story(context),
        "moved": _moved_facts(*_moved_outputs(context)),
        "similarity": _similarities(context),
        "step": STEP,
    }
