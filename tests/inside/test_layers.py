"""Layers with their true predecessors: found by what feeds what, not by what ran last."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models

from cnnviz import record
from cnnviz.inside.layers import INPUT, KINDS, answer_of, layers_of, scores_of, trace
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
        ("attention", "add", "add", ("transpose", "attention")),
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
    """What prepares the images, a token, an attribute, and what happens inside a layer."""

    class Swish(nn.Module):
        def forward(self, x):
            return x * torch.sigmoid(x)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.act, self.fc = nn.Conv2d(1, 2, 3), Swish(), nn.Linear(2, 4)
            self.token = nn.Parameter(torch.zeros(1, 2))

        def forward(self, x):
            x = self.act(self.conv((x - 0.5) / 0.2)).mean((2, 3)).T.T
            return self.fc(torch.cat([self.token.expand(len(x), -1), x], 1)[:, 2:])

    layers = found(Net(), 1, 8, 8)
    assert {name: (layer.kind, layer.fed_by) for name, layer in layers.items()} == {
        "conv": ("conv", (INPUT,)),
        "act": ("other", ("conv",)), "mean": ("average", ("act",)),
        "cat": ("identity", ("mean",)), "getitem": ("part", ("cat",)),
        "fc": ("output", ("getitem",)),
    }  # fmt: skip
    assert layers["fc"].before == (2,)


def test_a_constant_that_is_added_makes_no_sum():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return self.conv(x) + 1

    layers = found(Net(), 1, 8, 8)
    assert (layers["add"].kind, layers["add"].operation) == ("other", "add")


def test_what_was_flattened_is_known_behind_dropout():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Dropout(), nn.Linear(108, 4))
    layers = found(model, 1, 8, 8)
    assert (layers["3"].maps, layers["3"].form) == ((3, 6, 6), "blocks")
    assert found(networks.build("mlp"), 1, 28, 28)["fc2"].maps is None


def test_the_last_layer_is_the_output_if_it_is_linear_and_all_kinds_are_in_the_table():
    layers = found(networks.build("lenet"), 1, 28, 28)
    assert [name for name, layer in layers.items() if layer.kind == "output"] == ["output"]
    assert {layer.kind for layer in layers.values()} <= KINDS.keys()
    assert [kind.name for kind in KINDS.values() if kind.merges] == ["add", "mul", "cat"]


@pytest.mark.parametrize(
    ("end", "answer", "scores"),
    [
        (lambda x: F.log_softmax(x, 1), "fc", "fc"),
        (lambda x: x.softmax(1), "fc", "fc"),
        (lambda x: F.dropout(x, training=False), "dropout", "fc"),
        (F.relu, "relu", "fc"),
        (torch.tanh, "tanh", None),
    ],
)
def test_the_output_layer_lies_behind_what_keeps_the_order(end, answer, scores):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(64, 4)

        def forward(self, x):
            return end(self.fc(x.flatten(1)))

    layers = [*found(Net(), 1, 8, 8).values()]
    assert answer_of(layers).name == answer
    assert getattr(scores_of(layers), "name", None) == scores


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d(1), nn.AvgPool2d(6)])
def test_an_all_convolutional_network_scores_by_the_mean_of_its_maps(pool):
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 1), pool, nn.Flatten())
    layers = [*found(model, 1, 8, 8).values()]
    scores = scores_of(layers)
    assert scores is not None
    assert (scores.name, scores.kind, scores.form) == ("2", "conv", "matrix")
    assert answer_of(layers).name == "4"


def test_no_output_layer_where_the_answer_are_maps():
    assert scores_of([*found(nn.Sequential(nn.Conv2d(1, 4, 3)), 1, 8, 8).values()]) is None


def test_a_layer_used_twice_has_its_weights_once():
    make, shape = ZOO["twice"]
    layers = found(make(), *shape)
    assert [(x.name, x.same_as, x.has_units) for x in layers.values() if x.kind == "conv"] == [
        ("conv", "", True), ("conv_1", "conv", False),
    ]  # fmt: skip


def test_kernels_of_all_kinds():
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3, groups=3, padding=1), nn.Conv2d(6, 4, 1), nn.Conv2d(4, 4, 3, groups=4),
        nn.Conv2d(4, 8, 3, groups=2), nn.ConvTranspose2d(8, 2, 2),
    )  # fmt: skip
    layers = found(model, 3, 9, 9)
    assert [(x.form, x.depthwise, x.kernels.shape) for x in layers.values()] == [
        ("depthwise", True, (6, 1, 3, 3)), ("matrix", False, (4, 6)),
        ("depthwise", True, (4, 1, 3, 3)), ("slices", False, (8, 2, 3, 3)),
        ("slices", False, (2, 8, 2, 2)),
    ]  # fmt: skip
    transposed, x = layers["4"].module, torch.zeros(1, 8, 1, 1)
    x[0, 3] = 1
    torch.testing.assert_close(
        torch.from_numpy(layers["4"].weight[:, 3]), (transposed(x) - transposed(0 * x))[0].detach()
    )


def test_where_the_units_lie():
    make, shape = ZOO["attention"]
    layers = found(make(), *shape)
    assert [(x.name, x.axis, x.units) for x in layers.values()] == [
        ("patches", 0, 8), ("flatten", 0, 8), ("transpose", 1, 8), ("attention", 1, 8),
        ("add", 1, 8), ("norm", 1, 8), ("mean", 0, 8), ("head", 0, 4),
    ]  # fmt: skip
    channels_last = found(models.convnext_tiny(), 3, 64, 64)["features.1.0.block.3"]
    assert (channels_last.kind, channels_last.units, channels_last.shape) == (
        "linear", 384, (384, 16, 16),
    )  # fmt: skip
    assert not channels_last.has_units


class ToLast(nn.Module):
    """A module of somebody's own that only moves the channels."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).contiguous()


def test_channels_that_are_moved_are_found_again():
    layers = found(models.convnext_tiny(), 3, 64, 64)
    there = {name.removeprefix("features.1.0."): layer for name, layer in layers.items()}
    assert {name: (there[name].kind, there[name].axis, there[name].units) for name in (
        "block.0", "block.1", "block.2", "block.6", "mul", "add",
    )} == {
        "block.0": ("conv", 0, 96), "block.1": ("reshape", 2, 96), "block.2": ("layer_norm", 2, 96),
        "block.6": ("reshape", 0, 96), "mul": ("other", 0, 96), "add": ("add", 0, 96),
    }  # fmt: skip
    model = nn.Sequential(nn.Conv2d(3, 5, 3), ToLast(), nn.GELU(), nn.Linear(5, 7))
    own = found(model, 3, 16, 16)
    assert [(x.axis, x.units) for x in own.values()][-2:] == [(2, 5), (2, 7)]
