"""Linear probes against scikit-learn's ridge regression, and what holds of every probe."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cnnviz.errors import CnnvizError
from cnnviz.inside.probes import fit_probe


@pytest.fixture
def clusters() -> tuple[Tensor, Tensor]:
    """300 points (2, 3, 2) around four centres, and which centre."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 4
    centres = 3 * torch.randn(4, 2, 3, 2, generator=generator)
    return centres[labels] + torch.randn(300, 2, 3, 2, generator=generator), labels


def test_it_is_ridge_regression(clusters: tuple[Tensor, Tensor]) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, labels = clusters
    x = features.flatten(1).double()
    alpha = 0.3 * (x - x.mean(0)).square().sum(0).mean().item()
    expected = linear_model.Ridge(alpha=alpha).fit(x.numpy(), torch.eye(4)[labels].numpy())
    probe = fit_probe(features, labels, 4, penalty=0.3)
    assert torch.allclose(probe.weight, torch.from_numpy(expected.coef_).T, atol=1e-8)
    assert torch.allclose(probe.bias, torch.from_numpy(expected.intercept_), atol=1e-8)


def test_it_separates_what_a_line_separates(clusters: tuple[Tensor, Tensor]) -> None:
    features, labels = clusters
    answers = fit_probe(features, labels, 4).scores(features).argmax(1)
    assert (answers == labels).double().mean() > 0.97


def test_the_scores_of_an_image_add_up_to_one(clusters: tuple[Tensor, Tensor]) -> None:
    features, labels = clusters
    scores = fit_probe(features, labels, 4).scores(torch.randn(7, 2, 3, 2))
    assert torch.allclose(scores.sum(1), torch.ones(7, dtype=torch.float64))


def test_the_scale_of_the_features_changes_nothing(clusters: tuple[Tensor, Tensor]) -> None:
    features, labels = clusters
    one = fit_probe(features, labels, 4).scores(features)
    other = fit_probe(1000 * features, labels, 4).scores(1000 * features)
    assert torch.allclose(one, other, atol=1e-6)


def test_a_layer_of_constants_tells_only_how_frequent_the_classes_are() -> None:
    labels = torch.tensor([0, 1, 1, 1])
    scores = fit_probe(torch.full((4, 3), 2.0), labels, 2).scores(torch.full((1, 3), 2.0))
    assert scores[0].tolist() == pytest.approx([0.25, 0.75])


def test_a_wrong_penalty_or_number_of_labels() -> None:
    features = torch.zeros(3, 2)
    with pytest.raises(CnnvizError, match="above 0"):
        fit_probe(features, torch.tensor([0, 1, 0]), 2, penalty=0)
    with pytest.raises(CnnvizError, match="2 labels"):
        fit_probe(features, torch.tensor([0, 1]), 2)


def test_a_wide_layer_asks_for_no_more_than_its_images(clusters: tuple[Tensor, Tensor]) -> None:
    """More features than images: the same answer from the smaller system."""
    features, labels = clusters
    wide, few = features[:9].flatten(1), labels[:9]
    probe = fit_probe(wide, few, 4)
    twice = fit_probe(torch.cat([wide, wide]), torch.cat([few, few]), 4)  # solved the other way
    assert torch.allclose(probe.weight, twice.weight)
    assert torch.allclose(probe.bias, twice.bias)
    assert fit_probe(torch.rand(20, 64, 40, 40), torch.arange(20) % 2, 2).weight.shape[0] == 102_400


def test_bad_features_and_labels() -> None:
    with pytest.raises(CnnvizError, match="2 of 4 features are NaN"):
        fit_probe(torch.tensor([[1.0, torch.nan], [torch.inf, 0]]), torch.tensor([0, 1]), 2)
    with pytest.raises(CnnvizError, match="0 to 2 with 2 classes"):
        fit_probe(torch.zeros(2, 2), torch.tensor([0, 2]), 2)
    with pytest.raises(CnnvizError, match="0 features"):
        fit_probe(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), 2)
