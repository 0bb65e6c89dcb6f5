"""Figures of the chapter "Batch normalisation and dropout": masks, and one digit many times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import GREY_LEGEND, Figure, Panel, message, picture, scale_legend
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.inside.recording import record
from cnnviz.training.brief import train_briefly
from cnnviz.words import Say
from gen.context import Context, shared

DIGIT = 4
PASSES, MANY, MANY_PASSES = 1000, 500, 20
"""Passes of one digit; test images for the comparison with evaluation mode, and passes of each."""

FEW, FEW_PASSES = 100, 400
"""Test images for a much longer mean, and passes of each."""

SCARCE, SCARCE_STEPS, SCARCE_SHARE, TESTED = 500, 200, 0.5, 2000
"""For networks that overfit: training images, steps, share of dropout, test images."""

_SHARE = 0.2  # of dropout, as in cnnviz.nets.models.MLP
_MASKS = 3


def _masks(count: int) -> Tensor:
    """(count, 512): 1 where a unit is kept."""
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(count, 512, generator=generator) >= _SHARE).float()


def masks(context: Context) -> Figure:
    """The first hidden layer of the MLP under three masks, and in evaluation mode."""
    values = context.recording("mlp")["relu1"][DIGIT].reshape(16, 32)
    kept = _masks(_MASKS).reshape(-1, 16, 32)
    # Few units are very strong; the others should be seen, too.
    peak = float(values[values > 0].quantile(0.9)) if (values > 0).any() else 1.0
    panels = []
    for index in range(_MASKS):
        drawn_mask = mosaic(kept[index][None].numpy(), scale=(0, 1), palette="grey", signed=False)
        panels.append(Panel(picture(drawn_mask, 6.6), message("mask", number=index + 1)))
    for index in range(_MASKS):
        thinned = values * kept[index] / (1 - _SHARE)
        drawn = mosaic(thinned[None].numpy(), scale=(0, peak), signed=False)
        panels.append(Panel(picture(drawn, 6.6), message("through", number=index + 1)))
    whole = mosaic(values[None].numpy(), scale=(0, peak), signed=False)
    panels.append(Panel(picture(whole, 6.6), message("whole")))
    return Figure(
        alt=message("alt", dropped=[int((m == 0).sum()) for m in kept]),
        panels=panels,
        legends=[
            scale_legend(drawn_mask, "figure", message("meanings.mask")),
            scale_legend(drawn, "figure", message("meanings.activation")),
        ],
        columns=3,
        uses=["mlp"],
    )


@shared
def _repeated(context: Context) -> dict[str, Tensor]:
    """Logits (PASSES, 10) in training mode of a digit that is easy and of the one least decided."""
    probabilities = context.logits("mlp")[:2000].softmax(1)
    top = probabilities.topk(2, 1).values
    unsure = int((top[:, 0] - top[:, 1]).argmin())
    model = context.trained("mlp").model().train()
    result = {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for key, index in (("sure", context.example_indices[DIGIT]), ("unsure", unsure)):
            inputs = context.inputs("mlp", context.test.images[index : index + 1])
            with torch.no_grad():
                result[key] = model(inputs.expand(PASSES, -1, -1, -1))
            result[f"{key} eval"] = context.logits("mlp")[index]
            result[f"{key} image"] = context.test.images[index, 0]
            result[f"{key} label"] = context.test.labels[index]
    return result


def _two_best(logits: Tensor) -> tuple[int, int]:
    first, second = logits.topk(2).indices.tolist()
    return int(first), int(second)


def many_times(context: Context) -> Figure:
    """How the logits of one digit scatter in training mode."""
    found, names = _repeated(context), context.test.class_names
    panels = []
    for which in ("sure", "unsure"):
        best = _two_best(found[f"{which} eval"])
        image = mosaic(found[f"{which} image"][None].numpy(), scale=(0, 255), palette="grey")

        def draw(say: Say, which: str = which, best: tuple[int, int] = best) -> str:
            return charts.histogram(
                {say("logit", name=names[c]): found[which][:, c].numpy() for c in best},
                title=say(f"digits.{which}"),
                x_label="logit",
                y_label=say("y"),
                bins=40,
                size=(520, 230),
            )

        panels += [
            Panel(picture(image, 5), message(f"digits.{which}")),
            Panel(draw, message("passes", passes=PASSES)),
        ]
    votes = found["unsure"].argmax(1).bincount(minlength=len(names))
    first, second = _two_best(found["unsure eval"])
    return Figure(
        alt=message(
            "alt",
            passes=PASSES,
            first=names[first],
            first_votes=votes[first],
            second=names[second],
            second_votes=votes[second],
        ),
        panels=panels,
        legends=[GREY_LEGEND],
        layout="row",
        uses=["mlp"],
    )


@shared
def _averaged(context: Context) -> dict[str, Any]:
    """Mean logits of many digits over some passes, beside those of evaluation mode."""
    inputs = context.inputs("mlp", context.test.images[:MANY])
    model = context.trained("mlp").model().train()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        passes = torch.stack([model(inputs) for _ in range(MANY_PASSES)])  # (passes, N, 10)
    return {"passes": passes, "mean": passes.mean(0), "eval": context.logits("mlp")[:MANY]}


@shared
def _longer(context: Context) -> float:
    """Mean distance from evaluation mode of the mean logits of very many passes of some digits."""
    inputs = context.inputs("mlp", context.test.images[:FEW])
    model = context.model("mlp")
    fc2, output = (model.get_submodule(name) for name in ("fc2", "output"))
    total = torch.zeros_like(context.logits("mlp")[:FEW])
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(2)
        first = record(model, inputs, layers=["relu1"])["relu1"]  # before any dropout
        for _ in range(FEW_PASSES):
            second = F.relu(fc2(F.dropout(first, _SHARE)))
            total += output(F.dropout(second, _SHARE))
    return float((total / FEW_PASSES - context.logits("mlp")[:FEW]).abs().mean())


@shared
def _overfitted(context: Context, share: float, seed: int) -> dict[str, float]:
    """A small MLP trained on few images until it knows them all, with that share of dropout."""
    train = replace(
        context.train,
        images=context.train.images[:SCARCE],
        labels=context.train.labels[:SCARCE],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(784, 128), nn.ReLU(), nn.Dropout(share), nn.Linear(128, 10)]
        net = nn.Sequential(nn.Flatten(), *layers)
    train_briefly(net, train, SCARCE_STEPS, 3e-3, batch_size=64, seed=seed)
    images, labels = to_input(train.images), train.labels
    test = to_input(context.test.images[:TESTED]), context.test.labels[:TESTED]
    result = {}
    for name, (inputs, true) in {"train": (images, labels), "test": test}.items():
        logits = predict(net, inputs)
        result[name] = accuracy(logits, true)
        losses = F.cross_entropy(logits, true, reduction="none")
        missed = logits.argmax(1) != true
        result[f"{name}_loss"] = float(losses.mean())
        result[f"{name}_missed"] = float(losses[missed].mean()) if missed.any() else 0.0
    return result


def _scarce(context: Context) -> dict[str, Any]:
    """What dropout does for networks with few training images, by its share, over seeds."""
    found = {
        key: [_overfitted(context, share, seed) for seed in range(3)]
        for key, share in (("without", 0.0), ("with", SCARCE_SHARE))
    }
    return {
        "images": min(SCARCE, len(context.train)),
        "tested": min(TESTED, len(context.test)),
        "steps": SCARCE_STEPS,
        "share": SCARCE_SHARE,
        **{
            key: {name: [run[name] for run in runs] for name in runs[0]}
            for key, runs in found.items()
        },
    }


def mean_of_many(context: Context) -> Figure:
    """Mean logits of training mode against those of evaluation mode."""
    found = _averaged(context)
    some = slice(0, 30)
    x, y = found["eval"][some].flatten().numpy(), found["mean"][some].flatten().numpy()
    once = found["passes"][0, some].flatten().numpy()

    def draw(say: Say) -> str:
        return charts.scatter_chart(
            {say("once"): (x, once), say("mean", passes=MANY_PASSES): (x, y)},
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            size=(560, 380),
        )

    return Figure(
        alt=message("alt", passes=MANY_PASSES, **_errors(context)),
        panels=[Panel(draw)],
        uses=["mlp"],
    )


def _errors(context: Context) -> dict[str, float]:
    """Mean distance of logits in training mode from those in evaluation mode."""
    found = _averaged(context)
    return {
        "once": float((found["passes"] - found["eval"]).abs().mean()),
        "mean": float((found["mean"] - found["eval"]).abs().mean()),
    }


def _sizes_of_sums(context: Context) -> dict[str, float]:
    """Mean size of what fc2 is given and gives: no dropout, dropout with and without scaling."""
    inputs = context.inputs("mlp", context.test.images[:MANY])
    values = record(context.model("mlp"), inputs, layers=["relu1"])["relu1"]  # (N, 512)
    kept = _masks(len(values)) * values
    layer = context.model("mlp").get_submodule("fc2")
    weight = layer.weight
    assert isinstance(weight, Tensor)
    with torch.no_grad():
        sums = {
            "whole": F.linear(values, weight),
            "scaled": F.linear(kept / (1 - _SHARE), weight),
            "unscaled": F.linear(kept, weight),
        }
    # How much of the full sums is left, by regression through zero.
    full = sums["whole"].double()
    return {
        key: float((given.double() * full).sum() / full.square().sum().clamp(min=1e-12))
        for key, given in sums.items()
    }


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    found, names = _repeated(context), context.test.class_names
    averaged = _averaged(context)
    labels = context.test.labels[:MANY]
    votes = found["unsure"].argmax(1).bincount(minlength=len(names))
    first, second = _two_best(found["unsure eval"])
    sure_first, _ = _two_best(found["sure eval"])
    values = context.recording("mlp")["relu1"][DIGIT]
    dropped = (_masks(_MASKS) == 0).sum(1).tolist()
    active = [int(((m == 1) & (values > 0)).sum()) for m in _masks(_MASKS)]
    return {
        "share": _SHARE,
        "model_share": context.model("mlp").get_submodule("dropout1").p,
        "digit": names[DIGIT],
        "dropped": dropped,
        "active": int((values > 0).sum()),
        "active_left": active,
        "passes": PASSES,
        "many": min(MANY, len(context.test)),
        "many_passes": MANY_PASSES,
        "sure": {
            "answer": names[sure_first],
            "votes": int((found["sure"].argmax(1) == sure_first).sum()),
            "spread": float(found["sure"][:, sure_first].std()),
        },
        "unsure": {
            "label": names[int(found["unsure label"])],
            "first": names[first],
            "second": names[second],
            "first_votes": int(votes[first]),
            "second_votes": int(votes[second]),
            "spread": float(found["unsure"][:, first].std()),
            "gap": float(found["unsure eval"][first] - found["unsure eval"][second]),
        },
        "errors": _errors(context),
        "chance": _errors(context)["once"] / MANY_PASSES**0.5,
        "longer": {
            "passes": FEW_PASSES,
            "images": min(FEW, len(context.test)),
            "mean": _longer(context),
            "chance": _errors(context)["once"] / FEW_PASSES**0.5,
        },
        "scarce": _scarce(context),
        "accuracy": {
            "eval": accuracy(averaged["eval"], labels),
            "once": float(np.mean([accuracy(p, labels) for p in averaged["passes"]])),
            "mean": accuracy(averaged["passes"].softmax(2).mean(0), labels),
        },
        "sums": _sizes_of_sums(context),
    }
