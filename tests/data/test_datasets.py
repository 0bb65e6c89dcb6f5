import random
import shutil

import pytest
import torch

from cnnviz import kept
from cnnviz.data import catalogue, datasets, digits
from cnnviz.data.datasets import load
from cnnviz.data.inputs import to_input
from cnnviz.errors import CnnvizError


@pytest.fixture
def few(monkeypatch):
    """Only 200 and 100 made digits."""
    monkeypatch.setattr(catalogue, "MADE", {"train": (200, 1), "test": (100, 2)})


def test_made_digits_are_kept_and_read_back(few, tmp_path):
    first = load("digits", "test", build_dir=tmp_path)
    assert first.images.shape == (100, 1, 28, 28)
    assert first.images.dtype == torch.uint8
    kept = list(tmp_path.rglob("*.pt"))
    assert len(kept) == 1
    again = load("digits", "test", build_dir=tmp_path)
    assert torch.equal(first.images, again.images)
    assert first.styles == again.styles


def test_damaged_data_is_reported_and_made_again(few, tmp_path, capsys):
    first = load("digits", "test", build_dir=tmp_path)
    (kept,) = tmp_path.rglob("*.pt")
    kept.write_bytes(kept.read_bytes()[:1000])
    assert torch.equal(load("digits", "test", build_dir=tmp_path).images, first.images)
    assert "is damaged" in capsys.readouterr().err


@pytest.fixture
def made(few, tmp_path):
    """The kept file of 100 digits, and what it holds."""
    load("digits", "test", build_dir=tmp_path)
    (file,) = tmp_path.rglob("*.pt")
    return file, torch.load(file, weights_only=True)


def test_any_flipped_byte_of_the_made_digits_is_noticed(made, capsys):
    file, _ = made
    whole, chance = file.read_bytes(), random.Random(0)
    for place in chance.sample(range(len(whole)), 300):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        assert datasets._read_kept(file, 100) is None
        said = capsys.readouterr().err
        assert said == f"{file} is damaged (its digest differs); making it again.\n"
    file.write_bytes(whole)
    assert datasets._read_kept(file, 100) is not None


WRONG = {
    "floats": lambda state: state | {"images": state["images"].float()},
    "another size": lambda state: state | {"images": state["images"][..., :14, :14]},
    "fewer": lambda state: {name: values[:50] for name, values in state.items()},
    "labels all 77": lambda state: state | {"labels": torch.full((100,), 77)},
    "labels of bytes": lambda state: state | {"labels": state["labels"].byte()},
    "labels missing": lambda state: {k: v for k, v in state.items() if k != "labels"},
    "styles of numbers": lambda state: state | {"styles": [0] * 100},
    "images a list": lambda state: state | {"images": [0] * 100},
    "a list": lambda state: [1, 2, 3],
    "nothing": lambda state: None,
    "a tensor": lambda state: torch.zeros(3),
}


@pytest.mark.parametrize("digest", ["right", "none"])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_kinds_of_data_are_made_again(made, tmp_path, capsys, wrong, digest):
    file, state = made
    (kept.write if digest == "right" else save_plainly)(file, WRONG[wrong](state))
    again = load("digits", "test", build_dir=tmp_path)
    assert torch.equal(again.images, state["images"])
    assert torch.equal(again.labels, state["labels"])
    assert len(capsys.readouterr().err.splitlines()) == 1
    load("digits", "test", build_dir=tmp_path)
    assert capsys.readouterr().err == ""


def save_plainly(path, state):
    torch.save(state, path)


def test_a_folder_in_the_place_of_the_data(made, tmp_path, monkeypatch):
    file, _ = made
    file.unlink()
    file.mkdir()
    monkeypatch.setattr(digits, "generate", lambda *a: pytest.fail("worked in vain"))
    with pytest.raises(CnnvizError, match="a folder is in the place of that file"):
        load("digits", "test", build_dir=tmp_path)


def test_the_training_hands_are_exaggerated(few):
    train = digits.generate(200, 1, catalogue.SPREAD["train"])
    assert catalogue.SPREAD["train"] > catalogue.SPREAD["test"] == 1
    assert torch.equal(load("digits", "train").images[:, 0], torch.from_numpy(train.images))


def test_train_and_test_differ(few):
    made = {split: load("digits", split).images for split in ("train", "test")}
    train = {image.numpy().tobytes() for image in made["train"]}
    assert not any(image.numpy().tobytes() in train for image in made["test"])


def test_input_is_between_zero_and_one():
    assert to_input(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [0, 1]


def test_unknown_names():
    with pytest.raises(CnnvizError, match="Unknown dataset 'mnits'. Did you mean 'mnist'"):
        load("mnits")
    with pytest.raises(CnnvizError, match="Unknown split 'testing'. Did you mean 'test'"):
        load("digits", "testing")


def test_missing_folder_and_missing_files(tmp_path):
    with pytest.raises(CnnvizError, match="--data-dir DIR"):
        load("mnist")
    with pytest.raises(CnnvizError, match=r"No files of 'fashion-mnist'.*--download"):
        load("fashion-mnist", data_dir=tmp_path)


def test_the_real_files(real_digits_dir):
    train, test = (load("mnist", split, data_dir=real_digits_dir) for split in ("train", "test"))
    assert (len(train), len(test)) == (2000, 500)
    assert train.images.shape[1:] == (1, 28, 28)
    assert train.class_names == tuple("0123456789")
    assert set(train.labels.tolist()) == set(range(10))


def test_truncated_and_inconsistent_files(real_digits_dir, tmp_path):
    shutil.copytree(real_digits_dir / "MNIST", tmp_path / "MNIST")
    raw = tmp_path / "MNIST" / "raw"
    for folder in (raw, *raw.iterdir()):
        folder.chmod(0o755)
    images = raw / "t10k-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:5000])
    with pytest.raises(CnnvizError, match=r"truncated or damaged.*--download"):
        load("mnist", "test", data_dir=tmp_path)
    shutil.copy(raw / "t10k-labels-idx1-ubyte", raw / "train-labels-idx1-ubyte")
    with pytest.raises(CnnvizError, match="2000 images but 500 labels"):
        load("mnist", "train", data_dir=tmp_path)


def test_data_key_follows_the_files(real_digits_dir, tmp_path):
    assert catalogue.data_key("mnist", real_digits_dir) != catalogue.data_key("mnist", tmp_path)
    assert catalogue.data_key("digits") == catalogue.data_key("digits", tmp_path)
