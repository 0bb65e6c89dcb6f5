"""Calibration: a case worked by hand, networks calibrated by construction, a known temperature."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.inside.calibration import fit_temperature, reliability


def _calibrated(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and labels drawn from just the probabilities that they give."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, 5, generator=generator)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]


def test_three_answers_by_hand() -> None:
    """Confidences 0.6, 0.8 (both in the upper half, one right) and 0.45 of three classes."""
    logits = torch.tensor([[0.6, 0.2, 0.2], [0.8, 0.1, 0.1], [0.45, 0.4, 0.15]]).log()
    found = reliability(logits, torch.tensor([0, 1, 0]), bins=2)
    assert found.counts.tolist() == [1, 2]
    assert found.confidence.tolist() == pytest.approx([0.45, 0.7])
    assert found.accuracy.tolist() == [1.0, 0.5]
    assert found.error == pytest.approx((0.55 * 1 + 0.2 * 2) / 3)


def test_certain_answers_are_in_the_last_interval_and_empty_ones_count_nothing() -> None:
    found = reliability(torch.tensor([[900.0, 0.0]]), torch.tensor([0]), bins=4)
    assert found.counts.tolist() == [0, 0, 0, 1]
    assert found.error == 0


def test_a_calibrated_network_has_no_error_and_needs_no_temperature() -> None:
    logits, labels = _calibrated(200_000)
    assert reliability(logits, labels).error < 0.01
    assert fit_temperature(logits, labels) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_logits_of_a_wrong_size_are_found_out(factor: float) -> None:
    logits, labels = _calibrated(20_000)
    found = fit_temperature(logits * factor, labels)
    assert found == pytest.approx(factor * fit_temperature(logits, labels), rel=1e-5)


def test_no_other_temperature_has_a_lower_loss() -> None:
    logits, labels = _calibrated(500)
    best = fit_temperature(logits, labels)
    least = F.cross_entropy(logits.double() / best, labels)
    for other in (0.5 * best, 0.99 * best, 1.01 * best, 2 * best):
        assert F.cross_entropy(logits.double() / other, labels) > least


def test_nothing_to_sort() -> None:
    with pytest.raises(CnnvizError, match="at least 1"):
        reliability(torch.empty(0, 3), torch.empty(0, dtype=torch.int64))
