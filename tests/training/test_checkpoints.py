import random
from dataclasses import replace

import pytest
import torch

from cnnviz import kept
from cnnviz.data import catalogue
from cnnviz.errors import CnnvizError
from cnnviz.training import checkpoints
from cnnviz.training import fit as training
from cnnviz.training.checkpoints import read, save, trained
from cnnviz.training.fit import fit
from cnnviz.training.recipe import Recipe, checkpoint_path, recipe_key
from cnnviz.training.weights import weights_digest

RECIPE = Recipe("lenet", steps=3, batch_size=16)


@pytest.fixture
def result(small_digits):
    return fit(RECIPE, small_digits, small_digits, progress=False)


def test_what_is_saved_is_read(result, tmp_path):
    path = tmp_path / "net.pt"
    save(result, path)
    again = read(path, RECIPE)
    assert weights_digest(again.weights) == weights_digest(result.weights)
    assert again.history == result.history
    assert list(again.snapshots) == list(result.snapshots)
    x = torch.rand(2, 1, 28, 28)
    assert torch.equal(again.model()(x), result.model()(x))


def test_missing_truncated_and_altered_files(result, tmp_path):
    path = tmp_path / "net.pt"
    with pytest.raises(CnnvizError, match="No checkpoint.*cnnviz train"):
        read(path)
    save(result, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CnnvizError, match="is damaged"):
        read(path)
    path.write_bytes(whole)
    state = torch.load(path, weights_only=True)
    state["weights"]["conv1.bias"][0] += 1
    torch.save(state, path)
    with pytest.raises(CnnvizError, match="digest differs"):
        read(path)


def test_any_flipped_byte_is_noticed(result, tmp_path):
    path = tmp_path / "net.pt"
    save(result, path)
    whole, chance = path.read_bytes(), random.Random(0)
    for place in chance.sample(range(len(whole)), 100):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(CnnvizError, match=r"is damaged, or never was one \(its digest differs"):
            read(path)


@pytest.mark.parametrize(
    "state", [[1, 2], None, {}, {"recipe": {"model": "lenet"}}, {"recipe": {"steps": 0}}]
)
def test_files_of_another_kind(tmp_path, state):
    path = tmp_path / "net.pt"
    kept.write(path, state)
    with pytest.raises(CnnvizError, match=r"never was one \(it holds something else\)"):
        read(path)


def test_nobody_is_told_to_delete_a_file_of_theirs(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("# Precious\n")
    for theirs in (path, tmp_path):
        with pytest.raises(CnnvizError, match="is damaged, or never was one") as caught:
            read(theirs)
        assert "delete" not in str(caught.value).replace(str(theirs), "").lower()


def test_a_file_that_runs_code_is_refused(tmp_path):
    path = tmp_path / "net.pt"
    torch.save({"weights": print}, path)
    with pytest.raises(CnnvizError, match="is damaged"):
        read(path)


def test_another_recipe_is_named(result, tmp_path):
    path = tmp_path / "net.pt"
    save(result, path)
    with pytest.raises(CnnvizError, match=r"another recipe \(differs in seed, batch_size\)"):
        read(path, replace(RECIPE, seed=3, batch_size=8))


def test_trained_once_then_read_and_made_again_when_damaged(
    small_digits, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(catalogue, "MADE", {"train": (100, 1), "test": (50, 2)})
    first = trained(RECIPE, build_dir=tmp_path, progress=False)
    calls = []
    monkeypatch.setattr(
        checkpoints, "fit", lambda *a, **k: calls.append(1) or training.fit(*a, **k)
    )
    again = trained(RECIPE, build_dir=tmp_path, progress=False)
    assert not calls
    path = checkpoint_path(RECIPE, tmp_path)
    path.write_bytes(b"damaged")
    third = trained(RECIPE, build_dir=tmp_path, progress=False)
    assert calls == [1]
    assert "is damaged" in capsys.readouterr().err
    digests = {weights_digest(t.weights) for t in (first, again, third)}
    assert len(digests) == 1
    assert [p.suffix for p in path.parent.iterdir()] == [".pt"]


@pytest.fixture
def blocks_of_one(monkeypatch):
    """Something to go on from after each step, and few digits."""
    monkeypatch.setattr(training, "BLOCK", 1)
    monkeypatch.setattr(catalogue, "MADE", {"train": (100, 1), "test": (50, 2)})


def test_the_unfinished_run_is_kept_until_the_network_is_saved(
    tmp_path, monkeypatch, blocks_of_one
):
    path = checkpoint_path(RECIPE, tmp_path)

    def fail(trained, path):
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(checkpoints, "save", fail)
        with pytest.raises(KeyboardInterrupt):
            trained(RECIPE, build_dir=tmp_path, progress=False)
    assert [file.suffix for file in path.parent.iterdir()] == [".partial"]
    steps, update = [], training._Run._update

    def counted(run, images, labels):
        steps.append(run.step)
        return update(run, images, labels)

    monkeypatch.setattr(training._Run, "_update", counted)
    result = trained(RECIPE, build_dir=tmp_path, progress=False)
    assert steps == [2]
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert weights_digest(read(path, RECIPE).weights) == weights_digest(result.weights)


@pytest.mark.parametrize("suffix", [".pt", ".partial"])
def test_a_folder_in_the_place_of_a_file_is_said_before_training(
    tmp_path, monkeypatch, blocks_of_one, suffix
):
    checkpoint_path(RECIPE, tmp_path).with_suffix(suffix).mkdir(parents=True)
    monkeypatch.setattr(checkpoints, "fit", lambda *a, **k: pytest.fail("worked in vain"))
    with pytest.raises(CnnvizError, match="a folder is in the place of that file"):
        trained(RECIPE, build_dir=tmp_path, progress=False)


def test_an_unwritable_folder(tmp_path, result):
    (tmp_path / "models").write_text("a file, not a folder")
    with pytest.raises(CnnvizError, match="Cannot write"):
        save(result, tmp_path / "models" / "net.pt")


def test_the_key_follows_the_recipe():
    keys = {
        recipe_key(r) for r in (RECIPE, replace(RECIPE, seed=1), replace(RECIPE, scramble=True))
    }
    assert len(keys) == 3
    assert recipe_key(RECIPE) == recipe_key(replace(RECIPE))
