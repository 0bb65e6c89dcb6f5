"""Switching channels off, against a copy of the network whose channel's weights are zero."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from cnnviz.ablation import ablate
from cnnviz.errors import CnnvizError
from cnnviz.evaluation import predict
from cnnviz.models import LeNet


@pytest.fixture(scope="module")
def lenet():
    torch.manual_seed(0)
    return LeNet().eval()


@pytest.mark.parametrize(("layer", "channels"), [("conv1", 6), ("conv2", 16), ("fc2", 84)])
def test_it_equals_a_network_without_the_channel(lenet, layer, channels):
    images, labels = torch.rand(60, 1, 28, 28), torch.arange(60) % 10
    found = ablate(lenet, layer, images, labels, 10)
    assert found.shape == (channels, 10)
    for channel in (0, channels - 1):
        without = deepcopy(lenet)
        with torch.no_grad():
            without.get_submodule(layer).weight[channel] = 0
            without.get_submodule(layer).bias[channel] = 0
        right = predict(without, images).argmax(1) == labels
        expected = torch.stack([right[labels == c].double().mean() for c in range(10)])
        torch.testing.assert_close(found[channel], expected)


def test_the_answer_hangs_on_one_unit():
    """Two units, each the pixel it is named after; class 1 wins while unit 1 speaks."""
    model = nn.Sequential(nn.Identity(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    images, labels = torch.tensor([[1.0, 1.0], [1.0, 0.1]]), torch.tensor([1, 0])
    assert ablate(model, "0", images, labels, 2).tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_a_class_without_images_is_not_a_number(lenet):
    found = ablate(lenet, "conv1", torch.rand(4, 1, 28, 28), torch.zeros(4, dtype=torch.int64), 2)
    assert found[:, 1].isnan().all()


def test_hooks_are_gone_afterwards(lenet):
    ablate(lenet, "conv1", torch.rand(2, 1, 28, 28), torch.zeros(2, dtype=torch.int64), 10)
    assert not any(module._forward_hooks for module in lenet.modules())


def test_what_cannot_be_done_is_said():
    with pytest.raises(CnnvizError, match="Did you mean 'conv1'"):
        ablate(LeNet(), "conv11", torch.rand(1, 1, 28, 28), torch.tensor([0]), 10)
    model, images = resnet18(num_classes=10), torch.rand(2, 3, 32, 32)
    with pytest.raises(CnnvizError, match="goes around it"):
        ablate(model, "layer1.0.conv1", images, torch.tensor([0, 1]), 10)
    assert ablate(model, "layer1", images, torch.tensor([0, 1]), 10).shape == (64, 10)
