import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset
from torchvision.datasets import ImageFolder

from cnnviz.errors import CnnvizError
from cnnviz.own.images import evenly, open_images
from cnnviz.own.prepared import Preparation, channels_of, preparation
from tests.own.conftest import photos_in


def test_a_folder_of_classes(photos):
    images = open_images(str(photos))
    assert (len(images), images.classes) == (6, ("blue", "red"))
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.names == tuple(f"{c}/{i}.png" for c in ("blue", "red") for i in range(3))
    assert images.shape == (6, 3, 16, 20)
    red = images[[5, 3]]
    assert red[:, :, 0, 0].mul(255).round().tolist() == [[202, 0, 0], [200, 0, 0]]
    assert torch.equal(images[torch.tensor([5, 3])], red)
    assert torch.equal(images[3:6:2], red.flip(0))
    assert torch.equal(images[-1:], red[:1])
    assert images[:0].shape == (0, 3, 16, 20)


def test_the_numbers_of_classes_are_those_of_torchvision(tmp_path):
    folder = photos_in(tmp_path / "p", {"10": 1, "2": 1, "Zebra": 1, "ant": 2})
    ours, theirs = open_images(folder), ImageFolder(folder)
    assert list(ours.classes) == theirs.classes
    assert ours.labels.tolist() == theirs.targets
    assert [str(folder / name) for name in ours.names] == [path for path, _ in theirs.samples]


def test_what_systems_leave_lying_about_is_no_image(photos):
    (photos / ".DS_Store").write_text("")
    (photos / "__MACOSX").mkdir()
    (photos / "__MACOSX" / "x.png").write_text("")
    (photos / "blue" / "._0.png").write_text("")
    (photos / "blue" / "notes.txt").write_text("")
    (photos / "empty").mkdir()
    assert open_images(photos).classes == ("blue", "red")


def test_some_of_many_evenly(photos):
    assert open_images(photos, count=4).names == (
        "blue/0.png",
        "blue/1.png",
        "red/0.png",
        "red/1.png",
    )
    assert evenly(3, 5) == evenly(3, None) == [0, 1, 2]


def test_grey_turned_and_deep(tmp_path):
    """As cameras and scanners write them: turned by a note, palettes, 16 bits, transparent."""
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(np.rot90(pixels, -1)).convert("P").save(tmp_path / "b.png")
    Image.fromarray(np.rot90(pixels, -1).astype(np.uint16) * 257).save(tmp_path / "c.png")
    Image.fromarray(np.rot90(pixels, -1)).convert("RGBA").save(tmp_path / "d.png")
    images = open_images(tmp_path, Preparation(channels=1))
    assert images.shape == (4, 1, 4, 3)
    assert images.labels is None
    for image in images[:]:
        assert image[0].mul(255).round().tolist() == np.rot90(pixels, -1).tolist()
    assert open_images(tmp_path)[[0]].shape == (1, 3, 4, 3)


def test_a_photograph_that_cannot_be_read_is_left_out(photos):
    whole = (photos / "red" / "1.png").read_bytes()
    (photos / "red" / "1.png").write_bytes(whole[: len(whole) // 2])
    (photos / "blue" / "0.png").write_text("no image")
    images = open_images(photos)
    assert images.labels.tolist() == [0, 0, 1, 1]
    assert len(images.notes) == 2
    assert images.notes[0] == f"'{photos / 'blue' / '0.png'}' cannot be read (it is no image); " + (
        "it is left out."
    )
    assert "1.png' cannot be read (OSError: " in images.notes[1]


# --- Labels -------------------------------------------------------------------------------------


def flat(folder):
    folder.mkdir()
    for name, colour in (("a.png", 10), ("b.png", 20), ("c.png", 30)):
        Image.new("RGB", (4, 4), (colour, 0, 0)).save(folder / name)
    return folder


def test_a_file_of_labels(tmp_path):
    folder, labels = flat(tmp_path / "flat"), tmp_path / "labels.csv"
    labels.write_text('file,class\nc.png,cat\n\na.png, "dog, small"\nb.png,cat\n', "utf-8-sig")
    images = open_images(folder, labels_file=labels)
    assert images.classes == ("cat", "dog, small")
    labels.write_text("c.png,10\na.png,9\nb.png,10\n")
    images = open_images(folder, labels_file=labels)
    assert images.classes == ("9", "10")
    assert images.labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.png,x\nb.png\n", "line 2: expected 'file,class'"),
        ("a.png,x\nb.png,x\n", "gives 'c.png' no class. Add a line 'c.png,CLASS'"),
        ("a.png,x\nb.png,x\nd.png,y\n", "names Unknown image 'd.png'"),
        ("\n", "is empty. Expected lines such as"),
    ],
)
def test_a_wrong_file_of_labels(tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(CnnvizError, match=message):
        open_images(flat(tmp_path / "flat"), labels_file=tmp_path / "labels.csv")


# --- Folders that hold something else -------------------------------------------------------------


def test_folders_with_something_else(tmp_path, photos):
    cases = {
        "There are no images in": tmp_path / "empty",
        "There is only one image": photos_in(tmp_path / "one", {"red": 1}),
        "holds the parts of a data set": photos_in(tmp_path / "split", {"train": 2, "val": 2}),
    }
    (tmp_path / "empty").mkdir()
    for message, folder in cases.items():
        with pytest.raises(CnnvizError, match=message):
            open_images(folder)
    (photos / "red" / "0.png").rename(photos / "red.png")
    with pytest.raises(CnnvizError, match="holds both images \\('red.png'\\) and folders with"):
        open_images(photos)
    with pytest.raises(CnnvizError, match="is one file. Give the folder"):
        open_images(photos / "red.png")
    with pytest.raises(CnnvizError, match="There is no folder 'nowhere'"):
        open_images("nowhere")


def test_most_images_are_broken(photos):
    for path in sorted(photos.rglob("*.png"))[:4]:
        path.write_text("broken")
    with pytest.raises(CnnvizError, match="4 of 6 images cannot be read, such as"):
        open_images(photos)


def test_different_sizes(photos):
    Image.new("RGB", (9, 8)).save(photos / "red" / "odd.png")
    with pytest.raises(CnnvizError, match="such as 8×9 and 16×20 pixels. Say what size"):
        open_images(photos)
    assert open_images(photos, Preparation(size=(8, 6))).shape == (7, 3, 8, 6)


def test_a_file_that_is_gone(photos):
    images = open_images(photos)
    (photos / "red" / "2.png").unlink()
    with pytest.raises(CnnvizError, match="'red/2.png' cannot be read"):
        images[:]


# --- Prepared as the network wants them -----------------------------------------------------------


def test_mean_and_deviation_are_undone(photos):
    made = preparation(nn.Conv2d(3, 1, 1), mean=(0.5, 0.4, 0.3), std=(0.2,))
    images, plain = open_images(photos, made), open_images(photos)
    assert torch.allclose(images[:][:, 1], torch.full((6, 16, 20), -0.4 / 0.2))
    assert torch.allclose(images.show(images[:]), plain[:], atol=1e-6)
    assert images.key != plain.key


@pytest.mark.parametrize(("name", "size"), [("ResNet18", 224), ("ViT_B_16", 224), ("VGG11", 224)])
def test_the_same_as_the_transforms_of_the_weights(tmp_path, name, size):
    from torchvision import models

    (tmp_path / "p").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (2, 300, 270, 3), np.uint8)
    for index, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / "p" / f"{index}.png")
    transforms = models.get_model_weights(name.lower())["DEFAULT"].transforms()
    images = open_images(tmp_path / "p", preparation(nn.Conv2d(3, 1, 1), transforms))
    expected = torch.stack([transforms(Image.fromarray(pixels)) for pixels in noise])
    assert images.shape == (2, 3, size, size)
    assert torch.allclose(images[:], expected, atol=1e-6)
    smaller = preparation(nn.Conv2d(3, 1, 1), transforms, size=(64, 48))
    assert open_images(tmp_path / "p", smaller).shape == (2, 3, 64, 48)


def test_what_the_first_layer_takes():
    assert channels_of(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 3, 3))) == 1
    assert channels_of(nn.Sequential(nn.Flatten(), nn.Linear(784, 10))) == 1
    assert channels_of(nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))) == 3
    assert channels_of(nn.Sequential(nn.LazyConv2d(4, 3))) is None
    assert preparation(nn.Conv2d(1, 2, 3)).channels == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": (0.5,)}, "Give both --mean and --std"),
        ({"mean": (0.5, 0.5), "std": (1, 1)}, "--mean has 2 numbers; expected one for each of"),
        ({"mean": (0.5,), "std": (0.0,)}, "--std 0.0: expected numbers above 0"),
    ],
)
def test_wrong_numbers(options, message):
    with pytest.raises(CnnvizError, match=message):
        preparation(nn.Conv2d(3, 1, 1), **options)


# --- Data sets and tensors ------------------------------------------------------------------------

VALUES = torch.arange(4 * 3 * 5 * 6).view(4, 3, 5, 6) / 360
LABELS = torch.tensor([1, 0, 1, 2])
PICTURES = [Image.fromarray(np.full((5, 6, 3), i, np.uint8)) for i in range(4)]


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        (VALUES, None),
        (VALUES.numpy(), None),
        ((VALUES, LABELS), LABELS),
        ([VALUES, LABELS.tolist()], LABELS),
        (TensorDataset(VALUES, LABELS), LABELS),
        (Subset(TensorDataset(VALUES, LABELS), [0, 1, 2, 3]), LABELS),
        (DataLoader(TensorDataset(VALUES, LABELS), shuffle=True), LABELS),
        (list(VALUES), None),
        (list(zip(VALUES, LABELS.tolist(), strict=True)), LABELS),
        ((VALUES * 255).byte(), None),
    ],
    ids=range(10),
)
def test_images_of_any_make(given, labels):
    images = open_images(given)
    assert torch.allclose(images[:], VALUES, atol=1 / 255)
    assert (images.labels is None) == (labels is None)
    if labels is not None:
        assert images.labels.tolist() == labels.tolist()
    assert images.notes == ()
    assert images.key == open_images(given).key
    assert open_images(given, count=2).shape == (2, 3, 5, 6)


def test_pillows_images_and_paths(photos):
    paths = sorted(photos.rglob("*.png"))
    assert torch.equal(open_images(paths)[:], open_images(photos)[:])
    assert open_images(PICTURES, Preparation(channels=1))[[3]].mul(255).unique().tolist() == [3]


def test_values_that_are_prepared_already():
    images = open_images(VALUES * 4 - 2)
    assert torch.allclose(images[:], VALUES * 4 - 2)
    assert "range from -2 to 1.99: taken as the network wants them" in images.notes[0]
    shown = images.show(images[:])
    assert (float(shown.min()), float(shown.max())) == (0, 1)
    made = Preparation(mean=(0.5,), std=(0.25,))
    images = open_images(VALUES * 4 - 2, made)
    assert torch.allclose(images.show(images[:]), VALUES, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (VALUES[:1], "There is only one image"),
        (VALUES[:0], "There are no images"),
        (VALUES[0, 0], "Images of shape"),
        (3, "Got int for images; expected images: a tensor"),
        ((VALUES, LABELS.float()), "Labels of shape"),
        (VALUES * float("nan"), "The images hold NaN"),
        ([torch.rand(3), torch.rand(3)], "An image has shape"),
    ],
)
def test_what_are_no_images(given, message):
    with pytest.raises(CnnvizError, match=message):
        open_images(given)


def test_the_digits_of_torchvision(real_digits_dir):
    images = open_images(f"torchvision:MNIST:{real_digits_dir}", Preparation(channels=1), count=50)
    assert images.shape == (50, 1, 28, 28)
    assert images.classes[7] == "7 - seven"
    assert open_images(f"MNIST:{real_digits_dir}", count=50)[[0]].shape == (1, 3, 28, 28)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchvision:CIFAR10:.", "The data set CIFAR10 cannot be read from '.' .RuntimeError"),
        ("torchvision:SVHN:.", "The data set SVHN cannot be read"),
        ("CIFAR11:.", "torchvision has no data set 'CIFAR11'"),
    ],
)
def test_a_data_set_that_is_not_there(spec, message):
    with pytest.raises(CnnvizError, match=message):
        open_images(spec)


def test_a_function_of_a_file(write, photos):
    path = write(f"""
        import torch
        def images():
            return torch.rand(3, 1, 4, 4), [0, 1, 0], ["a", "b"]
        def folder():
            return {str(photos)!r}
    """)
    images = open_images(f"{path}:images")
    assert (images.shape, images.classes) == ((3, 1, 4, 4), ("a", "b"))
    assert open_images(f"{path}:folder").classes == ("blue", "red")
    with pytest.raises(CnnvizError, match=r"has no 'image'. Did you mean 'images'\? Expected a"):
        open_images(f"{path}:image")
