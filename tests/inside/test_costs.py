"""Costs of layers: LeNet by hand, torchvision's networks against PyTorch's own counter."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from cnnviz.inside.costs import Cost, layer_costs
from cnnviz.nets.models import LeNet


def test_lenet_by_hand() -> None:
    costs = layer_costs(LeNet(), (1, 28, 28))
    assert costs["conv2"] == Cost((16, 10, 10), 16 * (6 * 25 + 1), 16 * 100 * 6 * 25)
    assert costs["fc1"] == Cost((120,), 400 * 120 + 120, 400 * 120)
    assert costs["pool2"] == Cost((16, 5, 5), 0, 0)
    assert sum(cost.parameters for cost in costs.values()) == 61_706


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "mobilenet_v2"])
def test_as_pytorch_counts(name: str) -> None:
    with torch.device("meta"):
        model = getattr(models, name)().eval()
        image = torch.empty(1, 3, 224, 224)
    costs = layer_costs(model, (3, 224, 224))
    with FlopCounterMode(display=False) as counter:
        model(image)
    # It counts a multiplication and an addition as two.
    assert sum(c.multiplications for c in costs.values()) == counter.get_total_flops() // 2
    assert sum(c.parameters for c in costs.values()) == sum(p.numel() for p in model.parameters())
