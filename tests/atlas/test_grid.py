"""Grids of small networks: every patch is where it is said to be, every number PyTorch's."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnviz.atlas.grid import (
    draw_grids,
    draw_optimised,
    field_size,
    groups,
    made_small,
    opaque,
    seen_by,
)
from cnnviz.atlas.grid_facts import PER_SHEET
from cnnviz.atlas.grid_units import grid_facts, off_facts
from cnnviz.atlas.subject import AtlasNet, Subject
from cnnviz.drawing.sheets import BEYOND
from cnnviz.inside.ablation import Ablation
from cnnviz.inside.feature_visualization import Optimised

CLASSES = ["Ché", "crane, bird", "lynx <&>"]


class Read:
    """Images on demand, that count how often each is read and how many at once."""

    def __init__(self, images):
        self.images, self.read, self.most = images, [], 0

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        found = self.images[index]
        self.most = max(self.most, len(found))
        self.read.append(index)
        return found


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(), nn.Conv2d(6, 14, 5, padding=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(14, 3),
    )  # fmt: skip
    images = torch.rand(20, 3, 25, 33)
    subject = Subject(
        name="small", title="Small", model=model.eval(), images=Read(images),
        labels=torch.arange(20) % 3, classes=CLASSES, shown=[0, 1, 2], examples=3,
    )  # fmt: skip
    return AtlasNet(subject)


def facts_of(net, layers, folder, into=None, **more):
    best = {name: net.extremes[name] for name in layers}
    return {
        name: grid_facts(net, net.layer(name), drawn, into or {}, **more)
        for name, drawn in draw_grids(net, best, folder)
    }


@pytest.fixture(scope="module")
def drawn(net, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    return facts_of(net, [layer.name for layer in net.weighted], folder), folder


def test_patches_are_cut_where_the_facts_say(net, drawn):
    """The sheets of a layer with small patches are kept pixel for pixel."""
    facts, folder = drawn
    layer = facts["0"]
    assert (layer.patch, layer.whole, layer.tiles[0].scale) == ((3, 3), False, 16)
    sheet = np.asarray(Image.open(folder / layer.sheets[0].file).convert("RGBA"))
    field = net.fields["0"]
    for unit in range(6):
        for k in range(18):
            places, i = (layer.most, k) if k < 9 else (layer.least, k - 9)
            top, left, bottom, right = field.box(places.row[unit][i], places.column[unit][i])
            image = net.subject.images.images[places.image[unit][i]]
            expected = (255 * image[:, top:bottom, left:right]).round().permute(1, 2, 0)
            found = sheet[unit * 4 : unit * 4 + 3, k * 4 : k * 4 + 3]
            assert (found[..., 3] == 255).all()
            assert np.array_equal(found[..., :3], expected.byte().numpy())


def test_values_are_pytorchs(net, drawn):
    facts = drawn[0]["2"]
    model, images, labels = net.model, net.subject.images.images, net.subject.labels
    with torch.no_grad():
        before = model[:3](images)  # (N, 14, h, w)
    after = before.relu()
    for unit in range(14):
        for i in range(9):
            image, row, column = (
                getattr(facts.least, side)[unit][i] for side in ("image", "row", "column")
            )
            told = facts.least.value[unit][i]
            assert told == pytest.approx(float(before[image, unit, row, column]), rel=1e-4)
            assert told == pytest.approx(
                float(before[:, unit].flatten(1).amin(1).sort().values[i]), rel=1e-4
            )
        assert facts.labels[facts.most.image[unit][0]] == int(labels[facts.most.image[unit][0]])
    flat = after.transpose(0, 1).flatten(1)
    assert facts.mean == pytest.approx(flat.mean(1).tolist(), rel=1e-3)
    assert facts.low == pytest.approx(before.transpose(0, 1).flatten(1).amin(1).tolist(), rel=1e-4)
    assert facts.active == pytest.approx((after.amax((2, 3)) > 0).float().mean(0).tolist())
    means = torch.stack([after[labels == c].mean((0, 2, 3)) for c in range(3)], dim=1)
    assert facts.best == means.argsort(1, descending=True).tolist()
    assert facts.relu == "3"
    assert facts.norm == pytest.approx(model[2].weight.flatten(1).norm(dim=1).tolist(), rel=1e-4)
    assert facts.bias == pytest.approx(model[2].bias.tolist(), rel=1e-4)


def test_the_output_layer_names_its_classes(drawn):
    facts = drawn[0]["6"]
    assert facts.own
    assert [facts.classes[i] for i in range(3)] == CLASSES
    assert facts.whole
    assert facts.patch == (25, 33)


def test_what_lies_beyond_the_image_is_faint(net, drawn):
    """A field of the second convolution reaches two rows of the first beyond the image."""
    facts, folder = drawn
    layer = facts["2"]
    sheet = np.asarray(Image.open(folder / layer.sheets[0].file).convert("RGBA"))
    height, width = layer.patch
    edge = [
        (unit, i) for unit in range(PER_SHEET) for i in range(9) if layer.most.row[unit][i] == 0
    ]
    assert edge
    for unit, i in edge:
        top = unit * (height + 1)
        patch = sheet[top : top + height, i * (width + 1) : i * (width + 1) + width, 3]
        assert (patch[:4] == BEYOND).all()
        assert patch[height // 2, width // 2] == 255


def test_sheets_hold_so_many_units(drawn):
    facts = drawn[0]["2"]
    assert (len(facts.tiles), len(facts.sheets)) == (1, 2)
    assert [sheet.height for sheet in facts.sheets] == [
        n * (facts.patch[0] + 1) for n in (PER_SHEET, 2)
    ]


def test_a_second_run_writes_nothing(net, drawn):
    facts, folder = drawn
    written = {
        file.relative_to(folder).as_posix(): file.stat().st_ino for file in folder.rglob("*.webp")
    }
    told = {sheet.file for layer in facts.values() for sheet in [*layer.tiles, *layer.sheets]}
    assert set(written) == told
    list(draw_grids(net, {"2": net.extremes["2"]}, folder))
    assert all((folder / file).stat().st_ino == number for file, number in written.items())


def test_images_are_read_once_for_all_layers_and_never_all_at_once(net, tmp_path, monkeypatch):
    monkeypatch.setattr("cnnviz.atlas.grid.AT_ONCE", 4 * 24 * 32 * 3 * 4)
    best = {name: net.extremes[name] for name in ("0", "2", "6")}
    assert list(groups(net)) == [["0", "2", "6"]]
    images = net.subject.images
    images.read, images.most = [], 0
    list(draw_grids(net, best, tmp_path))
    assert images.most <= 4
    read = torch.cat(images.read)
    assert len(read.unique()) == len(read)


def test_large_layers_are_drawn_one_after_the_other(net, monkeypatch):
    monkeypatch.setattr("cnnviz.atlas.grid.MEMORY", 1)
    assert list(groups(net)) == [["0"], ["2"], ["6"]]


def test_fewer_units_are_drawn_together_in_more_layers(net, monkeypatch):
    monkeypatch.setattr("cnnviz.atlas.grid.MEMORY", 2 * 1 * 9 * 4 * 32 * 40)
    assert list(groups(net)) == [["0"], ["2"], ["6"]]
    assert len(list(groups(net, 1))) < 3


def test_a_batch_in_which_a_layer_has_no_patch(net, tmp_path, monkeypatch):
    """Images are read for all layers; one that needs none of these has nothing to cut."""
    monkeypatch.setattr("cnnviz.atlas.grid.AT_ONCE", 1)
    best = {"0": net.extremes["0"].first(1), "2": net.extremes["2"].first(1)}
    for extremes in best.values():
        for answers in (extremes.most, extremes.least):
            answers.image[:] = 3
    best["2"].least.image[:] = 5
    assert [name for name, _ in draw_grids(net, best, tmp_path)] == ["0", "2"]


def test_made_small_without_dark_edges():
    """White beside what lies beyond the image stays white."""
    patch = opaque(torch.ones(1, 1, 40, 40))
    patch[..., :13] = 0
    small = made_small(patch, (10, 10))
    colour, opacity = small[0]
    assert (colour[opacity > 0] == 255).all()
    assert 0 < opacity[0, 3] < 255


def test_optimised_inputs_are_cut_to_the_field(net, tmp_path):
    moved = torch.ones(2, 3, dtype=torch.bool)
    optimum = Optimised(torch.rand(2, 3, 3, 24, 32), torch.tensor([[1.0, 2, 3], [4, 5, 6]]), moved)
    facts = draw_optimised(net, "0", [1, 4], optimum, tmp_path)
    assert (facts.units, facts.value) == ([1, 4], [[1, 2, 3], [4, 5, 6]])
    assert facts.size == (3, 3)
    sheet = np.asarray(Image.open(tmp_path / facts.sheet.file).convert("RGBA"))
    field = net.fields["0"]
    top, left, bottom, right = field.box(field.units[0] // 2, field.units[1] // 2)
    expected = (255 * optimum.images[1, 2, :, top:bottom, left:right]).round().byte()
    assert np.array_equal(sheet[4:7, 8:11, :3], expected.permute(1, 2, 0).numpy())


def test_links_and_ablation_as_columns(net, tmp_path):
    into = {"2": torch.tensor([[0.25, 0, 0, -3, 0, 0.5]]).expand(14, 6)}
    off = Ablation(torch.tensor([[0.5, 1, float("nan")]]), torch.tensor([[2.0, 1, float("nan")]]))
    whole = (torch.tensor([1.0, 1, float("nan")]), torch.tensor([1.0, 1, float("nan")]))
    told = off_facts([3], off, whole, 100)
    assert (told.accuracy, told.loss, told.images) == ([-0.25], [0.5], 100)
    facts = facts_of(net, ["2"], tmp_path, into, off=told)["2"]
    assert (facts.incoming.layer, facts.incoming.count) == ("0", 6)
    assert facts.incoming.unit[13][:3] == [3, 5, 0]
    assert facts.incoming.contribution[0][:3] == [-3, 0.5, 0.25]
    weight = net.model[2].weight[13, 3].detach().norm()
    assert facts.incoming.weight[13][0] == pytest.approx(float(weight), rel=1e-4)
    assert facts.outgoing is None
    assert facts.off == told


def test_without_labels_nothing_is_told_by_class(net, tmp_path):
    images = torch.rand(12, 3, 24, 32)
    subject = Subject("bare", "Bare", net.model, images, None, [], shown=[0], examples=1)
    facts = facts_of(AtlasNet(subject), ["2", "6"], tmp_path)
    assert not facts["2"].best
    assert not facts["2"].labels
    assert not facts["6"].own


def test_windows_of_different_sizes_are_shown_as_whole_images(tmp_path):
    """Behind adaptive pooling from 11 to 4 rows windows have three or four rows."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.AdaptiveAvgPool2d((4, 5)), nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, (4, 5)))
    images = torch.rand(10, 3, 11, 10)
    net = AtlasNet(Subject("a", "A", model.eval(), images, None, [], shown=[0], examples=1))
    assert seen_by(net, "1") is None
    assert field_size(net, "1") == (0, 0)
    assert field_size(net, "2") == (11, 10)
    facts = facts_of(net, ["1", "2"], tmp_path)
    assert facts["1"].whole
    assert facts["1"].patch == (11, 10)


def test_a_field_higher_than_the_image_ends_with_it(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, (9, 3), padding=(4, 1)), nn.Flatten(), nn.Linear(120, 2))
    images = torch.rand(10, 1, 5, 12)
    net = AtlasNet(Subject("a", "A", model.eval(), images, None, [], shown=[0], examples=1))
    facts = facts_of(net, ["0"], tmp_path)["0"]
    assert (facts.patch, facts.field, facts.whole) == ((5, 3), (9, 3), False)
    sheet = np.asarray(Image.open(tmp_path / facts.sheets[0].file).convert("RGBA"))
    image, column = facts.most.image[1][0], facts.most.column[1][0]
    expected = torch.nn.functional.pad(images[image, 0], (1, 1))[:, column : column + 3]
    opaque_there = sheet[6:11, :3, 3] == 255
    assert np.array_equal(sheet[6:11, :3, 0][opaque_there],
                          (255 * expected).round().byte().numpy()[opaque_there])  # fmt: skip
