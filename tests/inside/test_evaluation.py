import math

import torch
from torch import nn

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
