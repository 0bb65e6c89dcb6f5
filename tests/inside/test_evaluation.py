import math

import pytest
import torch
from torch import nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.evaluation import accuracy, evaluate, predict, shift


def test_accuracy_and_confusion():
    """Answers 0, 1, 1 for truths 0, 0, 1: two of three right; class "c" has no image."""
    logits = torch.tensor([[2.0, 1, 0], [0, 3, 1], [0, 1, 0]])
    labels = torch.tensor([0, 0, 1])
    result = evaluate(logits, labels, ("a", "b", "c"))
    assert result.accuracy == accuracy(logits, labels) == 2 / 3
    assert result.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert result.per_class["a"] == 0.5
    assert result.per_class["b"] == 1
    assert math.isnan(result.per_class["c"])


def test_predict_restores_training_mode_and_ignores_batching():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 2)).train()
    images = torch.rand(1201, 1, 2, 2)
    logits = predict(model, images)
    assert model.training
    assert not logits.requires_grad
    expected = model[2](images.flatten(1))
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-6)


def test_shift_moves_and_fills_with_zero():
    image = torch.arange(1, 10).reshape(1, 1, 3, 3)
    assert shift(image, 1, 0)[0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert shift(image, 0, -2)[0, 0].tolist() == [[3, 0, 0], [6, 0, 0], [9, 0, 0]]
    assert torch.equal(shift(image, 0, 0), image)
    assert shift(image, 3, 0).sum() == 0
    assert shift(image, 0, 5).sum() == 0


@pytest.mark.parametrize("training", [True, False])
def test_predict_gives_each_module_its_own_mode_back(training):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5)).train(training)
    model[1].training = not training  # frozen, or Monte Carlo dropout
    before = [module.training for module in model.modules()]
    predict(model, torch.rand(3, 1, 5, 5))
    assert [module.training for module in model.modules()] == before
    with pytest.raises(RuntimeError):
        predict(model, torch.rand(3, 2, 5, 5))
    assert [module.training for module in model.modules()] == before


class Folder:
    """Images that are read when they are asked for."""

    def __len__(self):
        return 7

    def __getitem__(self, index):
        return torch.arange(7.0, dtype=torch.float64)[index, None]


def test_predict_reads_images_on_demand_in_the_type_of_the_model():
    model = nn.Linear(1, 2).bfloat16()
    logits = predict(model, Folder(), batch=3)
    assert (logits.shape, logits.dtype) == ((7, 2), torch.bfloat16)


class Heads(nn.Module):
    """Doubles its inputs in place, and has two heads."""

    def forward(self, x, y):
        x *= 2
        return {"sum": x + y, "difference": x - y}


def test_predict_of_several_inputs_and_heads_leaves_the_inputs_alone():
    x, y = torch.rand(5, 3), torch.rand(5, 3)
    given = x.clone()
    logits = predict(Heads(), (x, y), output="difference", batch=2)
    assert torch.equal(logits, 2 * given - y)
    assert torch.equal(predict(Heads(), {"y": y, "x": x}, output="sum"), 2 * given + y)
    assert torch.equal(x, given)
    with pytest.raises(CnnvizError, match=r"\[sum\]"):
        predict(Heads(), (x, y))
    with pytest.raises(CnnvizError, match="No images"):
        predict(Heads(), (x[:0], y[:0]))


def test_labels_that_are_no_classes():
    with pytest.raises(CnnvizError, match="labels from 0 to 1"):
        evaluate(torch.zeros(2, 2), torch.tensor([0, 2]), ("a", "b"))
