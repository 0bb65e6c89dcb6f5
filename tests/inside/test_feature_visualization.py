"""Activation maximisation: a case with a known answer, and that a batch changes nothing."""

import pytest
import torch
from torch import nn

from cnnviz.errors import CnnvizError
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


def test_the_model_is_left_as_it_was():
    model = LeNet().train()
    maximise(model, "conv1", torch.tensor([0]), (1, 28, 28), steps=2)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_unit_that_is_not_there():
    with pytest.raises(CnnvizError, match="units 0 to 5; there is no unit 6"):
        maximise(LeNet(), "conv1", torch.tensor([6]), (1, 28, 28))
