"""Activation maximisation: a case with a known answer, and that a batch changes nothing."""

import pytest
import torch
from torch import nn

from cnnviz.errors import CnnvizError
from cnnviz.feature_visualization import maximise
from cnnviz.models import LeNet


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
