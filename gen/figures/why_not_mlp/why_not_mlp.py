"""Figures of the chapter "Why not an MLP": parameters, work and accuracy of both networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.run_charts import seed_chart, spread
from cnnviz.figure.figure import Figure, Panel, message
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.nets import models
from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD, parameter_count
from cnnviz.numbers import thousands
from cnnviz.training.brief import train_briefly
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.same_recipe import trained_like

BRIEF_STEPS = 100
"""Steps of the runs that compare networks by their parameters."""

SMALL = (72, 60)
"""Hidden units of an MLP with about as many parameters as LeNet."""

_BRIEF_SEEDS = range(3)
_NETS = {"mlp": "MLP", "lenet": "LeNet"}


def cost(context: Context) -> Figure:
    """Parameters and multiplications of both networks."""
    costs = {net: _cost(context, net) for net in _NETS}

    def draw(say: Say) -> str:
        return charts.grouped_bar_chart(
            {_NETS[net]: [c["parameters"], c["multiplications"]] for net, c in costs.items()},
            [say("groups.parameters"), say("groups.multiplications")],
            title=say("title"),
            y_label=say("count"),
            write=thousands,
        )

    return Figure(
        alt=message(
            "alt",
            mlp_parameters=costs["mlp"]["parameters"],
            mlp_multiplications=costs["mlp"]["multiplications"],
            lenet_parameters=costs["lenet"]["parameters"],
            lenet_multiplications=costs["lenet"]["multiplications"],
        ),
        panels=[Panel(draw)],
    )


def few_parameters(context: Context) -> Figure:
    """Three networks after the same brief training: MLP, an MLP as small as LeNet, LeNet."""
    results, counts = _briefly(context), _brief_parameters()
    names = {"mlp": "MLP", "small": message("small"), "lenet": "LeNet"}

    def draw(say: Say) -> str:
        return seed_chart(
            {say("run"): [results[net] for net in names]},
            [say("named", name=names[net], what=thousands(counts[net])) for net in names],
            title=say("title"),
            x_label=say("x"),
            y_label=say("y"),
            percent=True,
            size=(420, 280),
        )

    means = {net: np.mean(results[net]) for net in names}
    return Figure(
        alt=message("alt", steps=BRIEF_STEPS, **means),
        panels=[Panel(draw, message("label"))],
    )


class _Centred(nn.Module):
    """Does to pixels what LeNet does first, so that all three networks get the same."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - PIXEL_MEAN) / PIXEL_STD


def _large_mlp() -> nn.Module:
    return nn.Sequential(_Centred(), models.MLP())


def _small_mlp() -> nn.Module:
    first, second = SMALL
    return nn.Sequential(
        _Centred(),
        nn.Flatten(),
        nn.Linear(28 * 28, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU(),
        nn.Linear(second, 10),
    )  # fmt: skip


def _brief_nets() -> dict[str, Any]:
    return {"mlp": _large_mlp, "small": _small_mlp, "lenet": models.LeNet}


def _brief_parameters() -> dict[str, int]:
    return {net: parameter_count(build()) for net, build in _brief_nets().items()}


@shared
def _briefly(context: Context) -> dict[str, list[float]]:
    """Accuracy on 2,000 test images of each network after a brief training, for each seed."""
    images, labels = to_input(context.test.images[:2000]), context.test.labels[:2000]
    results: dict[str, list[float]] = {net: [] for net in _brief_nets()}
    for net, build in _brief_nets().items():
        for seed in _BRIEF_SEEDS:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = build()
            train_briefly(model, context.train, BRIEF_STEPS, 3e-3, seed=seed)
            results[net].append(accuracy(predict(model, images), labels))
    return results


@shared
def _small_in_full(context: Context) -> float:
    """Accuracy of the small MLP trained as long and as well as LeNet."""
    return trained_like(context, "lenet", _small_mlp)


def _brief_facts(context: Context) -> dict[str, dict[str, float]]:
    facts = {}
    for net, results in _briefly(context).items():
        mean, deviation = spread(results)
        facts[net] = {"mean": mean, "deviation": deviation, "worst": min(results)}
    return facts


def _cost(context: Context, net: str) -> dict[str, Any]:
    """Parameters and multiplications of a network and its layers, from shapes alone."""
    layers = []
    weights, outputs = context.trained(net).weights, context.recording(net)
    for name in [key.removesuffix(".weight") for key in weights if key.endswith(".weight")]:
        weight = weights[f"{name}.weight"]
        uses = outputs[name][0, 0].numel()  # positions of a map; 1 in a fully connected layer
        layers.append(
            {
                "net": net,
                "name": name,
                "parameters": weight.numel() + weights[f"{name}.bias"].numel(),
                "multiplications": weight.numel() * uses,
                "uses": uses,
            }
        )
    return {
        "layers": layers,
        "parameters": parameter_count(context.model(net)),
        "multiplications": sum(layer["multiplications"] for layer in layers),
    }


def _locality(context: Context) -> dict[str, int]:
    """Weights from the image to maps as large as conv1's: all to all, local, local and shared."""
    maps = context.recording("lenet")["conv1"][0].numel()  # 6·28·28
    kernels = context.trained("lenet").weights["conv1.weight"]  # (6, 1, 5, 5)
    return {
        "units": maps,
        "dense": 28 * 28 * maps,
        "local": kernels[0].numel() * maps,
        "shared": kernels.numel(),
        "patch": kernels[0].numel(),
    }


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    costs = {net: _cost(context, net) for net in _NETS}
    nets = {}
    for name in ("mlp", "lenet", "mlp-scrambled", "lenet-scrambled"):
        evaluation = context.evaluation(name)
        nets[name.replace("-", "_")] = {
            "accuracy": evaluation.accuracy,
            "errors": evaluation.count - int(evaluation.confusion.diagonal().sum()),
            "seconds": context.trained(name).history.seconds,
        }
    side, channels, hidden = 224, 3, context.trained("mlp").weights["fc1.bias"].numel()
    dense = hidden * (side * side * channels + 1)
    return {
        "costs": costs,
        "layers": [layer for net in _NETS for layer in costs[net]["layers"]],
        "locality": _locality(context),
        "photo": {
            "side": side,
            "hidden": hidden,
            "mlp": dense,
            "megabytes": dense * 4 / 1e6,
            "lenet": 6 * (5 * 5 * channels + 1),
        },
        "nets": nets,
        "test_count": len(context.test),
        "steps": context.recipe("lenet").steps,
        "max_shift": context.recipe("lenet").max_shift,
        "briefly": _brief_facts(context),
        "brief_steps": BRIEF_STEPS,
        "brief_runs": len(_BRIEF_SEEDS),
        "small_in_full": _small_in_full(context),
        "small": parameter_count(_small_mlp()),
    }
