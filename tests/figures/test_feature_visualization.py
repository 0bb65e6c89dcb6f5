"""What a unit wants to see: which channels, what is measured of pictures, mixtures of channels."""

import math

import pytest
import torch
from torch import nn

from cnnviz.nets.efficientnet_lite import EfficientNetLite0
from gen.figures.feature_visualization import _measures as measures
from gen.figures.feature_visualization.limits import LAYER, mixing
from gen.figures.optimised_units import seen_by, standing_out


def stripes(angle: float) -> torch.Tensor:
    """Waves of 8 pixels, (3, 48, 48), running at an angle in degrees."""
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    along = rows * math.sin(math.radians(angle)) + columns * math.cos(math.radians(angle))
    return (0.5 + 0.4 * torch.sin(2 * math.pi * along / 8)).expand(3, -1, -1)


def test_channels_that_stand_out_are_of_different_photographs():
    values = torch.zeros(100, 4)
    values[3, 0], values[4, 1], values[50, 2] = 9, 8, 1  # one crop each stands out equally far
    values[61:91, 3] = 5  # and here thirty, which is less
    values[5, 1] = 4  # the second one of channel 1
    origin = torch.arange(100) // 10
    assert standing_out(values, origin, 3) == [0, 2, 3]


@pytest.mark.parametrize("angle", [0, 30, 90])
def test_stripes_have_one_direction_and_noise_has_none(angle):
    assert measures.common_direction(stripes(angle)) > 0.95
    noise = torch.rand(3, 96, 96, generator=torch.Generator().manual_seed(0))
    assert measures.common_direction(noise) < 0.25
    assert measures.common_direction(torch.ones(3, 48, 48)) == 0


def test_crossed_stripes_have_no_direction():
    assert measures.common_direction((stripes(0) + stripes(90)) / 2) < 0.1


def test_contrast_and_colour():
    image = torch.zeros(3, 2, 2)
    image[0, 0] = 0.6  # a red row above a black one
    assert measures.contrast(image) == pytest.approx(float(torch.tensor([0.2, 0.2, 0, 0]).std()))
    assert measures.colour(image) == pytest.approx(0.3)


def test_a_moved_image_is_moved_and_mirrored_at_its_border():
    image = torch.arange(3 * 6 * 6.0).view(3, 6, 6)
    moved = measures.moved(image, 1, 8)
    assert moved.shape == (8, 3, 6, 6)
    inside = {tuple(m[0, 2:4, 2:4].flatten().tolist()) for m in moved}
    around = {
        tuple(image[0, r : r + 2, c : c + 2].flatten().tolist())
        for r in (1, 2, 3) for c in (1, 2, 3) if (r, c) != (2, 2)
    }  # fmt: skip
    assert inside == around


def test_noise_stays_between_black_and_white():
    noisy = measures.noisy(torch.full((3, 64, 64), 0.5), 0.05, 2)
    assert float(noisy.std()) == pytest.approx(0.05, rel=0.05)
    assert float(measures.noisy(torch.ones(3, 8, 8), 0.5, 2).max()) == 1


def test_contrast_in_the_middle():
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 30, 30, generator=generator).expand(3, -1, -1).clone()
    image[:, 10:20, 10:20] *= 4
    assert measures.in_the_middle(image) == pytest.approx(4, rel=0.2)


def test_a_mixture_is_the_sum_of_its_channels():
    torch.manual_seed(0)
    network = EfficientNetLite0().eval()
    images = torch.rand(2, 3, 64, 64)
    channels = seen_by(network, images, (LAYER,))[LAYER]  # (2, 112)
    weights = torch.randn(3, channels.shape[1])
    mixed = seen_by(mixing(network, weights), images, ("head",))["head"]  # (2, 3)
    torch.testing.assert_close(mixed, channels @ weights.T, rtol=1e-4, atol=1e-5)
    assert isinstance(network.head, nn.Conv2d)
    assert network.head.out_channels == 1280  # the network itself is as it was


def test_responses_are_means_of_maps():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LazyLinear(5)).eval()
    images = torch.rand(70, 3, 6, 6)
    with torch.no_grad():
        maps, logits = network[0](images), network(images)
    seen = seen_by(network, images, ("0", "2"))
    torch.testing.assert_close(seen["0"], maps.mean((2, 3)))
    torch.testing.assert_close(seen["2"], logits)
