"""The scenes of the chapter on segmentation, and what it says of transposed convolution."""

import torch
from torch.nn import functional as F

from gen.figures.scenes import SIDE, scenes, steps_to_border
from gen.figures.segmentation.segmentation import Segmenter
from gen.figures.segmentation.transposed import stamped


def test_scenes_are_the_same_again_and_hold_all_classes():
    some = scenes("train", 20, seed=0)
    assert some.images.shape == (20, 1, SIDE, SIDE)
    assert some.images.dtype == torch.uint8
    assert some.labels.shape == (20, SIDE, SIDE)
    assert torch.equal(some.images, scenes("train", 20, seed=0).images)
    assert not torch.equal(some.images, scenes("test", 20, seed=1).images)
    for labels in some.labels:
        assert 0 in labels
        assert {1, 2} & set(labels.flatten().tolist())


def test_objects_are_brighter_than_the_background():
    some = scenes("train", 50, seed=0)
    images = some.images[:, 0].float()
    assert images[some.labels > 0].mean() > images[some.labels == 0].mean() + 50


def test_steps_to_the_border():
    labels = torch.zeros(1, 5, 5, dtype=torch.long)
    labels[0, :, 3:] = 1
    assert steps_to_border(labels, 3)[0, 0].tolist() == [3, 2, 1, 1, 2]


def test_stamping_is_the_transposed_convolution():
    values, kernel = torch.randn(3, 3), torch.randn(4, 4)
    by_torch = F.conv_transpose2d(values[None, None], kernel[None, None], stride=2)[0, 0]
    assert torch.allclose(stamped(values, kernel, 2), by_torch, atol=1e-6)


def test_each_pixel_gets_scores_whatever_parts_there_are():
    images = torch.rand(2, 1, SIDE, SIDE)
    for deep, skip in ((True, True), (True, False), (False, True)):
        assert Segmenter(deep, skip)(images).shape == (2, 3, SIDE, SIDE)
