"""Switching channels off, against a copy of the network whose channel's weights are zero."""

import math
from copy import deepcopy

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from cnnviz.errors import CnnvizError
from cnnviz.inside.ablation import ablate, by_class, silenced
from cnnviz.inside.evaluation import predict
from cnnviz.nets.models import MLP, LeNet


@pytest.fixture(scope="module")
def lenet():
    torch.manual_seed(0)
    return LeNet().eval()


def without(model, layer, channel):
    """A copy of the network in which the channel is always 0."""
    copy = deepcopy(model)
    with torch.no_grad():
        copy.get_submodule(layer).weight[channel] = 0
        copy.get_submodule(layer).bias[channel] = 0
    return copy


def expected(model, images, labels):
    """Accuracy and loss by class, each (10,), one class after another."""
    logits = predict(model, images)
    right = logits.argmax(1) == labels
    losses = nn.functional.cross_entropy(logits, labels, reduction="none")
    members = [labels == c for c in range(10)]
    return (
        torch.stack([right[m].double().mean() for m in members]),
        torch.stack([losses[m].double().mean() for m in members]),
    )


class Plain(nn.Module):
    """Operations in the network's own code, a convolution with a stride, a bare vector of units."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(1, 3, 3, stride=2, padding=1)
        self.b = nn.Conv2d(3, 5, 3, stride=2, padding=2, dilation=2)
        self.c = nn.Linear(5 * 7 * 7, 8)
        self.d = nn.Linear(8, 10, bias=False)

    def forward(self, x):
        x = nn.functional.relu(self.a(x))
        x = nn.functional.relu(self.b(x)).flatten(1)
        return self.d(torch.tanh(self.c(x)))


class Normalised(Plain):
    """After the first layer the channels are no longer independent of each other."""

    def forward(self, x):
        x = self.a(x)
        x = x - x.mean(1, keepdim=True)
        x = self.b(x).flatten(1)
        return self.d(self.c(x).softmax(1))


class Reordered(Plain):
    """Channels change places on the way: the next layer's input must not be taken for them."""

    def forward(self, x):
        return self.d(self.c(self.b(self.a(x).flip(1)).flatten(1)))


class Beside(Plain):
    """The first layer also speaks to one that comes after the next."""

    def forward(self, x):
        a = self.a(x)
        return self.d(self.c((self.b(a) + a.amax((2, 3)).sum(1)[:, None, None, None]).flatten(1)))


@pytest.mark.parametrize(
    ("kind", "layer", "channels"),
    [
        (LeNet, "conv1", 6),
        (LeNet, "conv2", 16),
        (LeNet, "fc2", 84),
        (LeNet, "output", 10),
        (MLP, "fc1", 512),
        *(
            (kind, layer, n)
            for kind in (Plain, Normalised, Reordered)
            for layer, n in (("a", 3), ("b", 5), ("c", 8), ("d", 10))
        ),
    ],
)
def test_it_equals_a_network_without_the_channel(kind, layer, channels):
    torch.manual_seed(0)
    model = kind().eval()
    images, labels = torch.rand(60, 1, 28, 28), torch.arange(60) % 10
    found = ablate(model, layer, images, labels, 10)
    assert found.accuracy.shape == found.loss.shape == (channels, 10)
    for channel in (0, channels // 2, channels - 1):
        copy = deepcopy(model)
        copy.get_submodule(layer).register_forward_hook(
            lambda module, inputs, output, channel=channel: output.index_fill(
                1, torch.tensor([channel]), 0
            )
        )
        accuracy, loss = expected(copy, images, labels)
        torch.testing.assert_close(found.accuracy[channel], accuracy)
        torch.testing.assert_close(found.loss[channel], loss, rtol=1e-4, atol=1e-5)


def test_the_answer_hangs_on_one_unit():
    """Two units, each the pixel it is named after; class 1 wins while unit 1 speaks."""
    model = nn.Sequential(nn.Identity(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    images, labels = torch.tensor([[1.0, 1.0], [1.0, 0.1]]), torch.tensor([1, 0])
    found = ablate(model, "0", images, labels, 2)
    assert found.accuracy.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    # logits without unit 0: (0, 3) and (0, 0.3); without unit 1: (1, 0) twice
    losses = [[math.log(1 + math.exp(0.3)), math.log(1 + math.exp(-3))],
              [math.log(1 + math.exp(-1)), math.log(1 + math.exp(1))]]  # fmt: skip
    torch.testing.assert_close(found.loss, torch.tensor(losses).double())


def test_the_network_as_it_is():
    logits, labels = torch.tensor([[2.0, 0.0], [2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1, 1])
    found = by_class(logits, labels, 3)
    assert found.accuracy[0, :2].tolist() == [1.0, 0.0]
    expected = [math.log(1 + math.exp(-2)), (math.log(1 + math.exp(2)) + math.log(2)) / 2]
    assert found.loss[0, :2].tolist() == pytest.approx(expected)
    assert found.accuracy[0, 2].isnan()
    assert found.loss[0, 2].isnan()


def test_what_one_layer_says_to_two_is_not_cut_short():
    torch.manual_seed(0)
    images, labels = torch.rand(60, 1, 28, 28), torch.arange(60) % 10
    model = Beside().eval()
    for layer in "ab":
        found = ablate(model, layer, images, labels, 10)
        accuracy, loss = expected(without(model, layer, 1), images, labels)
        torch.testing.assert_close(found.accuracy[1], accuracy)
        torch.testing.assert_close(found.loss[1], loss, rtol=1e-4, atol=1e-5)


def test_a_class_without_images_is_not_a_number(lenet):
    found = ablate(lenet, "conv1", torch.rand(4, 1, 28, 28), torch.zeros(4, dtype=torch.int64), 2)
    assert found.accuracy[:, 1].isnan().all()
    assert found.loss[:, 1].isnan().all()


def test_several_channels_are_silent_while_it_lasts(lenet):
    images = torch.rand(3, 1, 28, 28)
    with silenced(lenet, {"conv1": [0, 4], "fc1": [7], "fc2": []}):
        found = predict(lenet, images)
    other = without(without(without(lenet, "conv1", 0), "conv1", 4), "fc1", 7)
    torch.testing.assert_close(found, predict(other, images))
    assert not torch.allclose(found, predict(lenet, images))
    with pytest.raises(CnnvizError, match="conv9"), silenced(lenet, {"conv1": [1], "conv9": [0]}):
        lenet(images)
    with pytest.raises(CnnvizError, match="no channel 6"), silenced(lenet, {"conv1": [6]}):
        lenet(images)
    assert not any(module._forward_hooks for module in lenet.modules())


def test_hooks_are_gone_afterwards(lenet):
    ablate(lenet, "conv1", torch.rand(2, 1, 28, 28), torch.zeros(2, dtype=torch.int64), 10)
    assert not any(module._forward_hooks for module in lenet.modules())


def test_what_cannot_be_done_is_said():
    with pytest.raises(CnnvizError, match="Did you mean 'conv1'"):
        ablate(LeNet(), "conv11", torch.rand(1, 1, 28, 28), torch.tensor([0]), 10)
    model, images = resnet18(num_classes=10), torch.rand(2, 3, 32, 32)
    assert ablate(model, "layer1", images, torch.tensor([0, 1]), 10).loss.shape == (64, 10)
