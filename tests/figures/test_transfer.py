"""Borrowed features: tasks, draws, heads and maps."""

import numpy as np
import torch

from cnnviz.data import photos
from gen.context import Context
from gen.draw.render import site_context
from gen.figures import borrowed_eyes
from gen.figures.borrowed_eyes import SIDE, Task, cut, enlarged, linear, mean_colours, pixels
from gen.figures.photographs import NAMES
from gen.figures.transfer.map import agreement, principal
from gen.settings import Settings


def _task(pool, labels, test, test_labels):
    images = [torch.tensor(values).view(-1, 1, 1, 1) for values in (pool, test)]
    return Task(images[0], torch.tensor(labels), images[1], torch.tensor(test_labels))


def test_labelled_crops_come_from_the_left_half_and_those_of_the_test_from_the_right(monkeypatch):
    photo = np.zeros((80, 200, 3), np.uint8)
    photo[:, 100:] = 255
    monkeypatch.setattr(photos, "load", lambda name: photo)
    left, labels = cut(False, 3, seed=0)
    right, _ = cut(True, 3, seed=0)
    assert left.shape == right.shape == (3 * len(NAMES), 3, SIDE, SIDE)
    assert left.max() == 0
    assert right.min() == 1
    assert labels.bincount().tolist() == [3] * len(NAMES)


def test_a_draw_takes_as_many_of_each_class_and_none_twice():
    task = _task([0.0] * 7, [0, 0, 0, 0, 1, 1, 1], [0.0], [0])
    drawn = task.drawn(2, seed=1)
    assert task.pool_labels[drawn].tolist() == [0, 0, 1, 1]
    assert len(set(drawn.tolist())) == 4
    assert not torch.equal(task.drawn(2, seed=2), drawn) or not torch.equal(
        task.drawn(2, seed=3), drawn
    )


def test_scrambling_moves_the_pixels_of_all_images_alike(monkeypatch):
    images = torch.arange(2 * 784, dtype=torch.uint8).view(2, 1, 28, 28)

    class Images:
        labels = torch.tensor([0, 1])

    Images.images = images
    monkeypatch.setattr(Context, "train", Images())
    monkeypatch.setattr(Context, "test", Images())
    context = site_context(Settings())
    plain, scrambled = (borrowed_eyes.digits(context, scrambled=s) for s in (False, True))
    for before, after in ((plain.pool, scrambled.pool), (plain.test, scrambled.test)):
        assert torch.equal(before.flatten(1).sort(1).values, after.flatten(1).sort(1).values)
        assert not torch.equal(before, after)
    order = scrambled.pool[0].flatten() - scrambled.test[0].flatten()
    assert order.abs().max() == 0  # the same order for pool and test


def test_grey_images_are_enlarged_to_three_equal_channels():
    grown = enlarged(torch.rand(2, 1, 28, 28))
    assert grown.shape == (2, 3, SIDE, SIDE)
    assert torch.equal(grown[:, 0], grown[:, 2])


def test_a_linear_layer_tells_what_is_linear():
    task = _task([-1.0, -2, 1, 2], [0, 0, 1, 1], [-3.0, 3, 4, -1], [0, 1, 1, 1])
    found = (task.pool.flatten(1), task.test.flatten(1))
    assert linear(task, found, 2, seeds=[0, 1]) == [0.75, 0.75]


def test_pixels_of_crops_are_averaged_and_colours_are_means_and_spreads():
    image = torch.zeros(1, 3, 64, 64)
    image[:, 0, :, 32:] = 1
    task = Task(image, torch.tensor([0]), image, torch.tensor([0]))
    assert pixels(task)[0].shape == (1, 3 * 16 * 16)
    colours = mean_colours(task)[0][0]
    assert torch.allclose(colours, torch.tensor([0.5, 0, 0, 0.5, 0, 0]), atol=1e-3)


def test_principal_axes_are_those_of_most_variance():
    points = torch.tensor([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]])
    places, share = principal(points, count=1)
    assert torch.allclose(places[:, 0].abs(), torch.tensor([3.0, 3, 0, 0]).double(), atol=1e-6)
    assert abs(share - 18 / 20) < 1e-9


def test_agreement_counts_test_images_whose_nearest_labelled_one_is_of_their_class():
    task = _task([0.0, 10], [0, 1], [1.0, 4, 9], [0, 1, 1])
    assert agreement(task, (task.pool.flatten(1), task.test.flatten(1))) == 2 / 3
