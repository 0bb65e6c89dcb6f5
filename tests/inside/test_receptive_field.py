"""Receptive fields: the arithmetic against what each unit is seen to depend on."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.receptive_field import ReceptiveField, receptive_fields
from cnnviz.inside.recording import record
from cnnviz.nets.models import MLP, LeNet


class Branches(nn.Module):
    """1×1 beside 5×5 beside a pool, concatenated, then a residual sum and a squeeze."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 2, 3, stride=2, padding=1)
        self.narrow = nn.Conv2d(2, 2, 1)
        self.wide = nn.Conv2d(2, 2, 5, padding="same")
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.mix = nn.Conv2d(6, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = x + self.mix(torch.cat([self.narrow(x), self.wide(x), self.pool(x)], 1))
        return F.avg_pool2d(x, 2) * x.mean((2, 3), keepdim=True)


def dilated() -> nn.Module:
    """Dilation, uneven kernels, strides and padding, and pooling that hangs over the end."""
    return nn.Sequential(
        nn.Conv2d(1, 2, (3, 5), stride=(2, 1), padding=(1, 0), dilation=(2, 1)),
        nn.BatchNorm2d(2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True),
        nn.Conv2d(2, 1, 2, dilation=2, padding=1),
        nn.AvgPool2d(2),
        nn.AdaptiveAvgPool2d(1),
    )


CASES = {
    "lenet": (LeNet, (28, 28)),
    "mlp": (MLP, (28, 28)),
    "dilated": (dilated, (20, 17)),
    "branches": (Branches, (14, 12)),
}


def seen_pixels(model: nn.Module, size: tuple[int, int]) -> dict[str, Tensor]:
    """For each layer, which units depend on which pixel: (H·W, rows, columns) bool.

    One image a pixel, with a NaN there: what depends on the pixel comes out as NaN, through
    maxima, too, where a gradient would follow the largest value only.
    """
    height, width = size
    images = torch.ones(height * width, 1, height, width)
    images.view(height * width, -1).fill_diagonal_(torch.nan)
    units = {}
    for name, output in record(model, images).items():
        unit = output.isnan().any(1)  # over channels: (H·W, …)
        units[name] = unit if unit.ndim == 3 else unit.reshape(-1, 1, 1)
    return units


@pytest.mark.parametrize("name", CASES)
def test_every_box_is_what_the_unit_depends_on(name: str) -> None:
    torch.manual_seed(0)
    build, size = CASES[name]
    model = build()
    fields = receptive_fields(model, size)
    seen = seen_pixels(model, size)
    assert list(fields) == list(seen)
    for layer, field in fields.items():
        depends = seen[layer]
        assert field.units == tuple(depends.shape[1:]), layer
        for row in range(field.units[0]):
            for column in range(field.units[1]):
                pixels = depends[:, row, column].view(size).nonzero()  # (pixels, 2)
                seen_box = (*pixels.amin(0).tolist(), *(pixels.amax(0) + 1).tolist())
                box = field.box(row, column, clip=True)
                for edge, limit in enumerate((0, 0, *size)):
                    # Where a dilated field is clipped, the border can lie between two taps.
                    allowed = 2 if name == "dilated" and box[edge] == limit else 0
                    gap = (seen_box[edge] - box[edge]) * (1 if edge < 2 else -1)
                    assert 0 <= gap <= allowed, (layer, row, column)


def test_lenet() -> None:
    """Worked by hand: 5×5; 2×2 at jump 1 → 6; 5×5 at jump 2 → 6 + 8 = 14; 2×2 at 2 → 16."""
    fields = receptive_fields(LeNet(), (28, 28))
    sizes = {name: (field.size[0], field.jump[0], field.start[0]) for name, field in fields.items()}
    assert sizes["conv1"] == sizes["relu1"] == (5, 1, 0.5)  # padding 2: centred on pixel 0
    assert sizes["pool1"] == (6, 2, 1.0)
    assert sizes["conv2"] == sizes["relu2"] == (14, 2, 5.0)
    assert sizes["pool2"] == (16, 4, 6.0)
    assert sizes["flatten"] == sizes["fc1"] == sizes["output"] == (28, 0, 14.0)
    assert fields["pool2"].box(0, 4) == (-2, 14, 14, 30)
    assert fields["pool2"].box(0, 4, clip=True) == (0, 14, 14, 28)


def test_box_against_gradients() -> None:
    """Positive weights, so nothing cancels: the input gradient of a unit is its field."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, stride=2, dilation=2), nn.ReLU(), nn.Conv2d(3, 1, 3, padding=1)
    )
    for parameter in model.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)
    x = torch.rand(1, 1, 21, 21, requires_grad=True)
    field = receptive_fields(model, (21, 21))["2"]
    assert field.size == (9, 9)  # 1 + 2·2 = 5, then 5 + 2·(3 − 1)
    output = record(model, x, gradients=True)["2"]
    for row, column in [(0, 0), (4, 4), (0, 8), (8, 8)]:
        (gradient,) = torch.autograd.grad(output[0, 0, row, column], x, retain_graph=True)
        rows, columns = gradient[0, 0].nonzero(as_tuple=True)
        edges = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        assert field.box(row, column, clip=True) == tuple(int(edge) for edge in edges)


@pytest.mark.parametrize(
    ("build", "layer", "size", "jump"),
    [
        # Araujo, Norris and Sim 2019 give 212 for VGG-16. ResNet-18 by hand: 7 (stem), 11
        # (pool), + 4·8 = 43, + 8 + 3·16 = 99, + 16 + 3·32 = 211, + 32 + 3·64 = 435.
        (torchvision.models.vgg16, "features.30", 212, 32),
        (torchvision.models.resnet18, "layer4.1.relu_1", 435, 32),
    ],
)
def test_known_values(build: type[nn.Module], layer: str, size: int, jump: int) -> None:
    with torch.device("meta"):  # no weights are needed
        model = build()
    field = receptive_fields(model, (224, 224))[layer]
    assert field.size == (size, size)
    assert field.jump == (jump, jump)
    assert field.units == (7, 7)


def test_training_mode_is_as_before() -> None:
    model = dilated().train()
    receptive_fields(model, (20, 17))
    assert all(module.training for module in model.modules())


def test_unit_that_does_not_exist() -> None:
    field = ReceptiveField((3, 3), (1, 1), (0.5, 0.5), (4, 5), (4, 5))
    with pytest.raises(CnnvizError, match=r"no unit \(4, 0\) in a layer of 4×5"):
        field.box(4, 0)


def test_layer_without_a_known_field() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Upsample(scale_factor=2))
    with pytest.raises(CnnvizError, match=r"Layer '1' \(Upsample\)"):
        receptive_fields(model, (8, 8))


def test_branches_of_different_strides() -> None:
    class Uneven(Branches):
        def forward(self, x: Tensor) -> Tensor:
            return x[..., ::2, ::2] + self.stem(x)

    class Mixed(Branches):
        def forward(self, x: Tensor) -> Tensor:
            return self.stem(x) + self.narrow(x)

    with pytest.raises(CnnvizError, match=r"'add' joins branches of different strides"):
        receptive_fields(Mixed(), (8, 8))
    with pytest.raises(CnnvizError, match=r"'getitem' \(getitem\) has no receptive field"):
        receptive_fields(Uneven(), (8, 8))


def test_adaptive_pooling_in_uneven_windows() -> None:
    with pytest.raises(CnnvizError, match=r"pools 8 units to 3, in windows of different sizes"):
        receptive_fields(nn.Sequential(nn.AdaptiveMaxPool2d((4, 3))), (8, 8))


def test_model_that_cannot_be_traced() -> None:
    class Undecided(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(CnnvizError, match=r"Cannot follow Undecided with torch\.fx"):
        receptive_fields(Undecided(), (8, 8))
