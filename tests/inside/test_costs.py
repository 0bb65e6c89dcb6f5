"""Costs of layers: small ones by hand, whole networks against PyTorch's own counter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from cnnviz.errors import CnnvizError
from cnnviz.inside.costs import Cost, layer_costs
from cnnviz.nets.models import LeNet
from tests.nets import zoo


class Fn(nn.Module):
    """A network of one function of itself and its input, over modules m0, m1, …"""

    def __init__(self, function: Callable[..., Any], *modules: nn.Module) -> None:
        super().__init__()
        self.function = function
        for number, module in enumerate(modules):
            self.add_module(f"m{number}", module)

    def forward(self, *x: Tensor) -> Any:
        return self.function(self, *x)


def multiplied(model: nn.Module, x: Any) -> int:
    return sum(cost.multiplications for cost in layer_costs(model, x).values())


def test_lenet_by_hand() -> None:
    costs = layer_costs(LeNet(), (1, 28, 28))
    assert costs["conv2"] == Cost((16, 10, 10), 16 * (6 * 25 + 1), 16 * 100 * 6 * 25)
    assert costs["fc1"] == Cost((120,), 400 * 120 + 120, 400 * 120)
    assert costs["pool2"] == Cost((16, 5, 5), 0, 0)
    assert sum(cost.parameters for cost in costs.values()) == 61_706


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("alexnet", 64), ("resnet18", 64), ("mobilenet_v2", 64), ("mobilenet_v3_small", 64),
        ("convnext_tiny", 64), ("shufflenet_v2_x0_5", 64), ("densenet121", 64), ("swin_t", 64),
    ],
)  # fmt: skip
def test_as_pytorch_counts(name: str, size: int) -> None:
    with torch.device("meta"):
        model = getattr(models, name)().eval()
        image = torch.empty(1, 3, size, size)
    costs = layer_costs(model, (3, size, size))
    with FlopCounterMode(display=False) as counter:
        model(image)
    # It counts a multiplication and an addition as two.
    assert sum(c.multiplications for c in costs.values()) == counter.get_total_flops() // 2
    assert sum(c.parameters for c in costs.values()) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", zoo.ZOO)
def test_every_parameter_of_the_zoo_once(name: str) -> None:
    model, x = zoo.make(name)
    costs = layer_costs(model, x)
    assert sum(c.parameters for c in costs.values()) == sum(p.numel() for p in model.parameters())


CONVOLUTIONS = [nn.Conv1d, nn.Conv2d, nn.Conv3d]
TRANSPOSED = [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d]


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_convolutions_by_hand(axes: int) -> None:
    """4 → 6 channels in 2 groups, kernels of 3, stride 2: 7 places become 3, or 15."""
    x = (4, *[7] * axes)
    plain = CONVOLUTIONS[axes - 1](4, 6, 3, groups=2, stride=2)
    assert multiplied(nn.Sequential(plain), x) == 3**axes * 6 * 2 * 3**axes
    transposed = TRANSPOSED[axes - 1](4, 6, 3, groups=2, stride=2)
    assert multiplied(nn.Sequential(transposed), x) == 7**axes * 4 * 3 * 3**axes


def test_attention_and_recurrent_layers_by_hand() -> None:
    tokens = torch.rand(3, 5, 8)  # five tokens of 8 numbers
    attention = Fn(lambda s, x: s.m0(x, x, x)[0], nn.MultiheadAttention(8, 2, batch_first=True))
    products = 2 * (2 * 5 * 5 * 4)  # each with each, in two heads of 4
    assert layer_costs(attention, tokens)["m0[0]"].multiplications == 5 * 8 * 32 + products
    function = Fn(lambda s, x: F.scaled_dot_product_attention(x, x, x))
    assert multiplied(function, torch.rand(3, 2, 5, 4)) == products
    lstm = Fn(lambda s, x: s.m0(x)[0], nn.LSTM(8, 3, 2, batch_first=True, bidirectional=True))
    each = 4 * 3 * (8 + 3) + 4 * 3 * (6 + 3)
    assert layer_costs(lstm, tokens) == {
        "m0[0]": Cost((5, 6), 2 * (each + 8 * 2 * 3), 2 * 5 * each),
        "m0[1][0]": Cost((1, 3), 0, 0),
        "m0[1][1]": Cost((1, 3), 0, 0),
    }
    assert multiplied(Fn(lambda s, x: s.m0(x)[0], nn.GRU(8, 3)), tokens) == 5 * 3 * 3 * (8 + 3)
    assert multiplied(nn.Sequential(nn.LSTMCell(8, 3)), (8,)) == 4 * 3 * (8 + 3)


def test_products_as_functions() -> None:
    x = torch.rand(2, 4, 4)
    assert multiplied(Fn(lambda s, x: torch.einsum("nij,njk->nik", x, x) @ x), x) == 2 * 4**3
    assert multiplied(Fn(lambda s, x: x[0] @ x[0, 0]), x) == 4 * 4
    assert (
        multiplied(Fn(lambda s, a, b: s.m0(a, b), nn.Bilinear(3, 3, 5)), (x[:, 0, :3], x[:, 0, :3]))
        == 45
    )
    embedded = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    assert layer_costs(embedded, torch.tensor([[1, 2, 3]])) == {
        "0": Cost((3, 4), 40, 0),
        "1": Cost((3, 2), 10, 3 * 8),
    }


def test_a_layer_used_twice_works_twice_and_learns_once() -> None:
    twice = Fn(lambda s, x: s.m0(s.m0(x)), nn.Conv2d(2, 2, 3, padding=1))
    each = 2 * 9 * 2 * 16
    assert layer_costs(twice, (2, 4, 4)) == {
        "m0": Cost((2, 4, 4), 38, each),
        "m0_1": Cost((2, 4, 4), 0, each),
    }
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    assert [cost.parameters for cost in layer_costs(tied, (3,)).values()] == [12, 3]


class Padded(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (1, 1, 1, 1)), self.weight, self.bias)


def test_a_convolution_of_ones_own_costs_where_it_is_computed() -> None:
    costs = layer_costs(nn.Sequential(Padded(2, 3, 3)).double(), (2, 5, 5))
    assert costs["0.conv2d"] == Cost((3, 5, 5), 57, 25 * 3 * 18)
    assert sum(cost.parameters for cost in costs.values()) == 57


def test_parameters_of_the_networks_own_code() -> None:
    """A token for the class, an embedding of places: in what uses them."""
    model = models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5).eval()
    costs = layer_costs(model, (3, 32, 32))
    assert sum(c.parameters for c in costs.values()) == sum(p.numel() for p in model.parameters())
    assert costs["encoder.add"].parameters == 17 * 16


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_quantised_layer_costs_what_it_did_before() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    assert layer_costs(quantised, (4,)) == layer_costs(model, (4,))


def test_a_size_that_is_no_shape() -> None:
    with pytest.raises(CnnvizError, match="expected a shape"):
        layer_costs(LeNet(), 28)
