"""Stripes and who answers to them."""

import math

import pytest
import torch
from torch import nn

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
