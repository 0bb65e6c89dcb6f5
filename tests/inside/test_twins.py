"""Pairing units, where the answer is known."""

import pytest
import torch

from cnnviz.errors import CnnvizError
from cnnviz.inside.twins import correlations, explained, pair


def test_a_reordered_network_is_found_out():
    torch.manual_seed(0)
    first = torch.randn(50, 6, 4, 4)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    second = 2 * first[:, order] + 1  # scale and offset do not matter
    found = pair(first, second)
    assert order[found.partner].tolist() == list(range(6))
    torch.testing.assert_close(found.correlation, torch.ones(6))


def test_correlation_is_that_of_torch():
    torch.manual_seed(0)
    first, second = torch.randn(30, 3), torch.randn(30, 2)
    expected = torch.corrcoef(torch.cat([first, second], 1).T)[:3, 3:]
    torch.testing.assert_close(correlations(first, second), expected)


def test_a_unit_that_never_changes_goes_with_none():
    first = torch.stack([torch.zeros(10), torch.arange(10.0)], 1)
    assert pair(first, first).correlation.tolist() == pytest.approx([0, 1])


def test_maps_of_another_size_are_refused():
    with pytest.raises(CnnvizError, match=r"\(2, 3, 4, 4\) and \(2, 3, 5, 5\)"):
        pair(torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 5, 5))


def test_fewer_partners_than_units():
    torch.manual_seed(0)
    first = torch.randn(40, 3)
    found = pair(first, first[:, [2, 0]])
    assert found.partner.tolist() == [1, -1, 0]
    assert found.correlation.tolist() == pytest.approx([1, 0, 1], abs=1e-5)


def test_explained_is_the_r_squared_of_a_regression():
    torch.manual_seed(0)
    first, second = torch.randn(200, 4), torch.randn(200, 3)
    first[:, 0] += 2 * second[:, 1]
    first[:, 1] = second @ torch.tensor([1.0, -2.0, 0.5]) + 3  # nothing is left to chance
    inputs = torch.cat([second, torch.ones(200, 1)], 1)
    left = first - inputs @ torch.linalg.lstsq(inputs, first).solution
    expected = 1 - left.var(0) / first.var(0)
    found = explained(correlations(first, second), correlations(second, second))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert found[1] == pytest.approx(1, abs=1e-4)


def test_dead_and_doubled_units_do_no_harm_to_the_regression():
    torch.manual_seed(0)
    second = torch.randn(50, 2)
    second = torch.cat([second, second, torch.zeros(50, 1)], 1)
    first = torch.stack([second[:, 0] + second[:, 1], torch.zeros(50)], 1)
    found = explained(correlations(first, second), correlations(second, second))
    assert found.tolist() == pytest.approx([1, 0], abs=1e-4)
