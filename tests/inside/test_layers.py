"""Layers with their true predecessors: found by what feeds what, not by what ran last."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models

from cnnviz import record
from cnnviz.inside.layers import INPUT, KINDS, layers_of, trace
from cnnviz.nets import networks
from tests.nets.zoo import ZOO


def found(model, *shape):
    return {layer.name: layer for layer in layers_of(model.eval(), torch.rand(1, *shape), "net")}


def test_a_skip_connection_has_the_input_that_it_really_has():
    """Of what ran last, the convolution of 1×1 weights would take 128 channels; it takes 64."""
    layers = found(models.resnet18(), 3, 64, 64)
    short = layers["layer2.0.downsample.0"]
    assert (short.before, short.after) == ((64, 16, 16), (128, 8, 8))
    assert short.fed_by == ("layer1.1.relu_1",)
    assert short.weight.shape == (128, 64, 1, 1)


def test_sums_are_layers_with_two_addends():
    layers = found(models.resnet18(), 3, 64, 64)
    sums = {name: layer.fed_by for name, layer in layers.items() if layer.kind == "add"}
    assert len(sums) == 8
    assert sums["layer1.0.add"] == ("layer1.0.bn2", "maxpool")
    assert sums["layer2.0.add"] == ("layer2.0.bn2", "layer2.0.downsample.1")


@pytest.mark.parametrize(
    ("name", "layer", "kind", "fed_by"),
    [
        ("residual", "add", "add", ("conv2", "short")),
        ("residual", "short", "conv", (INPUT,)),
        ("branches", "cat", "cat", ("left", "right.1")),
        ("branches", "head", "conv", ("cat",)),
        ("attention", "add", "add", ("flatten", "attention")),
        ("depthwise", "3", "conv", ("2",)),
    ],
)
def test_odd_networks(name, layer, kind, fed_by):
    make, shape = ZOO[name]
    layers = found(make(), *shape)
    assert (layers[layer].kind, layers[layer].fed_by) == (kind, fed_by)


@pytest.mark.parametrize("name", [*ZOO])
def test_it_names_things_as_record_does_and_nothing_feeds_on_what_comes_later(name):
    make, shape = ZOO[name]
    model, x = make().eval(), torch.rand(1, *shape)
    outputs = record(model, x)
    seen = {INPUT}
    for layer in layers_of(model, x, "net"):
        assert {*layer.fed_by} <= seen
        output = outputs[layer.name if layer.name in outputs else f"{layer.name}[0]"]
        assert layer.after == tuple(output.shape[1:])
        seen.add(layer.name)
    # A layer that returns several tensors is one layer.
    assert [*trace(model, x)] == [*dict.fromkeys(name.partition("[")[0] for name in outputs)]


def test_what_is_no_layer_is_looked_through():
    """Centring, a mean and a transposition stand between layers and are none."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 2, 3), nn.Linear(2, 4)

        def forward(self, x):
            return self.fc(F.relu(self.conv((x - 0.5) / 0.2)).mean((2, 3)).T.T)

    layers = found(Net(), 1, 8, 8)
    assert {name: layer.fed_by for name, layer in layers.items()} == {
        "conv": (INPUT,), "relu": ("conv",), "fc": ("relu",),
    }  # fmt: skip
    assert layers["fc"].before == (2,)


def test_a_constant_that_is_added_makes_no_sum():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return self.conv(x) + 1

    assert [*found(Net(), 1, 8, 8)] == ["conv"]


def test_what_was_flattened_is_known_behind_dropout():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Dropout(), nn.Linear(108, 4))
    layers = found(model, 1, 8, 8)
    assert (layers["3"].maps, layers["3"].form) == ((3, 6, 6), "blocks")
    assert found(networks.build("mlp"), 1, 28, 28)["fc2"].maps is None


def test_the_last_layer_is_the_output_if_it_is_linear_and_all_kinds_are_in_the_table():
    layers = found(networks.build("lenet"), 1, 28, 28)
    assert [name for name, layer in layers.items() if layer.kind == "output"] == ["output"]
    assert {layer.kind for layer in layers.values()} <= KINDS.keys()
    assert [kind.name for kind in KINDS.values() if kind.merges] == ["add", "cat"]
