"""A photograph in a deep network: tiles, eyes, and what is left out without its weights."""

import pytest
import torch

from cnnviz.errors import CnnvizError
from cnnviz.nets import shipped
from gen.draw import keys
from gen.draw.render import run_examples, site_context
from gen.figures.photograph.eyes import EYES, answer_to_both
from gen.figures.photograph.photograph import striking
from gen.figures.photograph.tiles import mirrored, shuffled
from gen.settings import Settings

CHAPTERS = {"photograph", "photograph_eyes", "photograph_elsewhere", "photograph_evidence"}


@pytest.fixture
def without_weights(monkeypatch):
    monkeypatch.setattr(shipped, "find_spec", lambda name: None)


def test_shuffled_tiles_are_the_same_tiles():
    image = torch.arange(3 * 4 * 4.0).view(3, 4, 4)
    tiles = {tuple(t.flatten().tolist()) for t in _tiles(image)}
    moved = shuffled(image, 2, seed=1)
    assert {tuple(t.flatten().tolist()) for t in _tiles(moved)} == tiles
    assert not torch.equal(moved, image)


def _tiles(image):
    return [image[:, r : r + 2, c : c + 2] for r in (0, 2) for c in (0, 2)]


def test_mirrored_tiles_stay_where_they_are():
    image = torch.tensor([[[1.0, 2, 3, 4], [5, 6, 7, 8], [0, 0, 0, 0], [0, 0, 9, 0]]])
    sideways = torch.tensor([[[2.0, 1, 4, 3], [6, 5, 8, 7], [0, 0, 0, 0], [0, 0, 0, 9]]])
    upside_down = torch.tensor([[[5.0, 6, 7, 8], [1, 2, 3, 4], [0, 0, 9, 0], [0, 0, 0, 0]]])
    assert torch.equal(mirrored(image, 2, axis=2), sideways)
    assert torch.equal(mirrored(image, 2, axis=1), upside_down)


def test_a_channel_counts_if_both_eyes_are_above_all_else():
    maps = torch.zeros(3, 224, 224)
    (top, _, left, _), (other_top, _, other_left, _) = EYES
    maps[:, top, left] = 1  # one eye, in all three
    maps[0, other_top, other_left] = 1  # both
    maps[1, 0, 0] = 2  # and more elsewhere
    assert answer_to_both(maps) == pytest.approx(1 / 3)


def test_striking_channels_stand_out_on_their_photograph():
    values = torch.randn(4, 5, 6, 6, generator=torch.Generator().manual_seed(0))
    values[2, 3, 1, 1] = 50  # channel 3 on photograph 2
    values[0, 1, 0, 0] = 90  # channel 1 on another
    assert striking(values, 2, 1) == [3]


def test_without_the_package_its_chapters_and_programs_are_left_out(without_weights):
    settings = Settings()
    assert keys.left_out() >= CHAPTERS
    assert "lenet" not in keys.left_out()
    assert not CHAPTERS & set(keys.all_names(settings))
    assert set(keys.chapter_names()) >= CHAPTERS  # a bundle may have them


def test_with_the_package_nothing_is_left_out():
    assert keys.left_out() == set()


def test_without_the_package_a_figure_says_what_to_install(without_weights):
    context = site_context(Settings())
    with pytest.raises(CnnvizError, match="which is not installed"):
        context.model("efficientnet-lite0")


def test_without_the_package_programs_that_need_it_are_not_run(without_weights, monkeypatch):
    ran = []
    monkeypatch.setattr("runpy.run_path", lambda path, run_name: ran.append(path))
    printed = run_examples(site_context(Settings()))
    assert "first_layer" not in printed
    assert "open_photograph" not in printed
    assert "one_neuron" in printed
