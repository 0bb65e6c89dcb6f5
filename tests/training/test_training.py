import random
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from cnnviz import kept
from cnnviz.data.inputs import pixel_permutation, scramble, to_input
from cnnviz.errors import CnnvizError
from cnnviz.files import DamagedError
from cnnviz.nets import networks
from cnnviz.training import fit as training
from cnnviz.training.fit import fit, resolve_device, snapshot_steps
from cnnviz.training.recipe import Recipe
from cnnviz.training.runs import named
from cnnviz.training.weights import weights_digest

SHORT = Recipe("lenet", steps=24, batch_size=32)


@pytest.fixture
def short_blocks(monkeypatch):
    monkeypatch.setattr(training, "BLOCK", 10)


def test_same_recipe_same_bytes_and_other_seed_other_bytes(small_digits):
    first, again = (fit(SHORT, small_digits, small_digits, progress=False) for _ in range(2))
    other = fit(replace(SHORT, seed=1), small_digits, small_digits, progress=False)
    assert weights_digest(first.weights) == weights_digest(again.weights)
    assert weights_digest(first.weights) != weights_digest(other.weights)
    assert first.history.loss == again.history.loss


def test_it_learns(small_digits):
    result = fit(replace(SHORT, steps=150), small_digits, small_digits, progress=False)
    assert result.history.accuracy[-1] > 0.7 > result.history.accuracy[0]


@pytest.mark.parametrize("model", networks.names())
def test_an_interrupted_run_resumes_to_the_same_bytes(
    model, small_digits, tmp_path, short_blocks, monkeypatch
):
    recipe = replace(SHORT, model=model)
    whole = fit(recipe, small_digits, small_digits, progress=False)
    resume_file = tmp_path / "run.partial"
    update = training._Run._update

    def stop_at_17(run, images, labels):
        if run.step == 17:
            raise KeyboardInterrupt
        return update(run, images, labels)

    monkeypatch.setattr(training._Run, "_update", stop_at_17)
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, small_digits, small_digits, resume_file=resume_file, progress=False)
    assert torch.load(resume_file, weights_only=True)["step"] == 10
    monkeypatch.setattr(training._Run, "_update", update)
    resumed = fit(recipe, small_digits, small_digits, resume_file=resume_file, progress=False)
    assert weights_digest(resumed.weights) == weights_digest(whole.weights)
    assert resumed.history.loss == whole.history.loss
    assert list(resumed.snapshots) == list(whole.snapshots)
    assert resume_file.exists()  # until the result is saved, there is nothing else


def test_a_damaged_resume_file_is_reported_and_ignored(small_digits, tmp_path, capsys):
    resume_file = tmp_path / "run.partial"
    resume_file.write_bytes(b"not a checkpoint")
    result = fit(SHORT, small_digits, small_digits, resume_file=resume_file, progress=False)
    assert len(result.history.loss) == SHORT.steps
    assert "damaged" in capsys.readouterr().err


def test_any_flipped_byte_of_a_resume_file_is_noticed(small_digits, tmp_path, short_blocks):
    file = tmp_path / "run.partial"
    fit(SHORT, small_digits, small_digits, resume_file=file, progress=False)
    whole, chance = file.read_bytes(), random.Random(0)
    for place in chance.sample(range(len(whole)), 200):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        with pytest.raises(DamagedError, match="its digest differs"):
            kept.read(file)


OTHER_STATES = {
    "a list": lambda state: [1, 2],
    "nothing": lambda state: None,
    "empty": lambda state: {},
    "the recipe alone": lambda state: {"recipe": state["recipe"]},
    "weights of other shapes": lambda state: state | {"model": networks.build("mlp").state_dict()},
    "an optimizer of nothing": lambda state: state | {"optimizer": {}},
    "a history of nothing": lambda state: state | {"history": {"x": 1}},
    "snapshots a list": lambda state: state | {"snapshots": [1]},
}


@pytest.mark.parametrize("other", OTHER_STATES)
def test_a_resume_file_of_another_kind_is_said_and_leaves_no_trace(
    small_digits, tmp_path, short_blocks, capsys, other
):
    file = tmp_path / "run.partial"
    whole = fit(SHORT, small_digits, small_digits, resume_file=file, progress=False)
    kept.write(file, OTHER_STATES[other](torch.load(file, weights_only=True)))
    result = fit(SHORT, small_digits, small_digits, resume_file=file, progress=False)
    said = capsys.readouterr().err
    assert said.startswith(f"{file} is damaged (")
    assert said.endswith("; starting again.\n")
    assert len(said.splitlines()) == 1
    assert weights_digest(result.weights) == weights_digest(whole.weights)
    assert result.history.loss == whole.history.loss


def test_a_resume_file_of_another_recipe_is_ignored(small_digits, tmp_path, short_blocks):
    resume_file = tmp_path / "run.partial"
    kept.write(resume_file, {"recipe": {"model": "mlp"}})
    whole = fit(SHORT, small_digits, small_digits, progress=False)
    result = fit(SHORT, small_digits, small_digits, resume_file=resume_file, progress=False)
    assert weights_digest(result.weights) == weights_digest(whole.weights)


def test_snapshots_begin_at_random_and_end_at_the_weights(small_digits):
    result = fit(SHORT, small_digits, small_digits, progress=False)
    assert list(result.snapshots) == snapshot_steps(24) == [0, 1, 2, 4, 8, 16, 24]
    torch.manual_seed(SHORT.seed)
    fresh = networks.build("lenet").state_dict()
    assert weights_digest(result.snapshots[0]) == weights_digest(fresh)
    assert weights_digest(result.snapshots[24]) == weights_digest(result.weights)
    with pytest.raises(CnnvizError, match=r"No snapshot at step 3. There are: 0, 1, 2, 4"):
        result.model(step=3)


def test_the_first_loss_is_that_of_a_plain_forward_pass(small_digits):
    """All images in one batch, no shift: the mean over them does not depend on their order."""
    recipe = replace(SHORT, steps=1, batch_size=len(small_digits), max_shift=0, label_smoothing=0)
    result = fit(recipe, small_digits, small_digits, progress=False)
    torch.manual_seed(recipe.seed)
    model = networks.build("lenet")
    expected = F.cross_entropy(model(to_input(small_digits.images)), small_digits.labels)
    assert result.history.loss[0] == pytest.approx(expected.item(), rel=1e-5)


def test_settings_and_random_state_of_the_caller_are_left_alone(small_digits):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    fit(replace(SHORT, steps=2), small_digits, small_digits, progress=False)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_batches_are_the_shifted_images(small_digits, shift):
    """Every image of a block is one of the training images, moved, with its own label."""
    recipe = replace(SHORT, max_shift=shift)
    run = training._Run(recipe, small_digits, small_digits, torch.device("cpu"), None)
    padded = torch.nn.functional.pad(small_digits.images[:, 0], (shift,) * 4)
    moved = {
        (down, right): padded[:, down : down + 28, right : right + 28]
        for down in range(2 * shift + 1)
        for right in range(2 * shift + 1)
    }
    corner_of = {
        (image.numpy().tobytes(), int(label)): corner
        for corner, images in moved.items()
        for image, label in zip(images, small_digits.labels, strict=True)
    }
    seen = set()
    for images, labels in run._block():
        assert images.shape == (recipe.batch_size, 1, 28, 28)
        for image, label in zip((images * 255).round().byte(), labels, strict=True):
            seen.add(corner_of[image.numpy().tobytes(), int(label)])
    assert seen == set(moved)


def test_scramble_is_one_fixed_permutation(small_digits):
    images = to_input(small_digits.images[:2])
    scrambled = scramble(images)
    order = pixel_permutation(784)
    assert sorted(order.tolist()) == list(range(784))
    assert torch.equal(scrambled[1].flatten(), images[1].flatten()[order])
    assert not torch.equal(scrambled, images)


def test_a_diverging_run_is_an_error(small_digits):
    recipe = replace(SHORT, peak_learning_rate=1e30)
    with pytest.raises(CnnvizError, match="no longer finite.*peak_learning_rate"):
        fit(recipe, small_digits, small_digits, progress=False)


def test_images_of_another_shape(small_digits):
    coloured = replace(small_digits, images=torch.zeros(4, 3, 32, 32, dtype=torch.uint8))
    with pytest.raises(CnnvizError, match=r"\(3, 32, 32\).*expects \(1, 28, 28\)"):
        fit(SHORT, coloured, coloured)


def test_devices():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type in ("cpu", "cuda", "mps")
    with pytest.raises(CnnvizError, match=r"Device 'tpu' is not available here. Usable: cpu"):
        resolve_device("tpu")


def test_bad_recipes():
    with pytest.raises(CnnvizError, match="Did you mean 'mlp-scrambled'"):
        named("mlp-scramble")
    with pytest.raises(CnnvizError, match="Unknown dataset 'digit'"):
        named("lenet", "digit")
    with pytest.raises(CnnvizError, match="steps is 0; expected 1 or more"):
        Recipe("lenet", steps=0)
