"""The small network of colour patches: named layers with the shapes that it tells."""

from __future__ import annotations

import torch

from cnnviz.inside.recording import record
from cnnviz.nets.colour_net import ColourNet


def test_shapes_are_those_of_the_docstring() -> None:
    net = ColourNet().eval()
    found = record(net, torch.rand(2, 3, 32, 32), functional=False)
    shapes = {name: tuple(values.shape[1:]) for name, values in found.items()}
    assert shapes == {
        "conv1": (16, 16, 16), "relu1": (16, 16, 16), "pool1": (16, 8, 8),
        "conv2": (24, 8, 8), "relu2": (24, 8, 8), "pool2": (24, 4, 4),
        "conv3": (32, 4, 4), "relu3": (32, 4, 4), "pool3": (32, 1, 1),
        "flatten": (32,), "output": (9,),
    }  # fmt: skip


def test_mid_grey_is_zero_everywhere() -> None:
    """So a grey patch gives conv1 its biases, at the border as well as inside."""
    net = ColourNet().eval()
    maps = record(net, torch.full((1, 3, 32, 32), 0.5), layers=["conv1"])["conv1"]
    assert torch.allclose(maps, net.conv1.bias[None, :, None, None].expand_as(maps), atol=1e-6)


def test_first_kernels_begin_small() -> None:
    """A quarter of 1 / √147, the bound of PyTorch's own start."""
    torch.manual_seed(0)
    largest = ColourNet().conv1.weight.abs().max().item()
    assert 0.8 * 147**-0.5 / 4 < largest <= 147**-0.5 / 4
