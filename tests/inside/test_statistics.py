"""Statistics of layers against NumPy, however the images are cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnviz.inside.selection import Selection, joined
from cnnviz.inside.statistics import COUNTED, LayerStatistics, Sums, glance, statistics
from cnnviz.inside.tally import BINS, alike, tally

SHAPES = [(13, 5), (13, 3, 7, 9), (13, 4, 40, 41), (13, 2, 11), (13, 2, 3, 4, 5), (13,)]


def values(shape: tuple[int, ...]) -> Tensor:
    """Half of them zero, some equal."""
    torch.manual_seed(0)
    return (3 * torch.randn(shape)).clamp(min=-1).mul(8).round().div(8)


def in_parts(output: Tensor, size: int, labels: Tensor, classes: int) -> LayerStatistics:
    sums, selection = Sums(classes), Selection(4)
    for first in range(0, len(output), size):
        part = slice(first, first + size)
        sums.add(glance(output[part], first, selection), labels[part])
    return sums.statistics(selection.extremes())


@pytest.mark.parametrize("size", [1, 4, 13])
@pytest.mark.parametrize("shape", SHAPES)
def test_against_numpy(shape: tuple[int, ...], size: int) -> None:
    output, labels = values(shape), torch.arange(13) % 3
    found = in_parts(output, size, labels, 4)
    channels = shape[1] if len(shape) > 1 else 1
    plain = output.reshape(13, channels, -1).double().numpy()  # (N, C, P)
    assert (found.images, found.places, found.channels) == (13, plain.shape[2], plain.shape[1])
    assert (found.low, found.high) == (plain.min(), plain.max())
    assert found.zeros == pytest.approx((plain == 0).mean(), rel=1e-12)
    assert found.positive == pytest.approx((plain > 0).mean(), rel=1e-12)
    assert found.active.tolist() == pytest.approx((plain > 0).any(2).mean(0).tolist())
    assert found.above.tolist() == pytest.approx((plain > 0).mean((0, 2)).tolist())
    assert found.mean.tolist() == pytest.approx(plain.mean((0, 2)).tolist(), abs=1e-6)
    expected = plain.transpose(1, 0, 2).reshape(plain.shape[1], -1).std(1, ddof=1)
    assert found.std.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert found.lowest.tolist() == plain.min((0, 2)).tolist()
    assert found.highest.tolist() == plain.max((0, 2)).tolist()
    assert found.by_class is not None
    for group in range(3):
        mean = plain[group::3].mean((0, 2))
        assert found.by_class[:, group].tolist() == pytest.approx(mean.tolist(), abs=1e-6)
    assert found.by_class[:, 3].tolist() == [0] * plain.shape[1]  # no image is of it


@pytest.mark.parametrize("size", [1, 4, 13])
@pytest.mark.parametrize("shape", SHAPES[:4])
def test_extremes_are_those_of_a_stable_sort(shape: tuple[int, ...], size: int) -> None:
    output = values(shape)
    found = in_parts(output, size, torch.zeros(13, dtype=torch.int64), 1)
    flat = output.flatten(2) if output.dim() > 2 else output[:, :, None]  # (N, C, P)
    for answers, (value, place), down in (
        (found.most, flat.max(2), True), (found.least, flat.min(2), False)
    ):  # fmt: skip
        order = value.sort(dim=0, descending=down, stable=True).indices[:4]
        assert torch.equal(answers.image, order.T)
        assert torch.equal(answers.value, value.gather(0, order).T)
        width = shape[-1] if len(shape) > 2 else 1
        assert torch.equal(answers.row * width + answers.column, place.gather(0, order).T)


def test_selections_of_several_processes_are_one() -> None:
    """Images dealt out in turn, the later process first: equal answers keep their order."""
    output = values((24, 6, 5, 5)).round()
    whole = statistics(output, extremes=5)
    dealt = [Selection(5), Selection(5)]
    for shard in range(6):
        dealt[shard % 2].add(output[4 * shard : 4 * shard + 4], 4 * shard)
    found = joined(reversed(dealt)).extremes()
    for own, expected in ((found.most, whole.most), (found.least, whole.least)):
        for name in ("image", "row", "column", "value"):
            assert torch.equal(getattr(own, name), getattr(expected, name))


def test_a_mean_far_from_zero_does_not_hide_the_spread() -> None:
    torch.manual_seed(1)
    output = 10_000 + torch.randn(20, 3, 30, 30)
    expected = output.double().transpose(0, 1).flatten(1).std(1)
    assert statistics(output).std.tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    assert statistics(torch.full((4, 1, 3, 3), 7.3)).std.tolist() == pytest.approx([0], abs=1e-5)


def test_integers_halves_and_gradients_are_numbers_too() -> None:
    for dtype in (torch.int64, torch.bool, torch.bfloat16, torch.float64):
        found = statistics(torch.tensor([[0, 1], [1, 1]]).to(dtype))
        assert (found.zeros, found.high, found.mean.tolist()) == (0.25, 1, [0.5, 1])
    assert statistics(torch.ones(2, 1, requires_grad=True)).mean.tolist() == [1]


# --- Tallies


def test_a_tally_counts_like_numpy() -> None:
    torch.manual_seed(2)
    counted = tally(data := torch.randn(5000))
    assert len(counted.counts) <= BINS
    assert counted.counts.tolist() == np.histogram(data.double(), counted.edges)[0].tolist()
    assert 0 in counted.edges.tolist()


def test_a_tally_is_the_same_however_the_values_are_cut() -> None:
    torch.manual_seed(3)
    parts = [torch.randn(100) * 10.0**n for n in (-3, 2, 0, -20)] + [torch.zeros(7)]
    whole = tally(torch.cat(parts))
    for order in ((0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (1, 4, 0, 3, 2)):
        tallies = [tally(parts[n]) for n in order]
        found = sum(tallies[1:], tallies[0])
        assert (found.exponent, found.first) == (whole.exponent, whole.first)
        assert torch.equal(found.counts, whole.counts)


def test_a_tally_leaves_out_what_is_not_finite() -> None:
    assert tally(torch.tensor([1.0, torch.nan, torch.inf])).total == 1
    assert tally(torch.tensor([torch.nan])).total == 0
    assert (tally(torch.tensor([torch.nan])) + tally(torch.ones(3))).total == 3


def test_tallies_alike_share_their_edges() -> None:
    few, many = alike([tally(torch.rand(50)), tally(100 * torch.rand(50))], most=16)
    assert few.exponent == many.exponent
    assert 8 < len(many.counts) <= 16
    assert few.total == many.total == 50


def test_of_large_layers_every_row_and_column_is_counted() -> None:
    output = torch.arange(64.0).repeat(2, 4, 200, 1)  # value = column
    found = statistics(output).histogram
    assert COUNTED / 2 < found.total <= COUNTED
    counts = found.coarser(0).counts.double()
    assert len(counts) == 64
    assert counts.std() < 0.01 * counts.mean()
