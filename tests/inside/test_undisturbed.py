"""What every function that looks into a network must leave as it was, and say of every layer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from cnnviz.errors import CnnvizError
from cnnviz.inside.ablation import ablate, silenced
from cnnviz.inside.contributions import contributions
from cnnviz.inside.costs import layer_costs
from cnnviz.inside.evaluation import predict
from cnnviz.inside.feature_visualization import maximise
from cnnviz.inside.gradients import layer_gradients
from cnnviz.inside.gratings import tuning
from cnnviz.inside.layers import layers_of
from cnnviz.inside.outputs import at
from cnnviz.inside.recording import record
from tests.nets import zoo


class Stateful(nn.Module):
    """Writes into its input, counts its calls, and is frozen in parts."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.drop, self.fc = nn.Dropout(0.5), nn.Linear(4, 3)
        self.norm.eval()
        self.conv.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        x *= 2
        return self.fc(self.drop(F.relu_(self.norm(self.conv(x))).mean((2, 3))))


def _vit() -> nn.Module:
    return models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)


NETS: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    **{name: lambda name=name: zoo.make(name) for name in zoo.ZOO},  # type: ignore[misc]
    "stateful": lambda: (Stateful(), torch.rand(3, 3, 8, 8)),
    "vit": lambda: (_vit(), torch.rand(3, 3, 32, 32)),
}

LARGE = ["resnet18", "mobilenet_v3_small"]
"""Tried once with ConvNeXt-Tiny and GoogLeNet, too, which takes minutes."""


def _made(name: str) -> tuple[nn.Module, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if name in LARGE:
            return getattr(models, name)(num_classes=5), torch.rand(3, 3, 32, 32)
        return NETS[name]()


def _layers(model: nn.Module, x: Tensor) -> list[str]:
    """Names of what puts out channels for each image, evenly chosen."""
    outputs = record(model, x.clone())
    names = [n for n, t in outputs.items() if t.dim() > 1 and len(t) == len(x)]
    return names[:: max(1, len(names) // 3)]


def _ask_all(model: nn.Module, x: Tensor) -> None:
    labels = torch.zeros(len(x), dtype=torch.int64)
    predict(model, x)
    layer_costs(model, x)
    layers = layers_of(model, x.clone(), "net")
    contributions(model, layers, x)
    layer_gradients(model, layers, x, labels)
    for name in _layers(model, x)[:2]:
        ablate(model, name, x, labels, 1, units=[0])
        with silenced(model, {name: [0]}):
            predict(model, x)
        maximise(model, name, [0], x.shape[1:], steps=2, starts=1)
        with suppress(CnnvizError):
            tuning(model, name, (x.shape[2], x.shape[3]), torch.tensor([0.0]), 4.0)


def _state(model: nn.Module) -> dict[str, Any]:
    """All of a model that can be compared."""
    return {
        "modes": [module.training for module in model.modules()],
        "asked": [(p.requires_grad, p.grad) for p in model.parameters()],
        "attributes": [sorted(vars(module)) for module in model.modules()],
        "hooks": sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()),
        "settings": (
            torch.is_grad_enabled(),
            torch.backends.mha.get_fastpath_enabled(),
            torch.backends.cudnn.enabled,
            torch.get_rng_state().sum().item(),
        ),
    }


@pytest.mark.parametrize("name", [*NETS])
@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_as_before(name: str, fails: bool) -> None:
    """Also when the network fails in the middle."""
    model, x = _made(name)
    model(x.clone())  # lazy layers take their shape
    model.train(name != "stateful")
    given = x.clone()
    values = {key: value.clone() for key, value in model.state_dict().items()}
    before = _state(model)
    if fails:
        last = list(model.children())[-1]
        forward = last.forward

        def failing(*args: Any) -> Any:
            raise RuntimeError("broken")

        last.forward = failing
        before = _state(model)
        for ask in (predict, layer_costs):
            with pytest.raises(RuntimeError, match="broken"):
                ask(model, x)
        layer = next(n for n, m in model.named_modules() if n and not m._modules and m is not last)
        for ask_layer in (
            lambda: ablate(model, layer, x, torch.tensor([0, 0, 0]), 1),
            lambda: tuning(model, layer, 8, torch.tensor([0.0]), 4.0),
        ):
            with pytest.raises((RuntimeError, CnnvizError)):
                ask_layer()
    else:
        _ask_all(model, x)
    assert _state(model) == before
    if fails:
        last.forward = forward
    assert torch.equal(x, given)
    assert all(torch.equal(values[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", [*NETS, *LARGE])
def test_ablation_by_every_way_is_that_of_the_network_with_the_channel_silenced(name: str) -> None:
    model, x = _made(name)
    model.eval()
    x = torch.cat([x, x.flip(0) * 0.5, x.flip(-1)])  # more than are tried
    labels = torch.arange(len(x)) % 2
    classes = predict(model, x).shape[1]
    labels = labels.clamp(max=classes - 1)
    for layer in _layers(model, x):
        found = ablate(
            model, layer, x, labels, 2, units=[-1 + record(model, x.clone())[layer].shape[1], 0]
        )
        with silenced(model, {layer: [0]}):
            losses = F.cross_entropy(predict(model, x), labels, reduction="none")
        expected = torch.stack([losses[labels == c].double().mean() for c in range(2)])
        torch.testing.assert_close(found.loss[1], expected, rtol=1e-3, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", [*NETS, *LARGE])
def test_the_answer_of_an_optimised_image_is_that_of_the_layer(name: str) -> None:
    model, x = _made(name)
    model.eval()
    for layer in _layers(model, x)[:3]:
        found = maximise(model, layer, [0], x.shape[1:], steps=1, starts=2)
        output = record(model, found.images[0].clone())[layer][:, 0]
        middle = at(output[:, None], [size // 2 for size in output.shape[1:]])[:, 0]
        torch.testing.assert_close(found.value[0], middle, rtol=1e-3, atol=1e-4)
