from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import cnnviz
from cnnviz.errors import CnnvizError
from cnnviz.words import PackageWords


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(4 * 6 * 6, 2)

    def forward(self, x):
        return self.fc(self.relu(self.conv(x)).flatten(1))


@pytest.fixture
def images():
    return torch.rand(10, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def seen(images):
    torch.manual_seed(0)
    labels = torch.arange(10) % 2
    return cnnviz.look(Net(), images, ["no", "yes"], labels, mean=[0.5], std=[0.25], name="My net")


def pixels(shown):
    return np.array(Image.open(BytesIO(shown._repr_png_())).convert("RGB"))


def test_what_it_is(seen):
    assert repr(seen) == "My net over images of 10×3×8×8"
    assert seen.subject.name == "My-net"
    assert "2 multiplications" not in str(seen.summary())
    # 4·6·6 places of 27 products, and 144·2
    assert str(seen.summary()).splitlines()[-1] == (
        "My net: 4 layers, 398 parameters, 4,176 multiplications for an image of 3×8×8"
    )


def test_outputs_are_those_of_record(seen, images):
    outputs = seen.record()
    expected = cnnviz.record(seen.model, (images[:1] - 0.5) / 0.25)
    assert list(outputs) == list(expected)
    assert torch.allclose(outputs["relu"], expected["relu"], atol=1e-6)
    assert repr(outputs).splitlines()[0] == "conv: (1, 4, 6, 6)"
    assert seen.record(images[:2])["fc"].shape == (2, 2)


def test_pictures(seen):
    assert pixels(seen.filters("conv")).shape == (7, 7, 3)  # 2 × 2 kernels, a pixel between them
    assert pixels(seen.filters("fc")).shape[1] > 2
    assert pixels(seen.maps("relu", image=3)).shape == (13, 13, 3)
    assert pixels(seen.maps("fc")).shape == (8, 17, 3)
    assert pixels(seen.optimise("conv", [2], steps=1)).shape == (8, 8, 3)


def test_the_strongest_patches_are_cut_from_the_images(seen, images):
    drawn = pixels(seen.top("conv", units=[1], count=2))
    assert drawn.shape == (3, 7, 3)
    answers = seen.record((images - 0.5) / 0.25)["conv"][:, 1]  # (10, 6, 6)
    image, row, column = np.unravel_index(int(answers.argmax()), answers.shape)
    cut = images[image, :, row : row + 3, column : column + 3].permute(1, 2, 0)
    assert (drawn[:, :3] == (255 * cut).round().numpy()).all()


def test_whole_images_where_a_unit_sees_all(seen):
    assert pixels(seen.top("fc", count=3)).shape == (17, 26, 3)


def test_ablation_begins_with_the_worst_loss(seen):
    table = seen.ablate("conv")
    losses = [loss for _, _, loss in table.rows]
    assert losses == sorted(losses, reverse=True)
    assert sorted(unit for unit, _, _ in table.rows) == [0, 1, 2, 3]
    assert [unit for unit, _, _ in seen.ablate("conv", [3]).rows] == [3]


def test_a_notebook_shows_them(seen):
    html = seen.filters("fc")._repr_html_()
    assert html.startswith("<figure")
    assert "Weights of fc" in html
    assert "linear-gradient" in html
    assert "data:image/png;base64," in html
    assert seen.summary()._repr_html_().count("<tr>") == 5
    assert "<pre>conv: (1, 4, 6, 6)" in seen.record()._repr_html_()


def test_they_are_said_in_chinese(images):
    said = cnnviz.look(Net(), images, language="zh").filters("conv")
    words = PackageWords().catalogue("zh", "look")("filters", layer="conv")
    assert words in said._repr_html_()
    assert words in repr(said)


def test_they_are_saved(seen, tmp_path):
    shown = seen.maps("conv")
    assert shown.save(tmp_path / "a.png").read_bytes() == shown._repr_png_()
    assert "What conv makes of image 0" in shown.save(tmp_path / "a.html").read_text("utf-8")
    lines = seen.summary().save(tmp_path / "a.csv").read_text("utf-8").splitlines()
    assert lines[1].startswith("conv,Conv2d,")
    assert seen.ablate("fc").save(tmp_path / "a.txt").read_text("utf-8").startswith("unit off")
    saved = torch.load(seen.record().save(tmp_path / "a.pt"), weights_only=True)
    assert saved["fc"].shape == (1, 2)
    with pytest.raises(CnnvizError, match=r"ends in .png, .html"):
        shown.save(tmp_path / "a.jpg")


def test_a_folder_and_its_classes(photos):
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    seen = cnnviz.look(model, photos)
    assert list(seen.subject.classes) == ["blue", "red"]
    assert cnnviz.look(model, sorted(photos.rglob("*.png")), size=8).images.shape == (6, 3, 8, 8)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda seen: seen.filters("conf"), "Unknown layer 'conf'. Did you mean 'conv'?"),
        (lambda seen: seen.filters("relu"), r"Layer 'relu' \(ReLU\) has no kernels"),
        (lambda seen: seen.top("conv", [4]), "Layer 'conv' has units 0 to 3; there is no unit 4"),
        (lambda seen: seen.maps("conf"), "conf"),
        (lambda seen: cnnviz.look(seen.model, torch.rand(3, 8, 8)), "first layer takes 3 channels"),
        (lambda seen: cnnviz.look(nn.Linear, torch.rand(3, 3, 8, 8)), "look returned the class"),
    ],
)
def test_mistakes(seen, ask, message):
    with pytest.raises(CnnvizError, match=message):
        ask(seen)


def test_nobody_knows_the_classes(images):
    with pytest.raises(CnnvizError, match="Give labels="):
        cnnviz.look(Net(), images).ablate("conv")


def test_the_names_of_the_package():
    assert {"record", "look", "summary", "__version__", "CnnvizError"} <= set(dir(cnnviz))
    assert cnnviz.__version__.count(".") >= 1
    with pytest.raises(AttributeError, match="no attribute 'recrod'"):
        _ = cnnviz.recrod
