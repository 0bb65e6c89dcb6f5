"""Pairing units, where the answer is known."""

import pytest
import torch

from cnnviz.errors import CnnvizError
from cnnviz.twins import correlations, pair


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
