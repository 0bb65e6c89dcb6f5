"""Stripes and who answers to them."""

import math

import pytest
import torch
from torch import nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.gratings import gratings, tuning

ANGLES = torch.arange(12) * math.pi / 12


def test_stripes_vary_along_their_angle_only():
    upright, level = gratings(8, torch.tensor([0, math.pi / 2]), wavelength=4, phases=1)[:, 0, 0]
    assert upright.std(0).max() < 1e-6
    assert level.std(1).max() < 1e-6
    torch.testing.assert_close(upright, level.T)
    torch.testing.assert_close(upright[:, :4], upright[:, 4:])  # one wavelength on


@pytest.mark.parametrize("number", [0, 3, 8])
def test_a_kernel_of_stripes_answers_to_its_own_angle(number):
    model = nn.Sequential(nn.Conv2d(1, 1, 9, bias=False))
    kernel = gratings(9, ANGLES[number : number + 1], wavelength=5, phases=1)[0, 0]
    with torch.no_grad():
        model[0].weight[0] = kernel - kernel.mean()
    curve = tuning(model, "0", 28, ANGLES, wavelength=5)
    assert curve.shape == (1, 12)
    assert curve[0].argmax() == number


def test_colour_is_grey_in_all_channels():
    torch.manual_seed(0)
    colour = nn.Sequential(nn.Conv2d(3, 4, 5), nn.Flatten(2)).eval()
    grey = nn.Sequential(nn.Conv2d(1, 4, 5)).eval()
    with torch.no_grad():
        grey[0].weight.copy_(colour[0].weight.sum(1, keepdim=True))
        grey[0].bias.copy_(colour[0].bias)
    curves = tuning(grey, "0", (20, 16), ANGLES, wavelength=5)
    torch.testing.assert_close(tuning(colour, "0", (20, 16), ANGLES, wavelength=5), curves)
    in_range = tuning(colour, "0", (20, 16), ANGLES, 5, prepare=lambda images: 2 * images - 1)
    other = (
        2 * curves
        - grey[0].bias.detach()[:, None]
        - grey[0].weight.detach().sum((1, 2, 3))[:, None]
    )
    torch.testing.assert_close(in_range, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_types_of_numbers_and_other_shapes(dtype):
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(2), nn.Conv1d(4, 5, 3)).to(dtype)
    assert tuning(model, "2", 8, ANGLES[:3], 4.0).shape == (5, 3)
    assert tuning(model, "1", 8, ANGLES[:3], 4.0, channels=2).dtype == dtype


def test_what_the_model_does_not_take_is_said():
    with pytest.raises(CnnvizError, match="does not take images of shape"):
        tuning(nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), "1", 8, ANGLES, 4.0)
    with pytest.raises(CnnvizError, match="Unknown layer"):
        tuning(nn.Sequential(nn.Conv2d(1, 1, 3)), "conv", 8, ANGLES, 4.0)
