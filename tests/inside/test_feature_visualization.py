"""Activation maximisation: a case with a known answer, and that a batch changes nothing."""

import pytest
import torch
from torch import nn

from cnnviz.errors import CnnvizError
from cnnviz.inside import fourier
from cnnviz.inside.answers import Answers
from cnnviz.inside.feature_visualization import maximise
from cnnviz.inside.recording import record
from cnnviz.nets.models import MLP, LeNet
from tests.bench.bench_atlas import ascended


def test_a_linear_unit_gets_ink_where_its_weights_are_positive():
    """Without penalty and shift the best image is 1 where the weight is positive, else 0."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 2, bias=False))
    with torch.no_grad():
        model[1].weight[0] = torch.tensor([1.0, -1, 1, -1, 1, -1, 1, -1, 1])
        model[1].weight[1] = -model[1].weight[0]
    found = maximise(
        model, "1", torch.tensor([1, 0]), (1, 3, 3), steps=200, roughness=0, max_shift=0
    )
    assert found.images.shape == (2, 2, 1, 3, 3)
    wanted = (model[1].weight[[1, 0]] > 0).view(2, 1, 1, 3, 3)
    assert (found.images - wanted.float()).abs().max() < 0.05
    assert found.value[0, 0].item() == pytest.approx(4, abs=0.2)
    assert found.value[1, 0].item() == pytest.approx(5, abs=0.2)


def test_a_unit_gets_the_same_image_alone_as_in_company():
    torch.manual_seed(0)
    model = LeNet().double().eval()
    torch.set_default_dtype(torch.float64)
    try:
        together = maximise(model, "conv2", torch.arange(4), (1, 28, 28), steps=8)
        alone = maximise(model, "conv2", torch.tensor([2]), (1, 28, 28), steps=8)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(alone.images[0], together.images[2])
    torch.testing.assert_close(alone.value[0], together.value[2])


@pytest.mark.parametrize(
    ("network", "layer"),
    [(LeNet, "conv1"), (LeNet, "conv2"), (LeNet, "fc1"), (LeNet, "output"), (MLP, "fc2")],
)
def test_the_same_as_a_plain_loop_over_the_whole_network(network, layer):
    """No stop at the layer, no crop, no gradient by hand: autograd from end to end."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    try:
        model = network().eval()
        plain = ascended(model, layer, 3, starts=2, steps=6)
        ours = maximise(model, layer, torch.tensor([3]), (1, 28, 28), starts=2, steps=6)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(ours.images[0], plain)


@pytest.mark.parametrize("layer", ["conv1", "pool1", "conv2"])
def test_of_a_map_only_the_receptive_field_is_computed(layer):
    torch.manual_seed(0)
    model, images = LeNet().eval(), torch.rand(5, 1, 28, 28)
    answers = Answers(model, layer, (1, 28, 28))
    part = images[:, :, *answers.window]
    assert max(part.shape[2:]) <= 14  # conv2 sees 14×14
    output = record(model, images, layers=[layer])[layer]
    middle = output[:, 2, output.shape[2] // 2, output.shape[3] // 2]
    torch.testing.assert_close(answers(images, torch.full((5,), 2)), middle)


def test_where_the_field_is_not_known_the_whole_image_is_computed():
    """Softmax over positions: each unit of the map depends on the whole image."""
    softmax = nn.Softmax2d()
    softmax.forward = lambda maps: maps.flatten(2).softmax(2).view_as(maps)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), softmax).eval()
    answers = Answers(model, "1", (1, 8, 8))
    images = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(
        answers(images, torch.tensor([0, 1])),
        model(images)[torch.arange(2), torch.arange(2), 4, 4],
    )


def test_it_beats_its_start_and_a_penalty_makes_it_smooth():
    torch.manual_seed(0)
    model, units = LeNet().eval(), torch.arange(6)

    def made(**options):
        return maximise(model, "conv1", units, (1, 28, 28), **options)

    assert (made(steps=40).value > made(steps=0).value).all()
    rough, smooth = made(roughness=0), made(roughness=2)
    assert smooth.images.diff(dim=-1).abs().mean() < rough.images.diff(dim=-1).abs().mean()


class Swish(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x)


class Odd(nn.Module):
    """A gate that needs the whole image, a block, sums and second uses, all of one network."""

    def __init__(self):
        super().__init__()
        self.gate, self.conv = nn.Linear(64, 3), nn.Conv2d(1, 3, 3, padding=1)
        self.block = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), Swish())
        self.pool, self.relu = nn.AdaptiveAvgPool2d(1), nn.ReLU(inplace=True)

    def forward(self, x):
        x -= 0.5
        gate = self.gate(x.flatten(1)).view(-1, 3, 1, 1)
        y = self.relu(self.conv(x)) * gate
        y = self.relu(self.block(y) + y)
        return self.pool(y).flatten(1), y.mean(1, keepdim=True)


NAMES = {"conv": 3, "relu": 3, "relu_1": 3, "mul": 3, "block": 3, "block.1": 3, "add": 3,
         "pool": 3, "mean": 1, "gate": 3, "flatten": 64}  # fmt: skip


@pytest.mark.parametrize("layer", NAMES)
@pytest.mark.parametrize("parameters", ["pixels", "fourier"])
def test_any_name_that_record_gives(layer, parameters):
    torch.manual_seed(0)
    model = Odd().eval()
    with torch.no_grad():
        for module in (model.conv, model.gate, model.block[0]):  # so that no unit sleeps
            module.bias.fill_(3.0)
    found = maximise(
        model, layer, range(NAMES[layer])[-2:], (1, 8, 8), steps=3, parameters=parameters
    )
    images = found.images.flatten(0, 1)
    output = record(model, images.clone())[layer] if layer != "block" else None
    if output is None:
        (output,) = record(model, images.clone(), layers=["block"]).values()
    if output.dim() == 4:
        output = output[:, :, output.shape[2] // 2, output.shape[3] // 2]
    numbers = torch.tensor(range(NAMES[layer])[-2:]).repeat_interleave(2)
    torch.testing.assert_close(found.value.flatten(), output[torch.arange(len(images)), numbers])
    assert found.moved.all()
    assert not any(module._forward_hooks for module in model.modules())


def test_a_whole_channel_is_its_mean():
    torch.manual_seed(0)
    model, options = LeNet().eval(), {"target": "channel", "roughness": 0}
    found = maximise(model, "conv2", [3], (1, 28, 28), steps=8, **options)
    output = record(model, found.images[0])["conv2"]
    torch.testing.assert_close(found.value[0], output[:, 3].mean((1, 2)))
    start = maximise(model, "conv2", [3], (1, 28, 28), steps=0, **options)
    assert (found.value > start.value).all()


def test_where_no_gradient_comes_it_is_said():
    """A unit behind a ReLU that nothing wakes, and one behind a rounding."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()).eval()
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.copy_(torch.tensor([-1000.0, 0.0]))
    assert maximise(model, "1", [0, 1], (1, 6, 6), steps=5).moved.tolist() == [
        [False] * 2,
        [True] * 2,
    ]

    class Sign(nn.Module):
        def forward(self, x):
            return (x > 0.5).float()

    assert not maximise(nn.Sequential(Sign()), "0", [0], (1, 6, 6), steps=2).moved.any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("parameters", ["pixels", "fourier"])
def test_types_of_numbers(dtype, parameters):
    torch.manual_seed(0)
    model = LeNet().to(dtype).eval()
    found = maximise(model, "conv2", [3, 0], (1, 28, 28), steps=8, parameters=parameters)
    assert found.images.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    start = maximise(model, "conv2", [3, 0], (1, 28, 28), steps=0, parameters=parameters)
    assert (found.value > start.value).all()


@pytest.mark.parametrize("axes", [1, 3])
def test_signals_and_volumes(axes):
    torch.manual_seed(0)
    model = nn.Sequential({1: nn.Conv1d, 3: nn.Conv3d}[axes](2, 3, 3), nn.ReLU()).eval()
    shape = (2, *[6] * axes)
    for parameters in ("pixels", "fourier"):
        found = maximise(model, "0", [1], shape, steps=9, parameters=parameters)
        assert found.images.shape == (1, 2, *shape)
        output = record(model, found.images[0])["0"][(slice(None), 1, *[2] * axes)]
        torch.testing.assert_close(found.value[0], output)


def test_images_from_0_to_1_are_prepared_for_the_model():
    """A network behind its normalisation is the network that normalises for itself."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 5, stride=2), nn.ReLU(), nn.Conv2d(4, 2, 3)).eval()
    mean, std = torch.rand(3, 1, 1), 0.2 + torch.rand(3, 1, 1)

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = model

        def forward(self, x):
            return self.net((x - mean) / std)

    options = {"steps": 5, "parameters": "fourier"}
    apart = maximise(
        model, "2", [1], (3, 32, 24), prepare=lambda images: (images - mean) / std, **options
    )
    together = maximise(Whole(), "net.2", [1], (3, 32, 24), **options)
    torch.testing.assert_close(apart.images, together.images)


def test_waves_have_the_colours_and_the_spectrum_of_photographs():
    """Red, green and blue vary together, and slow waves more than quick ones."""
    generator = torch.Generator().manual_seed(0)
    shape = (3, 64, 48)
    images = fourier.pixels(fourier.start(40, shape, generator), shape)
    assert images.shape == (40, *shape)
    correlation = torch.corrcoef(images.transpose(0, 1).flatten(1))
    assert (correlation > 0.5).all()
    strength = torch.fft.rfft2(images[:, 0]).abs().mean(0)  # (64, 25)
    assert strength[1, 1] > 3 * strength[8, 8] > 6 * strength[24, 24]


def test_the_model_is_left_as_it_was():
    model = LeNet().train()
    maximise(model, "conv1", torch.tensor([0]), (1, 28, 28), steps=2)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_unit_that_is_not_there():
    with pytest.raises(CnnvizError, match="units 0 to 5; there is no unit 6"):
        maximise(LeNet(), "conv1", torch.tensor([6]), (1, 28, 28))
    with pytest.raises(CnnvizError, match=r"fails on an image of shape \(3, 28, 28\)"):
        maximise(LeNet(), "conv1", [0], (3, 28, 28))
    with pytest.raises(CnnvizError, match="expected 'pixels' or 'fourier'"):
        maximise(LeNet(), "conv1", [0], (1, 28, 28), parameters="waves")
    with pytest.raises(CnnvizError, match="at least one"):
        maximise(LeNet(), "conv1", [], (1, 28, 28))
