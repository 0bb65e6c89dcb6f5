"""Strongest answers and what their units see, against brute force."""

import torch
from torch import nn

from cnnviz.inside.patches import cut, extremes
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.recording import record
from cnnviz.nets.models import LeNet


def test_a_point_finds_itself():
    """A 1×1 kernel answers most at the brightest pixel: image 2 (9), then image 0 (5)."""
    model = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False))
    nn.init.ones_(model[0].weight)
    images = torch.zeros(3, 1, 4, 4)
    images[0, 0, 1, 2], images[1, 0, 0, 0], images[2, 0, 3, 3] = 5, 2, 9
    found = extremes(model, ["0"], images, count=2)["0"].most
    assert found.image.tolist() == [[2, 0]]
    assert (found.row.tolist(), found.column.tolist()) == ([[3, 1]], [[3, 2]])
    assert found.value.tolist() == [[9, 5]]


def test_equal_answers_come_in_order_and_least_is_least():
    model = nn.Sequential(nn.Identity())
    values = torch.tensor([[3.0], [1.0], [1.0], [2.0]])
    assert extremes(model, ["0"], values, count=4)["0"].most.image.tolist() == [[0, 3, 1, 2]]
    least = extremes(model, ["0"], values, count=2)["0"].least
    assert least.image.tolist() == [[1, 2]]
    assert least.value.tolist() == [[1.0, 1.0]]


def test_what_a_unit_sees_gives_its_answer():
    """A network without padding puts out the same value for the patch alone."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 3, 3)).eval()
    images = torch.rand(700, 1, 20, 20)  # more than one batch
    found = extremes(model, ["1", "3"], images, count=5)["3"].most
    field = receptive_fields(model, (20, 20))["3"]
    patches = cut(images, found, field)  # (3, 5, 1, 10, 10)
    assert patches.shape == (3, 5, 1, *field.size)
    alone = model(patches.flatten(0, 1)).view(3, 5, 3)
    torch.testing.assert_close(alone.diagonal(dim1=0, dim2=2).T, found.value)
    everywhere = model(images).amax((2, 3))
    torch.testing.assert_close(everywhere.topk(5, dim=0).values.T, found.value)


def test_a_field_that_reaches_over_the_edge_is_filled_with_zeros():
    torch.manual_seed(0)
    model, images = LeNet().eval(), torch.rand(20, 1, 28, 28) + 0.1
    found = extremes(model, ["conv1"], images, count=3)["conv1"].most
    found.row[0, 0] = found.column[0, 0] = 0
    patch = cut(images, found, receptive_fields(model, (28, 28))["conv1"])[0, 0, 0]
    assert patch[:2].eq(0).all()
    assert patch[:, :2].eq(0).all()
    torch.testing.assert_close(patch[2:, 2:], images[found.image[0, 0], 0, :3, :3])


def test_units_of_a_fully_connected_layer_have_one_place():
    torch.manual_seed(0)
    model, images = LeNet().eval(), torch.rand(20, 1, 28, 28)
    found = extremes(model, ["fc2"], images, count=3)["fc2"].most
    assert found.row.eq(0).all()
    expected = record(model, images, layers=["fc2"])["fc2"].topk(3, dim=0)
    torch.testing.assert_close(found.value, expected.values.T)


def test_no_answers_no_patches():
    model, images = LeNet().eval(), torch.rand(2, 1, 28, 28)
    field = receptive_fields(model, (28, 28))["conv1"]
    found = extremes(model, ["conv1"], images, count=2)["conv1"].first(0).most
    assert cut(images, found, field).shape == (0, 2, 1, 5, 5)
