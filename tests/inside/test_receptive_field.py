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
from tests.nets import zoo


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
                assert box == seen_box, (layer, row, column)


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


def test_layers_behind_what_is_not_known_have_no_field_and_say_why() -> None:
    class Partly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.other = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 1)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            maps, places = F.max_pool2d(self.conv(x), 2, return_indices=True)
            return self.other(F.max_unpool2d(maps, places, 2)), self.other(maps)

    fields = receptive_fields(Partly(), (8, 8))
    assert list(fields) == ["conv", "max_pool2d_with_indices[0]", "max_pool2d_with_indices[1]",
                            "other_1"]  # fmt: skip
    assert list(fields.unknown) == ["max_unpool2d", "other"]
    with pytest.raises(CnnvizError, match=r"'other' has no receptive field: what 'max_unpool2d'"):
        fields["other"]
    with pytest.raises(CnnvizError, match=r"Unknown layer 'othr'. Did you mean 'other'"):
        fields["othr"]


def test_branches_of_different_strides() -> None:
    class Uneven(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(1, 1, 3, stride=2, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return x[..., 4:, 4:] + self.stem(x)

    field = receptive_fields(Uneven(), (8, 8))["add"]
    assert [field.box(0, n) for n in range(4)] == [
        (0, 0, 5, 5), (0, 1, 5, 6), (0, 3, 5, 7), (0, 5, 5, 8)
    ]  # fmt: skip


def test_adaptive_pooling_in_uneven_windows() -> None:
    """8 rows in 3 parts: 0–2, 2–5, 5–7, as PyTorch cuts them."""
    field = receptive_fields(nn.Sequential(nn.AdaptiveMaxPool2d((3, 4))), (8, 8))["0"]
    assert [field.box(row, 0) for row in range(3)] == [(0, 0, 3, 2), (2, 0, 6, 2), (5, 0, 8, 2)]
    assert (field.size, field.units, field.jump) == ((4, 2), (3, 4), (0, 2))


@pytest.mark.parametrize(
    ("mode", "corner"),
    [
        ("zeros", (0, 0, 2, 2)),
        ("reflect", (0, 0, 2, 2)),
        ("replicate", (0, 0, 2, 2)),
        ("circular", (0, 0, 8, 8)),  # rows 7, 0 and 1
    ],
)
def test_padding_modes(mode: str, corner: tuple[int, ...]) -> None:
    fields = receptive_fields(
        nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode)), (8, 8)
    )
    assert fields["0"].box(0, 0, clip=True) == corner
    assert fields["0"].box(3, 4, clip=True) == (2, 3, 5, 6)


def test_transposed_convolution_and_interpolation() -> None:
    def boxes(layer: nn.Module) -> list[tuple[int, int]]:
        field = receptive_fields(nn.Sequential(nn.Conv2d(1, 1, 1), layer), (4, 4))["1"]
        return [field.box(n, 0, clip=True)[::2] for n in range(field.units[0])]

    # Unit n gets pixel i through kernel element n − 2i: of 3 there are two for even n.
    assert boxes(nn.ConvTranspose2d(1, 1, 3, stride=2)) == [
        (0, 1), (0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (3, 4)
    ]  # fmt: skip
    assert boxes(nn.Upsample(scale_factor=2)) == [(n // 2, n // 2 + 1) for n in range(8)]
    assert boxes(nn.Upsample(size=5, mode="bilinear", align_corners=True))[1:4] == [
        (0, 2), (1, 3), (2, 4)
    ]  # fmt: skip


class Gated(nn.Module):
    """Squeeze and excitation between two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.squeeze = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1)
        self.norm, self.last = nn.GroupNorm(2, 4), nn.Conv2d(4, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        gate = self.squeeze(x.mean((2, 3), keepdim=True)).sigmoid()
        return self.last(self.norm(x * gate))


def test_behind_a_gate_the_field_without_it_can_be_told() -> None:
    true, without = (receptive_fields(Gated(), (9, 9), gates=gates) for gates in (True, False))
    assert true["mul"].box(3, 3) == true["norm"].box(3, 3) == true["last"].box(0, 0) == (0, 0, 9, 9)
    assert without["mul"].box(3, 3) == without["norm"].box(3, 3) == (3, 3, 6, 6)
    assert (without["last"].size, without["last"].jump) == ((5, 5), (1, 1))
    assert without["sigmoid"].box(0, 0) == (0, 0, 9, 9)


def test_a_choice_by_the_data_and_a_number_taken_out() -> None:
    class Chooses(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.avg_pool2d(x if x.sum() > 0 else -x, 2)

    class TakesOut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x) * x.amax().item()

    assert receptive_fields(Chooses(), (8, 8))["avg_pool2d"].size == (2, 2)
    fields = receptive_fields(TakesOut(), (8, 8))
    assert list(fields) == ["relu", "amax"]
    assert "takes a number out" in fields.unknown["mul"]


@pytest.mark.parametrize(
    ("size", "where"), [((3, 3), r"An input of 3×3 pixels is too small for layer '2' \(Conv2d\)")]
)
def test_input_that_is_too_small(size: tuple[int, int], where: str) -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Conv2d(1, 1, 3))
    with pytest.raises(CnnvizError, match=where):
        receptive_fields(model, size)


def test_sizes() -> None:
    model = nn.Sequential(nn.Conv2d(5, 2, 3))
    fields = [receptive_fields(model, size) for size in ((8, 9), torch.zeros(2, 5, 8, 9))]
    assert fields[0] == fields[1]
    assert fields[0]["0"].input_size == (8, 9)
    with pytest.raises(CnnvizError, match=r"Layer '0' \(Conv2d\) cannot run on an input of 8×9"):
        receptive_fields(model, torch.zeros(1, 4, 8, 9))
    for size in ((8,), (1, 8, 9)):
        with pytest.raises(CnnvizError, match=r"expected height and width in pixels, \(H, W\)"):
            receptive_fields(model, size)


def test_sequences_and_volumes() -> None:
    sequence = receptive_fields(nn.Sequential(nn.Conv1d(2, 3, 5, stride=2), nn.MaxPool1d(2)), (30,))
    assert (sequence["1"].size, sequence["1"].jump) == ((1, 7), (0, 4))
    volume = receptive_fields(nn.Sequential(nn.Conv3d(2, 3, (1, 3, 5))), (4, 8, 9))
    assert (volume["0"].size, volume["0"].units) == ((3, 5), (6, 5))


def test_maps_with_channels_last() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(1, 4, 3), nn.LayerNorm(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    fields = receptive_fields(Last(), (8, 9))
    assert {field.units for field in fields.values()} == {(6, 7)}
    assert {field.box(2, 3) for field in fields.values()} == {(2, 3, 5, 6)}


def test_a_product_of_channels_last_sees_beyond_the_border_as_before() -> None:
    """ConvNeXt's linear layers flatten positions to rows; its fields go on growing behind them."""
    with torch.device("meta"):
        net = torchvision.models.convnext_tiny()
    field = receptive_fields(net, (224, 224))["features.7.2.block.0"]
    # Stem 4; 3 of 7×7 at 4, 3 at 8, 9 at 16, 3 at 32; 2×2 at 4, 8 and 16.
    assert field.size == (4 + 6 * (3 * 4 + 3 * 8 + 9 * 16 + 3 * 32) + 4 + 8 + 16,) * 2
    assert field.jump == (32, 32)


def test_what_is_given_stays_as_it_was() -> None:
    class Overwrites(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.max_pool2d(x.add_(1), 2)

    x = torch.zeros(1, 1, 8, 8)
    assert receptive_fields(Overwrites(), x)["max_pool2d"].size == (2, 2)
    assert x.eq(0).all()


def test_a_network_that_only_enlarges() -> None:
    with pytest.raises(CnnvizError, match=r"does nothing but enlarge or normalise"):
        receptive_fields(nn.Sequential(nn.Upsample(scale_factor=2)), (8, 8))


@pytest.mark.parametrize("name", zoo.ZOO)
def test_fields_have_the_names_of_record(name: str) -> None:
    model, x = zoo.make(name)
    fields = receptive_fields(model, x)
    assert not fields.unknown
    assert list(fields) == list(record(model, x))
