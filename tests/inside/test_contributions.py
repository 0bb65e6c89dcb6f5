"""Who feeds whom, and how the loss changes: against PyTorch, for layers of every kind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.inside.contributions import contributions
from cnnviz.inside.gradients import kernel_gradients, layer_gradients
from cnnviz.inside.layers import layers_of
from cnnviz.inside.recording import record
from tests.nets import zoo

CONVOLUTIONS = [
    nn.Conv2d(4, 6, 3),
    nn.Conv2d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False),
    nn.Conv2d(4, 4, (1, 3), groups=4, padding="same"),
    nn.Conv2d(4, 6, 3, padding=2, padding_mode="reflect"),
    nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, output_padding=1),
    nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 2, 1)),
]


@pytest.mark.parametrize("layer", CONVOLUTIONS, ids=str)
def test_with_the_bias_a_row_adds_up_to_the_mean_output(layer: Any) -> None:
    model, x = nn.Sequential(layer).eval(), torch.rand(11, 4, 7, 8)
    found = contributions(model, layers_of(model, x, "net"), x)["0"]
    output = record(model, x)["0"]  # (N, C, …)
    assert found.shape == (output.shape[1], 4)
    bias = 0 if layer.bias is None else layer.bias.detach()
    torch.testing.assert_close(found.sum(1) + bias, output.mean((0, 2, 3)))
    # Channel 1 alone:
    only = torch.zeros_like(x)
    only[:, 1] = x[:, 1]
    alone = record(model, only)["0"].mean((0, 2, 3)) - bias
    torch.testing.assert_close(found[:, 1], alone)


@pytest.mark.parametrize("axes", [1, 3])
def test_other_dimensions(axes: int) -> None:
    conv: Any = {1: nn.Conv1d, 3: nn.Conv3d}[axes](2, 3, 3, padding=1)
    model, x = nn.Sequential(conv).double(), torch.rand(5, 2, *[4] * axes, dtype=torch.float64)
    found = contributions(model, layers_of(model, x, "net"), x)["0"]
    expected = record(model, x)["0"].transpose(0, 1).flatten(1).mean(1).float()
    torch.testing.assert_close(found.sum(1) + conv.bias.detach().float(), expected)


@pytest.mark.parametrize("name", zoo.ZOO)
def test_no_network_of_the_zoo_is_refused(name: str) -> None:
    model, x = zoo.make(name)
    model.train()  # nobody's statistics may change
    before = {key: value.clone() for key, value in model.state_dict().items()}
    layers = layers_of(model, x, "net")
    found = contributions(model, layers, x)
    assert all(value.isfinite().all() and value.dim() == 2 for value in found.values())
    gradients = layer_gradients(model, layers, x, torch.zeros(len(x), dtype=torch.int64))
    outputs = record(model, x)
    for layer in layers:
        if layer.name in gradients.outputs:
            assert gradients.outputs[layer.name].shape == outputs[layer.output_key].shape
        if layer.name in gradients.inputs and layer.kind in ("conv", "transposed"):
            given, derived = gradients.inputs[layer.name], gradients.outputs[layer.name]
            module: Any = layer.module
            assert kernel_gradients(layer, given, derived).shape[1:] == module.weight.shape
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("layer", CONVOLUTIONS[:5], ids=str)
def test_gradients_of_kernels_add_up_to_pytorchs(layer: Any) -> None:
    model = nn.Sequential(layer, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    x, labels = torch.rand(3, 4, 7, 8), torch.tensor([0, 1, 2])
    layers = layers_of(model, x, "net")
    found = layer_gradients(model, layers, x, labels)
    kernels = kernel_gradients(layers[0], found.inputs["0"], found.outputs["0"])
    loss = F.cross_entropy(model(x), labels, reduction="sum")
    (expected,) = torch.autograd.grad(loss, [layer.weight])
    torch.testing.assert_close(kernels.sum(0), expected)
    torch.testing.assert_close(found.losses.sum(), loss.detach())


class Ends(nn.Module):
    """Log-probabilities, probabilities, or two heads; writes into its input; frozen."""

    def __init__(self, end: str) -> None:
        super().__init__()
        self.conv, self.fc, self.end = nn.Conv2d(1, 2, 3), nn.Linear(2, 3), end
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> object:
        x -= 0.5
        scores = self.fc(F.relu(self.conv(x)).mean((2, 3)))
        if self.end == "heads":
            return {"other": scores * 2, "scores": scores}
        return {"log": F.log_softmax, "plain": F.softmax}[self.end](scores, dim=1)


@pytest.mark.parametrize("end", ["log", "plain", "heads"])
def test_the_loss_is_that_of_the_classes_however_they_are_put_out(end: str) -> None:
    torch.manual_seed(0)
    model, x, labels = Ends(end).eval(), torch.rand(4, 1, 6, 6), torch.tensor([0, 1, 2, 0])
    given = x.clone()
    which = "scores" if end == "heads" else None
    found = layer_gradients(model, layers_of(model, x.clone(), "net"), x, labels, output=which)
    scores = record(model, x.clone())["fc"]
    torch.testing.assert_close(found.losses, F.cross_entropy(scores, labels, reduction="none"))
    expected = scores.softmax(1) - F.one_hot(labels, 3)
    torch.testing.assert_close(found.outputs["fc"], expected)
    assert torch.equal(x, given)


def test_no_classes_no_loss() -> None:
    model, x = nn.Sequential(nn.Conv2d(1, 2, 3)), torch.rand(2, 1, 6, 6)
    with pytest.raises(CnnvizError, match="a score for each class"):
        layer_gradients(model, layers_of(model, x, "net"), x, torch.tensor([0, 1]))
