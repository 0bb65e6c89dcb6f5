"""A pass over images: the same bytes however many processes share it, and after a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.atlas.known import Survey
from cnnviz.atlas.survey import survey
from cnnviz.inside.images import First, batch_size
from cnnviz.inside.patches import extremes

LAYERS = ["0", "1", "2", "4", "6"]


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 49, 4),
    )  # fmt: skip


def images() -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.rand(45, 3, 16, 16), torch.randint(0, 3, (45,))


class OnDemand:
    """Images that are read when they are asked for, and count how many at once."""

    def __init__(self, images: Tensor) -> None:
        self._images, self.most = images, 0

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: slice | Tensor | list[int]) -> Tensor:
        read = self._images[index]
        self.most = max(self.most, len(read))
        return read


def flat(found: Survey) -> dict[str, Tensor]:
    """Every number of a survey."""
    numbers = {}
    for name, layer in found.layers.items():
        for key, value in vars(layer).items():
            if key in ("most", "least", "histogram"):
                parts = vars(value)
                numbers |= {f"{name}.{key}.{part}": torch.as_tensor(parts[part]) for part in parts}
            elif value is not None:
                numbers[f"{name}.{key}"] = torch.as_tensor(value)
    if found.answering is not None:
        numbers |= vars(found.answering)
    return numbers


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert value.numpy().tobytes() == other[key].numpy().tobytes(), key


def test_against_a_plain_pass() -> None:
    model, (x, labels) = net().train(), images()
    found = survey(model, LAYERS, x, labels, 4, shard=8)
    assert model.training
    with torch.no_grad():
        convolved = model[0](x)
        logits = model(x).double()
    layer = found.layers["0"]  # before the ReLU that overwrites it
    assert layer.low == pytest.approx(float(convolved.min()), rel=1e-6)
    assert layer.low < 0
    assert found.layers["1"].low == 0
    assert layer.mean.tolist() == pytest.approx(convolved.mean((0, 2, 3)).tolist(), abs=1e-6)
    assert found.answering is not None
    right = (logits.argmax(1) == labels).double()
    assert found.answering.images.tolist() == [*torch.bincount(labels).tolist(), 0]
    assert found.answering.mean(found.answering.accuracy) == pytest.approx(float(right.mean()))
    assert found.answering.top_five[:3].tolist() == [1, 1, 1]
    loss = F.cross_entropy(logits, labels)
    assert found.answering.mean(found.answering.loss) == pytest.approx(float(loss), rel=1e-6)
    assert found.answering.loss.isnan().tolist() == [False, False, False, True]


def test_extremes_are_those_of_a_sweep_for_them_alone() -> None:
    x, _ = images()
    found, alone = survey(net(), LAYERS, x, shard=8), extremes(net(), LAYERS, x, 9, batch=8)
    for name in LAYERS:
        assert torch.equal(found.layers[name].most.image, alone[name].most.image)
        assert torch.equal(found.layers[name].least.row, alone[name].least.row)
        assert torch.equal(found.layers[name].least.value, alone[name].least.value)


def test_images_are_read_in_batches_and_labels_may_be_unknown() -> None:
    x, _ = images()
    read = OnDemand(x)
    found = survey(net(), LAYERS, First(read, 40), shard=8)
    assert read.most == 8
    assert found.answering is None
    assert found.layers["6"].images == 40
    assert found.layers["6"].by_class is None
    assert_same(flat(found), flat(survey(net(), LAYERS, x[:40], shard=8)))


def test_the_number_of_threads_changes_nothing_and_is_left_as_it_was() -> None:
    x, labels = images()
    found, threads = [], torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(flat(survey(net(), LAYERS, x, labels, 4)))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert_same(*found)


def test_a_pass_goes_on_after_it_was_killed(tmp_path: Path) -> None:
    x, labels = images()
    whole = flat(survey(net(), LAYERS, x, labels, 4, shard=8))

    def killed(done: int, count: int) -> None:
        assert count == 45
        if done >= 24:
            raise KeyboardInterrupt

    keep, told = tmp_path / "kept", []
    with pytest.raises(KeyboardInterrupt):
        survey(net(), LAYERS, x, labels, 4, shard=8, keep=keep, progress=killed)
    found = survey(
        net(), LAYERS, x, labels, 4, shard=8, keep=keep, progress=lambda done, _: told.append(done)
    )
    assert_same(flat(found), whole)
    assert told[0] > 8  # not from the first shard on
    again = survey(net(), LAYERS, x, labels, 4, shard=8, keep=keep, progress=told.append)  # type: ignore[arg-type]
    assert_same(flat(again), whole)  # and nothing was left to do


def test_what_was_kept_is_of_no_use_for_other_weights_or_when_damaged(tmp_path: Path) -> None:
    x, _ = images()
    keep, other = tmp_path / "kept", net()
    survey(net(), LAYERS, x, keep=keep)
    with torch.no_grad():
        other[2].weight += 1
    assert_same(flat(survey(other, LAYERS, x, keep=keep)), flat(survey(other, LAYERS, x)))
    keep.write_bytes(keep.read_bytes()[:-200])
    assert_same(flat(survey(other, LAYERS, x, keep=keep)), flat(survey(other, LAYERS, x)))


def test_a_layer_without_a_row_for_each_image_is_left_out() -> None:
    class Windows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts, self.table = nn.Identity(), nn.Identity()

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            parts = self.parts(x.unflatten(3, (2, 8)).permute(0, 3, 1, 2, 4).flatten(0, 1))
            self.table(torch.ones(7, 2))
            return {"a": parts.mean((1, 2, 3)), "b": x}

    x, labels = images()
    found = survey(Windows(), ["parts", "table"], x, labels, 3, shard=8)
    assert list(found.layers) == ["parts"]
    assert found.layers["parts"].places == 2 * 16 * 8
    assert found.layers["parts"].mean.tolist() == pytest.approx(x.mean((0, 2, 3)).tolist())
    assert found.answering is None


SCRIPT = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_survey import LAYERS, flat, images, net
from cnnviz.atlas.survey import survey
from cnnviz.atlas.processes import processes
x, labels = images()
keep = Path(sys.argv[2]) / "kept"
found = flat(survey(net(), LAYERS, x, labels, 4, shard=8, keep=keep))
rank = processes().rank
torch.save(found, Path(sys.argv[2]) / f"found-{rank}")
torch.distributed.destroy_process_group()
"""


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    """By PyTorch's launcher, on the CPU; what they kept serves one process, too."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, "utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node",
               "2", script, Path(__file__).parent, tmp_path]  # fmt: skip
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        list(map(str, command)), env={**os.environ, "PYTHONPATH": root}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    x, labels = images()
    whole = flat(survey(net(), LAYERS, x, labels, 4, shard=8))
    for rank in (0, 1):
        assert_same(torch.load(tmp_path / f"found-{rank}"), whole)
    told: list[int] = []
    again = survey(net(), LAYERS, x, labels, 4, shard=8, keep=tmp_path / "kept",
                   progress=lambda done, _: told.append(done))  # fmt: skip
    assert_same(flat(again), whole)
    assert not told


def test_batches_are_smaller_where_images_are_larger() -> None:
    sizes = [batch_size(torch.zeros(1, 3, side, side)) for side in (8, 28, 64, 224, 1000)]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (256, 8)


def test_channels_may_lie_last() -> None:
    """As in the tokens of a transformer, (N, T, C)."""
    torch.manual_seed(4)
    x, model = torch.rand(20, 5, 3), nn.Sequential(nn.Identity())
    found = survey(model, ["0"], x, shard=8, axes={"0": 1}).layers["0"]
    assert found.mean.tolist() == pytest.approx(x.mean((0, 1)).tolist())
    alone = extremes(model, ["0"], x, 2, batch=8, axes={"0": 1})["0"].most
    assert torch.equal(alone.value, x.amax(1).T.topk(2).values)
    assert torch.equal(found.most.value[:, :2], alone.value)
