"""Figures of the chapter "Why not an MLP": parameters, work and accuracy of both networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.data.inputs import to_input
from cnnviz.drawing import charts
from cnnviz.drawing.run_charts import seed_chart, spread
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.nets import models
from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD, parameter_count
from cnnviz.numbers import thousands
from cnnviz.training.brief import train_briefly
from gen.context import Context, shared
from gen.figure.figure import Figure, Panel, Text, in_both

BRIEF_STEPS = 100
"""Steps of the runs that compare networks by their parameters."""

SMALL = (72, 60)
"""Hidden units of an MLP with about as many parameters as LeNet."""

_BRIEF_SEEDS = range(3)
_NETS = {"mlp": Text("MLP", "MLP"), "lenet": Text("LeNet", "LeNet")}


def cost(context: Context) -> Figure:
    """Parameters and multiplications of both networks."""
    costs = {net: _cost(context, net) for net in _NETS}

    def draw(say: Any) -> str:
        groups = Text("参数", "parameters"), Text("每张图的乘法", "multiplications per image")
        return charts.grouped_bar_chart(
            {say(_NETS[net]): [c["parameters"], c["multiplications"]] for net, c in costs.items()},
            [say(group) for group in groups],
            title=say(Text("参数与乘法的个数", "Numbers of parameters and multiplications")),
            y_label=say(Text("个数", "count")),
            write=lambda value: f"{value:,.0f}",
        )

    mlp, lenet = costs["mlp"], costs["lenet"]
    return Figure(
        alt=Text(
            f"MLP 有 {thousands(mlp['parameters'])} 个参数，每张图 {thousands(mlp['multiplications'])} 次乘法；"
            f"LeNet 有 {thousands(lenet['parameters'])} 个参数，却要 {thousands(lenet['multiplications'])} 次乘法",
            f"The MLP has {thousands(mlp['parameters'])} parameters and does {thousands(mlp['multiplications'])} "
            f"multiplications per image; LeNet has {thousands(lenet['parameters'])} parameters, yet does "
            f"{thousands(lenet['multiplications'])} multiplications",
        ),
        panels=[Panel(in_both(draw))],
    )


def few_parameters(context: Context) -> Figure:
    """Three networks after the same brief training: MLP, an MLP as small as LeNet, LeNet."""
    results, counts = _briefly(context), _brief_parameters()
    names = {
        "mlp": Text("MLP", "MLP"),
        "small": Text("小 MLP", "small MLP"),
        "lenet": Text("LeNet", "LeNet"),
    }

    def draw(say: Any) -> str:
        groups = [
            f"{say(words)}{say(Text('：', ': '))}{thousands(counts[net])}"
            for net, words in names.items()
        ]
        return seed_chart(
            {say(Text("一次训练", "one run")): [results[net] for net in names]},
            groups,
            title=say(Text("准确率与参数", "Accuracy and parameters")),
            x_label=say(Text("网络与它的参数个数", "network and its number of parameters")),
            y_label=say(Text("测试准确率", "test accuracy")),
            percent=True,
            size=(420, 280),
        )

    means = {net: f"{np.mean(results[net]):.1%}" for net in names}
    return Figure(
        alt=Text(
            f"同样训练 {BRIEF_STEPS} 步之后的准确率：MLP {means['mlp']}，参数与 LeNet 一样多的小 MLP "
            f"{means['small']}，LeNet {means['lenet']}",
            f"Accuracy after the same {BRIEF_STEPS} steps: MLP {means['mlp']}, a small MLP with as many "
            f"parameters as LeNet {means['small']}, LeNet {means['lenet']}",
        ),
        panels=[
            Panel(
                in_both(draw),
                Text(
                    "每点一次训练，横线为平均，色块为一个标准差",
                    "a point is a run, the line the mean, the box one standard deviation",
                ),
            )
        ],
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
        "small": parameter_count(_small_mlp()),
    }
