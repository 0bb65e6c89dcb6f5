"""Brief training: one step is the optimiser's own, the same seed gives the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnviz.data.datasets import Dataset
from cnnviz.data.inputs import to_input
from cnnviz.errors import CnnvizError
from cnnviz.training.brief import train_briefly, train_on

_IMAGES = torch.randint(256, (40, 1, 28, 28), generator=torch.Generator().manual_seed(0))
_DATA = Dataset("some", "train", _IMAGES.byte(), torch.arange(40) % 10, tuple("0123456789"))


def _model() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10))


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before() -> None:
    first, second = _model(), _model()
    losses = train_briefly(first, _DATA, 5, 0.01)
    torch.rand(7)
    assert train_briefly(second, _DATA, 5, 0.01) == losses
    assert len(losses) == 5
    assert torch.equal(first[2].weight, second[2].weight)  # type: ignore[index]
    assert not first.training


def test_the_state_of_the_callers_generator_is_kept() -> None:
    model = _model()
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    train_briefly(model, _DATA, 2, 0.01)
    assert torch.equal(torch.rand(1), expected)


def test_one_step_of_sgd_goes_against_the_gradient() -> None:
    """Every draw of a data set with one image is that image."""
    one = Dataset("one", "train", _DATA.images[:1], _DATA.labels[:1], _DATA.class_names)
    layer = nn.Linear(784, 10)
    model = nn.Sequential(nn.Flatten(), layer)
    weight = layer.weight.detach().clone().requires_grad_()
    logits = to_input(one.images).flatten(1) @ weight.T + layer.bias.detach()
    loss = F.cross_entropy(logits, one.labels)
    (gradient,) = torch.autograd.grad(loss, weight)
    losses = train_briefly(model, one, 1, 0.5, optimizer="sgd", weight_decay=0.1, batch_size=3)
    assert losses == pytest.approx([loss.item()])
    wanted = weight - 0.5 * (gradient + 0.1 * weight)
    assert torch.allclose(layer.weight, wanted, atol=1e-6)


def test_unknown_optimizer() -> None:
    with pytest.raises(CnnvizError, match="adamw"):
        train_briefly(_model(), _DATA, 1, 0.1, optimizer="adamv")


def test_after_each_step_the_weights_can_be_looked_at() -> None:
    """What is seen after the last step is what the model ends with."""
    model, seen = nn.Sequential(nn.Linear(4, 2)), {}
    inputs, labels = torch.eye(4), torch.tensor([0, 1, 0, 1])

    def look(step: int) -> None:
        seen[step] = model[0].weight.detach().clone()

    train_on(model, inputs, labels, 3, 0.1, after=look)
    assert list(seen) == [1, 2, 3]
    assert torch.equal(seen[3], model[0].weight)
    assert not torch.equal(seen[1], seen[2])
